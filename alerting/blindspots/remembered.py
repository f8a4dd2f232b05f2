"""Moments that the rules of blind spots need after a restart and that no other table holds. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple


class RememberedMoment(NamedTuple):
    """A moment that a rule keeps for a subject (a station or area). `at` None: the moment is deleted."""

    rule: str
    subject: str
    at: datetime | None


class SpotMemory:
    """Moments by rule and subject, and which of them are not stored yet."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, datetime]] = {}
        self._changed: set[tuple[str, str]] = set()

    def restore_moments(self, rows: Iterable[RememberedMoment]) -> None:
        """Take over the stored moments."""
        for row in rows:
            if row.at is not None:
                self._rules.setdefault(row.rule, {})[row.subject] = row.at

    def moment_of(self, rule: str, subject: str) -> datetime | None:
        """The moment that a rule keeps for a subject; None without one."""
        return self.moments_of_rule(rule).get(subject)

    def moments_of_rule(self, rule: str) -> Mapping[str, datetime]:
        """All moments that a rule keeps, by subject."""
        return self._rules.get(rule, {})

    def remember(self, rule: str, subject: str, at: datetime) -> None:
        """Keep a moment, in place of the one before."""
        kept = self._rules.setdefault(rule, {})
        if kept.get(subject) != at:
            kept[subject] = at
            self._changed.add((rule, subject))

    def forget_moment(self, rule: str, subject: str) -> None:
        """Delete the moment that a rule keeps for a subject, if there is one."""
        if self._rules.get(rule, {}).pop(subject, None) is not None:
            self._changed.add((rule, subject))

    def take_changed(self) -> list[RememberedMoment]:
        """The moments that changed since the last call, to be stored."""
        changed, self._changed = self._changed, set()
        return [RememberedMoment(rule, subject, self.moment_of(rule, subject)) for rule, subject in sorted(changed)]
