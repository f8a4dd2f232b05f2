"""Who is told in a step: a table of cases, and that nobody outside the area or the role is."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given

from registry.contacts.model import Contact
from registry.duty.model import Duty, Substitute
from registry.routes.explaining import explain
from registry.routes.people import People
from registry.routes.routing import Recipient, RouteSubject, Routing, StepOutcome
from registry.routes.steps import parse_steps
from tests.unit.registry.routes.routes_kit import (
    COUNTY,
    OTHER_COUNTY,
    OTHER_TOWN,
    PREFECTURE,
    PROVINCE,
    TOWN,
    at,
    contact,
    moments,
    route,
    routing,
    routings,
    steps_told,
    subject,
    subjects,
    told,
)

MONDAY = at("2026-03-02 09:00")
NIGHT = at("2026-03-02 03:00")
DAYS = "Mo-Fr 08:00-18:00"
ZHANG = contact("zhang", "technician", TOWN)
LI = contact("li", "technician", COUNTY)
WANG = contact("wang", "lead", COUNTY)
ZHAO = contact("zhao", "head", PREFECTURE)

CASES = [
    ("the contact of the own area", [ZHANG, LI], [], "technician", subject(), MONDAY, "zhang@632102001"),
    ("nobody in the own area: the nearest area above", [LI], [], "technician", subject(), MONDAY, "li@632102"),
    (
        "somebody of the whole platform is the last",
        [contact("all", "technician", None)],
        [],
        "technician",
        subject(),
        MONDAY,
        "all@*",
    ),
    (
        "contacts of a neighbour or below are never told",
        [contact("east", "technician", OTHER_COUNTY), contact("below", "technician", OTHER_TOWN)],
        [],
        "technician",
        subject(COUNTY),
        MONDAY,
        "nobody_on_duty",
    ),
    ("another role is not told", [WANG], [], "technician", subject(), MONDAY, "nobody_on_duty"),
    ("the level of the step", [ZHANG, LI, WANG], [], "lead@county", subject(), MONDAY, "wang@632102"),
    ("a city is the prefecture of this tree", [ZHAO], [], "head@city", subject(), MONDAY, "zhao@6321"),
    (
        "a level has only its own people",
        [contact("above", "lead", PREFECTURE)],
        [],
        "lead@county",
        subject(),
        MONDAY,
        "nobody_on_duty",
    ),
    (
        "an incident above the level",
        [WANG],
        [],
        "lead@county",
        subject(PREFECTURE, kind="area_outage"),
        MONDAY,
        "no_such_level",
    ),
    ("an unknown area has no level", [WANG], [], "lead@county", subject(None), MONDAY, "no_such_level"),
    (
        "an unknown area has the people of the whole",
        [LI, contact("all", "technician", None)],
        [],
        "technician",
        subject(None),
        MONDAY,
        "all@*",
    ),
    (
        "who is on duty, not who has the role",
        [ZHANG, contact("qian", "spare", TOWN)],
        [Duty(role="technician", contact="qian", area=TOWN, times=DAYS)],
        "technician",
        subject(),
        MONDAY,
        "qian@632102001 duty 1 | zhang not_on_duty",
    ),
    (
        "nobody on duty at night: the nearest area above",
        [ZHANG, LI],
        [Duty(role="technician", contact="zhang", area=TOWN, times=DAYS)],
        "technician",
        subject(),
        NIGHT,
        "li@632102 | zhang not_on_duty",
    ),
    (
        "nobody on duty at all",
        [ZHANG],
        [Duty(role="technician", contact="zhang", area=TOWN, times=DAYS)],
        "technician",
        subject(),
        NIGHT,
        "nobody_on_duty | zhang not_on_duty",
    ),
    (
        "a contact without a channel is passed over, with the reason",
        [contact("mute", "technician", TOWN, channels=""), LI],
        [],
        "technician",
        subject(),
        MONDAY,
        "li@632102 | mute no_channel",
    ),
    (
        "only a contact without a channel",
        [contact("mute", "technician", TOWN, channels="")],
        [],
        "technician",
        subject(),
        MONDAY,
        "no_channel | mute no_channel",
    ),
    (
        "a retired contact",
        [contact("old", "technician", TOWN, retired_at=MONDAY), LI],
        [],
        "technician",
        subject(),
        MONDAY,
        "li@632102 | old retired",
    ),
    (
        "rooms on the way are told with the persons, and end no search",
        [contact("group", "technician", TOWN, "wecom", room=True), LI, contact("top", "technician", PROVINCE)],
        [],
        "technician",
        subject(),
        MONDAY,
        "li@632102, group@632102001",
    ),
    (
        "a room alone",
        [contact("group", "technician", TOWN, "wecom", room=True)],
        [],
        "technician",
        subject(),
        MONDAY,
        "group@632102001",
    ),
    (
        "duty takes no room out",
        [ZHANG, contact("group", "technician", TOWN, "wecom", room=True), LI],
        [Duty(role="technician", contact="zhang", area=TOWN, times=DAYS)],
        "technician",
        subject(),
        NIGHT,
        "li@632102, group@632102001 | zhang not_on_duty",
    ),
    (
        "a room with duties is told at their times",
        [ZHANG, contact("group", "technician", TOWN, "wecom", room=True)],
        [
            Duty(role="technician", contact="zhang", area=TOWN),
            Duty(role="technician", contact="group", area=TOWN, times=DAYS),
        ],
        "technician",
        subject(),
        NIGHT,
        "zhang@632102001 duty 1 | group not_on_duty",
    ),
    (
        "the most of a step: persons before rooms",
        [contact("group", "technician", TOWN, "wecom", room=True), ZHANG, contact("sun", "technician", TOWN)],
        [],
        "technician most 1",
        subject(),
        MONDAY,
        "zhang@632102001 | sun over_most, group over_most",
    ),
    (
        "the week of a rotation",
        [ZHANG, contact("qian", "technician", TOWN)],
        [
            Duty(role="technician", contact="zhang", area=TOWN, weeks=2, week=1, valid_from=date(2026, 3, 2)),
            Duty(role="technician", contact="qian", area=TOWN, weeks=2, week=2, valid_from=date(2026, 3, 2)),
        ],
        "technician",
        subject(),
        MONDAY,
        "zhang@632102001 duty 1 | qian outside_rotation",
    ),
]


@pytest.mark.parametrize(
    ("contacts", "duties", "step", "asked", "now", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_who_is_told_in_a_step(
    contacts: Sequence[Contact], duties: Sequence[Duty], step: str, asked, now, expected: str
) -> None:  # type: ignore[no-untyped-def]
    people = People(routing(contacts, duties))
    assert told(people.outcome(0, parse_steps(step)[0], asked, now)) == expected


def test_a_substitute_is_told_and_named_with_the_absent() -> None:
    away = Substitute(
        contact="zhang", substitute="sun", from_at=at("2026-03-02 00:00"), until_at=at("2026-03-03 00:00")
    )
    people = People(routing([ZHANG, contact("sun", "spare", OTHER_TOWN)], substitutes=[away]))
    rule = parse_steps("technician")[0]
    assert told(people.outcome(0, rule, subject(), MONDAY)) == "sun@632102001 for zhang | zhang absent"
    assert told(people.outcome(0, rule, subject(), at("2026-03-03 00:00"))) == "zhang@632102001"


ALL_STEPS = "technician; lead@county after 30m; head@city after 2h"
LEAD_BY_DAY = [Duty(role="lead", contact="wang", area=COUNTY, times="Mo-Su 08:00-18:00")]


def test_an_explanation_says_when_each_step_is_due() -> None:
    asked = routing([ZHANG, WANG, ZHAO], LEAD_BY_DAY, [route(ALL_STEPS)])
    assert steps_told(explain(asked, subject(), MONDAY)) == [
        "09:00 zhang@632102001",
        "09:30 wang@632102 duty 1",
        "11:00 zhao@6321",
    ]


def test_people_are_those_on_duty_when_the_step_is_due_not_when_the_incident_began() -> None:
    asked = routing([ZHANG, WANG, ZHAO], LEAD_BY_DAY, [route(ALL_STEPS)])
    assert steps_told(explain(asked, subject(), at("2026-03-02 17:45"))) == [
        "17:45 zhang@632102001",
        "18:15 nobody_on_duty | wang not_on_duty",
        "18:15 zhao@6321",
    ]


def test_the_step_after_nobody_is_due_at_once() -> None:
    asked = routing([ZHAO], routes=[route(ALL_STEPS)])
    assert steps_told(explain(asked, subject(), MONDAY)) == [
        "09:00 nobody_on_duty",
        "09:00 nobody_on_duty",
        "09:00 zhao@6321",
    ]


def test_a_step_in_open_time_of_a_station_that_never_opens() -> None:
    asked = routing([ZHANG, WANG], routes=[route("technician; lead@county after 30m open")])
    explained = explain(asked, subject(), MONDAY, lambda rule, begin: None if rule.after else begin)
    assert steps_told(explained) == ["09:00 zhang@632102001", "--:-- never_open"]


def test_nobody_is_told_without_a_route() -> None:
    explained = explain(routing([ZHANG], routes=[route(area=OTHER_COUNTY)]), subject(), MONDAY)
    assert (explained.choice.route, explained.steps) == (None, ())


@pytest.mark.parametrize(
    ("name", "contacts", "duties", "scope", "asked", "expected"),
    [
        ("a contact in the scope", [ZHANG], [], {TOWN}, subject(), "zhang@632102001"),
        ("nobody in the scope, but above it somebody may be", [], [], {TOWN}, subject(), "outside_scope"),
        ("a level above the scope", [WANG], [], {TOWN}, subject(), "outside_scope"),
        (
            "a duty in the scope of a contact outside",
            [LI],
            [Duty(role="technician", contact="hidden", area=TOWN)],
            {COUNTY},
            subject(),
            "outside_scope | hidden unknown_contact",
        ),
        ("the scope of a county has its towns", [LI], [], {COUNTY}, subject(), "li@632102"),
        ("an area that is not on the path", [ZHANG], [], {OTHER_COUNTY}, subject(), "outside_scope"),
    ],
)
def test_what_lies_outside_the_scope_is_not_reported_as_nobody(
    name: str, contacts: Sequence[Contact], duties: Sequence[Duty], scope: set[str], asked, expected: str
) -> None:  # type: ignore[no-untyped-def]
    people = People(routing(contacts, duties, scope=frozenset(scope)))
    step = "lead@county" if "level" in name else "technician"
    assert told(people.outcome(0, parse_steps(step)[0], asked, MONDAY)) == expected


def test_a_step_outside_the_scope_hurries_no_other() -> None:
    asked = routing(
        [contact("chief", "head", TOWN)],
        routes=[route("technician@county; head after 1h")],
        scope=frozenset({TOWN}),
    )
    explained = explain(asked, subject(), MONDAY)
    assert [step.at for step in explained.steps] == [MONDAY, MONDAY + timedelta(hours=1)]


@given(asked=routings(), about=subjects, now=moments)
def test_a_step_tells_nobody_outside_its_area_and_role(asked: Routing, about: RouteSubject, now: datetime) -> None:
    for step in explain(asked, about, now).steps:
        for recipient in step.recipients:
            _require_right(asked, about, step, recipient)


def _require_right(asked: Routing, about: RouteSubject, step: StepOutcome, recipient: Recipient) -> None:
    """By a duty of this role and area or by the own ones, in person or for the absent; reachable, within the path."""
    holder = recipient.instead_of or recipient.contact
    by_duty = [duty for duty in asked.duties if duty.id == recipient.duty]
    places = [(duty.contact, duty.role, duty.area) for duty in by_duty] or [
        (c.id, c.role, c.area) for c in asked.contacts.values()
    ]
    assert (holder, step.rule.role, recipient.area) in places
    assert recipient.area is None or recipient.area in about.path
    assert step.rule.level is None or about.levels[recipient.area or ""] == step.rule.level
    assert asked.contacts[recipient.contact].channels
    assert asked.contacts[recipient.contact].retired_at is None


@given(asked=routings(), about=subjects, now=moments)
def test_a_step_has_recipients_or_a_reason_and_names_nobody_twice(
    asked: Routing, about: RouteSubject, now: datetime
) -> None:
    for step in explain(asked, about, now).steps:
        assert bool(step.recipients) == (step.why is None)
        named = [r.contact for r in step.recipients] + [name for name, _ in step.passed_over]
        assert len(named) == len(set(named))
        assert len(step.recipients) <= step.rule.most
