"""Serves the PostgreSQL of a data directory for one command."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from contract.environ import bare_environ
from contract.errors import RemedyError
from milepost import datadir
from milepost.embedded import postgres
from milepost.processes import children

_STOP_SECONDS = 60.0


@asynccontextmanager
async def serve(directory: Path) -> AsyncIterator[str]:
    """The URL of the PostgreSQL in the data directory, which the caller has locked; created if necessary.

    Raises RemedyError when it does not start.
    """
    data = directory / "postgres"
    cluster = await _prepare(data)
    postgres.clear_stale_pid(data)
    log = datadir.subdirectory(directory, "logs") / "postgres.log"
    offset = log.stat().st_size if log.exists() else 0
    process = await children.spawn(
        cluster.command, log=log, environ=bare_environ(), run_as=cluster.run_as, orphan_signal=signal.SIGINT
    )
    try:
        if not await _becomes_ready(process, cluster.url):
            why = children.complaint(log, offset=offset)
            raise RemedyError(
                f"PostgreSQL does not start ({why}): see {log}", f"PostgreSQL 无法启动（{why}）：详见 {log}"
            )
        yield cluster.url
    finally:
        await _end(process)


async def _prepare(data: Path) -> postgres.PostgresCluster:
    """Prepare the cluster in a thread, and wait for its end: a thread cannot be cancelled, and initdb would go on."""
    preparing = asyncio.create_task(asyncio.to_thread(postgres.prepare, data, port=datadir.pick_port(set())))
    try:
        return await asyncio.shield(preparing)
    except asyncio.CancelledError:
        await asyncio.gather(preparing, return_exceptions=True)
        raise


async def _becomes_ready(process: asyncio.subprocess.Process, url: str) -> bool:
    """Wait for the server; false when its process ended instead."""
    ready = asyncio.create_task(postgres.wait_ready(url), name="wait for PostgreSQL")
    ended = asyncio.create_task(process.wait(), name="watch PostgreSQL")
    try:
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        return ready.done() and ready.exception() is None
    finally:
        ready.cancel()
        ended.cancel()
        await asyncio.gather(ready, ended, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the server by its fast shutdown, which leaves consistent files."""
    children.send(process, signal.SIGINT)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        children.send(process, signal.SIGKILL)
        await process.wait()
