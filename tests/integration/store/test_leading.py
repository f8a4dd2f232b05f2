"""One process of several leads, in a real database: another one takes over when it is killed or loses its session."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from store.leading import LeaderLock, LockLostError, compete, try_lock
from store.pool import Connection, Pool, open_pool
from store.tasks import end_tasks

LOCK = LeaderLock(
    number=7, frozen_after=60, standby_poll=0.05, max_backoff=0.1, away="not leading: the database is away"
)
PROCESS = """
import asyncio, sys
from store.leading import compete
from store.pool import open_pool
from tests.integration.store.test_leading import LOCK

async def main():
    async def lead(connection):
        print("leads", flush=True)
        await asyncio.sleep(600)

    async with open_pool(sys.argv[1], name="test leader", size=1) as pool:
        await compete(pool, LOCK, asyncio.Event(), lead=lead)

asyncio.run(main())
"""


class Process:
    """A process that competes, and what it did. `lost`: it notices that its session is gone."""

    def __init__(self) -> None:
        self.leads, self.stands_by, self.lost, self.stop = (asyncio.Event() for _ in range(4))
        self.backend = self.asked = self.answered = 0

    async def lead(self, connection: Connection) -> None:
        self.backend = await connection.fetchval("SELECT pg_backend_pid()")
        self.leads.set()
        connection.add_termination_listener(lambda _: self.lost.set())
        stopped, lost = asyncio.create_task(self.stop.wait()), asyncio.create_task(self.lost.wait())
        try:
            await asyncio.wait({stopped, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(stopped, lost)
        if self.lost.is_set():
            self.lost.clear()
            self.leads.clear()
            raise LockLostError

    async def stand_by(self, connection: Connection) -> None:
        self.stands_by.set()

    def watch(self) -> "Watch":
        return Watch(self)


class Watch:
    def __init__(self, process: Process) -> None:
        self._process = process

    def asked(self) -> None:
        self._process.asked += 1

    def answered(self) -> None:
        self._process.answered += 1


@asynccontextmanager
async def competing(database: str) -> AsyncIterator[Process]:
    process = Process()
    async with open_pool(database, name="test leading", size=1) as pool:
        task = asyncio.create_task(
            compete(pool, LOCK, process.stop, lead=process.lead, stand_by=process.stand_by, watch=process.watch())
        )
        try:
            yield process
        finally:
            process.stop.set()
            await task


async def test_another_one_leads_when_the_leader_is_killed(database: str) -> None:
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, database, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert killed.stdout is not None
        assert await killed.stdout.readline() == b"leads\n"
        async with competing(database) as other:
            await other.stands_by.wait()
            assert not other.leads.is_set()
            killed.kill()
            await other.leads.wait()
            assert other.answered and other.asked > other.answered, "also asked before there was a connection"
    finally:
        if killed.returncode is None:
            killed.kill()
        await killed.wait()


async def test_a_lost_session_gives_the_lock_to_another_one_and_the_first_stands_by(pool: Pool, database: str) -> None:
    async with competing(database) as first:
        await first.leads.wait()
        async with competing(database) as second:
            await second.stands_by.wait()
            # Until the second one leads, the first one may take the lock again.
            while not second.leads.is_set():
                await first.leads.wait()
                first.leads.clear()
                first.stands_by.clear()
                await pool.execute("SELECT pg_terminate_backend($1)", first.backend)
                waiting = [asyncio.create_task(one.wait()) for one in (first.leads, second.leads)]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                await end_tasks(*waiting)
            await first.stands_by.wait()
            assert not first.leads.is_set()


@pytest.mark.parametrize("limits", [True, False])
async def test_the_server_ends_the_session_of_a_frozen_leader(database: str, limits: bool) -> None:
    stop = asyncio.Event()
    found: dict[str, str] = {}

    async def lead(connection: Connection) -> None:
        rows = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name LIKE '%timeout'")
        found.update((row["name"], row["setting"]) for row in rows)
        stop.set()

    lock = LeaderLock(number=8, frozen_after=60, standby_poll=1, max_backoff=1, away="away", limits_transactions=limits)
    async with open_pool(database, name="test leading", size=1) as pool:
        await compete(pool, lock, stop, lead=lead)
    assert (found["idle_session_timeout"], found["idle_in_transaction_session_timeout"]) == ("60000", "60000")
    if "transaction_timeout" in found:
        assert found["transaction_timeout"] == ("60000" if limits else "0")


async def test_a_lock_is_of_one_session(database: str) -> None:
    async with open_pool(database, name="test leading", size=2) as pool, pool.acquire() as one, pool.acquire() as other:
        assert await try_lock(one, 9)
        assert not await try_lock(other, 9)


async def test_an_error_that_would_come_again_ends_it(database: str) -> None:
    async def lead(connection: Connection) -> None:
        await connection.execute("SELECT 1 / 0")

    async with open_pool(database, name="test leading", size=1) as pool:
        with pytest.raises(Exception, match="division by zero"):
            await compete(pool, LOCK, asyncio.Event(), lead=lead)
