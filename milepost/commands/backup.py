"""`milepost backup`: the data of `milepost up` in one file.

The file has the database and the secrets of the data directory. It does not have logs, ports and the programs' own
files, which are made again at the next start, nor the Kafka log in memory, whose records are soon in the database.
"""

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import asyncpg

from contract.errors import RemedyError
from contract.said import Said
from milepost import __version__, datadir
from milepost.commands import archive
from milepost.embedded import postgres, serving
from milepost.embedded.pg_programs import read_output
from milepost.language import show
from milepost.settings import Settings
from store.migrate import newest_schema

SECRETS: Final = ("*.token", "*.password", "*.passwd")
"""The files of a data directory that are kept. The password of PostgreSQL's own account is made again with it."""
_MADE_ANEW: Final = frozenset({"postgres.password"})


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Write `arguments.file`, whether Milepost is running or not. Raises RemedyError."""
    return await finish_unless_stopped(stop, _back_up(settings.data.absolute(), arguments.file))


async def finish_unless_stopped(stop: asyncio.Event, work: Awaitable[None]) -> int:
    """Complete the work, or undo it at Ctrl-C; the exit status."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait(), name="wait for the end")
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        working.result()
        return 0
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return 130


async def _back_up(directory: Path, path: Path) -> None:
    require_database(directory)
    with archive.new_file(path) as file:
        async with _database(directory) as url:
            contents = await _write(file, directory, url)
    size = await asyncio.to_thread(os.path.getsize, path)
    show(
        Said(
            f"{path}: {size:,} bytes, schema {contents.schema}, PostgreSQL {contents.postgres}\n"
            "It holds the admin token and all that is stored: only you can read it, and so it should stay.",
            f"{path}：{size:,} 字节，数据库结构版本 {contents.schema}，PostgreSQL {contents.postgres}\n"
            "其中含有管理员令牌和全部数据：目前只有您可以读取，请妥善保管。",
        )
    )


def require_database(directory: Path) -> None:
    """Raise RemedyError unless the directory has a database of ours."""
    try:
        if (directory / "postgres" / "PG_VERSION").exists() or (directory / "postgres.password").exists():
            return
    except OSError as exc:
        raise of_another_user(directory) from exc
    raise RemedyError(
        f"{directory} has no database of `milepost up`: name its directory with --data; a database that "
        "MILEPOST_DATABASE_URL names is backed up with its own tools (docs/deployment.md)",
        f"{directory} 中没有 `milepost up` 的数据库：请用 --data 指明其目录；MILEPOST_DATABASE_URL 所指的数据库请用其"
        "自带的工具备份（见 docs/deployment.md）",
    )


def of_another_user(directory: Path) -> RemedyError:
    """The error for a directory that this user cannot read."""
    return RemedyError(
        f"{directory} belongs to another user: run this command as the user who runs `milepost up`",
        f"{directory} 属于其他用户：请以运行 `milepost up` 的用户身份执行此命令",
    )


def is_running(directory: Path) -> bool:
    """Whether a Milepost runs in the directory. Raises RemedyError when it belongs to another user."""
    try:
        return datadir.is_held(directory)
    except PermissionError as exc:
        raise of_another_user(directory) from exc


@asynccontextmanager
async def _database(directory: Path) -> AsyncIterator[str]:
    """The URL of the database: of the running Milepost, or of a PostgreSQL that is started for the block."""
    if is_running(directory):
        yield postgres.url_of(directory / "postgres", datadir.kept_port(directory / "ports.json", "postgres"))
        return
    with datadir.hold(directory) as held:
        async with serving.serve(held) as url:
            yield url


async def _write(file: IO[bytes], directory: Path, url: str) -> archive.Contents:
    schema, made_at = await _schema(directory, url), datetime.now(UTC)
    with archive.Writer(file) as writer:
        await _write_members(writer, directory, url)
        return writer.finish(
            milepost=__version__,
            made_at=made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            postgres=postgres.major(),
            schema=schema,
        )


async def _write_members(writer: archive.Writer, directory: Path, url: str) -> None:
    with writer.member(archive.DATABASE) as write:
        async for piece in read_output(postgres.tool("pg_dump"), url, "--format=custom"):
            write(piece)
    with writer.member(archive.ROLES) as write:
        roles = [piece async for piece in read_output(postgres.tool("pg_dumpall"), url, "--roles-only")]
        write(without_owner(b"".join(roles).decode()).encode())
    for path in secrets_of(directory):
        with writer.member(archive.FILES + path.name) as write:
            write(path.read_bytes())


def secrets_of(directory: Path) -> Iterator[Path]:
    """The files of a data directory that go into a backup."""
    for pattern in SECRETS:
        for path in sorted(directory.glob(pattern)):
            if path.is_file() and path.name not in _MADE_ANEW:
                yield path


def without_owner(roles: str) -> str:
    """The statements about all roles but the owner of the database, which exists before they run."""
    own = (f"CREATE ROLE {postgres.USER};", f"ALTER ROLE {postgres.USER} WITH ")
    return "".join(line for line in roles.splitlines(keepends=True) if not line.startswith(own))


async def _schema(directory: Path, url: str) -> int:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as exc:
        raise RemedyError(
            f"the PostgreSQL of {directory} does not answer ({exc}): wait until `milepost up` is ready, or stop it",
            f"{directory} 中的 PostgreSQL 没有响应（{exc}）：请等待 `milepost up` 就绪，或先将其停止",
        ) from exc
    try:
        return await newest_schema(connection)
    finally:
        await connection.close(timeout=5)
