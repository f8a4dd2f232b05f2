"""Where and when nobody would be told: a table of cases, and that it agrees with the explanation of single moments."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings

from contract.kinds import IncidentKind
from contract.said import SaidError
from registry.contacts.model import Contact
from registry.duty.model import Duty, Substitute
from registry.routes.explaining import explain
from registry.routes.gaps import MOST_DAYS, NOWHERE, GapQuestion, UntoldGap, find_gaps
from registry.routes.model import Route
from registry.routes.routing import RouteSubject, Routing
from tests.unit.registry.routes.routes_kit import (
    COUNTY,
    LEVELS,
    OTHER_COUNTY,
    OTHER_TOWN,
    PATHS,
    PREFECTURE,
    PROVINCE,
    TOWN,
    at,
    contact,
    moments,
    route,
    routing,
    routings,
    subjects,
)

BEGIN = at("2026-03-02 00:00")
QUESTION = GapQuestion(begin=BEGIN, end=BEGIN + timedelta(days=2), kinds=("station_offline",), severities=("critical",))
ALWAYS = "03-02 00:00–03-04 00:00"
ZHANG = contact("zhang", "technician", TOWN)
ALL = contact("all", "technician", None)


def short(gap: UntoldGap) -> str:
    local = [(since.astimezone(BEGIN.tzinfo), until.astimezone(BEGIN.tzinfo)) for since, until in gap.spans]
    spans = ", ".join(f"{since:%m-%d %H:%M}–{until:%m-%d %H:%M}" for since, until in local)
    narrow = "".join(f" {word}" for word in (gap.programme, gap.station_kind) if word)
    areas = " ".join(area or "nowhere" for area in gap.areas)
    return f"{areas}: {gap.route} {gap.why}{narrow} {spans}"


CASES = [
    ("somebody of the whole is always there", [ALL], [], [route()], [TOWN, COUNTY, NOWHERE], []),
    (
        "one town has people, the other has not",
        [ZHANG],
        [],
        [route()],
        [TOWN, OTHER_TOWN],
        [f"{OTHER_TOWN}: default nobody_has_role {ALWAYS}"],
    ),
    (
        "nights without duty",
        [ZHANG],
        [Duty(role="technician", contact="zhang", area=TOWN, times="Mo-Su 08:00-18:00")],
        [route()],
        [TOWN],
        [
            f"{TOWN}: default nobody_on_duty 03-02 00:00–03-02 08:00, 03-02 18:00–03-03 08:00, 03-03 18:00–03-04 00:00",
        ],
    ),
    (
        "areas that inherit are together",
        [contact("li", "technician", PREFECTURE)],
        [Duty(role="technician", contact="li", area=PREFECTURE, times="Mo-Su 00:00-12:00")],
        [route()],
        [COUNTY, OTHER_COUNTY, OTHER_TOWN, TOWN],
        [
            f"{COUNTY} {TOWN} {OTHER_COUNTY} {OTHER_TOWN}: default nobody_on_duty "
            "03-02 12:00–03-03 00:00, 03-03 12:00–03-04 00:00",
        ],
    ),
    (
        "a later step covers what the first leaves open",
        [ZHANG, contact("wang", "lead", COUNTY)],
        [Duty(role="technician", contact="zhang", area=TOWN, times="Mo-Su 08:00-18:00")],
        [route("technician; lead@county after 30m")],
        [TOWN],
        [],
    ),
    (
        "no route",
        [ZHANG],
        [],
        [route(area=OTHER_COUNTY)],
        [TOWN, NOWHERE],
        [f"nowhere {TOWN}: None no_route {ALWAYS}"],
    ),
    (
        "an area above the level of the only step",
        [contact("wang", "lead", COUNTY)],
        [],
        [route("lead@county")],
        [TOWN, PROVINCE],
        [f"{PROVINCE}: default no_such_level {ALWAYS}"],
    ),
    (
        "only a contact without a channel",
        [contact("mute", "technician", TOWN, channels="")],
        [],
        [route()],
        [TOWN],
        [f"{TOWN}: default no_channel {ALWAYS}"],
    ),
    (
        "a room alone is no person",
        [contact("group", "technician", TOWN, "wecom", room=True)],
        [],
        [route()],
        [TOWN],
        [f"{TOWN}: default only_rooms {ALWAYS}"],
    ),
    (
        "only a retired contact",
        [contact("old", "technician", TOWN, retired_at=BEGIN)],
        [],
        [route()],
        [TOWN],
        [f"{TOWN}: default nobody_on_duty {ALWAYS}"],
    ),
    (
        "a narrower route has its own gaps",
        [ALL],
        [],
        [route(), route("nobody", "border", COUNTY, programme="border")],
        [TOWN, OTHER_TOWN],
        [f"{TOWN}: border nobody_has_role border {ALWAYS}"],
    ),
    (
        "routes of other kinds and severities do not count",
        [ALL],
        [],
        [route(), route("nobody", "blind", kinds=("blind_spot",)), route("nobody", "mild", severities=("info",))],
        [TOWN],
        [],
    ),
]


@pytest.mark.parametrize(
    ("contacts", "duties", "routes", "areas", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_gaps(
    contacts: Sequence[Contact],
    duties: Sequence[Duty],
    routes: Sequence[Route],
    areas: Sequence[str],
    expected: Sequence[str],
) -> None:
    paths = {area: PATHS.get(area, ()) for area in areas}
    found = find_gaps(routing(contacts, duties, routes), paths, LEVELS, QUESTION)
    assert [short(gap) for gap in found] == list(expected)


def test_an_absence_without_a_reachable_substitute_is_a_gap() -> None:
    mute = contact("mute", "spare", TOWN, channels="")
    away = Substitute(
        contact="zhang", substitute="mute", from_at=at("2026-03-02 06:00"), until_at=at("2026-03-02 09:00")
    )
    found = find_gaps(
        routing([ZHANG, mute], routes=[route()], substitutes=[away]), {TOWN: PATHS[TOWN]}, LEVELS, QUESTION
    )
    assert [short(gap) for gap in found] == [f"{TOWN}: default nobody_on_duty 03-02 06:00–03-02 09:00"]


def test_all_kinds_and_severities_are_asked_about_and_kept_together() -> None:
    routes = [route(area=COUNTY, severities=("critical",), name="grave"), route("nobody", kinds=("health",))]
    asked = GapQuestion(begin=BEGIN, end=BEGIN + timedelta(days=1))
    found = find_gaps(routing([ALL], routes=routes), {TOWN: PATHS[TOWN]}, LEVELS, asked)
    assert {(gap.route, gap.why, len(gap.incidents)) for gap in found} == {
        (None, "no_route", 2 * len(IncidentKind) - 2),
        ("default", "nobody_has_role", 2),
    }
    assert {incident for gap in found if gap.route for incident in gap.incidents} == {
        ("health", "info"),
        ("health", "warning"),
    }


def test_who_has_the_role_is_there_on_days_that_no_duty_includes() -> None:
    """From the second day on a duty names its contact, at night nobody; its night watch begins on the day before."""
    watch = Duty(role="technician", contact="zhang", area=TOWN, times="Mo-Su 22:00-26:00", valid_from=date(2026, 3, 3))
    found = find_gaps(routing([ZHANG], [watch], [route()]), {TOWN: PATHS[TOWN]}, LEVELS, QUESTION)
    assert [short(gap) for gap in found] == [f"{TOWN}: default nobody_on_duty 03-03 00:00–03-03 22:00"]


def test_times_that_cannot_be_read_name_nobody() -> None:
    broken = Duty(role="technician", contact="zhang", area=TOWN, times="whenever")
    assert find_gaps(routing([ZHANG], [broken], [route()]), {TOWN: PATHS[TOWN]}, LEVELS, QUESTION) == []


def test_a_long_search_says_how_far_it_came() -> None:
    paths = {f"{TOWN}{n}": (*PATHS[TOWN][:-1], f"{TOWN}{n}") for n in range(2500)}
    said: list[tuple[int, int]] = []
    find_gaps(routing([ALL], routes=[route()]), paths, LEVELS, QUESTION, lambda done, of: said.append((done, of)))
    assert said == [(2500, 2500)], "areas with the same people are looked at together"


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
def test_the_interval_is_bounded(days: int) -> None:
    with pytest.raises(SaidError, match="1 to 62 days"):
        find_gaps(routing(), {}, {}, GapQuestion(begin=BEGIN, end=BEGIN + timedelta(days=days)))


@settings(max_examples=300)
@given(asked=routings(), about=subjects, now=moments)
def test_a_moment_is_in_a_gap_exactly_if_no_person_is_told_then(
    asked: Routing, about: RouteSubject, now: datetime
) -> None:
    explained = explain(asked, about, now)
    told = [asked.contacts[each.contact] for step in explained.steps for each in step.recipients]
    recipients = [contact for contact in told if not contact.room]
    question = GapQuestion(
        begin=at("2026-02-27 00:00"), end=at("2026-03-12 00:00"), kinds=(about.kind,), severities=(about.severity,)
    )
    place = about.path[-1] if about.path else NOWHERE
    found = find_gaps(asked, {place: about.path}, LEVELS, question)
    gaps = [gap for gap in found if any(since <= now < until for since, until in gap.spans)]
    assert bool(gaps) == (not recipients)
    assert {gap.route for gap in gaps} <= {explained.choice.route and explained.choice.route.id}
