"""Stations whose days cannot be computed: they are set aside and named, and tried again later.

One that is left out costs at most one attempt at each day that closes, and one when something new is known of it.
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
"""The most stations that are tried again because a day closed; at the next day others have their turn."""

Refused = Mapping[str, Exception]
"""Stations that could not be computed, and why."""


async def load_left_out(connection: Connection, news: Iterable[str]) -> list[str]:
    """Those of some stations that are left out."""
    names = sorted(set(news))
    return [row["subject"] for row in await connection.fetch(QUERIES.left_out_of, SERVICE, names)] if names else []


async def load_attempts(connection: Connection, day: date) -> list[str]:
    """The stations that are tried again because a day closed."""
    return [row["subject"] for row in await connection.fetch(QUERIES.left_out, SERVICE, str(day), ATTEMPTS)]


async def leave_out(connection: Connection, refused: Refused) -> None:
    """Name stations that could not be computed."""
    if not refused:
        return
    reasons = [said(why) for why in refused.values()]
    for row in await connection.fetch(QUERIES.leave_out, SERVICE, list(refused), reasons):
        log.error("no figures: left out", extra={"station": row["subject"], "why": row["why"]})


async def take_in(connection: Connection, stations: Collection[str]) -> None:
    """These stations could be computed."""
    if stations:
        await connection.execute(QUERIES.take_in, SERVICE, list(stations))
        log.info("figures again", extra={"stations": len(stations)})


def again(station: str) -> StationTouch:
    """A station that was left out may have other figures on any kept day."""
    return StationTouch(station=station, began_at=LONG_AGO, ended_at=FAR, wakes=LONG_AGO, cause=RevisionCause.JUDGED)
