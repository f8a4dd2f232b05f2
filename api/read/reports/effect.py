"""The facts of a report of effect, read in one snapshot; the stations and days are those of the report of uptime."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import asyncpg

from api.read.reports.load import Progress, load_area_names, load_stations, named, period_facts
from api.read.scope import asked_areas
from api.read.uptime.load import FoundUptime, load_area_uptime
from api.read.uptime.period import UptimePeriod
from audit.days.day_store import figures_of
from audit.effect.figures import Effect, StationEffect, TerminalCount, UseFigures
from audit.effect.use_store import KNOWN_DAYS, WORKING_DAYS, FoundUse, UseSpan, load_use
from audit.reports.effect_report import EffectFacts
from store.pool import Connection

_STEP: Final = 1_000


async def load_effect_facts(
    connection: Connection,
    area: list[str] | None,
    period: UptimePeriod,
    language: str,
    *,
    most: int | None = None,
    progress: Progress | None = None,
) -> EffectFacts:
    """The facts of an area with all areas below it, or of everything in the scope (`area` None), over the kept days.

    Raises a Problem: 404 for an unknown area, 422 for more than `most` stations.
    """
    found = await load_area_uptime(connection, area, period)
    rows = await load_stations(connection, area, period, most, progress)
    codes = {code for code in (found.area, *(row["area"] for row in rows)) if code}
    names = await load_area_names(connection, codes, language)
    use = await load_use_of(connection, found, rows)
    return EffectFacts(
        about=await period_facts(connection, found, None if found.area is None else (found.area, names[found.area])),
        stations=[
            StationEffect(
                id=row["station"],
                name=named(row, language),
                area=names.get(row["area"] or "", ""),
                effect=effect_of(row, use),
                code=row["area"],
            )
            for row in rows
        ],
        days=use.days,
        properties=use.properties,
        stock=use.stock(),
        known_days=KNOWN_DAYS,
        working_days=WORKING_DAYS,
    )


async def load_use_of(connection: Connection, found: FoundUptime, rows: Sequence[asyncpg.Record]) -> FoundUse:
    """Use, terminals and content of the stations of `rows` over the kept days of `found`."""
    use = FoundUse()
    if found.kept is not None:
        first, last = found.kept
        areas = await asked_areas(connection, None if found.area is None else [found.area])
        span = UseSpan(begin=first, end=last + timedelta(days=1), areas=areas)
        for place in range(0, len(rows), _STEP):
            await load_use(connection, [row["station"] for row in rows[place : place + _STEP]], span, use)
    return use


def effect_of(row: asyncpg.Record, use: FoundUse) -> Effect:
    """The figures of a station of `load_stations`."""
    return Effect(
        figures=figures_of(row),
        use=use.stations.get(row["station"], UseFigures()),
        terminals=use.terminals.get(row["station"], TerminalCount()),
    )
