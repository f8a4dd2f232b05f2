"""Routes and their steps as values. Pure."""

from enum import StrEnum
from typing import Final

import msgspec

USUAL_MOST: Final = 20
_UNITS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


class StepClock(StrEnum):
    """What the delay of a step is counted in; the values are stored."""

    #: The time in which the station is open, so that a night does not escalate.
    OPEN = "open"
    WALL = "wall"


class RouteStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of escalation: who is told, and how long after the beginning of the page if nobody acknowledged.

    The people are those on duty for `role` in the area of the incident at `level` (None: in its own area, else in the
    nearest area above it where somebody has the role).
    """

    role: str
    level: str | None = None
    #: Seconds after the incident was first owed to somebody.
    after: float = 0.0
    clock: StepClock = StepClock.WALL
    #: The most recipients of the step; those with the nearest area come first.
    most: int = USUAL_MOST

    def __str__(self) -> str:
        """The step as files have it, without what is usual."""
        text = self.role if self.level is None else f"{self.role}@{self.level}"
        if self.after:
            text += f" after {duration_text(self.after)}{' open' if self.clock is StepClock.OPEN else ''}"
        return text if self.most == USUAL_MOST else f"{text} most {self.most}"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents of an area and below (None: the default route) of some kinds and severities (empty: all), to the roles
    of its steps. `programme` and `station_kind` narrow it; `tell_past`: an incident that was over before it could be
    sent is sent once, as past."""

    id: str
    name: str
    area: str | None = None
    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    programme: str | None = None
    station_kind: str | None = None
    steps: tuple[RouteStep, ...]
    tell_past: bool = True


def duration_text(seconds: float) -> str:
    """``1h30m`` of 5400; whole seconds."""
    rest, text = int(seconds), ""
    for unit, length in _UNITS.items():
        count, rest = divmod(rest, length)
        text += f"{count}{unit}" if count else ""
    return text or "0m"
