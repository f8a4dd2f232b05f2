"""Which silence covers an incident, and until when. Pure.

alerting/escalation decides what becomes of its pages.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from alerting.silences.model import Silence


class Silenceable(Protocol):
    """What a silence can cover: an incident, such as a `RouteSubject`."""

    @property
    def kind(self) -> str:
        """The kind of the incident."""

    @property
    def station(self) -> str | None:
        """The station; None: a wider incident."""

    @property
    def path(self) -> Collection[str]:
        """The codes of its area and all areas above it."""


class Silences:
    """Many silences, found by what they cover."""

    def __init__(self, silences: Iterable[Silence] = ()) -> None:
        self._by_scope: dict[tuple[str, str | None], list[Silence]] = {}
        for silence in silences:
            if silence.ends_at > silence.from_at:
                self._by_scope.setdefault(_scope_of(silence), []).append(silence)

    def covering(self, subject: Silenceable) -> list[Silence]:
        """The silences of a subject at any time, by their beginnings."""
        scopes = [("all", None), ("station", subject.station), *(("area", code) for code in subject.path)]
        found = (silence for scope in scopes for silence in self._by_scope.get(scope, ()))
        return sorted(
            (silence for silence in found if not silence.kinds or subject.kind in silence.kinds),
            key=lambda silence: (silence.from_at, silence.id),
        )


def _scope_of(silence: Silence) -> tuple[str, str | None]:
    if silence.station is not None:
        return "station", silence.station
    return ("all", None) if silence.area is None else ("area", silence.area)


def silenced_until(silences: Silences, subject: Silenceable, now: datetime) -> datetime | None:
    """When the silence in which a subject is at `now` ends; None: it is in none.

    Silences that overlap or adjoin are one. One that begins later, after a moment without a silence, is another.
    """
    end = now
    for silence in silences.covering(subject):
        if silence.from_at > end:
            break
        if silence.ends_at > end:
            end = silence.ends_at
    return end if end > now else None
