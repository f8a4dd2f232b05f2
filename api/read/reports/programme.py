"""The facts of a report of programmes, read in one snapshot: the targets whose areas all lie in the scope."""

from collections.abc import Iterable
from datetime import date
from itertools import islice
from typing import Final

import asyncpg

from api.http.problems import Problem, not_found
from api.read.areas import find_area_row
from api.read.reports.load import Progress, load_area_names
from api.read.reports.queries import QUERIES
from api.read.scope import asked_areas
from audit.ledger.store import read_head
from audit.programmes.reach import TargetReach
from audit.programmes.reach_store import RATE_DAYS, load_reach
from audit.reports.programme_report import MOST_LACKING, ProgrammeFacts
from audit.reports.uptime_report import PeriodFacts
from registry.model import Target
from store.made_up import load_made_up
from store.pool import Connection

MOST_TARGETS: Final = 1_000
MOST_STATIONS: Final = 20_000
"""Stations of a page and of a report of the API; `milepost report` has no such limit."""


async def load_programme_facts(
    connection: Connection,
    area: list[str] | None,
    day: date,
    language: str,
    *,
    most: int | None = None,
    progress: Progress | None = None,
) -> ProgrammeFacts:
    """The targets of an area with all areas below it, or of everything in the scope (`area` None), and what was reached
    of them by the end of a day.

    Raises a Problem: 404 for an unknown area, 422 for more than `most` stations.
    """
    place = None if area is None else await _found_area(connection, area[0])
    if most is not None and await connection.fetchval(QUERIES.has_more_stations, most):
        raise Problem(422, f"the registry has more than {most} stations in the scope: run `milepost report programme`")
    rows = await connection.fetch(
        QUERIES.targets_of_areas, await asked_areas(connection, None if place is None else [place]), MOST_TARGETS
    )
    reaches = await load_reach(connection, [_target(row) for row in rows], day, told=progress)
    codes = {*([] if place is None else [place]), *_shown_areas(reaches)}
    names = await load_area_names(connection, codes, language)
    return ProgrammeFacts(
        about=await _about(connection, None if place is None else (place, names[place]), day),
        day=day,
        reaches=reaches,
        areas=names,
        rate_days=RATE_DAYS,
    )


async def _found_area(connection: Connection, named: str) -> str:
    row = await find_area_row(connection, named)
    if row is None:
        raise not_found("area", named)
    return str(row["code"])


async def _about(connection: Connection, place: tuple[str, str] | None, day: date) -> PeriodFacts:
    head = await read_head(connection)
    return PeriodFacts(
        place=place,
        period=day.isoformat(),
        is_year=False,
        last=day,
        kept=None,
        frozen=None,
        checkpoint=None if head is None else head.note,
        made_up=await load_made_up(connection) is not None,
    )


def _shown_areas(reaches: Iterable[TargetReach]) -> Iterable[str]:
    return (code for one in reaches for code in islice(one.lacking, MOST_LACKING))


def _target(row: asyncpg.Record) -> Target:
    return Target(**{**dict(row), "areas": tuple(row["areas"])})
