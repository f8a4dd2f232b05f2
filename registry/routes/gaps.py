"""Where and when no person would be told of an incident. Pure.

Areas that have the same route and the same people share one answer, and time is cut only where duty changes, so that a
country and a month take seconds. A place and a moment are in a gap exactly if `explain` names no person for an
incident whose first step is due then.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Final

import msgspec

from contract.kinds import IncidentKind
from contract.said import SaidError
from registry.duty.rules import Place
from registry.routes.checks import SEVERITIES
from registry.routes.choice import choose_route
from registry.routes.coverage import MUTE, ROOM, Coverage, Spans, joined, without
from registry.routes.model import Route
from registry.routes.people import People, area_at
from registry.routes.routing import RouteSubject, Routing

MOST_DAYS: Final = 62
NOWHERE: Final = ""
"""In place of the code of an area: incidents whose area is unknown."""

Incident = tuple[str, str]
"""Kind and severity."""


class GapQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents are asked about; empty: all. [`begin`, `end`) has at most `MOST_DAYS` days."""

    begin: datetime
    end: datetime
    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()


class UntoldGap(msgspec.Struct, frozen=True, kw_only=True):
    """Areas in which, in `spans`, no person would be told of some incidents.

    `route`: the route that they take; None: no route covers them (`why` is `no_route`). Otherwise `why` is
    `nobody_on_duty`; `no_channel`: some have no channel; `only_rooms`; `nobody_has_role`; `no_such_level`; or
    `outside_scope`: nobody within the scope of whoever asks. `programme`, `station_kind`: of the stations concerned,
    where the route is for these only. `areas` has `NOWHERE` for incidents without an area.
    """

    areas: tuple[str, ...]
    spans: Spans
    incidents: tuple[Incident, ...]
    route: str | None
    why: str
    programme: str | None = None
    station_kind: str | None = None


class _Case(msgspec.Struct, frozen=True):
    """Incidents between which no route makes a difference, and the routes for them by their areas."""

    incidents: tuple[Incident, ...]
    routes: Mapping[str | None, Route]
    programme: str | None = None
    station_kind: str | None = None

    def route_of(self, path: Sequence[str]) -> Route | None:
        """The route of the nearest area on a path."""
        nearest = next((area for area in reversed(path) if area in self.routes), None)
        return self.routes.get(nearest)

    @property
    def is_narrow(self) -> bool:
        """Whether it is about some stations only."""
        return self.programme is not None or self.station_kind is not None


Progress = Callable[[int, int], None]
"""Takes the number of searched areas and the total, from time to time; an area counts once for each sort of
incidents."""


def find_gaps(
    routing: Routing,
    paths: Mapping[str, Sequence[str]],
    levels: Mapping[str, str],
    question: GapQuestion,
    progress: Progress = lambda done, of: None,
) -> list[UntoldGap]:
    """The gaps in some areas, those that concern most areas first.

    `paths`: of each area that is asked about, codes from the root to itself; of `NOWHERE`, none. `levels`: of all areas
    on them. Raises SaidError for an interval that is too long or has no length.
    """
    _require_interval(question)
    cases = list(_cases(routing.routes, question))
    search = _Search(routing, paths, levels, question, _Steps(len(cases) * len(paths), progress))
    found = _merged(gap for case in cases for gap in search.gaps_of(case))
    return sorted(found, key=lambda gap: (-len(gap.areas), gap.areas[0], gap.incidents))


def _merged(gaps: Iterable[UntoldGap]) -> list[UntoldGap]:
    """Gaps that differ in their incidents only, as one."""
    found: dict[UntoldGap, list[Incident]] = {}
    for gap in gaps:
        found.setdefault(msgspec.structs.replace(gap, incidents=()), []).extend(gap.incidents)
    return [msgspec.structs.replace(gap, incidents=tuple(some)) for gap, some in found.items()]


def _require_interval(question: GapQuestion) -> None:
    if not timedelta(0) < question.end - question.begin <= timedelta(days=MOST_DAYS):
        raise SaidError(
            f"gaps are searched in 1 to {MOST_DAYS} days: name an interval of this length",
            f"查询通知空白的时间范围为 1 至 {MOST_DAYS} 天：请改正",
        )


class _Steps:
    """Counts searched areas, and reports each thousand."""

    def __init__(self, of: int, progress: Progress) -> None:
        self._of, self._progress, self._done = of, progress, 0

    def add(self, number: int) -> None:
        before, self._done = self._done, self._done + number
        if before // 1000 != self._done // 1000:
            self._progress(self._done, self._of)


