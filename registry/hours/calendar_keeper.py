"""Keeps the stored calendars up to date while a service runs: after changes of stations, and from day to day."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Final

from registry.hours.calendar_store import MANY, QUERIES, Refreshed, fill_openings, refresh_calendars
from store.pool import UNREACHABLE, Connection, Pool, may_pass
from store.tasks import background_task

log = logging.getLogger(__name__)

EVERY: Final = 60.0


@asynccontextmanager
async def kept_calendars(pool: Pool, *, every: float = EVERY) -> AsyncIterator[None]:
    """Refresh the calendars every `every` seconds for as long as the block lasts. Several processes take turns."""
    async with background_task(_keep(pool, every), name="calendars"):
        yield


async def _keep(pool: Pool, every: float) -> None:
    keeper = CalendarKeeper()
    while True:
        try:
            async with pool.acquire() as connection:
                await keeper.refresh(connection)
        except Exception as exc:  # of any kind: a task that ended here would go unnoticed
            passing = isinstance(exc, UNREACHABLE) and may_pass(exc)
            level = logging.INFO if passing else logging.ERROR
            extra = {"error": repr(exc)}
            log.log(level, "calendars are not kept up to date: tried again", extra=extra, exc_info=not passing)
        await asyncio.sleep(every)


class CalendarKeeper:
    """Follows the changes of the registry from refresh to refresh; once a day it looks at every station."""

    def __init__(self) -> None:
        self._horizon: str | None = None
        self._day: date | None = None
        self._provisional = 0
        self._unreadable: list[str] = []

    async def refresh(self, connection: Connection) -> Refreshed | None:
        """Bring the calendars up to date; None: no station has changed."""
        ((now, horizon),) = await connection.fetch(QUERIES.moment)
        done: Refreshed | None = None
        stations = await self._changed(connection, now.date())
        if stations != []:
            done = await refresh_calendars(connection, now=now, stations=stations)
            self._say(done)
        await fill_openings(connection, now=now)
        self._horizon, self._day = horizon, now.date()
        return done

    async def _changed(self, connection: Connection, today: date) -> list[str] | None:
        """The stations that have changed; None: look at all of them."""
        if self._horizon is None or today != self._day:
            return None
        rows = await connection.fetch(QUERIES.changed_stations, self._horizon, MANY + 1)
        return [row["id"] for row in rows] if len(rows) <= MANY else None

    def _say(self, done: Refreshed) -> None:
        if done.provisional != self._provisional and done.provisional:
            log.warning(
                "opening hours of the coming weeks hang on days that nobody announced yet: when the State Council has, "
                "renew the package chinesecalendar, or use milepost import days",
                extra={"calendars": done.provisional},
            )
        for problem in done.unreadable if done.unreadable != self._unreadable else ():
            log.warning("opening hours cannot be read: correct them in table schedule", extra={"problem": problem})
        self._provisional, self._unreadable = done.provisional, done.unreadable
