"""A machine that vanishes, by a power cut or a broken cable, sends no last packet."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial

import asyncpg
import pytest

from store.pool import Connection, Keepalive, Pool, open_pool
from tests.conftest import free_port
from tests.integration.wire import Wire
from tests.namespaces import THERE, break_cable, run_on, two_machines

_BROKEN = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError)


async def _until_it_sleeps(connection: Connection, pid: int) -> None:
    asks = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
    for _ in range(3000):
        if await connection.fetchval(asks, pid):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the question has not arrived")


async def _ask(url: str, vanish: Callable[[], None]) -> list[str | BaseException | None]:
    """What becomes of a call whose question has arrived, and of a call that is made afterwards."""
    async with asyncio.timeout(60), open_pool(url, name="test") as pool, pool.acquire() as one, pool.acquire() as two:
        waiting = asyncio.create_task(one.execute("SELECT pg_sleep(3600)"))
        await _until_it_sleeps(two, one.get_server_pid())
        vanish()
        return await asyncio.gather(waiting, two.execute("SELECT 1"), return_exceptions=True)


async def test_calls_end_when_the_machine_of_the_database_vanishes(
    monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setattr("store.pool.KEEPALIVE", Keepalive(idle=1, interval=1, count=1))
    with two_machines() as machines:
        port, wire = free_port(), Wire(database)
        await wire.begin(run_on(machines.there, lambda: socket.create_server((THERE, port))))
        host = database.rpartition("@")[2].partition("/")[0]

        asking = _ask(database.replace(host, f"{THERE}:{port}"), partial(break_cable, machines))
        try:
            waiting, later = await asyncio.to_thread(run_on, machines.here, lambda: asyncio.run(asking))
        finally:
            await wire.cut()
    assert isinstance(waiting, _BROKEN)
    assert isinstance(later, _BROKEN)


async def test_the_server_asks_whether_the_machine_of_a_session_is_there(pool: Pool) -> None:
    asked = [await pool.fetchval(f"SHOW tcp_keepalives_{name}") for name in ("idle", "interval", "count")]
    assert asked == ["30", "10", "3"]
