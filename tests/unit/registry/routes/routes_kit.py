"""A small country for tests of routes: a province, a prefecture, two counties, a township of each; and its people."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from registry.contacts.model import Channel, ChannelKind, Contact
from registry.duty.model import Duty, Substitute
from registry.model import Area
from registry.routes.model import Route
from registry.routes.routing import Explained, RouteSubject, Routing, StepOutcome
from registry.routes.steps import parse_steps

PROVINCE, PREFECTURE, COUNTY, TOWN = "63", "6321", "632102", "632102001"
OTHER_COUNTY, OTHER_TOWN = "632103", "632103001"
LEVELS: Mapping[str, str] = {
    PROVINCE: "province",
    PREFECTURE: "prefecture",
    COUNTY: "county",
    OTHER_COUNTY: "county",
    TOWN: "township",
    OTHER_TOWN: "township",
}
PATHS: Mapping[str, tuple[str, ...]] = {
    code: tuple(above for above in sorted(LEVELS, key=len) if code.startswith(above)) for code in LEVELS
}
AREAS = tuple(
    Area(code=code, name=code, level=LEVELS[code], path=path, parent=path[-2] if len(path) > 1 else None)
    for code, path in PATHS.items()
)


def at(text: str) -> datetime:
    """A time in China: ``2026-03-02 08:00``, which is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def contact(name: str, role: str, area: str | None, channels: str = "sms", **more: Any) -> Contact:
    """A contact; `channels`: kinds separated by spaces."""
    ways = tuple(Channel(ChannelKind(kind), f"{name}-{kind}") for kind in channels.split())
    return Contact(id=name, name=name, role=role, area=area, channels=ways, **more)


def route(steps: str = "technician", name: str = "default", area: str | None = None, **more: Any) -> Route:
    """A route with the text of its steps."""
    return Route(id=name, name=name, area=area, steps=parse_steps(steps), **more)


def subject(area: str | None = TOWN, **more: Any) -> RouteSubject:
    """An incident in an area."""
    fields = {"kind": "station_offline", "severity": "critical", "path": PATHS[area] if area else (), "levels": LEVELS}
    return RouteSubject(**{**fields, **more})  # type: ignore[arg-type]


def routing(
    contacts: Iterable[Contact] = (),
    duties: Iterable[Duty] = (),
    routes: Iterable[Route] = (),
    substitutes: Iterable[Substitute] = (),
    **more: Any,
) -> Routing:
    """A routing; duties get their numbers in order."""
    numbered = [
        Duty(**{**{name: getattr(duty, name) for name in duty.__struct_fields__}, "id": number})
        for number, duty in enumerate(duties, 1)
    ]
    return Routing(
        contacts={c.id: c for c in contacts},
        duties=tuple(numbered),
        routes=tuple(routes),
        substitutes=tuple(substitutes),
        **more,
    )


def told(outcome: StepOutcome) -> str:
    """A step in short: ``zhang@632102001 duty 1, li@632102 | nobody_on_duty | wang no_channel``."""
    people = ", ".join(
        f"{r.contact}@{r.area or '*'}"
        + (f" duty {r.duty}" if r.duty is not None else "")
        + (f" for {r.instead_of}" if r.instead_of else "")
        for r in outcome.recipients
    )
    passed = ", ".join(f"{name} {why}" for name, why in outcome.passed_over)
    return " | ".join(part for part in (people, outcome.why, passed) if part)


def steps_told(explained: Explained, zone: str = "Asia/Shanghai") -> list[str]:
    """Each step in short, with its time in China."""
    return [
        f"{step.at.astimezone(ZoneInfo(zone)):%H:%M} {told(step)}" if step.at else f"--:-- {told(step)}"
        for step in explained.steps
    ]


_PLACES = st.sampled_from([None, *LEVELS])
_ROLES = st.sampled_from(["technician", "lead"])
_TIMES = st.sampled_from(["24x7", "Mo-Fr 08:00-18:00", "Mo-Su 22:00-06:00", "HD off", "Sa,Su 10:00-16:00"])
_NAMES = [f"c{number}" for number in range(6)]
_STEPS = [
    "technician",
    "lead@county",
    "lead",
    "lead@prefecture",
    "technician@township most 1",
    "technician; lead@county",
]


@st.composite
def routings(draw: st.DrawFn) -> Routing:
    """A few contacts, duties, substitutes and routes, in the first days of March 2026."""
    contacts = [
        contact(
            name,
            draw(_ROLES),
            draw(_PLACES),
            draw(st.sampled_from(["sms", "sms", ""])),
            room=draw(st.booleans()),
            retired_at=draw(st.sampled_from([None, None, at("2026-01-01 00:00")])),
        )
        for name in _NAMES[: draw(st.integers(0, 6))]
    ]
    names = st.sampled_from([c.id for c in contacts] or ["c0"])
    duties, absences = [], []
    for number in range(draw(st.integers(0, 5)) if contacts else 0):
        weeks = draw(st.integers(1, 2))
        first = draw(st.sampled_from([date(2026, 2, 23), date(2026, 3, 3)]))
        duties.append(
            Duty(
                role=draw(_ROLES),
                contact=draw(names),
                area=draw(_PLACES),
                times=draw(_TIMES),
                weeks=weeks,
                week=draw(st.integers(1, weeks)),
                valid_from=first if weeks > 1 else draw(st.sampled_from([None, first])),
                valid_to=draw(st.sampled_from([None, date(2026, 3, 6)])),
            )
        )
        away, instead = draw(names), draw(names)
        if away != instead and number < 2:
            begin = at("2026-03-02 00:00") + timedelta(hours=draw(st.integers(0, 100)))
            absences.append(
                Substitute(contact=away, substitute=instead, from_at=begin, until_at=begin + timedelta(hours=30))
            )
    routes = [
        route(
            draw(st.sampled_from(_STEPS)),
            f"r{number}",
            draw(_PLACES),
            kinds=draw(st.sampled_from([(), ("station_offline",), ("blind_spot",)])),
            severities=draw(st.sampled_from([(), ("critical",), ("info", "warning")])),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    return routing(contacts, duties, routes, absences)


moments = st.integers(0, 10 * 24 * 60).map(lambda minutes: at("2026-02-28 00:00") + timedelta(minutes=minutes))
subjects = st.builds(
    subject,
    st.sampled_from([None, *LEVELS]),
    kind=st.sampled_from(["station_offline", "blind_spot", "health"]),
    severity=st.sampled_from(["info", "warning", "critical"]),
)
