"""What is stored for each terminal: its boots with their records as runs, and the spells that fire. Pure."""

import math
from typing import Final

import msgspec

from alerting.health.active_rules import ActiveRules
from alerting.health.facts import TerminalFacts
from alerting.health.runs import RecordRun, spell_after
from alerting.health.spells import Spell, SpellLimits
from contract.clocks import WallMs
from contract.device_times import anchor_of
from contract.entries import TypedData
from contract.messages import Record

MAX_BOXES: Final = 4
"""Boots that are kept apart; of an older boot only the spells that fire are kept."""
MOST_BASE: Final = 256
"""The most spells that fire of forgotten boots; beyond that the one with the oldest last sample is dropped."""


class Box(msgspec.Struct, array_like=True):
    """One boot of a terminal.

    `anchor`: when its clock read 0, in seconds since the epoch: the least receive time minus `up`, or minus the
    device's own time where messages have no `up` (`by_device`). `heard`: when its newest message came, ms. `newest` and
    `fresh`: its newest health record and newest fresh record, on its clock. `zero`: the device's own clock when this
    clock read 0.
    """

    name: str
    by_device: bool
    anchor: float
    heard: int
    newest: float | None = None
    fresh: float | None = None
    runs: list[RecordRun] = []
    zero: float | None = None

    def time_of(self, record: Record, body: TypedData) -> float | None:
        """The time of a record on the clock of this box; None when it is not known.

        A record without `up` is older than its message by the difference on the device's own clock. That clock may have
        been set in between, so the result is kept within the boot.
        """
        if self.by_device:
            return record.at / 1000
        if record.up is not None:
            return record.up
        carried = self.name == body.boot and anchor_of(WallMs(0), body.up) is not None
        if carried and body.up is not None:
            return min(max(body.up - (body.at - record.at) / 1000, 0.0), body.up)
        return None if self.zero is None else max(record.at / 1000 - self.zero, 0.0)


class HealthMemory(msgspec.Struct, array_like=True):
    """All that is stored for a terminal. Its fields are an array in the table health_memory.

    `base`: spells that fire of forgotten boxes, by key. `reported`: for each reported key, since when it fires, in
    seconds since the epoch. `rules`: the checksum of the rules to which the memory belongs. `stale`: keys that fire
    by old records only; they are reported with the next fresh record.
    """

    boxes: list[Box] = []
    base: dict[str, Spell] = {}
    reported: dict[str, float] = {}
    facts: TerminalFacts = msgspec.field(default_factory=TerminalFacts)
    rules: int = 0
    stale: set[str] = set()

    def find_box(self, name: str) -> Box | None:
        """The box of a boot; None when no message of it came."""
        return next((box for box in self.boxes if box.name == name), None)


def box_of_sender(memory: HealthMemory, body: TypedData, received: WallMs, active: ActiveRules) -> tuple[Box, bool]:
    """Find or make the box of the sending boot, update its times and make it the last in order. Also returns whether
    all keys must be decided again: the order of boxes changed, or the box has no records yet."""
    box = memory.find_box(body.boot)
    if box is None:
        by_device = anchor_of(received, body.up) is None
        box = Box(body.boot, by_device, math.inf, received)
        memory.boxes.append(box)
    anchor = (received - body.at) / 1000 if box.by_device else anchor_of(received, body.up)
    box.anchor = min(box.anchor, math.inf if anchor is None else anchor)
    if not box.by_device and anchor is not None and body.up is not None:
        box.zero = body.at / 1000 - body.up
    box.heard = max(box.heard, received)
    moved = memory.boxes[-1] is not box
    memory.boxes.sort(key=_heard)
    while len(memory.boxes) > MAX_BOXES:
        _retire(memory, active)
    return box, moved or not box.runs


def _heard(box: Box) -> int:
    return box.heard


def _retire(memory: HealthMemory, active: ActiveRules) -> None:
    """Drop the oldest box; only its spells that fire are kept."""
    oldest = memory.boxes.pop(0)
    keys = {*memory.base, *(key for run in oldest.runs for key in run.chains)}
    spells = {key: _spell_after_box(memory.base.get(key), oldest, key, active.limits_of(key)) for key in keys}
    fired = [(key, spell) for key, spell in spells.items() if spell is not None and spell.fired]
    memory.base = dict(sorted(fired, key=_confirmed)[-MOST_BASE:])


def _confirmed(item: tuple[str, Spell]) -> tuple[float, str]:
    return item[1].last, item[0]


def keys_of(memory: HealthMemory) -> set[str]:
    """The keys of all chains and spells of a terminal."""
    return {*memory.base, *(key for box in memory.boxes for run in box.runs for key in run.chains)}


def _spell_after_box(spell: Spell | None, box: Box, key: str, limits: SpellLimits) -> Spell | None:
    """A spell, in seconds since the epoch, after the runs of a box."""
    return _shifted(spell_after(_shifted(spell, -box.anchor), box.runs, key, limits), box.anchor)


def _shifted(spell: Spell | None, by: float) -> Spell | None:
    return None if spell is None else Spell(spell.fired, spell.began + by, spell.last + by)


def spell_of(memory: HealthMemory, key: str, limits: SpellLimits) -> Spell | None:
    """The spell after all records of a terminal, in seconds since the epoch; None without one."""
    spell = memory.base.get(key)
    for box in memory.boxes:
        spell = _spell_after_box(spell, box, key, limits)
    return spell
