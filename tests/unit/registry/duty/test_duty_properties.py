"""Nobody is on duty outside its times or its rotation, and a substitute never loses a duty."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from registry.contacts.model import Contact
from registry.duty.model import Duty, Substitute
from registry.duty.rules import DutyRoster, on_duty
from registry.hours.calendar import FROM_ALWAYS, Version, calendar_of

NAMES = ("li", "ma", "wang", "zhao", "nobody")
BEGIN = datetime(2026, 9, 20, 16, tzinfo=UTC)
ZONES = ("Asia/Shanghai", "Europe/Paris", "America/St_Johns")

moments = st.integers(0, 40 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
days = st.integers(0, 40).map(lambda n: date(2026, 9, 21) + timedelta(days=n))
times = st.sampled_from(
    (
        "24x7",
        "off",
        "WD 08:00-18:00",
        "18:00-08:00",
        "Mo-Fr 08:00-12:00,14:00-18:00; HD off",
        "HD 10:00-16:00; WD off; RD off",
        "[Europe/Paris] Su 22:00-26:30",
        "Sa,Su 00:00-24:00",
    )
)


@st.composite
def duties(draw: st.DrawFn) -> Duty:
    weeks = draw(st.integers(1, 4))
    begin = draw(days if weeks > 1 else st.none() | days)
    length = draw(st.none() | st.integers(0, 20))
    return Duty(
        role="technician",
        contact=draw(st.sampled_from(NAMES)),
        times=draw(times),
        weeks=weeks,
        week=draw(st.integers(1, weeks)),
        valid_from=begin,
        valid_to=None if begin is None or length is None else begin + timedelta(days=length),
    )


@st.composite
def substitutes(draw: st.DrawFn) -> Substitute:
    contact, substitute = draw(st.permutations(NAMES))[:2]
    begin = draw(moments)
    until = begin + timedelta(minutes=draw(st.integers(1, 20 * 24 * 60)))
    return Substitute(contact=contact, substitute=substitute, from_at=begin, until_at=until)


@st.composite
def contacts(draw: st.DrawFn) -> dict[str, Contact]:
    retired = draw(st.sets(st.sampled_from(NAMES)))
    role = draw(st.sampled_from(("technician", "none")))
    return {
        name: Contact(id=name, name=name, role=role, retired_at=BEGIN if name in retired else None)
        for name in NAMES
        if name != "nobody"
    }


def in_force(duty: Duty, at: datetime, zone: str) -> bool:
    """The same said in another way: each local day of the rotation is looked at alone, with its own calendar."""
    for n in range(-3, 45):
        day = date(2026, 9, 20) + timedelta(days=n)
        if duty.valid_from is not None:
            if day < duty.valid_from:
                continue
            first = duty.valid_from - timedelta(days=duty.valid_from.isoweekday() - 1)
            if ((day - first).days // 7) % duty.weeks + 1 != duty.week:
                continue
        if duty.valid_to is not None and day > duty.valid_to:
            continue
        only = calendar_of(
            [
                Version(FROM_ALWAYS, "off", zone),
                Version(day, duty.times, zone),
                Version(day + timedelta(days=1), "off", zone),
            ]
        )
        if "[Europe/Paris]" in duty.times:
            only = calendar_of([Version(v.valid_from, v.rules, "Europe/Paris") for v in only.definition.versions])
        if only.is_open(at):
            return True
    return False


def reachable(contact: str, at: datetime, stored: Iterable[Substitute]) -> set[str]:
    """The contact, its substitutes at a moment, and theirs."""
    found, waiting = set[str](), [contact]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [s.substitute for s in stored if s.contact == name and s.from_at <= at < s.until_at]
    return found


def is_absent(contact: str, at: datetime, stored: Iterable[Substitute]) -> bool:
    return len(reachable(contact, at, stored)) > 1


def is_known(name: str, people: Mapping[str, Contact]) -> bool:
    """Whether the contact can be told: in the registry and not retired."""
    return name in people and people[name].retired_at is None


@given(
    st.lists(duties(), min_size=1, max_size=4),
    contacts(),
    st.lists(substitutes(), max_size=5),
    moments,
    st.sampled_from(ZONES),
)
def test_who_is_on_duty_and_who_is_not(
    given_duties: list[Duty], people: dict[str, Contact], stored: list[Substitute], at: datetime, zone: str
) -> None:
    numbered = [msgspec.structs.replace(duty, id=n) for n, duty in enumerate(given_duties)]
    got = on_duty(DutyRoster(people, numbered, stored, timezone=zone), "technician", None, at)
    holders = {holder.contact for holder in got.found}
    forced = {duty.id: duty.contact for duty in numbered if in_force(duty, at, zone)}

    assert len(holders) == len(got.found)
    assert not holders & {name for name, _ in got.passed_over}
    assert all(is_known(name, people) for name in holders)
    for holder in got.found:
        absent = holder.instead_of or holder.contact
        if holder.duty is None:
            assert people[absent].role == "technician" and not forced
        else:
            assert forced[holder.duty] == absent
        assert holder.contact in reachable(absent, at, stored)
    for name in forced.values():
        chain = reachable(name, at, stored)
        present = {other for other in chain if is_known(other, people) and not is_absent(other, at, stored)}
        assert holders & present or not present
        assert holders & chain or not is_known(name, people)
