"""Runs programs of PostgreSQL, such as pg_dump and psql, on a database."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from contract.environ import bare_environ
from contract.errors import RemedyError

CHUNK: Final = 1024 * 1024
"""The most bytes of a piece of output."""


async def read_output(program: Path, url: str, *options: str) -> AsyncIterator[bytes]:
    """The output of the program. Raises RemedyError with its first message when it fails."""
    async with _running(program, url, options, stdout=True) as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        while piece := await process.stdout.read(CHUNK):
            yield piece


async def feed(program: Path, url: str, *options: str, pieces: Iterable[bytes]) -> None:
    """Write `pieces` to the input of the program. Raises RemedyError with its first message when it fails."""
    async with _running(program, url, options, stdout=False) as process:
        assert process.stdin is not None  # noqa: S101  # it is a pipe
        try:
            for piece in pieces:
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
    """The URL without the password, for a command line, which every user of the machine can read."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
