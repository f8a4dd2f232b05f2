"""Which route an incident takes: tables of cases, and that the order of routes has no effect."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.routes.choice import choose_route
from registry.routes.model import Route, RouteStep
from registry.routes.routing import RouteSubject

PATH = ("63", "6321", "632102", "632102001")


def route(name: str, area: str | None = None, **narrowed: object) -> Route:
    return Route(id=name, name=name, area=area, steps=(RouteStep(role="technician"),), **narrowed)  # type: ignore[arg-type]


def subject(**fields: object) -> RouteSubject:
    return RouteSubject(**{"kind": "station_offline", "severity": "warning", "path": PATH, **fields})  # type: ignore[arg-type]


DEFAULT = route("default")
PROVINCE = route("province", "63")
COUNTY = route("county", "632102")
NEIGHBOUR = route("neighbour", "632103")

CASES = [
    (
        "the longest area wins",
        [DEFAULT, PROVINCE, COUNTY, NEIGHBOUR],
        subject(),
        "county",
        "county chosen, default shorter_area, neighbour other_area, province shorter_area",
    ),
    (
        "the length counts, not the number of digits: the path is what the registry says",
        [route("near", "7"), route("far", "6300000000")],
        subject(path=("6300000000", "7")),
        "near",
        "far shorter_area, near chosen",
    ),
    (
        "an area above a narrower route does not win",
        [COUNTY, route("offline-of-province", "63", kinds=("station_offline",), programme="border")],
        subject(programmes=frozenset({"border"})),
        "county",
        "county chosen, offline-of-province shorter_area",
    ),
    (
        "two routes of one area: the smaller id",
        [route("b", "632102"), route("a", "632102")],
        subject(),
        "a",
        "a chosen, b later_id",
    ),
    (
        "two routes of one area, one names the kind",
        [COUNTY, route("offline", "632102", kinds=("station_offline",))],
        subject(),
        "offline",
        "county less_narrow, offline chosen",
    ),
    (
        "the kind of a route is another: the wider route, not silence",
        [COUNTY, route("blind", "632102", kinds=("blind_spot",))],
        subject(),
        "county",
        "blind other_kind, county chosen",
    ),
    (
        "fewer kinds are narrower",
        [route("a-two", kinds=("station_offline", "unusable")), route("b-one", kinds=("station_offline",))],
        subject(),
        "b-one",
        "a-two less_narrow, b-one chosen",
    ),
    (
        "severity narrows",
        [route("all"), route("grave", severities=("critical",)), route("mild", severities=("info", "warning"))],
        subject(),
        "mild",
        "all less_narrow, grave other_severity, mild chosen",
    ),
    (
        "a programme narrows more than a kind of stations, this more than a kind of incidents",
        [
            route("incidents", kinds=("station_offline",), severities=("warning",)),
            route("libraries", station_kind="library"),
            route("border", programme="border"),
        ],
        subject(station_kind="library", programmes=frozenset({"border"})),
        "border",
        "border chosen, incidents less_narrow, libraries less_narrow",
    ),
    (
        "another programme and another kind of stations",
        [DEFAULT, route("border", programme="border"), route("libraries", station_kind="library")],
        subject(station_kind="reading_room", programmes=frozenset({"night"})),
        "default",
        "border other_programme, default chosen, libraries other_station_kind",
    ),
    (
        "an unknown area takes the default route only",
        [DEFAULT, PROVINCE, COUNTY],
        subject(path=()),
        "default",
        "county other_area, default chosen, province other_area",
    ),
    (
        "an unknown area without a default route",
        [COUNTY],
        subject(path=()),
        None,
        "county other_area",
    ),
    ("no routes at all", [], subject(), None, ""),
    (
        "an incident without a station has no programme and no kind of station",
        [DEFAULT, route("border", programme="border"), route("libraries", station_kind="library")],
        subject(kind="area_outage", severity="critical", path=PATH[:2]),
        "default",
        "border other_programme, default chosen, libraries other_station_kind",
    ),
]


@pytest.mark.parametrize(("routes", "asked", "chosen", "verdicts"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_route_of_an_incident(
    routes: Sequence[Route], asked: RouteSubject, chosen: str | None, verdicts: str
) -> None:
    choice = choose_route(routes, asked)
    assert (choice.route.id if choice.route else None) == chosen
    assert ", ".join(f"{verdict.route} {verdict.why}" for verdict in choice.verdicts) == verdicts


AREAS = st.sampled_from([None, *PATH, "632103"])
WORDS = st.lists(st.sampled_from(["station_offline", "blind_spot"]), unique=True).map(tuple)
SEVERITIES = st.lists(st.sampled_from(["info", "warning", "critical"]), unique=True).map(tuple)
ROUTES = st.lists(
    st.builds(
        Route,
        id=st.sampled_from([f"r{n}" for n in range(8)]),
        name=st.just("r"),
        area=AREAS,
        kinds=WORDS,
        severities=SEVERITIES,
        programme=st.sampled_from([None, "border", "night"]),
        station_kind=st.sampled_from([None, "library"]),
        steps=st.just((RouteStep(role="technician"),)),
    ),
    unique_by=lambda route: route.id,
    max_size=8,
)
SUBJECTS = st.builds(
    RouteSubject,
    kind=st.sampled_from(["station_offline", "blind_spot"]),
    severity=st.sampled_from(["info", "warning", "critical"]),
    path=st.integers(0, len(PATH)).map(lambda n: PATH[:n]),
    station_kind=st.sampled_from([None, "library"]),
    programmes=st.frozensets(st.sampled_from(["border", "night"])),
)


@given(routes=ROUTES, asked=SUBJECTS, shuffled=st.randoms(use_true_random=False))
def test_the_order_of_routes_has_no_effect(routes: list[Route], asked: RouteSubject, shuffled) -> None:  # type: ignore[no-untyped-def]
    other = list(routes)
    shuffled.shuffle(other)
    assert choose_route(other, asked) == choose_route(routes, asked)


@given(routes=ROUTES, asked=SUBJECTS)
def test_every_route_has_a_verdict_and_at_most_one_is_chosen(routes: list[Route], asked: RouteSubject) -> None:
    choice = choose_route(routes, asked)
    assert [verdict.route for verdict in choice.verdicts] == sorted(route.id for route in routes)
    chosen = [verdict.route for verdict in choice.verdicts if verdict.why == "chosen"]
    assert chosen == ([choice.route.id] if choice.route else [])


@given(routes=ROUTES, asked=SUBJECTS)
def test_a_route_is_found_wherever_one_without_any_condition_exists(routes: list[Route], asked: RouteSubject) -> None:
    assert choose_route([*routes, route("z-default")], asked).route is not None


@given(routes=ROUTES, asked=SUBJECTS)
def test_a_route_that_did_not_win_can_go_without_effect(routes: list[Route], asked: RouteSubject) -> None:
    chosen = choose_route(routes, asked).route
    for gone in routes:
        if gone != chosen:
            assert choose_route([route for route in routes if route != gone], asked).route == chosen
