"""The health rules of one terminal, prepared for evaluation. Pure."""

import math
import zlib
from collections.abc import Iterable
from typing import Final

from alerting.health.rules import HealthRule
from alerting.health.runs import Chains
from alerting.health.spells import MaybeChain, SpellLimits, chain_of
from contract.messages import Record

WIFI: Final = HealthRule(name="=wifi", field="wifi", equals=False, gap=math.inf)
"""An internal rule, never reported: it finds since when no access point works, for the facts."""


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
