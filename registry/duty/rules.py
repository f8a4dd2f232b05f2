"""Who is on duty for a role in an area at a moment, and why others are not. Pure.

Duties come first: where one names a contact for the role and the area at present, only those in force count. Where
none does, the contacts whose own role and area these are have the duty at all times.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import msgspec

from contract.home import HOME_ZONE
from registry.contacts.model import Contact
from registry.duty.model import Duty, DutyOutcome, Holder, PassedOver, Substitute
from registry.duty.standing_in import Substitutes
from registry.duty.times import is_valid_on, local_day, why_not_in_force
from registry.hours.day_classes import DayClass, DayClasses

Place = tuple[str, str | None]
"""(role, area); the area None is the whole."""


class DutyRoster:
    """Contacts, duties and substitutes, indexed so that a question looks only at those of its role and area.

    `days`: classes of days that the registry overrides. `timezone`: of times that name none.
    """

    def __init__(
        self,
        contacts: Mapping[str, Contact],
        duties: Iterable[Duty] = (),
        substitutes: Iterable[Substitute] = (),
        days: Mapping[date, DayClass] | None = None,
        timezone: str = HOME_ZONE,
    ) -> None:
        self.classes = DayClasses(days)
        self.timezone = timezone
        self.substitutes = Substitutes(contacts, substitutes)
        self._duties: dict[Place, list[Duty]] = {}
        self._contacts: dict[Place, list[Contact]] = {}
        for duty in duties:
            self._duties.setdefault((duty.role, duty.area), []).append(duty)
        for contact in contacts.values():
            self._contacts.setdefault((contact.role, contact.area), []).append(contact)

    def duties(self, role: str, area: str | None) -> list[Duty]:
        """The duties for a role in this very area."""
        return self._duties.get((role, area), [])

    def contacts(self, role: str, area: str | None) -> list[Contact]:
        """The contacts whose own role and area these are."""
        return self._contacts.get((role, area), [])

    def places(self) -> set[Place]:
        """Every role with an area where anybody has it, on duty now or not."""
        own = {place for place, some in self._contacts.items() if any(c.retired_at is None for c in some)}
        return {*self._duties, *own}

    def has_role(self, role: str, area: str | None) -> bool:
        """Whether anybody has the role in this very area, on duty now or not."""
        return bool(self.duties(role, area)) or any(c.retired_at is None for c in self.contacts(role, area))


class _Looked(msgspec.Struct):
    """What was found so far; a contact that is found is not passed over."""

    found: dict[str, Holder] = {}
    passed_over: dict[str, str] = {}

    def outcome(self) -> DutyOutcome:
        left = tuple((name, why) for name, why in self.passed_over.items() if name not in self.found)
        return DutyOutcome(tuple(self.found.values()), left)


def on_duty(roster: DutyRoster, role: str, area: str | None, now: datetime) -> DutyOutcome:
    """Who is on duty for a role in this very area (None: the whole) at `now`."""
    duties, own = roster.duties(role, area), roster.contacts(role, area)
    verdicts = [(duty, why_not_in_force(duty, now, roster.classes, roster.timezone)) for duty in duties]
    today = local_day(now, roster.timezone)
    named = any(_names(duty, why, today) for duty, why in verdicts)
    looked = _Looked()
    holders = [Holder(contact=duty.contact, duty=duty.id) for duty, why in verdicts if why is None]
    holders += [] if named else [Holder(contact=contact.id) for contact in own]
    _place_holders(holders, roster.substitutes, now, looked)
    for duty, why in verdicts:
        if why is not None:
            _pass_over(looked, duty.contact, why)
    for contact in own:
        looked.passed_over.setdefault(contact.id, PassedOver.NOT_ON_DUTY.value)
    return looked.outcome()


def _names(duty: Duty, why: PassedOver | None, today: date) -> bool:
    """Whether a duty names its contact at present, at these or at other times; one that cannot be read does not."""
    return why is None or (why is not PassedOver.UNREADABLE_TIMES and is_valid_on(duty, today))


def _place_holders(holders: Iterable[Holder], substitutes: Substitutes, now: datetime, looked: _Looked) -> None:
    """Those who are present first, so that a contact on duty is not named as the substitute of another."""
    absent: list[tuple[Holder, str | None]] = []
    for holder in holders:
        stand_in = substitutes.stand_in(holder.contact, now)
        looked.passed_over |= dict(stand_in.passed_over)
        if stand_in.contact == holder.contact:
            looked.found.setdefault(holder.contact, holder)
        else:
            absent.append((holder, stand_in.contact))
    for holder, contact in absent:
        if contact is not None:
            instead = msgspec.structs.replace(holder, contact=contact, instead_of=holder.contact)
            looked.found.setdefault(contact, instead)


def _pass_over(looked: _Looked, contact: str, why: PassedOver) -> None:
    """Of several duties of a contact, the one within its times says more than the others."""
    if looked.passed_over.get(contact) in (None, PassedOver.NOT_ON_DUTY):
        looked.passed_over[contact] = why.value
