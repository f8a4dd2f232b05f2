"""Migrations on plain PostgreSQL: run once, one after another, and never on a database that is not theirs."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from contract.errors import RemedyError
from store.migrate import Migration, migrate, pending, read_migrations, require_current
from tests.conftest import database_url

KNOWN = read_migrations()
SHAS = {migration.version: migration.sha256 for migration in KNOWN}


@pytest.fixture
async def empty_database(postgres_server: str, template: str) -> AsyncIterator[str]:
    """The URL of a database without any schema (`template` only waits until the server answers)."""
    name = f"milepost_empty_{os.getpid()}"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield database_url(postgres_server, name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def empty(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


async def applied(connection: asyncpg.Connection) -> list[int]:
    return [row["version"] for row in await connection.fetch("SELECT version FROM schema_migration ORDER BY version")]


async def locks(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return count


async def test_all_run_once(empty: asyncpg.Connection) -> None:
    assert await migrate(empty) == KNOWN
    assert await migrate(empty) == []
    assert await applied(empty) == [migration.version for migration in KNOWN]
    await require_current(empty)


async def test_plain_tables_where_there_is_no_timescaledb(empty: asyncpg.Connection) -> None:
    if await empty.fetchval("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"):
        pytest.skip("this server has TimescaleDB (test_timescale.py is for it): unset MILEPOST_TEST_DATABASE_URL")
    await migrate(empty)
    for table in ("health", "usage", "inventory", "presence", "event"):
        assert await empty.fetchval("SELECT relkind FROM pg_class WHERE oid = $1::text::regclass", table) == b"r"


async def test_each_may_be_the_last_of_an_older_release(empty: asyncpg.Connection) -> None:
    for count in range(1, len(KNOWN) + 1):
        assert [migration.version for migration in await migrate(empty, KNOWN[:count])] == [count]


async def test_two_at_once_run_each_migration_once(empty_database: str) -> None:
    connections = [await asyncpg.connect(empty_database) for _ in range(3)]
    ran = await asyncio.gather(*map(migrate, connections))
    assert sorted(map(len, ran)) == [0, 0, len(KNOWN)]
    for connection in connections:
        await connection.close()


async def test_a_failing_migration_leaves_nothing_behind_and_no_lock(empty: asyncpg.Connection) -> None:
    broken = Migration(len(KNOWN) + 1, "broken", "CREATE TABLE half_made (id int); SELECT nonsense;")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(empty, [*KNOWN, broken])
    assert await applied(empty) == [migration.version for migration in KNOWN]
    assert await empty.fetchval("SELECT to_regclass('half_made')") is None
    assert await locks(empty) == 0
    mended = Migration(len(KNOWN) + 1, "mended", "CREATE TABLE whole (id int)")
    assert await migrate(empty, [*KNOWN, mended]) == [mended]


async def test_a_file_that_was_changed_after_it_ran_is_refused(empty: asyncpg.Connection) -> None:
    await migrate(empty)
    changed = [*KNOWN[:1], Migration(2, KNOWN[1].name, KNOWN[1].sql + "\n-- changed"), *KNOWN[2:]]
    with pytest.raises(RemedyError, match=f"migration 0002_{KNOWN[1].name} was changed after it ran: restore the file"):
        await migrate(empty, changed)
    assert await locks(empty) == 0


async def test_a_newer_database_is_refused(empty: asyncpg.Connection) -> None:
    await migrate(empty)
    await empty.execute("INSERT INTO schema_migration (version, name, sha256) VALUES ($1, 'later', '')", len(KNOWN) + 1)
    newer = f"the database is at schema {len(KNOWN) + 1}, this Milepost knows {len(KNOWN)}: install the newer Milepost"
    for check in (migrate, require_current):
        with pytest.raises(RemedyError, match=newer):
            await check(empty)


async def test_a_service_does_not_start_on_an_old_schema(empty: asyncpg.Connection) -> None:
    with pytest.raises(RemedyError, match=f"lacks {len(KNOWN)} migrations: run `milepost migrate` first"):
        await require_current(empty)
    await migrate(empty, KNOWN[:-1])
    with pytest.raises(RemedyError, match="lacks 1 migrations"):
        await require_current(empty)


@pytest.mark.parametrize(
    ("ran", "todo"),
    [
        pytest.param({}, KNOWN, id="a new database"),
        pytest.param({version: SHAS[version] for version in (1, 2)}, KNOWN[2:], id="an older one"),
        pytest.param(SHAS, [], id="a current one"),
    ],
)
def test_pending(ran: dict[int, str], todo: list[Migration]) -> None:
    assert pending(KNOWN, ran) == todo


def test_a_migration_that_was_skipped_is_noticed() -> None:
    with pytest.raises(RemedyError, match=f"0001_{KNOWN[0].name}"):
        pending(KNOWN, {version: sha for version, sha in SHAS.items() if version != 1})


@pytest.mark.parametrize("names", [["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["0002_a.sql"]])
def test_versions_without_a_gap(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match="do not count up from 0001 without a gap"):
        read_migrations(tmp_path)
