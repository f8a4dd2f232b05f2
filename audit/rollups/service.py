"""The process that makes figures of records and deletes old records, beside the sealer: one leader, and standbys that
wait.

The leader holds a PostgreSQL advisory lock of one session and works through the same session.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec

from audit.rollups.rollup_store import QUERIES, forget_old, roll_up
from store.migrate import require_current
from store.pool import UNREACHABLE, Connection, Pool, open_pool
from store.tasks import Backoff, finish_after_stop, wait_at_most

log = logging.getLogger(__name__)

LOCK: Final = 0x726F6C6C75700000  # "rollup"
_DRAIN: Final = 2.0
_NEXT_PART: Final = 0.5
"""Seconds between two parts of what is deleted."""


class RollupConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process; times in seconds.

    `keep`: how long records and figures of a kind are kept, at least 184 days. `poll`: the time between two checks for
    finished hours. `forget_every`: the time between two checks for old rows. `frozen_after`: a leader that does nothing
    for this long loses the lock.
    """

    database_url: str
    keep: Mapping[str, timedelta]
    instance: str = "audit"
    poll: float = 30.0
    forget_every: float = 3600.0
    standby_poll: float = 5.0
    frozen_after: float = 300.0
    max_backoff: float = 30.0


async def run(config: RollupConfig, stop: asyncio.Event) -> None:
    """Lead or stand by until `stop`. Raises RemedyError when the database cannot be reached at the start."""
    async with open_pool(config.database_url, name=f"rollups {config.instance}"[:60], size=1) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        work = asyncio.create_task(_compete(config, pool, stop), name="rollups")
        await finish_after_stop(work, stop, pool, _DRAIN)


async def _compete(config: RollupConfig, pool: Pool, stop: asyncio.Event) -> None:
    backoff = Backoff(longest=config.max_backoff)
    while not stop.is_set():
        try:
            async with pool.acquire() as connection:
                await _stand_by_or_lead(config, connection, stop)
            backoff.reset()
        except UNREACHABLE as exc:
            await backoff.wait_out(
                exc, log, "no figures of records are made: the database cannot be reached", stop=stop
            )


async def _stand_by_or_lead(config: RollupConfig, connection: Connection, stop: asyncio.Event) -> None:
    await connection.execute(QUERIES.bound_rollup_session, f"{int(config.frozen_after * 1000)}ms")
    while not stop.is_set():
        if await connection.fetchval(QUERIES.try_rollup_lock, LOCK):
            log.info("making figures of records", extra={"instance": config.instance})
            await _lead(config, connection, stop)
            return
        await wait_at_most(stop, config.standby_poll)


async def _lead(config: RollupConfig, connection: Connection, stop: asyncio.Event) -> None:
    now = asyncio.get_running_loop().time
    forget_at, old = now(), dict[str, timedelta]()
    while not stop.is_set():
        # The figures come first, so that no record is deleted before its figures are made.
        await roll_up(connection)
        if not old and now() >= forget_at:
            old, forget_at = dict(config.keep), now() + config.forget_every
        if old:
            gone = await forget_old(connection, old)
            if gone:
                log.info("old records deleted", extra={"deleted": gone})
            old = {kind: old[kind] for kind in gone}
        # The next part soon, or more records would come in a day than go.
        await wait_at_most(stop, min(_NEXT_PART, config.poll) if old else config.poll)
