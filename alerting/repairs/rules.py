"""Whether a repair held: the fault has to be over, and to stay over for a while. Pure.

| since the person said that it is repaired | what follows |
|---|---|
| the fault goes on for the whole time | failed: it was not repaired |
| the fault ended, and came back before the time was over | failed: it came back |
| the fault ended, and the time passed since then, at least three heartbeat intervals | held |
| the fault ended, the time passed, and nothing is heard now that proves it | wait |
| the station is excused by a closure until the time is over | overtaken: nothing shows whether it held |
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from alerting.incidents.book import MAX_TEXT, ActionRefusal, Status
from contract.glossary import WORDS

MAX_PARTS: Final = 500
"""Largest number of characters of the parts of a repair."""
STABLE: Final = timedelta(minutes=10)
"""For how long nothing may be wrong after a repair, by default."""
CAUSES: Final = tuple(WORDS["repair_cause"])
"""The words for causes of faults."""
HEARTBEATS: Final = 3
"""Heartbeat intervals that the time after a repair has at least: a shorter time could pass without any heartbeat."""
_AGAIN: Final = timedelta(minutes=1)
"""When to look again while nothing is heard."""


class RepairOutcome(StrEnum):
    """Whether a repair held; the values are stored."""

    HELD = "held"
    FAILED = "failed"
    OVERTAKEN = "overtaken"


class RepairReason(StrEnum):
    """Why a repair held or did not; the values are stored."""

    STAYED_OVER = "stayed_over"
    NOT_REPAIRED = "not_repaired"
    CAME_BACK = "came_back"
    SAID_AGAIN = "said_again"
    EXCUSED = "excused"


class RepairSaid(msgspec.Struct, frozen=True, kw_only=True):
    """A report of a person. `fixed`: the fault is repaired; otherwise the report is a note of the cause."""

    cause: str
    parts: str = ""
    text: str = ""
    fixed: bool = False


class WaitingRepair(msgspec.Struct, frozen=True, kw_only=True):
    """A repair that is not verified yet. `stable`: for how long nothing may be wrong."""

    id: int
    incident: int
    at: datetime
    made_by: str
    stable: timedelta


class RepairFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The fault now. `ended_at`: the end of the fault; None: the fault goes on. `came_back`: the fault ended after the
    repair and came back. `excused`: a closure excuses the station. `proven`: heartbeats show that the fault is over."""

    ended_at: datetime | None = None
    came_back: bool = False
    excused: bool = False
    proven: bool = True


class RepairVerdict(msgspec.Struct, frozen=True):
    """Whether a repair held, and why; without `outcome`, it is looked at again at `verify_at` at the latest."""

    outcome: RepairOutcome | None
    why: RepairReason | None = None
    verify_at: datetime | None = None


def stable_for(stable: timedelta, every: float | None) -> timedelta:
    """For how long nothing may be wrong: `stable`, but `HEARTBEATS` heartbeats of the station at least. `every`: their
    interval, s; None: not known."""
    return max(stable, timedelta(seconds=HEARTBEATS * (every or 0.0)))


def verify_repair(repair: WaitingRepair, facts: RepairFacts, now: datetime) -> RepairVerdict:
    """The verdict about a repair at `now`."""
    if facts.came_back:
        return RepairVerdict(RepairOutcome.FAILED, RepairReason.CAME_BACK)
    until = max(repair.at, facts.ended_at or repair.at) + repair.stable
    if now < until:
        return RepairVerdict(None, verify_at=until)
    if facts.ended_at is None:
        if facts.excused:
            return RepairVerdict(RepairOutcome.OVERTAKEN, RepairReason.EXCUSED)
        return RepairVerdict(RepairOutcome.FAILED, RepairReason.NOT_REPAIRED)
    if not facts.proven:
        return RepairVerdict(None, verify_at=now + _AGAIN)
    return RepairVerdict(RepairOutcome.HELD, RepairReason.STAYED_OVER)


def refusal_of_repair(status: Status | None, said: RepairSaid, *, newer: bool = False) -> ActionRefusal | None:
    """Why a repair cannot be written down; None: it can. `newer`: its fault goes on as another incident.
    `status` None: there is no such incident."""
    if status is None:
        return ActionRefusal.NOT_FOUND
    if said.cause not in CAUSES:
        return ActionRefusal.BAD_CAUSE
    if len(said.text) > MAX_TEXT or len(said.parts) > MAX_PARTS:
        return ActionRefusal.TOO_LONG
    return ActionRefusal.NEWER if said.fixed and newer else None
