"""The health rules, and which of them apply to a station. Pure; `alerting.health.rules_file` reads them."""

import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from alerting.health.rule_fields import SOURCES, Source
from alerting.health.spells import SampleLevel, SpellLimits

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final = ("info", "warning", "critical")
GAP: Final = 7200.0
"""Seconds: two samples further apart say nothing about the time between them."""
FRESH: Final = 600.0
"""Seconds: a record that is older than this on receipt raises nothing, where no file says otherwise."""


class HealthRule(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One rule as it applies to a station. Exactly one of `above`, `below`, `equals` is given; times in seconds.

    A value beyond the threshold is bad. A value not beyond `clear` is clear, which gives the rule its hysteresis.
    `hold`: how long samples must be bad before the rule fires (debounce). `quiet`: how long the field may be missing
    before the rule stops firing.
    """

    name: str
    field: str
    above: float | None = None
    below: float | None = None
    equals: bool | None = None
    clear: float | None = None
    hold: float = 0.0
    gap: float = GAP
    quiet: float | None = None
    severity: Severity = "warning"

    @cached_property
    def source(self) -> Source:
        """The field of the records that the rule reads."""
        return SOURCES[self.field]

    @cached_property
    def limits(self) -> SpellLimits:
        """The times by which spells of this rule begin, fire and end."""
        # A rule over events is over when no event came for its quiet time.
        gap = self.gap if self.source.latched or self.quiet is None else self.quiet
        return SpellLimits(self.hold, gap, self.source.latched)

    @cached_property
    def mark(self) -> str:
        """The name with a checksum of all settings that decide when the rule fires: the state of a rule with other
        settings does not count for this one."""
        settings = (self.field, self.above, self.below, self.equals, self.clear, self.hold, self.gap, self.quiet)
        return f"{self.name}~{zlib.crc32(repr(settings).encode()):08x}"

    @property
    def threshold(self) -> float | None:
        """The value beyond which a sample is bad; None for a rule over a flag."""
        return self.below if self.above is None else self.above

    def judge(self, value: float) -> SampleLevel:
        """The level of a value of the field."""
        if self.equals is not None:
            return SampleLevel.BAD if value == float(self.equals) else SampleLevel.CLEAR
        sign = 1.0 if self.above is not None else -1.0
        limit = self.threshold or 0.0
        clear = limit if self.clear is None else self.clear
        if sign * value > sign * limit:
            return SampleLevel.BAD
        return SampleLevel.CLEAR if sign * value <= sign * clear else SampleLevel.BETWEEN


class RuleOverride(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of a rule for stations of a kind, below an area, or both. `off`: whether the rule is off there; None: as
    elsewhere. `changes`: fields of the rule with other values."""

    kind: str | None = None
    area: str | None = None
    off: bool | None = None
    changes: Mapping[str, Any] = {}

    def applies_to(self, kind: str | None, path: tuple[str, ...]) -> bool:
        """Whether it applies to a station of this kind and path of areas."""
        return self.kind in (None, kind) and (self.area is None or self.area in path)


class RuleSet(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All rules with their overrides, of which later ones win. `off`: names of rules that apply only where an override
    turns them on. `fresh`: seconds; a record that is older on receipt raises nothing.
    """

    rules: tuple[HealthRule, ...]
    off: tuple[str, ...] = ()
    overrides: Mapping[str, tuple[RuleOverride, ...]] = {}
    fresh: float = FRESH

    @cached_property
    def asks_for_place(self) -> bool:
        """Whether kind and area of a station are needed to find its rules."""
        return any(self.overrides.values())

    @property
    def names(self) -> list[str]:
        """The names of the rules that apply to some station."""
        return [rule.name for rule in self.rules if rule.name not in self.off or rule.name in self.overrides]

    @cached_property
    def _resolved(self) -> dict[tuple[int, ...], tuple[HealthRule, ...]]:
        return {}

    def rules_for(self, kind: str | None = None, path: tuple[str, ...] = ()) -> tuple[HealthRule, ...]:
        """The rules for a station of this kind and path of areas; the same object for all stations with the same
        rules."""
        applying = tuple(place for place, (_, override) in enumerate(self._flat) if override.applies_to(kind, path))
        if applying not in self._resolved:
            self._resolved[applying] = self._resolve(applying)
        return self._resolved[applying]

    @cached_property
    def _flat(self) -> list[tuple[str, RuleOverride]]:
        return [(name, override) for name, overrides in self.overrides.items() for override in overrides]

    def _resolve(self, applying: tuple[int, ...]) -> tuple[HealthRule, ...]:
        rules = {rule.name: rule for rule in self.rules}
        off = dict.fromkeys(self.off, True)
        for name, override in (self._flat[place] for place in applying):
            rules[name] = msgspec.structs.replace(rules[name], **override.changes)
            off[name] = off.get(name, False) if override.off is None else override.off
        return tuple(rule for name, rule in rules.items() if not off.get(name))
