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


def duty_lines(roster: DutyRoster, now: datetime, areas: Collection[str] | None = None) -> list[DutyLine]:
    """A line for each role and area that somebody has, in their order, the whole first; only of `areas`, if given."""
    places = sorted((area or "", role) for role, area in roster.places() if areas is None or area in areas)
    return [DutyLine(area or None, role, on_duty(roster, role, area or None, now)) for area, role in places]
