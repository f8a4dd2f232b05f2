"""What the records of one terminal say about its health, whatever order they come in. Pure.

A terminal has boxes, one for each boot, in the order in which they were last heard from; a box has its records as
runs (`health_runs`) on its own monotonic clock. A box of which nothing was heard while it ran has unknown times: its
records are history and decide nothing. What fired is told only once a record came that was fresh on receipt and no
older: a backlog of days raises nothing about now.
"""

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from alerting.health import facts as health_facts
from alerting.health.facts import TerminalFacts
from alerting.health.rules import HealthRule
from alerting.health.runs import Chains, RecordRun, has_record, insert_record, spell_after
from alerting.health.spells import MaybeChain, Spell, SpellLimits, chain_of
from contract.clocks import WallMs
from contract.device_times import HORIZON, anchor_of
from contract.entries import TypedData
from contract.messages import Health, Record

MAX_BOXES: Final = 4
"""Boots kept apart; of an older one only what it left firing stays."""
MOST_TOLD: Final = 64
"""Things of one terminal that fire at a time: names of services that a terminal invents make no more incidents."""
MOST_BASE: Final = 256
"""What forgotten boots left firing; beyond that the longest not confirmed goes."""
_AHEAD: Final = 60.0
_EPSILON: Final = 0.001
_NOT_FRESH: Final = "not_fresh"
_SAME: Final = 1.0
"""Seconds by which a beginning may move without a word: anchors get better by what the network is slow."""

WIFI: Final = HealthRule(name="=wifi", field="wifi", equals=False, gap=math.inf)
"""Not told as a rule: since when there is no access point, for the facts."""


class Box(msgspec.Struct, array_like=True):
    """A boot. `anchor` is when its clock read 0, in seconds since the epoch: the least receive time minus `up`, or
    minus the device's own time where its messages have no `up` (`by_device`). `heard`: when it last sent, ms; `newest`
    health record and `fresh` record on its clock; `zero`: what the device's own clock showed when this one read 0.
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
        """The record's time on this box's clock. One without `up` is as much older than the message that carries it as
        the device's own clock says; a clock that was set since proves nothing, so it lies within the boot."""
        if self.by_device:
            return record.at / 1000
        if record.up is not None:
            return record.up
        carried = self.name == body.boot and anchor_of(WallMs(0), body.up) is not None
        if carried and body.up is not None:
            return min(max(body.up - (body.at - record.at) / 1000, 0.0), body.up)
        return None if self.zero is None else max(record.at / 1000 - self.zero, 0.0)


class HealthMemory(msgspec.Struct, array_like=True):
    """All that is kept of a terminal.

    `base`: what boxes that are forgotten left firing; `told`: since when, by key; `rules`: the mark of those it is of;
    `stale`: what fires by old records only, and is told as soon as one of now comes.
    """

    boxes: list[Box] = []
    base: dict[str, Spell] = {}
    told: dict[str, float] = {}
    facts: TerminalFacts = msgspec.field(default_factory=TerminalFacts)
    rules: int = 0
    stale: set[str] = set()

    def find_box(self, name: str) -> Box | None:
        return next((box for box in self.boxes if box.name == name), None)


class RuleDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A rule fires for a subject of the terminal, or no longer. `since` and `as_of` in seconds since the epoch.

    `moved`: it fires as before, but began at another time than was thought. `rule` is None when there is none any more.
    """

    name: str
    subject: str
    rule: HealthRule | None
    firing: bool
    since: float
    as_of: float
    reason: str
    value: float | None = None
    moved: bool = False


class HealthOutcome(msgspec.Struct, frozen=True):
    """What a message changed: decisions, and whether the facts did."""

    decisions: Sequence[RuleDecision] = ()
    facts: bool = False


class ActiveRules:
    """The rules for a terminal, ready for use; one object for all terminals with the same rules."""

    def __init__(self, rules: Iterable[HealthRule]) -> None:
        self.rules = (*rules, WIFI)
        self._by_kind: dict[type[Record], list[HealthRule]] = {}
        for rule in self.rules:
            self._by_kind.setdefault(rule.source.kind, []).append(rule)
        self._by_mark = {rule.mark: rule for rule in self.rules}
        self.mark = zlib.crc32("|".join(self._by_mark).encode())

    def rule_of(self, key: str) -> HealthRule | None:
        return self._by_mark.get(key.partition("|")[0])

    def limits_of(self, key: str) -> SpellLimits:
        return self._by_mark[key.partition("|")[0]].limits

    def chains_of(self, record: Record, at: float, offset: float | None, values: dict[str, float]) -> Chains:
        """The chains of one record; its values go into `values`."""
        found: dict[str, MaybeChain] = {}
        for rule in self._by_kind.get(type(record), ()):
            for subject, value in rule.source.values(record, offset):
                key = f"{rule.mark}|{subject}"
                values[key] = value
                found[key] = chain_of(rule.judge(value), at, rule.limits)
        return found


def evaluate_message(
    memory: HealthMemory, body: TypedData, received: WallMs, active: ActiveRules, fresh: float
) -> HealthOutcome:
    """Take in a data message, received at `received` ms; changes the memory.

    The same messages in any order in which an outbox can send them, any of them several times, leave the same behind.
    """
    before = msgspec.structs.replace(memory.facts)
    is_new = not memory.boxes
    carrier, moved = _carrier(memory, body, received, active)
    box = carrier if body.box == body.boot else memory.find_box(body.box)
    values: dict[str, float] = {}
    touched: set[str] = set()
    for record in sorted(body.records, key=_id):
        if box is None:
            health_facts.learn_record(
                memory.facts, record, health_facts.time_between(record, carrier.anchor, received), None, received / 1000
            )
        elif not has_record(box.runs, record.id):
            chains = _take(memory, box, record, body, received, active, values, fresh)
            moved |= insert_record(box.runs, record.id, chains, active.limits_of)
            touched.update(chains)
    decided = _decide(memory, active, _keys(memory) if moved else touched, values, received / 1000)
    _follow_wifi(memory, received / 1000, seen=moved or f"{WIFI.mark}|" in touched)
    if is_new:
        memory.facts.first_at = received / 1000
    memory.facts.first_at = min(memory.facts.first_at, received / 1000)
    return HealthOutcome(decided, memory.facts != before)


def drop_changed_rules(memory: HealthMemory, active: ActiveRules, now: float) -> Sequence[RuleDecision]:
    """Forget what was found by rules that are not so any more, and end what they told; `now` as below."""
    if memory.rules == active.mark:
        return ()
    memory.rules = active.mark
    for box in memory.boxes:
        for run in box.runs:
            run.chains = {key: chain for key, chain in run.chains.items() if active.rule_of(key)}
    memory.base = {key: spell for key, spell in memory.base.items() if active.rule_of(key)}
    memory.stale = {key for key in memory.stale if active.rule_of(key)}
    gone = sorted(key for key in memory.told if active.rule_of(key) is None)
    return [each for key in gone if (each := _decide_key(memory, None, key, {}, (now, now, now))) is not None]


def _id(record: Record) -> int:
    return record.id


def _carrier(memory: HealthMemory, body: TypedData, received: WallMs, active: ActiveRules) -> tuple[Box, bool]:
    """The box of the boot that sends, now the last in order, and whether that changed the order."""
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
    """Keep of the oldest box only what it left firing."""
    oldest = memory.boxes.pop(0)
    keys = {*memory.base, *(key for run in oldest.runs for key in run.chains)}
    spells = {key: _through(memory.base.get(key), oldest, key, active.limits_of(key)) for key in keys}
    fired = [(key, spell) for key, spell in spells.items() if spell is not None and spell.fired]
    memory.base = dict(sorted(fired, key=_confirmed)[-MOST_BASE:])


def _confirmed(item: tuple[str, Spell]) -> tuple[float, str]:
    return item[1].last, item[0]


def _take(
    memory: HealthMemory,
    box: Box,
    record: Record,
    body: TypedData,
    received: WallMs,
    active: ActiveRules,
    values: dict[str, float],
    fresh: float,
) -> Chains:
    """The chains of a record, and what else it says; none when its time cannot be."""
    at, now = box.time_of(record, body), received / 1000
    if at is not None and box.anchor + at > now + _AHEAD:
        return {}
    offset = None if at is None or box.by_device else record.at / 1000 - box.anchor - at
    if at is None or (record.up is None and not box.by_device):
        health_facts.learn_record(memory.facts, record, health_facts.time_between(record, now, received), offset, now)
    else:
        health_facts.learn_record(memory.facts, record, min(box.anchor + at, now), offset, now)
    if at is None:
        return {}
    if type(record) is Health:
        box.newest = at if box.newest is None else max(box.newest, at)
    if _is_fresh(box, record, at, body, received, fresh):
        box.fresh = at if box.fresh is None else max(box.fresh, at)
    return active.chains_of(record, at, offset, values)


def _is_fresh(box: Box, record: Record, at: float, body: TypedData, received: WallMs, fresh: float) -> bool:
    """Whether it tells of now: it waited neither in the outbox nor on the way."""
    if body.box != body.boot:
        return False
    if box.by_device:
        # Its clock may have been set since the anchor: only how old it says the record is means anything.
        return -_AHEAD <= (body.at - record.at) / 1000 <= fresh
    age = received / 1000 - (box.anchor + at)
    return -_AHEAD <= age <= fresh


def _keys(memory: HealthMemory) -> set[str]:
    return {*memory.base, *(key for box in memory.boxes for run in box.runs for key in run.chains)}


def _through(spell: Spell | None, box: Box, key: str, limits: SpellLimits) -> Spell | None:
    """A spell, by our clock, after the runs of a box."""
    return _shifted(spell_after(_shifted(spell, -box.anchor), box.runs, key, limits), box.anchor)


def _shifted(spell: Spell | None, by: float) -> Spell | None:
    return None if spell is None else Spell(spell.fired, spell.began + by, spell.last + by)


def spell_of(memory: HealthMemory, key: str, limits: SpellLimits) -> Spell | None:
    """The spell that all records of a terminal leave behind, by our clock."""
    spell = memory.base.get(key)
    for box in memory.boxes:
        spell = _through(spell, box, key, limits)
    return spell


def _decide(
    memory: HealthMemory, active: ActiveRules, keys: Iterable[str], values: Mapping[str, float], now: float
) -> list[RuleDecision]:
    suspects = {key for key in keys if not key.startswith("=")} | memory.told.keys() | memory.stale
    if not suspects or (not memory.told and not memory.base and not _any_spell(memory, suspects)):
        memory.stale.clear()
        return []
    newest = max((box.anchor + box.newest for box in memory.boxes if box.newest is not None), default=-math.inf)
    fresh = max((box.anchor + box.fresh for box in memory.boxes if box.fresh is not None), default=-math.inf)
    found = [_decide_key(memory, active.rule_of(key), key, values, (newest, fresh, now)) for key in sorted(suspects)]
    # A rule that was changed ends under its old mark before it begins under its new one.
    return sorted((decision for decision in found if decision is not None), key=_firing)


def _firing(decision: RuleDecision) -> bool:
    return decision.firing


def _any_spell(memory: HealthMemory, keys: Iterable[str]) -> bool:
    runs = [run.chains for box in memory.boxes for run in box.runs]
    return any(chains.get(key) is not None for key in keys for chains in runs)


def _decide_key(
    memory: HealthMemory,
    rule: HealthRule | None,
    key: str,
    values: Mapping[str, float],
    times: tuple[float, float, float],
) -> RuleDecision | None:
    newest, fresh, now = times
    told = memory.told.get(key)
    spell = None if rule is None else spell_of(memory, key, rule.limits)
    ended = _why_over(rule, spell, newest, math.inf if told is not None else fresh)
    if ended is None and spell is not None:
        since = _possible(spell.began, now)
        if len(memory.told) >= MOST_TOLD if told is None else abs(told - since) < _SAME:
            return None
        memory.told[key] = since
        memory.stale.discard(key)
        moved = told is not None
        return _decision(rule, key, True, since, _possible(spell.last, now), "began", values.get(key), moved=moved)
    if told is None:
        (memory.stale.add if ended == _NOT_FRESH else memory.stale.discard)(key)
        return None
    del memory.told[key]
    return _decision(rule, key, False, told, _possible(newest, now), ended or "cleared", values.get(key))


def _possible(at: float, now: float) -> float:
    """A time as it is told: what a device says of a time before any record of it could lie is not believed."""
    return min(max(at, now - HORIZON / 1000), now)


def _why_over(rule: HealthRule | None, spell: Spell | None, newest: float, fresh: float) -> str | None:
    """Why a rule does not fire; None when it does."""
    if rule is None:
        return "rule_changed"
    if spell is None or not spell.fired:
        return "cleared"
    if rule.quiet is not None and newest - spell.last > rule.quiet:
        return "not_reported" if rule.source.latched else "quiet"
    return None if fresh >= spell.began + rule.hold - _EPSILON else _NOT_FRESH


def _decision(
    rule: HealthRule | None,
    key: str,
    firing: bool,
    since: float,
    as_of: float,
    reason: str,
    value: float | None,
    *,
    moved: bool = False,
) -> RuleDecision:
    mark, _, subject = key.partition("|")
    return RuleDecision(
        name=mark.partition("~")[0], subject=subject, rule=rule, firing=firing, since=since, as_of=as_of,
        reason=reason, value=value, moved=moved,
    )  # fmt: skip


def _follow_wifi(memory: HealthMemory, now: float, *, seen: bool) -> None:
    key = f"{WIFI.mark}|"
    if not seen or not any(key in run.chains for box in memory.boxes for run in box.runs):
        return
    spell = spell_of(memory, key, WIFI.limits)
    if spell is not None:
        memory.facts.wifi, memory.facts.wifi_since = False, _possible(spell.began, now)
    elif not memory.facts.wifi:
        memory.facts.wifi, memory.facts.wifi_since = True, now
