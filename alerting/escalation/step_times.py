"""When the steps of a plan and the reminders of an acknowledgement are due. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from alerting.escalation.model import OpeningSpan
from registry.routes.model import RouteStep, StepClock

REMIND_BEFORE: Final = timedelta(minutes=15)
"""Time from the reminder of an owner to the ETA; of a short interval, the half."""


def due_time(rule: RouteStep, base: datetime, openings: Sequence[OpeningSpan] | None) -> datetime | None:
    """When a step is due whose delay counts from `base`; None: not within the openings that are known.

    `openings`: of the station, in order, without overlaps, from `base` on; None: the station is always open. An
    incident without a station has none, so open time is wall time there.
    """
    delay = timedelta(seconds=rule.after)
    if rule.clock is StepClock.WALL or openings is None or delay <= timedelta(0):
        return base + delay
    for opens, closes in openings:
        begin = max(opens, base)
        if closes <= begin:
            continue
        if begin + delay <= closes:
            return begin + delay
        delay -= closes - begin
    return None


def remind_time(acknowledged_at: datetime, eta_at: datetime) -> datetime:
    """When the owner is reminded of an ETA."""
    return eta_at - min(REMIND_BEFORE, (eta_at - acknowledged_at) / 2)
