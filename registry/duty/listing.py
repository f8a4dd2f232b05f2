"""Who is on duty now, for each role and area. Pure."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from registry.duty.model import DutyOutcome
from registry.duty.rules import DutyRoster, on_duty


class DutyLine(msgspec.Struct, frozen=True):
    """Who is on duty for a role in an area; None: the whole."""

    area: str | None
    role: str
    outcome: DutyOutcome


def duty_places(roster: DutyRoster, areas: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Every (area, role) that somebody has, in order; '' is the whole, which comes first. Only of `areas`, if given."""
    return sorted((area or "", role) for role, area in roster.places() if areas is None or area in areas)


def duty_areas(roster: DutyRoster, contacts: Collection[str], now: datetime) -> set[str | None]:
    """The areas in which one of these contacts is on duty now, also as a substitute, for any role; None: the whole."""

    def may_concern(role: str, area: str | None) -> bool:
        named = {duty.contact for duty in roster.duties(role, area)} | {one.id for one in roster.contacts(role, area)}
        return any(one in contacts or roster.substitutes.stand_in(one, now).contact in contacts for one in named)

    def holds(role: str, area: str | None) -> bool:
        return any(holder.contact in contacts for holder in on_duty(roster, role, area, now).found)

    return {area for role, area in roster.places() if may_concern(role, area) and holds(role, area)}


def duty_line(roster: DutyRoster, place: tuple[str, str], now: datetime) -> DutyLine:
    """The line of one place."""
    area, role = place
    return DutyLine(area or None, role, on_duty(roster, role, area or None, now))


def duty_lines(roster: DutyRoster, now: datetime, areas: Collection[str] | None = None) -> list[DutyLine]:
    """The lines of all places."""
    return [duty_line(roster, place, now) for place in duty_places(roster, areas)]
