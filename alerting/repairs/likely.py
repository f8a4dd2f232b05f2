"""The likely cause of an incident, with the evidence for it. Pure.

Each sign supports one cause, with a strength from 1 to 3. Causes are ordered by their strongest sign, then by the sum
of their strengths. The order is a hint for the technician, not a result of an examination.

| sign | cause | strength |
|---|---|---|
| stations of an uplink, feeder, version of the agent or shard fell together | network, power, software, platform | 3 |
| the platform itself is blind | platform | 3 |
| two devices use one identity, or the other way round | interference | 3 |
| the agent recorded that it ran while no heartbeat arrived | network | 3 |
| after the return: the same boot as before the fault; or a new boot | network; power | 3; 2 |
| a program stopped; its disk was full; its clock was wrong | software | 2 |
| it was too hot; its access point failed | hardware | 2 |
| its link was slow just before | network | 1 |
| most stations of the area are not heard either | power, network | 1 |
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from contract.kinds import IncidentKind

SLOW_MS: Final = 1000.0
"""Round trip of a link that is slow."""
HOT: Final = 80.0
"""Degrees Celsius."""
FULL: Final = 0.97
"""Use of a disk that is full."""
MOST: Final = 0.5
"""Share of the other stations of the area."""

_DOWN: Final = frozenset({IncidentKind.STATION_OFFLINE, IncidentKind.OVERDUE_RETURN, IncidentKind.UNUSABLE})


class CauseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an incident. `shared`, `shared_name`: what the stations of its common cause share. `reason`,
    `rule`: of its detail. `temp`, `disk`, `rtt_ms`, `wifi`, `stopped`: the last health within a day before it, with the
    programs that did not run. `ran_meanwhile`: a record says that the station ran during the fault. `same_boot`: after
    its return it runs since before the fault; None: not known. `near_down` of `near` other stations of its area are not
    heard."""

    kind: str
    shared: str | None = None
    shared_name: str | None = None
    reason: str | None = None
    rule: str | None = None
    temp: float | None = None
    disk: float | None = None
    rtt_ms: float | None = None
    wifi: bool | None = None
    stopped: tuple[str, ...] = ()
    ran_meanwhile: bool = False
    same_boot: bool | None = None
    near: int = 0
    near_down: int = 0


class CauseEvidence(msgspec.Struct, frozen=True):
    """A sign, as a word of the glossary (family cause_evidence); `value`: its number or name, as text."""

    sign: str
    value: str | None = None


class LikelyCause(msgspec.Struct, frozen=True, kw_only=True):
    """A cause (family repair_cause) with its signs, the strongest first."""

    cause: str
    evidence: tuple[CauseEvidence, ...]


_Sign = tuple[str, str, int, Callable[[CauseFacts], bool], Callable[[CauseFacts], object]]
_NOTHING: Final[Callable[[CauseFacts], object]] = lambda _: None  # noqa: E731 -- a value of the table
_BY_NAME: Final[Callable[[CauseFacts], object]] = lambda facts: facts.shared_name  # noqa: E731 -- as above


def _many_near(facts: CauseFacts) -> bool:
    return facts.kind in _DOWN and facts.near >= 2 and facts.near_down >= MOST * facts.near


def _counts(facts: CauseFacts) -> str:
    return f"{facts.near_down}/{facts.near}"


# Cause, sign, strength, when the sign is there, and its value.
_SIGNS: Final[tuple[_Sign, ...]] = (
    ("platform", "platform_blind", 3, lambda f: f.kind == IncidentKind.PIPELINE_BLIND, _NOTHING),
    ("platform", "same_shard", 3, lambda f: f.shared == "shard", _BY_NAME),
    ("uplink", "same_uplink", 3, lambda f: f.shared == "uplink", _BY_NAME),
    ("power", "same_feeder", 3, lambda f: f.shared == "feeder", _BY_NAME),
    ("agent", "same_agent", 3, lambda f: f.shared == "agent", _BY_NAME),
    ("tamper", "two_identities", 3, lambda f: f.kind == IncidentKind.IDENTITY_CONFLICT, _NOTHING),
    ("uplink", "ran_meanwhile", 3, lambda f: f.kind in _DOWN and f.ran_meanwhile, _NOTHING),
    ("uplink", "same_boot", 3, lambda f: f.kind in _DOWN and f.same_boot is True, _NOTHING),
    ("power", "new_boot", 2, lambda f: f.kind in _DOWN and f.same_boot is False, _NOTHING),
    ("agent", "agent_rule", 2, lambda f: f.rule in ("agent_too_old", "outbox_dropping", "clock_wrong"), _NOTHING),
    ("agent", "program_stopped", 2, lambda f: bool(f.stopped), lambda f: ", ".join(f.stopped)),
    ("agent", "disk_full", 2, lambda f: f.disk is not None and f.disk >= FULL, lambda f: f"{f.disk:.0%}"),
    ("hardware", "was_hot", 2, lambda f: f.temp is not None and f.temp >= HOT, lambda f: f"{f.temp:.0f} °C"),
    ("hardware", "wifi_failed", 2, lambda f: f.wifi is False, _NOTHING),
    ("uplink", "slow_link", 1, lambda f: f.rtt_ms is not None and f.rtt_ms >= SLOW_MS, lambda f: f"{f.rtt_ms:.0f} ms"),
    ("power", "many_near", 1, _many_near, _counts),
    ("uplink", "many_near", 1, _many_near, _counts),
)
SIGNS: Final = tuple(dict.fromkeys(sign for _, sign, *_ in _SIGNS))


def likely_causes(facts: CauseFacts) -> tuple[LikelyCause, ...]:
    """The causes with at least one sign, the most likely first."""
    found: dict[str, list[tuple[int, CauseEvidence]]] = {}
    for cause, sign, strength, is_there, value in _SIGNS:
        if is_there(facts):
            shown = value(facts)
            found.setdefault(cause, []).append((strength, CauseEvidence(sign, None if shown is None else str(shown))))
    ranked = sorted(found.items(), key=lambda item: _rank(item[1]))
    return tuple(LikelyCause(cause=cause, evidence=_strongest_first(signs)) for cause, signs in ranked)


def _rank(signs: list[tuple[int, CauseEvidence]]) -> tuple[int, int]:
    strengths = [strength for strength, _ in signs]
    return -max(strengths), -sum(strengths)


def _strongest_first(signs: list[tuple[int, CauseEvidence]]) -> tuple[CauseEvidence, ...]:
    return tuple(evidence for _, evidence in sorted(signs, key=lambda one: -one[0]))


def facts_of_row(row: Mapping[str, object]) -> CauseFacts:
    """The facts of a row of `cause_facts`."""
    services = row["services"]
    stopped = sorted(name for name, runs in services.items() if runs is False) if isinstance(services, dict) else ()
    before, after = row["box_before"], row["box_after"]
    same = None if before is None or after is None else before == after
    given = {name: row[name] for name in CauseFacts.__struct_fields__ if name not in ("stopped", "same_boot")}
    return CauseFacts(**given, stopped=tuple(stopped), same_boot=same)  # type: ignore[arg-type]
