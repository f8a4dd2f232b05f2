"""Uptime of a station or an area in a period, as it is kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from api.http.paging import AfterStation, Page
from api.http.problems import not_found
from api.http.work import Work
from api.read.areas import find_area_row
from api.read.found import FoundPage
from api.read.rows import DatabaseRow
from api.read.scope import asked_areas, subtree_codes
from api.read.uptime.period import UptimePeriod, month_period, period_named
from api.read.uptime.queries import QUERIES
from api.read.uptime.schemas import (
    DayRevised,
    UptimeDocument,
    UptimeFigures,
    UptimeOfArea,
    UptimeOfStation,
    UptimePart,
    figures_document,
)
from audit.days.day_store import FIGURES, figures_of
from audit.days.figures import Figures, total
from audit.days.local_days import LocalDay
from audit.days.recorded import days_between
from audit.days.revisions import RevisionCause
from contract.home import HOME
from registry.facts.as_of import RegistryAsOf
from registry.facts.store import load_facts
from registry.hours.opening_text import ScheduleError
from store.pool import Connection


class FoundUptime(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a period. `parts`: (day or month, area below, figures) that stand; `later`: the same with what
    came after the freeze, None where no day of the period is frozen."""

    station: str | None
    area: str | None
    period: UptimePeriod
    kept: tuple[date, date] | None
    frozen: Mapping[date, datetime]
    parts: Sequence[tuple[date, str | None, Figures]]
    later: Sequence[tuple[date, str | None, Figures]] | None
    revisions: Mapping[date, Sequence[DayRevised]]

    async def document(self, work: Work) -> UptimeDocument:
        """As the API answers it. Raises a Problem (503) when too many large answers are being made."""
        return await work.do(len(self.parts), self._document)

    def _document(self) -> UptimeDocument:
        figures = total(found for _, _, found in self.parts)
        later = None if self.later is None else total(found for _, _, found in self.later)
        return UptimeDocument(
            station=self.station,
            area=self.area,
            period=self.period.name,
            first_day=None if self.kept is None else self.kept[0],
            last_day=None if self.kept is None else self.kept[1],
            frozen_at=None if self.period.is_year else self.frozen.get(self.period.begin),
            figures=figures_document(figures),
            with_addenda=None if later is None or later == figures else figures_document(later),
            parts=[UptimePart(at=at, figures=found, revisions=revisions) for at, found, revisions in self._parts()],
            areas=[
                UptimeOfArea(area=area, figures=figures_document(found))
                for area, found in sorted(_sums((part, figures) for _, part, figures in self.parts).items())
            ],
        )

    def _parts(self) -> Iterable[tuple[str, UptimeFigures, list[DayRevised]]]:
        """The parts of the period in order; days of a frozen month are shown as they stand now."""
        shown = self.parts if self.later is None or self.period.is_year else self.later
        sums = _sums((self.period.part_of(day), figures) for day, _, figures in shown)
        named = {} if self.period.is_year else self.revisions
        revisions = {self.period.part_of(day): found for day, found in named.items()}
        return ((at, figures_document(found), list(revisions.get(at, ()))) for at, found in sorted(sums.items()))


