"""A machine that vanishes, by a power cut or a broken cable, closes no connection."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial

import asyncpg
import pytest

from store.keepalive import Keepalive
from store.pool import Connection, Pool, open_pool
from tests.integration.wire import Wire
from tests.namespaces import THERE, break_cable, run_on, two_machines

_BROKEN = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError)


async def _until_received(connection: Connection, pid: int) -> None:
    query = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
    for _ in range(3000):
        if await connection.fetchval(query, pid):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the query was not received")


async def _outcomes(url: str, vanish: Callable[[], None]) -> list[str | BaseException | None]:
    """The outcomes of a call whose query was received before `vanish`, and of a call made after `vanish`."""
    async with open_pool(url, name="test") as pool, pool.acquire() as one, pool.acquire() as two:
        waiting = asyncio.create_task(one.execute("SELECT pg_sleep(3600)"))
        await _until_received(two, one.get_server_pid())
        vanish()
        try:
            async with asyncio.timeout(30):
                return await asyncio.gather(waiting, two.execute("SELECT 1"), return_exceptions=True)
        except TimeoutError:
            pool.terminate()  # the end of the pool would wait for the connections, which are not broken
            raise


async def test_calls_end_when_the_machine_of_the_database_vanishes(
    monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setattr("store.keepalive.KEEPALIVE", Keepalive(idle=1, interval=1, count=1))
    with two_machines() as machines:
        listener = run_on(machines.there, lambda: socket.create_server((THERE, 0)))
        place = database.rpartition("@")[2].partition("/")[0]
        url = database.replace(place, f"{THERE}:{listener.getsockname()[1]}")
        wire = Wire(database)
        await wire.begin(listener)
        outcomes = _outcomes(url, partial(break_cable, machines))
        try:
            waiting, later = await asyncio.to_thread(run_on, machines.here, lambda: asyncio.run(outcomes))
        finally:
            await wire.cut()
    assert isinstance(waiting, _BROKEN)
    assert isinstance(later, _BROKEN)


async def test_the_server_sends_probes_as_well(pool: Pool) -> None:
    kept = [await pool.fetchval(f"SHOW tcp_keepalives_{name}") for name in ("idle", "interval", "count")]
    assert kept == ["30", "10", "3"]
