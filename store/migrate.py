"""Forward-only migrations: SQL files, each run once, in order, under one advisory lock."""

import hashlib
from pathlib import Path

import asyncpg
import msgspec

from contract.errors import RemedyError
from store.pool import Connection
from store.scoped import put_dashboards, put_reader, put_scoped
from store.sql import queries_beside

MIGRATIONS = Path(__file__).with_name("migrations")
ROLES = Path(__file__).with_name("roles.sql")
GRANTS = Path(__file__).with_name("grants.sql")
QUERIES = queries_beside(__file__)
_LOCK = 0x6D696C65706F7374  # "milepost"

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class Migration(msgspec.Struct, frozen=True):
    """One file: ``0001_registry.sql`` is version 1, name ``registry``."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The hash of the file, by which a changed migration is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """All files of the folder in order; versions count up from 1 without a gap."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        number, _, name = path.stem.partition("_")
        found.append(Migration(int(number), name, path.read_text(encoding="utf-8")))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"the migrations in {folder} do not count up from 0001 without a gap")
    return found


def pending(known: list[Migration], applied: dict[int, str]) -> list[Migration]:
    """The migrations that have not run yet. `applied`: {version: sha256}. Raises RemedyError when the two differ."""
    newest = max(applied, default=0)
    if newest > len(known):
        raise RemedyError(
            f"the database is at schema {newest}, this Milepost knows {len(known)}: install the newer Milepost, "
            "or restore the backup from before the upgrade",
            f"数据库结构版本为 {newest}，当前 Milepost 只支持到 {len(known)}："
            "请安装较新的 Milepost，或恢复升级前的备份",
        )
    for migration in known[:newest]:
        if applied.get(migration.version) != migration.sha256:
            raise RemedyError(
                f"migration {migration.version:04d}_{migration.name} was changed after it ran: "
                "restore the file and put the change into a new migration",
                f"迁移 {migration.version:04d}_{migration.name} 执行后被修改：请恢复该文件，并将改动写成新的迁移",
            )
    return known[newest:]


async def migrate(connection: Connection, migrations: list[Migration] | None = None) -> list[Migration]:
    """Bring the database to the newest schema; the migrations that ran. A second caller waits for the first.

    Then the roles of dashboards, of the services and of the API get their policies and views (`reader.sql`,
    `scoped.sql`, `dashboards.sql`) and their rights (`grants.sql`); an older schema has none for the API.
    """
    known = read_migrations() if migrations is None else migrations
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(_TABLE)
        todo = pending(known, await _applied(connection))
        for migration in todo:
            await _apply(connection, migration)
        await connection.execute(ROLES.read_text(encoding="utf-8"))
        if len(known) >= len(read_migrations()):
            await put_reader(connection, len(known))
            await put_scoped(connection, len(known))
            await put_dashboards(connection, len(known))
        await connection.execute(GRANTS.read_text(encoding="utf-8"))
        return todo
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def newest_schema(connection: Connection) -> int:
    """The newest migration that ran; 0 in a database that has none."""
    try:
        return int(await connection.fetchval(QUERIES.newest_schema))
    except asyncpg.UndefinedTableError:
        return 0


async def require_current(connection: Connection) -> None:
    """Raise RemedyError unless the schema is the newest one that this code knows."""
    try:
        todo = pending(read_migrations(), await _applied(connection))
    except asyncpg.UndefinedTableError:
        todo = read_migrations()
    if todo:
        raise RemedyError(
            f"the database lacks {len(todo)} migrations: run `milepost migrate` first",
            f"数据库缺少 {len(todo)} 个迁移：请先运行 `milepost migrate`",
        )


async def _applied(connection: Connection) -> dict[int, str]:
    return {
        row["version"]: row["sha256"] for row in await connection.fetch("SELECT version, sha256 FROM schema_migration")
    }


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.sha256,
        )
