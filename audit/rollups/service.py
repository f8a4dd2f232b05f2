"""The process that makes figures of records and deletes old records, beside the sealer: one leader, and standbys that
wait.

The leader holds a PostgreSQL advisory lock of one session and works through the same session.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

import msgspec

from audit.rollups.rollup_store import forget_boots, forget_old, roll_up
from store.aside import Aside
from store.leading import LeaderLock, compete
from store.migrate import require_current
from store.pool import Connection, may_pass, open_pool
from store.tasks import Backoff, finish_after_stop, wait_at_most
from store.troubles import said

log = logging.getLogger(__name__)

LOCK: Final = 0x726F6C6C75700000  # "rollup"
PART: Final = "rollups"
_SERVICE: Final = "audit"
_DRAIN: Final = 2.0
_NEXT_PART: Final = 0.5
"""Seconds between two parts of what is deleted."""


class RollupConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process; times in seconds.

    `keep`: how long records and figures of a kind are kept, at least 184 days. `poll`: the time between two checks for
    finished hours. `forget_every`: the time between two checks for old rows. `frozen_after`: a leader that does nothing
    for this long loses the lock. `longest_rest`: the longest pause after a pass that failed.
    """

    database_url: str
    keep: Mapping[str, timedelta]
    instance: str = "audit"
    poll: float = 30.0
    forget_every: float = 3600.0
    standby_poll: float = 5.0
    frozen_after: float = 300.0
    max_backoff: float = 30.0
    longest_rest: float = 120.0


async def run(config: RollupConfig, stop: asyncio.Event) -> None:
    """Lead or stand by until `stop`. Raises RemedyError when the database cannot be reached at the start."""
    async with open_pool(config.database_url, name=f"rollups {config.instance}"[:60], size=1) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        lead = partial(_lead, config, stop)
        work = asyncio.create_task(compete(pool, _lock(config), stop, lead=lead), name="rollups")
        await finish_after_stop(work, stop, pool, _DRAIN)


def _lock(config: RollupConfig) -> LeaderLock:
    return LeaderLock(
        number=LOCK,
        frozen_after=config.frozen_after,
        standby_poll=config.standby_poll,
        max_backoff=config.max_backoff,
        away="no figures of records are made: the database cannot be reached",
        limits_transactions=False,
    )


async def _lead(config: RollupConfig, stop: asyncio.Event, connection: Connection) -> None:
    log.info("making figures of records", extra={"instance": config.instance})
    forgetting = _Forgetting(config)
    aside = Aside(_SERVICE, ["part"], PART)
    backoff = Backoff(first=config.poll, longest=max(config.poll, config.longest_rest))
    while not stop.is_set():
        try:
            goes_on = await roll_up(connection)
            goes_on = await forgetting.forget_part(connection) or goes_on
        except Exception as exc:
            if may_pass(exc):
                raise
            # The sealer of the ledger is a separate task and continues.
            log.exception("a pass over the records failed; it is tried again")
            await aside.save(connection, {("part", PART): said(exc)})
            await backoff.pause(stop)
            continue
        backoff.reset()
        await aside.save(connection, {})
        # The next part soon, or more records would come in a day than go.
        await wait_at_most(stop, min(_NEXT_PART, config.poll) if goes_on else config.poll)


class _Forgetting:
    """Deletes old rows, a part at a time."""

    def __init__(self, config: RollupConfig) -> None:
        self._config = config
        self._due = asyncio.get_running_loop().time()
        self._old: dict[str, timedelta] = {}
        self._boots_after: str | None = None
        """The station up to which old boots are forgotten; None: of all, until the next check."""

    async def forget_part(self, connection: Connection) -> bool:
        """Delete a part of what is old, if a check is due or goes on. Returns whether there may be more."""
        now = asyncio.get_running_loop().time()
        if not self._old and now >= self._due:
            self._old, self._due = dict(self._config.keep), now + self._config.forget_every
            self._boots_after = self._boots_after or ""
        if self._old:
            gone = await forget_old(connection, self._old)
            if gone:
                log.info("old records deleted", extra={"deleted": gone})
            self._old = {kind: self._old[kind] for kind in gone}
        if self._boots_after is not None:
            self._boots_after = await forget_boots(connection, self._boots_after)
        return bool(self._old)
