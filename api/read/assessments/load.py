"""The inputs of an assessment, read in one snapshot by the functions that the reports use."""

from collections.abc import Iterable, Mapping
from datetime import date

import asyncpg
from msgspec.structs import replace

from api.read.assessments.queries import QUERIES
from api.read.reports.effect import effect_of, load_use_of
from api.read.reports.load import Progress, load_stations, sum_of_parts
from api.read.uptime.load import FoundUptime, load_area_uptime, load_levels_uptime
from api.read.uptime.period import UptimePeriod
from audit.assessments.measured import STATION, AssessmentInputs, MeasuredPlace, Satisfaction
from audit.assessments.scores import Scores, matched_scores
from audit.assessments.store import load_before
from audit.days.figures import Figures
from audit.days.freezing import months_between
from audit.effect.figures import Effect, total_effect
from contract.errors import RemedyError
from store.made_up import load_made_up
from store.pool import Connection


async def load_inputs(
    connection: Connection,
    area: list[str] | None,
    period: UptimePeriod,
    scores: Scores,
    *,
    most: int | None = None,
    progress: Progress | None = None,
) -> AssessmentInputs:
    """The figures of an area (None: of everything in the scope), of all areas below it and of its stations.

    Raises a Problem: 404 for an unknown area, 422 for more than `most` stations. Raises RemedyError if days of the
    period are not counted yet, or a score is of no place."""
    found = await load_area_uptime(connection, area, period)
    first, last = _counted(found)
    rows = await load_stations(connection, area, period, most, progress)
    use = await load_use_of(connection, found, rows)
    effects = {row["station"]: effect_of(row, use) for row in rows}
    below = await load_levels_uptime(connection, area, period)
    known = await _areas(connection, {*below, *(row["area"] for row in rows if row["area"]), found.area or ""})
    sums = _sums_of_areas(rows, effects, known)
    whole = _area(found.area or "", sum_of_parts(found.parts), total_effect(effects.values()), known)
    places = [
        *(_area(code, figures, sums.get(code, Effect()), known) for code, figures in below.items()),
        *(_station(row, effects[row["station"]]) for row in rows),
    ]
    given = matched_scores(scores, {whole.id, *(place.id for place in places)})
    before = period.before
    return AssessmentInputs(
        area=found.area,
        period=period.name,
        first=first,
        last=last,
        frozen=all(month in found.frozen for month in months_between(first, last)),
        made_up=await load_made_up(connection) is not None,
        whole=_scored(whole, given),
        places=tuple(_scored(place, given) for place in places),
        before_period=before,
        before=await load_before(connection, found.area, before),
    )


def _counted(found: FoundUptime) -> tuple[date, date]:
    end = date.fromordinal(found.period.end.toordinal() - 1)
    if found.kept is None or found.kept[1] < end:
        raise RemedyError(
            f"{found.period.name} is not counted until its last day yet: assess it later",
            f"{found.period.name} 尚未统计到最后一天：请稍后再考核",
        )
    return found.kept


async def _areas(connection: Connection, codes: Iterable[str]) -> dict[str, asyncpg.Record]:
    return {row["code"]: row for row in await connection.fetch(QUERIES.assessed_areas, list(codes))}


def _sums_of_areas(
    rows: Iterable[asyncpg.Record], effects: Mapping[str, Effect], known: Mapping[str, asyncpg.Record]
) -> dict[str, Effect]:
    """Of each area the sum of the stations that are in it now."""
    own: dict[str, Effect] = {}
    for row in rows:
        own[row["area"] or ""] = own.get(row["area"] or "", Effect()) + effects[row["station"]]
    found: dict[str, Effect] = {}
    for code, effect in own.items():
        for above in known[code]["path"] if code in known else ():
            found[above] = found.get(above, Effect()) + effect
    return found


def _area(code: str, figures: Figures, effect: Effect, known: Mapping[str, asyncpg.Record]) -> MeasuredPlace:
    row = known.get(code)
    return MeasuredPlace(
        level="" if row is None else row["level"],
        id=code,
        name=code if row is None else row["name"],
        name_en=None if row is None else row["name_en"],
        figures=figures,
        open_ms=effect.open_ms,
        used_ms=effect.use.used_ms,
        terminals=effect.terminals,
    )


def _station(row: asyncpg.Record, effect: Effect) -> MeasuredPlace:
    return MeasuredPlace(
        level=STATION,
        id=row["station"],
        name=row["name"] or "",
        name_en=row["name_en"],
        figures=effect.figures,
        open_ms=effect.open_ms,
        used_ms=effect.use.used_ms,
        terminals=effect.terminals,
    )


def _scored(place: MeasuredPlace, scores: Mapping[str, Satisfaction]) -> MeasuredPlace:
    return replace(place, satisfaction=scores.get(place.id))
