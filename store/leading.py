"""Several processes compete to lead: the process whose session holds an advisory lock leads, the others stand by.

The leader makes its writes through the same session. When the session ends, another process can take the lock.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import msgspec

from store.pool import UNREACHABLE, Connection, Pool
from store.sql import queries_beside
from store.tasks import Backoff, wait_at_most

log = logging.getLogger(__name__)

QUERIES: Final = queries_beside(__file__)


class LeaderLock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock for one leader; times in seconds.

    `number`: the number of the advisory lock. `frozen_after`: the server ends the session of a leader that sends
    nothing for this long; with `limits_transactions`, also a longer transaction. `standby_poll`: the time between two
    attempts to take the lock. `max_backoff`: the longest pause while the database cannot be reached. `away`: the
    warning in the log during this time.
    """

    number: int
    frozen_after: float
    standby_poll: float
    max_backoff: float
    away: str
    limits_transactions: bool = True


class LockLostError(Exception):
    """The session with the lock has ended: another process may be the leader already."""


class LockWatch(Protocol):
    """Measures how long the database does not answer."""

    def asked(self) -> None:
        """The process begins to ask the database for the lock."""

    def answered(self) -> None:
        """The database answered."""


async def compete(
    pool: Pool,
    lock: LeaderLock,
    stop: asyncio.Event,
    *,
    lead: Callable[[Connection], Awaitable[None]],
    stand_by: Callable[[Connection], Awaitable[None]] | None = None,
    watch: LockWatch | None = None,
) -> None:
    """Lead or stand by until `stop`; connect again when the connection to the database is lost.

    `lead`: runs through the session with the lock; when it returns, or raises LockLostError or an error of the
    database that may pass, the session ends and the process competes again. `stand_by`: runs after each try without the
    lock. Raises any other error of `lead` and `stand_by`.
    """
    backoff = Backoff(longest=lock.max_backoff)
    while not stop.is_set():
        try:
            if watch is not None:
                watch.asked()
            async with pool.acquire() as connection:
                if await _takes_lock(connection, lock, stop, stand_by, watch):
                    await lead(connection)
            backoff.reset()
        except (LockLostError, *UNREACHABLE) as exc:
            await backoff.wait_out(exc, log, lock.away, stop=stop)


async def _takes_lock(
    connection: Connection,
    lock: LeaderLock,
    stop: asyncio.Event,
    stand_by: Callable[[Connection], Awaitable[None]] | None,
    watch: LockWatch | None,
) -> bool:
    """Wait for the lock; False: `stop` was set first."""
    await connection.execute(QUERIES.limit_leader, f"{int(lock.frozen_after * 1000)}ms", lock.limits_transactions)
    while not stop.is_set():
        if watch is not None:
            watch.asked()
        leads = await try_lock(connection, lock.number)
        if watch is not None:
            watch.answered()
        if leads:
            return True
        if stand_by is not None:
            await stand_by(connection)
        await wait_at_most(stop, lock.standby_poll)
    return False


async def try_lock(connection: Connection, number: int) -> bool:
    """Take an advisory lock for the session, without waiting; whether the session holds the lock now."""
    return bool(await connection.fetchval(QUERIES.try_leader_lock, number))
