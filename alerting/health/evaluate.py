"""Evaluates the health rules over the records of one terminal, in whatever order they arrive. Pure.

A terminal has boxes, one for each boot, ordered by their newest message. A box has its records as runs
(`alerting.health.runs`) on its own monotonic clock. A box from which no message came while it ran has unknown times:
its records are history and decide nothing. A rule that fires is reported only after a record that was fresh on receipt
and not older than the spell: a backlog of days raises nothing about now.
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
"""Boots that are kept apart; of an older boot only the spells that fire are kept."""
MOST_FIRING: Final = 64
"""The most subjects of one terminal that fire at a time: a terminal may invent any number of service names."""
MOST_BASE: Final = 256
"""The most spells that fire of forgotten boots; beyond that the one with the oldest last sample is dropped."""
_AHEAD: Final = 60.0
_EPSILON: Final = 0.001
_NOT_FRESH: Final = "not_fresh"
_SAME: Final = 1.0
"""Seconds by which the beginning of a spell may move unreported: anchors improve when the network is faster."""

WIFI: Final = HealthRule(name="=wifi", field="wifi", equals=False, gap=math.inf)
"""No rule that is reported: it finds since when no access point works, for the facts."""


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

    `base`: spells that fire of forgotten boxes, by key. `reported`: the reported keys, by since when they fire.
    `rules`: the checksum of the rules that it belongs to. `stale`: keys that fire by old records only, to be reported
    with the next fresh record.
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


class RuleDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A rule begins or stops to fire for a subject of the terminal. `since` and `as_of`: seconds since the epoch.

    `moved`: it fires as before, but its beginning is corrected. `rule` None: the rule no longer exists.
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
    """The changes by one message: decisions, and whether the facts changed."""

    decisions: Sequence[RuleDecision] = ()
    facts: bool = False


class ActiveRules:
    """The rules for a terminal, prepared for use; one object for all terminals with the same rules."""

    def __init__(self, rules: Iterable[HealthRule]) -> None:
        self.rules = (*rules, WIFI)
        self._by_kind: dict[type[Record], list[HealthRule]] = {}
        for rule in self.rules:
            self._by_kind.setdefault(rule.source.kind, []).append(rule)
        self._by_mark = {rule.mark: rule for rule in self.rules}
        self.mark = zlib.crc32("|".join(self._by_mark).encode())

    def rule_of(self, key: str) -> HealthRule | None:
        """The rule of a key; None when the rule no longer exists, or has other settings."""
        return self._by_mark.get(key.partition("|")[0])

    def limits_of(self, key: str) -> SpellLimits:
        """The limits of the rule of a key; KeyError when the rule no longer exists."""
        return self._by_mark[key.partition("|")[0]].limits

    def chains_of(self, record: Record, at: float, offset: float | None, values: dict[str, float]) -> Chains:
        """The chains of one record by key; its values are added to `values`. `offset`: error of the device clock, s."""
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
    """Evaluate a data message, received at `received` ms; changes the memory. `fresh`: seconds, see `RuleSet`.

    The result does not depend on the order of the messages, as far as an outbox can change it, nor on repetitions.
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
    """Forget the state of rules that no longer exist or have other settings, and end what they reported.

    `now`: seconds since the epoch.
    """
    if memory.rules == active.mark:
        return ()
    memory.rules = active.mark
    for box in memory.boxes:
        for run in box.runs:
            run.chains = {key: chain for key, chain in run.chains.items() if active.rule_of(key)}
    memory.base = {key: spell for key, spell in memory.base.items() if active.rule_of(key)}
    memory.stale = {key for key in memory.stale if active.rule_of(key)}
    gone = sorted(key for key in memory.reported if active.rule_of(key) is None)
    return [each for key in gone if (each := _decide_key(memory, None, key, {}, (now, now, now))) is not None]


def _id(record: Record) -> int:
    return record.id


def _carrier(memory: HealthMemory, body: TypedData, received: WallMs, active: ActiveRules) -> tuple[Box, bool]:
    """The box of the boot that sends the message, made the last in order; and whether that changed the order."""
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
    """The chains of a record, which also updates facts and times; none when its time is not known or impossible."""
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
    """Whether a record is about now: it waited neither in the outbox nor on the way."""
    if body.box != body.boot:
        return False
    if box.by_device:
        # The device clock may have been set since the anchor, so only the age of the record is used.
        return -_AHEAD <= (body.at - record.at) / 1000 <= fresh
    age = received / 1000 - (box.anchor + at)
    return -_AHEAD <= age <= fresh


def _keys(memory: HealthMemory) -> set[str]:
    return {*memory.base, *(key for box in memory.boxes for run in box.runs for key in run.chains)}


def _through(spell: Spell | None, box: Box, key: str, limits: SpellLimits) -> Spell | None:
    """A spell, in seconds since the epoch, after the runs of a box."""
    return _shifted(spell_after(_shifted(spell, -box.anchor), box.runs, key, limits), box.anchor)


def _shifted(spell: Spell | None, by: float) -> Spell | None:
    return None if spell is None else Spell(spell.fired, spell.began + by, spell.last + by)


def spell_of(memory: HealthMemory, key: str, limits: SpellLimits) -> Spell | None:
    """The spell after all records of a terminal, in seconds since the epoch; None without one."""
    spell = memory.base.get(key)
    for box in memory.boxes:
        spell = _through(spell, box, key, limits)
    return spell


def _decide(
    memory: HealthMemory, active: ActiveRules, keys: Iterable[str], values: Mapping[str, float], now: float
) -> list[RuleDecision]:
    suspects = {key for key in keys if not key.startswith("=")} | memory.reported.keys() | memory.stale
    if not suspects or (not memory.reported and not memory.base and not _any_spell(memory, suspects)):
        memory.stale.clear()
        return []
    newest = max((box.anchor + box.newest for box in memory.boxes if box.newest is not None), default=-math.inf)
    fresh = max((box.anchor + box.fresh for box in memory.boxes if box.fresh is not None), default=-math.inf)
    found = [_decide_key(memory, active.rule_of(key), key, values, (newest, fresh, now)) for key in sorted(suspects)]
    # A rule that was changed ends under its old mark before it fires under its new one.
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
    reported = memory.reported.get(key)
    spell = None if rule is None else spell_of(memory, key, rule.limits)
    ended = _why_over(rule, spell, newest, math.inf if reported is not None else fresh)
    if ended is None and spell is not None:
        since = _possible(spell.began, now)
        if len(memory.reported) >= MOST_FIRING if reported is None else abs(reported - since) < _SAME:
            return None
        memory.reported[key] = since
        memory.stale.discard(key)
        moved = reported is not None
        return _decision(rule, key, True, since, _possible(spell.last, now), "began", values.get(key), moved=moved)
    if reported is None:
        (memory.stale.add if ended == _NOT_FRESH else memory.stale.discard)(key)
        return None
    del memory.reported[key]
    return _decision(rule, key, False, reported, _possible(newest, now), ended or "cleared", values.get(key))


def _possible(at: float, now: float) -> float:
    """A time as it is reported: not in the future, and not older than records can be."""
    return min(max(at, now - HORIZON / 1000), now)


def _why_over(rule: HealthRule | None, spell: Spell | None, newest: float, fresh: float) -> str | None:
    """Why a rule does not fire; None when it fires."""
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
