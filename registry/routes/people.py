"""Who is told in a step of a route at a moment. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from registry.duty.model import Holder, PassedOver
from registry.duty.rules import DutyRoster, on_duty
from registry.routes.model import RouteStep
from registry.routes.routing import Recipient, RouteSubject, Routing, StepOutcome

_OTHER_NAMES: Final = {"city": "prefecture"}
"""A level that a step may name differently, where the division tree has no level of that name."""


def level_area(subject: RouteSubject, level: str) -> str | None:
    """The area of a level on the path of a subject; None: the path has none. Of several the nearest one."""
    return area_at(subject.path, subject.levels, level)


def area_at(path: Sequence[str], levels: Mapping[str, str], level: str) -> str | None:
    """The area of a level on a path of areas with these levels, as `level_area`."""
    for name in (level, _OTHER_NAMES.get(level)):
        for area in reversed(path):
            if name is not None and levels.get(area) == name:
                return area
    return None


def level_names(level: str) -> set[str]:
    """The names of a level, any of which an area may have."""
    return {level} | ({_OTHER_NAMES[level]} if level in _OTHER_NAMES else set())


def step_areas(rule: RouteStep, subject: RouteSubject) -> list[str | None] | None:
    """Where the people of a step are looked for, the nearest area first, None for the whole; no list at all: the
    subject has no area of the level."""
    if rule.level is None:
        return [*reversed(subject.path), None]
    area = level_area(subject, rule.level)
    return None if area is None else [area]


class _Found(msgspec.Struct):
    """What was found so far: persons, rooms, and who was passed over."""

    persons: list[Recipient] = []
    rooms: list[Recipient] = []
    passed_over: dict[str, str] = {}

    @property
    def names(self) -> set[str]:
        return {recipient.contact for recipient in (*self.persons, *self.rooms)}


class People:
    """The people of a routing, indexed so that a step looks only at those of its role and areas."""

    def __init__(self, routing: Routing) -> None:
        self.routing = routing
        self.roster = DutyRoster(
            routing.contacts, routing.duties, routing.substitutes, dict(routing.days), routing.timezone
        )

    def outcome(
        self, number: int, rule: RouteStep, subject: RouteSubject, at: datetime, within: Collection[str] | None = None
    ) -> StepOutcome:
        """Who is told in step `number` (from 0) at `at`.

        Persons are looked for in the area of the level, or from the subject's own area upward until an area has some
        who are on duty and have a channel. The rooms of the areas on the way are told too, but no room ends the search.
        `within`: only people of these areas are notified; `told_above`: the step has people only outside of these
        areas.
        """
        areas = step_areas(rule, subject)
        if areas is None:
            return StepOutcome(step=number, rule=rule, why="no_such_level", at=at)
        if within is None:
            return self._search(number, rule, subject, at, areas)
        near = self._search(number, rule, subject, at, [area for area in areas if area in within])
        if near.recipients or not self._search(number, rule, subject, at, areas).recipients:
            return near
        return StepOutcome(step=number, rule=rule, why="told_above", at=at)

    def _search(
        self, number: int, rule: RouteStep, subject: RouteSubject, at: datetime, areas: Sequence[str | None]
    ) -> StepOutcome:
        found = _Found()
        for area in areas:
            if not _is_seen(self.routing.scope, area, subject):
                return _outcome(number, rule, at, found, areas, hidden=True)
            self._look(found, rule.role, area, at)
            if found.persons:
                break
            if self.routing.scope is not None and PassedOver.UNKNOWN_CONTACT in found.passed_over.values():
                return _outcome(number, rule, at, found, areas, hidden=True)
        return _outcome(number, rule, at, found, areas)

    def _look(self, found: _Found, role: str, area: str | None, at: datetime) -> None:
        looked = on_duty(self.roster, role, area, at)
        for holder in (*looked.found, *self._rooms(role, area)):
            self._place(found, holder, role, area)
        for contact, why in looked.passed_over:
            found.passed_over.setdefault(contact, why)

    def _rooms(self, role: str, area: str | None) -> list[Holder]:
        """The rooms whose own role and area these are: duty says which person has to act, and takes no room out. A
        room that has duties here is told at their times only."""
        on_rota = {duty.contact for duty in self.roster.duties(role, area)}
        return [
            Holder(contact=contact.id)
            for contact in self.roster.contacts(role, area)
            if contact.room and contact.retired_at is None and contact.id not in on_rota
        ]

    def _place(self, found: _Found, holder: Holder, role: str, area: str | None) -> None:
        contact = self.routing.contacts[holder.contact]
        if not contact.channels:
            found.passed_over[contact.id] = "no_channel"
        elif contact.id not in found.names:
            recipient = Recipient(
                contact=contact.id, role=role, area=area, duty=holder.duty, instead_of=holder.instead_of
            )
            (found.rooms if contact.room else found.persons).append(recipient)


def _is_seen(scope: frozenset[str] | None, area: str | None, subject: RouteSubject) -> bool:
    """Whether the contacts of an area on the path were loaded."""
    if scope is None:
        return True
    return area is not None and not scope.isdisjoint(subject.path[: subject.path.index(area) + 1])


def _outcome(
    number: int, rule: RouteStep, at: datetime, found: _Found, areas: Sequence[str | None], *, hidden: bool = False
) -> StepOutcome:
    everybody = [*found.persons, *found.rooms]
    told, over = everybody[: rule.most], everybody[rule.most :]
    names = {recipient.contact for recipient in everybody}
    passed = [(contact, why) for contact, why in found.passed_over.items() if contact not in names]
    passed += [(recipient.contact, "over_most") for recipient in over]
    return StepOutcome(
        step=number,
        rule=rule,
        area=told[0].area if told else next(iter(areas), None),
        recipients=tuple(told),
        why=None if told else _why_nobody((why for _, why in passed), hidden=hidden),
        passed_over=tuple(passed),
        at=at,
    )


def _why_nobody(whys: Iterable[str], *, hidden: bool) -> str:
    if hidden:
        return "outside_scope"
    return "no_channel" if "no_channel" in set(whys) else "nobody_on_duty"
