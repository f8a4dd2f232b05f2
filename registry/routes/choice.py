"""Which route an incident takes, and the verdict on every other. Pure."""

from collections.abc import Collection, Iterable

from registry.routes.model import Route
from registry.routes.routing import RouteChoice, RouteSubject, RouteVerdict, VerdictWord

_Narrowness = tuple[bool, bool, int, int]


def choose_route(routes: Iterable[Route], subject: RouteSubject) -> RouteChoice:
    """The route of a subject, and the verdict on each route in the order of ids. The order of `routes` has no effect.

    Of the routes that apply the one with the longest area wins, which is the nearest area on the path of the
    subject; then the narrower one (`narrowness`); then the one with the smaller id. A subject whose area is unknown
    takes a route without area only.
    """
    ordered = sorted(routes, key=lambda route: route.id)
    against = {route.id: _why_not(route, subject) for route in ordered}
    fitting = [route for route in ordered if against[route.id] is None]
    # max() keeps the first of equals, which has the smallest id.
    chosen = max(fitting, key=lambda route: (_length(route, subject), narrowness(route)), default=None)
    verdicts = tuple(RouteVerdict(route.id, against[route.id] or _beside(route, chosen, subject)) for route in ordered)
    return RouteChoice(route=chosen, verdicts=verdicts)


def narrowness(route: Route) -> _Narrowness:
    """How narrow a route is beside its area; greater is narrower. A programme counts more than a kind of stations,
    this more than kinds of incidents, these more than severities; fewer kinds or severities are narrower than more."""
    return (
        route.programme is not None,
        route.station_kind is not None,
        _fewness(route.kinds),
        _fewness(route.severities),
    )


def _fewness(words: Collection[str]) -> int:
    return 1000 - len(words) if words else 0


def _length(route: Route, subject: RouteSubject) -> int:
    """The number of areas on the path down to that of the route."""
    return 0 if route.area is None else subject.path.index(route.area) + 1


def _why_not(route: Route, subject: RouteSubject) -> VerdictWord | None:
    if route.area is not None and route.area not in subject.path:
        return "other_area"
    if route.kinds and subject.kind not in route.kinds:
        return "other_kind"
    if route.severities and subject.severity not in route.severities:
        return "other_severity"
    if route.programme is not None and route.programme not in subject.programmes:
        return "other_programme"
    if route.station_kind is not None and route.station_kind != subject.station_kind:
        return "other_station_kind"
    return None


def _beside(route: Route, chosen: Route | None, subject: RouteSubject) -> VerdictWord:
    """The verdict on a route that applies."""
    if chosen is None or route.id == chosen.id:
        return "chosen"
    if _length(route, subject) < _length(chosen, subject):
        return "shorter_area"
    return "less_narrow" if narrowness(route) < narrowness(chosen) else "later_id"
