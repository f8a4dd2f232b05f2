"""Which silence covers an incident, until when, and what becomes of a page then. Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from alerting.silences.model import Silence

ASK_AGAIN: Final = timedelta(minutes=1)
"""After so long a held page is looked at again, because a person may have ended the silence early."""

RECOVERY: Final = frozenset({"resolved", "closed"})
"""The phases that tell those who were told that it is over."""


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


def silenced_by(silences: Silences, subject: Silenceable, now: datetime) -> list[Silence]:
    """The silences in force for a subject at `now`, for the page of the incident."""
    return [silence for silence in silences.covering(subject) if silence.holds(now)]


class HeldFate(StrEnum):
    """What becomes of a page that is due."""

    #: It is sent as what it is.
    SEND = "send"
    #: It waits until `until`; look again then.
    HOLD = "hold"
    #: It is sent once as past, instead.
    PASSED = "passed"
    #: Nobody is told.
    DROP = "drop"


class HeldPage(msgspec.Struct, frozen=True, kw_only=True):
    """The fate of a page and why, in one word: `not_silenced`, `silenced`, `told_before` (a recovery), `over` (it ended
    while silenced), `route_tells_no_past`. `until`: when a held page is looked at again, never later than the end of
    its silence."""

    fate: HeldFate
    why: str
    until: datetime | None = None


def fate_of_page(
    phase: str, *, now: datetime, until: datetime | None, told: bool, over: bool, tell_past: bool
) -> HeldPage:
    """What becomes of a page of `phase` that is due at `now`, or of a step of escalation (phase `escalated`).

    `until`: what `silenced_until` says; `told`: whether the recipient was told of the incident, or may have been;
    `over`: whether the incident ended; `tell_past`: what the route says of an incident that nobody was told of in time.

    - A recovery goes at once to whoever was told, in a silence too: it asks nothing of anybody.
    - All else is held while silenced, also the news that an incident was, which ended in the silence.
    - After it an incident that still goes on is told as if it had begun then; one that is over is told as past or not.
    """
    if told and phase in RECOVERY:
        return HeldPage(fate=HeldFate.SEND, why="told_before")
    if over and (told or not tell_past):
        return HeldPage(fate=HeldFate.DROP, why="over" if told else "route_tells_no_past")
    if until is not None:
        return HeldPage(fate=HeldFate.HOLD, why="silenced", until=min(until, now + ASK_AGAIN))
    return HeldPage(fate=HeldFate.PASSED if over else HeldFate.SEND, why="over" if over else "not_silenced")
