"""The process that keeps days, beside the sealer: one leader, and standbys that wait.

The leader holds a PostgreSQL advisory lock of one session and keeps the days through the same session.
"""

import asyncio
import logging
from functools import partial
from typing import Final

import msgspec

from audit.days.keep_store import PassResult, keep_days
from audit.days.left_out_store import SERVICE
from store.aside import Aside, is_poison
from store.leading import LeaderLock, compete
from store.migrate import require_current
from store.pool import Connection, open_pool
from store.tasks import Backoff, finish_after_stop, wait_at_most
from store.troubles import said

log = logging.getLogger(__name__)

LOCK: Final = 0x6461797300000000  # "days"
_DRAIN: Final = 2.0
_PART: Final = "days"


class DaysConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process; times in seconds.

    `poll`: the time between two checks for new facts. `frozen_after`: a leader that does nothing for this long loses
    the lock. `longest_rest`: the longest pause after a pass that failed.
    """

    database_url: str
    instance: str = "audit"
    poll: float = 10.0
    standby_poll: float = 5.0
    frozen_after: float = 300.0
    max_backoff: float = 30.0
    longest_rest: float = 120.0


async def run(config: DaysConfig, stop: asyncio.Event) -> None:
    """Keep days or stand by until `stop`. Raises RemedyError when the database cannot be reached at the start."""
    async with open_pool(config.database_url, name=f"days {config.instance}"[:60], size=1) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        work = asyncio.create_task(compete(pool, _lock(config), stop, lead=partial(_lead, config, stop)), name="days")
        await finish_after_stop(work, stop, pool, _DRAIN)


def _lock(config: DaysConfig) -> LeaderLock:
    return LeaderLock(
        number=LOCK,
        frozen_after=config.frozen_after,
        standby_poll=config.standby_poll,
        max_backoff=config.max_backoff,
        away="no days are kept: the database cannot be reached",
        limits_transactions=False,
    )


async def _lead(config: DaysConfig, stop: asyncio.Event, connection: Connection) -> None:
    log.info("keeping days", extra={"instance": config.instance})
    aside, backoff = Aside(SERVICE, ["part"], _PART), Backoff(first=config.poll, longest=config.longest_rest)
    while not stop.is_set():
        try:
            result = await keep_days(connection)
        except Exception as exc:
            if not is_poison(exc):
                raise
            # The sealer of the ledger is a separate task and continues.
            log.exception("a pass over the days failed; it is tried again")
            await aside.save(connection, {("part", _PART): said(exc)})
            await backoff.pause(stop)
            continue
        backoff.reset()
        await aside.save(connection, {})
        _tell(result)
        await wait_at_most(stop, 0 if result.closed is not None else config.poll)


def _tell(result: PassResult) -> None:
    if result.closed is not None:
        log.info("a day is closed", extra={"day": str(result.closed)})
    if result.revisions:
        log.info("days were revised", extra={"revisions": result.revisions})
    for month in result.frozen:
        log.info("a month is frozen", extra={"month": f"{month:%Y-%m}"})
