"""Reads what was reached of targets by a day: stations from the facts of the registry, some at a time, then what they
did."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from audit.days.day_store import figures_of
from audit.effect.use_store import is_kept, load_packages
from audit.programmes.reach import TargetMeasures, TargetReach, TargetTally, reach, tally, total_tally
from audit.programmes.standings import PromisedAreas, StationsThen
from registry.facts.store import load_area_facts, load_facts, load_successions
from registry.model import Target
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
RATE_DAYS: Final = 30
"""Online and service rates are those of so many days up to the day."""
_STEP: Final = 1_000

Told = Callable[[int], None]
"""Takes the number of stations that were read so far."""


async def load_reach(
    connection: Connection, targets: Sequence[Target], day: date, *, told: Told | None = None
) -> list[TargetReach]:
    """What was reached of targets by the end of a day, as is known now; of the stations that the connection may see."""
    areas = await _promised_areas(connection, targets)
    units = {target.id: areas.units(target, day) for target in targets}
    found = await _tallies(connection, targets, units, areas, day, told)
    measured = {target.id: await _measured(connection, target, found[target.id], day) for target in targets}
    return [reach(each, units[each.id], found[each.id], measured[each.id], day) for each in targets]


async def _promised_areas(connection: Connection, targets: Sequence[Target]) -> PromisedAreas:
    levels = sorted({target.level for target in targets if target.level is not None})
    return PromisedAreas(
        {row["code"]: row["level"] for row in await connection.fetch(QUERIES.area_levels, levels)},
        await load_area_facts(connection, levels),
        await load_successions(connection),
    )


async def _tallies(
    connection: Connection,
    targets: Sequence[Target],
    units: Mapping[str, Sequence[str]],
    areas: PromisedAreas,
    day: date,
    told: Told | None,
) -> dict[str, TargetTally]:
    parts: dict[str, list[TargetTally]] = {target.id: [] for target in targets}
    after, read = "", 0
    while targets and (rows := await connection.fetch(QUERIES.station_ids, after, _STEP)):
        after, read = rows[-1]["id"], read + len(rows)
        then = StationsThen(await load_facts(connection, [row["id"] for row in rows]))
        for name, part in tally(targets, units, then.standings(day), areas.successions, then.path).items():
            parts[name].append(part)
        if told is not None:
            told(read)
    return {name: total_tally(some) for name, some in parts.items()}


async def _measured(connection: Connection, target: Target, found: TargetTally, day: date) -> TargetMeasures:
    """What the stations of a target did, as far as its metric asks."""
    stations, end = sorted(found.stations), day + timedelta(days=1)
    match target.metric:
        case "online_rate" | "service_rate":
            begin = end - timedelta(days=RATE_DAYS)
            row = await connection.fetchrow(QUERIES.figures_of_stations, stations, begin, end)
            return TargetMeasures() if row is None else TargetMeasures(figures=figures_of(row))
        case "sessions":
            begin = day.replace(month=1, day=1)
            if not await is_kept(connection, "usage_hour", begin):
                return TargetMeasures()
            return TargetMeasures(
                sessions=await connection.fetchval(QUERIES.sessions_of_stations, stations, begin, end)
            )
        case "content_bytes" | "content_titles":
            packages = await load_packages(connection, stations, end)
            return TargetMeasures(content=_content(packages, target.language))
        case _:
            return TargetMeasures()


def _content(packages: Mapping[tuple[str, str], tuple[int, int]], language: str | None) -> dict[str, int]:
    """{package: bytes}; a package of two languages counts once."""
    found: dict[str, int] = {}
    for (name, spoken), (size, _) in packages.items():
        if language is None or spoken == language:
            found[name] = max(found.get(name, 0), size)
    return found