class _Search:
    """What the cases share: the people of places, and the chain of places above each area."""

    def __init__(
        self,
        routing: Routing,
        paths: Mapping[str, Sequence[str]],
        levels: Mapping[str, str],
        question: GapQuestion,
        steps: _Steps,
    ) -> None:
        self._steps = steps
        self._paths, self._levels, self._scope = paths, levels, routing.scope
        self._coverage = Coverage(People(routing), question.begin, question.end)
        self._chains: dict[tuple[str, str], tuple[Place, ...]] = {}
        self._open: dict[frozenset[Spans], Spans] = {}

    def gaps_of(self, case: _Case) -> Iterator[UntoldGap]:
        """The gaps of one case; areas with equal ones are together."""
        areas: dict[tuple[str | None, str, Spans], list[str]] = {}
        for (route, places), codes in self._grouped(case).items():
            self._steps.add(len(codes))
            spans = self._uncovered(route, places)
            if spans:
                why = self._why(route, places)
                areas.setdefault((None if route is None else route.id, why, spans), []).extend(codes)
        for (name, why, spans), codes in areas.items():
            yield UntoldGap(
                areas=tuple(sorted(codes)),
                spans=spans,
                incidents=case.incidents,
                route=name,
                why=why,
                programme=case.programme,
                station_kind=case.station_kind,
            )

    def _grouped(self, case: _Case) -> dict[tuple[Route | None, tuple[tuple[Place, ...] | None, ...]], list[str]]:
        """Areas by their route and, for each of its steps, the places with people (None: no area of the level)."""
        found: dict[tuple[Route | None, tuple[tuple[Place, ...] | None, ...]], list[str]] = {}
        for code, path in self._paths.items():
            route = case.route_of(path)
            if case.is_narrow and (route is None or not (route.programme or route.station_kind)):
                continue
            places = () if route is None else tuple(self._places(step.role, step.level, path) for step in route.steps)
            found.setdefault((route, places), []).append(code)
        return found

    def _places(self, role: str, level: str | None, path: Sequence[str]) -> tuple[Place, ...] | None:
        if level is None:
            return self._chain(role, path)
        area = area_at(path, self._levels, level)
        if area is None:
            return None
        return self._with_people([(role, area)])

    def _chain(self, role: str, path: Sequence[str]) -> tuple[Place, ...]:
        """The places with people from the last area of a path upward."""
        key = (role, path[-1] if path else NOWHERE)
        found = self._chains.get(key)
        if found is None:
            above = self._chain(role, path[:-1]) if path else ()
            found = self._chains[key] = self._with_people([(role, path[-1] if path else None)]) + above
        return found

    def _with_people(self, places: Iterable[Place]) -> tuple[Place, ...]:
        return tuple(place for place in places if self._coverage.has_people(place))

    def _uncovered(self, route: Route | None, places: Iterable[tuple[Place, ...] | None]) -> Spans:
        if route is None:
            return self._coverage.whole
        covered = frozenset(self._coverage.spans(place) for some in places for place in some or ())
        if self._coverage.whole in covered:
            return ()
        found = self._open.get(covered)
        if found is None:
            union = joined(span for spans in covered for span in spans)
            found = self._open[covered] = without(union, self._coverage.begin, self._coverage.end)
        return found

    def _why(self, route: Route | None, places: Sequence[tuple[Place, ...] | None]) -> str:
        if route is None:
            return "no_route"
        if self._scope is not None:
            return "outside_scope"
        named = [place for some in places for place in some or ()]
        if named:
            return self._why_nobody(named)
        return "no_such_level" if all(some is None for some in places) else "nobody_has_role"

    def _why_nobody(self, named: Sequence[Place]) -> str:
        """Why none of those who have the role is told at the times of a gap."""
        if any(self._coverage.has_state(place, MUTE) for place in named):
            return "no_channel"
        return "only_rooms" if any(self._coverage.has_state(place, ROOM) for place in named) else "nobody_on_duty"


def _cases(routes: Sequence[Route], question: GapQuestion) -> Iterator[_Case]:
    kinds = question.kinds or tuple(IncidentKind)
    same: dict[tuple[str, ...], list[Incident]] = {}
    for kind, severity in product(map(str, kinds), question.severities or SEVERITIES):
        same.setdefault(tuple(r.id for r in routes if _takes(r, kind, severity)), []).append((kind, severity))
    for incidents in same.values():
        matching = [route for route in routes if _takes(route, *incidents[0])]
        narrowings = {(route.programme, route.station_kind): None for route in matching}
        for programme, station_kind in {(None, None): None, **narrowings}:
            yield _case(matching, tuple(incidents), programme, station_kind)


def _takes(route: Route, kind: str, severity: str) -> bool:
    return (not route.kinds or kind in route.kinds) and (not route.severities or severity in route.severities)


def _case(
    routes: Sequence[Route], incidents: tuple[Incident, ...], programme: str | None, station_kind: str | None
) -> _Case:
    """The best route of each area that has routes, chosen as for one incident in this very area."""
    by_area: dict[str | None, list[Route]] = {}
    for route in routes:
        by_area.setdefault(route.area, []).append(route)
    best: dict[str | None, Route] = {}
    for area, some in by_area.items():
        subject = RouteSubject(
            kind=incidents[0][0],
            severity=incidents[0][1],
            path=() if area is None else (area,),
            programmes=frozenset(() if programme is None else (programme,)),
            station_kind=station_kind,
        )
        if (chosen := choose_route(some, subject).route) is not None:
            best[area] = chosen
    return _Case(incidents, best, programme, station_kind)
