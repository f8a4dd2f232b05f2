"""Kept days that are older than their sources: they are not revised, and each attempt is named.

Presence records are deleted after some years. A day computed without them would have less usable time than before, so
its figures stay, and the reason is among the things that are set aside.
"""

import logging
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from audit.days.day_store import QUERIES, DayState
from audit.days.left_out_store import SERVICE
from audit.days.source_store import StationTouch
from audit.days.touches import LONG_AGO
from store.pool import Connection
from store.troubles import MOST

log = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)


def days_of(touch: StationTouch) -> tuple[date, date]:
    """The days that a touch may concern: a day around it for the zones."""
    return touch.began_at.date() - _DAY, touch.ended_at.date() + _DAY


async def name_old_days(connection: Connection, touches: Iterable[StationTouch], state: DayState) -> None:
    """Name the touches of kept days that cannot be computed again."""
    refused = refused_revisions(touches, state)
    if refused:
        columns = list(refused), list(refused.values())
        for row in await connection.fetch(QUERIES.name_old_days, SERVICE, *columns, MOST):
            log.warning("days are not revised", extra={"station": row["subject"], "why": row["why"]})


def refused_revisions(touches: Iterable[StationTouch], state: DayState) -> dict[str, str]:
    """By station: why days that a touch concerns are not computed again. A touch of all time is no attempt to revise
    such a day."""
    before = state.first_computable
    refused: dict[str, str] = {}
    for touch in touches:
        first, last = days_of(touch)
        first, last = max(first, state.first_day), min(last, state.last_day, before - _DAY)
        if touch.began_at > LONG_AGO and first <= last:
            refused[touch.station] = _why(touch, first, last, before)
    return refused


def _why(touch: StationTouch, first: date, last: date, before: date) -> str:
    return (
        f"{touch.cause} concerns days from {first} to {last}, and presence records of days before {before} are "
        "gone: these days keep their figures. State the correction beside the report, or compute it in a restored "
        "backup that has these records."
    )
