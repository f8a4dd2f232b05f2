"""Stations whose days cannot be computed: they are set aside and listed, and tried again later.

A station that is left out is tried at most once for each day that closes, and once for each pass with new facts about
the station.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final

from audit.days.day_store import QUERIES
from audit.days.revisions import RevisionCause
from audit.days.source_store import StationTouch
from audit.days.touches import FAR, LONG_AGO
from store.pool import Connection
from store.troubles import said

log = logging.getLogger(__name__)

SERVICE: Final = "audit"
ATTEMPTS: Final = 200
"""Maximum number of stations that are tried again when a day closes; the next day tries other stations."""

Refused = Mapping[str, Exception]
"""Stations that could not be computed, with the errors."""


async def load_left_out(connection: Connection, news: Iterable[str]) -> list[str]:
    """The given stations that are left out."""
    names = sorted(set(news))
    return [row["subject"] for row in await connection.fetch(QUERIES.left_out_of, SERVICE, names)] if names else []


async def load_attempts(connection: Connection, day: date) -> list[str]:
    """The stations that are tried again when a day closes."""
    return [row["subject"] for row in await connection.fetch(QUERIES.left_out, SERVICE, str(day), ATTEMPTS)]


async def leave_out(connection: Connection, refused: Refused) -> None:
    """Set stations aside that could not be computed, and log them."""
    if not refused:
        return
    reasons = [said(why) for why in refused.values()]
    for row in await connection.fetch(QUERIES.leave_out, SERVICE, list(refused), reasons):
        log.error(
            "a station is left out: its figures cannot be computed",
            extra={"station": row["subject"], "why": row["why"]},
        )


async def take_in(connection: Connection, stations: Collection[str]) -> None:
    """Remove the entries of stations that could be computed again."""
    if stations:
        await connection.execute(QUERIES.take_in, SERVICE, list(stations))
        log.info("stations have figures again", extra={"stations": len(stations)})


def again(station: str) -> StationTouch:
    """A touch of all kept days of a station that was left out."""
    return StationTouch(station=station, began_at=LONG_AGO, ended_at=FAR, wakes=LONG_AGO, cause=RevisionCause.JUDGED)