def _sums(entries: Iterable[tuple[str | None, Figures]]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name, figures in entries:
        if name is not None:
            found[name] = found.get(name, Figures()) + figures
    return found


async def usual_period(connection: Connection) -> UptimePeriod:
    """The month of the newest kept day, else of the present one."""
    state = await connection.fetchrow(QUERIES.kept_days_state)
    return month_period(datetime.now(HOME).date() if state is None else state["last_day"])


async def asked_period(connection: Connection, name: str | None) -> UptimePeriod:
    """The period of a valid name; without a name, the default period."""
    return await usual_period(connection) if name is None else period_named(name)


async def load_station_uptime(connection: Connection, station: str, period: UptimePeriod) -> FoundUptime:
    """Uptime of a station. Raises a Problem (404)."""
    if not await connection.fetchval(QUERIES.has_station, station):
        raise not_found("station", station)
    rows = await connection.fetch(QUERIES.days_of_station, station, period.begin, period.end)
    frozen = await _frozen(connection, period)
    stands = {row["day"]: row for row in rows if not row["addendum"]}
    newest = {row["day"]: row for row in rows}
    return FoundUptime(
        station=station,
        area=None,
        period=period,
        kept=await _kept(connection, period),
        frozen=frozen,
        parts=[(day, None, figures_of(row)) for day, row in stands.items()],
        later=[(day, None, figures_of(row)) for day, row in newest.items()] if frozen else None,
        revisions=_revisions(rows),
    )


async def load_local_days(connection: Connection, found: FoundUptime) -> dict[str, LocalDay]:
    """The kept days of a station in a month, by their dates, each in the zone of the station on that day. Empty for an
    area, for a year, and for a station whose rules cannot be read."""
    if found.station is None or found.kept is None or found.period.is_year:
        return {}
    registry = RegistryAsOf(await load_facts(connection, [found.station]))
    try:
        return {str(one.day): one for one in days_between(registry, found.station, *found.kept)}
    except ScheduleError:
        return {}


def _revisions(rows: Sequence[asyncpg.Record]) -> dict[date, list[DayRevised]]:
    found: dict[date, list[DayRevised]] = {}
    before: dict[date, Figures] = {}
    for row in rows:
        figures = figures_of(row)
        if row["revision"] > 1:
            difference = figures - before.get(row["day"], Figures())
            found.setdefault(row["day"], []).append(_revised(row, difference))
        before[row["day"]] = figures
    return found


def _revised(row: DatabaseRow, difference: Figures) -> DayRevised:
    changed = {name: getattr(difference, name) for name in FIGURES}
    return DayRevised(
        revision=row["revision"],
        causes=[RevisionCause(cause) for cause in row["causes"]],
        addendum=row["addendum"],
        recorded_at=row["recorded_at"],
        difference={name: ms for name, ms in changed.items() if ms},
    )


async def load_area_uptime(connection: Connection, area: list[str] | None, period: UptimePeriod) -> FoundUptime:
    """Uptime of an area with all below it; None: of everything in the scope. Raises a Problem (404)."""
    code, depth = await _find_area(connection, area)
    codes = await asked_areas(connection, None if code is None else [code])
    frozen = await _frozen(connection, period)
    parts = await _area_parts(connection, codes, depth, period, frozen)
    later = None
    if frozen and not period.is_year:
        rows = await connection.fetch(QUERIES.days_of_areas, codes, depth, period.begin, period.end)
        later = [(row["day"], row["part"], figures_of(row)) for row in rows]
    return FoundUptime(
        station=None,
        area=code,
        period=period,
        kept=await _kept(connection, period),
        frozen=frozen,
        parts=parts,
        later=later,
        revisions={},
    )


async def load_levels_uptime(
    connection: Connection, area: list[str] | None, period: UptimePeriod
) -> dict[str, Figures]:
    """The figures that stand of all areas below an area (None: of all in the scope), level by level, the highest first.
    Raises a Problem (404)."""
    code, depth = await _find_area(connection, area)
    codes = await asked_areas(connection, None if code is None else [code])
    frozen = await _frozen(connection, period)
    found: dict[str, Figures] = {}
    while level := _sums((part, one) for _, part, one in await _area_parts(connection, codes, depth, period, frozen)):
        found |= dict(sorted(level.items()))
        depth += 1
    return found


async def _area_parts(
    connection: Connection,
    codes: list[str] | None,
    depth: int,
    period: UptimePeriod,
    frozen: Mapping[date, datetime],
) -> list[tuple[date, str | None, Figures]]:
    """The figures that stand: of frozen months their sums, of others their days."""
    open_from = max([period.begin, *(month_period(month).end for month in frozen)])
    asked = (codes, depth)
    rows = [
        *(await connection.fetch(QUERIES.frozen_of_areas, *asked, period.begin, period.end) if frozen else []),
        *await connection.fetch(QUERIES.days_of_areas, *asked, open_from, period.end),
    ]
    return [(row["day"], row["part"], figures_of(row)) for row in rows]


async def _find_area(connection: Connection, area: list[str] | None) -> tuple[str | None, int]:
    """The code of the area, and at which place of a path the areas below it stand. For everything these are the roots
    of the country, or the areas of the scope that lie in no other: all at the depth of the first."""
    if area is None:
        tops = await asked_areas(connection, None)
        rows = [await find_area_row(connection, top) for top in tops or []]
        return None, min((row["depth"] - 1 for row in rows if row is not None), default=0)
    row = await find_area_row(connection, area[0])
    if row is None or not row["in_scope"]:
        raise not_found("area", area[0])
    return row["code"], row["depth"]


async def list_station_uptime(
    connection: Connection, area: list[str] | None, period: UptimePeriod, page: Page
) -> FoundPage[UptimeOfStation]:
    """Uptime of stations that are in an area now, by id, over the days that they were in it. Raises a Problem."""
    code, _ = await _find_area(connection, area)
    asked = await asked_areas(connection, None if code is None else [code])
    codes = None if asked is None else await subtree_codes(connection, asked)
    after = page.after(AfterStation, AfterStation("")).id
    rows = await connection.fetch(
        QUERIES.stations_of_period, codes, after, period.begin, period.end, asked, page.limit + 1
    )
    shown, following = page.cut(rows, lambda row: AfterStation(row["station"]))
    return FoundPage(rows=shown, next=following, document=_of_station, things=len(shown))


def _of_station(row: DatabaseRow) -> UptimeOfStation:
    return UptimeOfStation(
        station=row["station"],
        name=row["name"],
        name_en=row["name_en"],
        area=row["area"],
        figures=figures_document(figures_of(row)),
    )


async def _kept(connection: Connection, period: UptimePeriod) -> tuple[date, date] | None:
    state = await connection.fetchrow(QUERIES.kept_days_state)
    if state is None or state["first_day"] >= period.end or state["last_day"] < period.begin:
        return None
    return max(state["first_day"], period.begin), min(state["last_day"], _last(period))


def _last(period: UptimePeriod) -> date:
    return date.fromordinal(period.end.toordinal() - 1)


async def _frozen(connection: Connection, period: UptimePeriod) -> dict[date, datetime]:
    rows = await connection.fetch(QUERIES.frozen_months_of, period.begin, period.end)
    return {row["month"]: row["frozen_at"] for row in rows}
