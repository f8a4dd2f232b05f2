"""Evaluates the health rules over the records of one terminal, in any order of arrival. Pure.

A terminal has boxes, one for each boot, ordered by their newest message. A box has its records as runs
(`alerting.health.runs`) on its own monotonic clock. If a boot sent no message while it ran, the times of its records
are unknown: such records update the facts only and decide no rule. A rule that fires is reported only after a record
that was fresh on receipt and not older than the spell: a backlog of days raises nothing about now.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from alerting.health import facts as health_facts
from alerting.health.active_rules import WIFI, ActiveRules
from alerting.health.memory import Box, HealthMemory, box_of_sender, keys_of, spell_of
from alerting.health.rules import HealthRule
from alerting.health.runs import Chains, has_record, insert_record
from alerting.health.spells import Spell
from contract.clocks import WallMs
from contract.device_times import HORIZON
from contract.entries import TypedData
from contract.messages import Health, Record

MOST_FIRING: Final = 64
"""The most subjects of one terminal that fire at a time: a terminal may invent any number of service names."""
_AHEAD: Final = 60.0
_EPSILON: Final = 0.001
_NOT_FRESH: Final = "not_fresh"
_SAME: Final = 1.0
"""Seconds: a smaller change of a spell's beginning is not reported. A message with less delay gives a better anchor, so
small changes are normal."""


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


def evaluate_message(
    memory: HealthMemory, body: TypedData, received: WallMs, active: ActiveRules, fresh: float
) -> HealthOutcome:
    """Evaluate a data message, received at `received` ms; changes the memory. `fresh`: seconds, see `RuleSet`.

    The result does not depend on the order of the messages, as far as an outbox can change it, nor on repetitions.
    """
    before = msgspec.structs.replace(memory.facts)
    is_new = not memory.boxes
    carrier, moved = box_of_sender(memory, body, received, active)
    box = carrier if body.box == body.boot else memory.find_box(body.box)
    values: dict[str, float] = {}
    touched: set[str] = set()
    for record in sorted(body.records, key=_id):
        if box is None:
            health_facts.learn_record(
                memory.facts, record, health_facts.time_between(record, carrier.anchor, received), None, received / 1000
            )
        elif not has_record(box.runs, record.id):
            chains = _chains_of_record(memory, box, record, body, received, active, values, fresh)
            moved |= insert_record(box.runs, record.id, chains, active.limits_of)
            touched.update(chains)
    decided = _decide(memory, active, keys_of(memory) if moved else touched, values, received / 1000)
    _update_wifi(memory, received / 1000, seen=moved or f"{WIFI.mark}|" in touched)
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


def _chains_of_record(
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
        since = _clamp_time(spell.began, now)
        if len(memory.reported) >= MOST_FIRING if reported is None else abs(reported - since) < _SAME:
            return None
        memory.reported[key] = since
        memory.stale.discard(key)
        moved = reported is not None
        return _decision(rule, key, True, since, _clamp_time(spell.last, now), "began", values.get(key), moved=moved)
    if reported is None:
        (memory.stale.add if ended == _NOT_FRESH else memory.stale.discard)(key)
        return None
    del memory.reported[key]
    return _decision(rule, key, False, reported, _clamp_time(newest, now), ended or "cleared", values.get(key))


def _clamp_time(at: float, now: float) -> float:
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


def _update_wifi(memory: HealthMemory, now: float, *, seen: bool) -> None:
    key = f"{WIFI.mark}|"
    if not seen or not any(key in run.chains for box in memory.boxes for run in box.runs):
        return
    spell = spell_of(memory, key, WIFI.limits)
    if spell is not None:
        memory.facts.wifi, memory.facts.wifi_since = False, _clamp_time(spell.began, now)
    elif not memory.facts.wifi:
        memory.facts.wifi, memory.facts.wifi_since = True, now
