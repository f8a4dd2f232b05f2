"""Where the terminal was while the link was down: outages become presence records."""

from typing import Final, NamedTuple

from contract.clocks import MonotonicSeconds, WallMs
from contract.messages import Presence

SHORTEST: Final = 1.0
"""Seconds; a shorter outage is none."""


class Moment(NamedTuple):
    """`at` is the wall clock in ms since the epoch, `up` the seconds since the agent's start."""

    at: WallMs
    up: MonotonicSeconds

    def back_to(self, up: MonotonicSeconds) -> "Moment":
        """The moment at which `up` was, by today's wall clock."""
        return Moment(WallMs(self.at - round((self.up - up) * 1000)), up)


class Span(NamedTuple):
    """The terminal ran from `begin` to `end` without a link, usable or not all the time."""

    begin: Moment
    end: Moment
    usable: bool | None

    @property
    def seconds(self) -> float:
        return self.end.up - self.begin.up

    def record(self, number: int) -> Presence:
        """The record that tells of it."""
        return Presence(
            id=number,
            at=self.begin.at,
            up=self.begin.up,
            until=self.end.at,
            until_up=self.end.up,
            usable=self.usable,
        )


class PresenceTracker:
    """Follows the link. It is down at the start, and heard of last at the moment of the start."""

    def __init__(self, start: Moment, usable: bool | None) -> None:
        self._heard = start.up
        self._span: Span | None = Span(start, start, usable)

    @property
    def is_down(self) -> bool:
        return self._span is not None

    def heard(self, now: Moment) -> None:
        """Something came from the broker, so until now the link was whole."""
        self._heard = now.up

    def lost(self, now: Moment, usable: bool | None) -> None:
        """The link is down: since it was last heard, not since that was noticed."""
        if self._span is None:
            self._span = Span(now.back_to(min(self._heard, now.up)), now, usable)

    def running(self, now: Moment, usable: bool | None) -> tuple[Span | None, Span | None]:
        """While down: the span that a change of `usable` just ended, and the one that goes on."""
        if self._span is None:
            return None, None
        ended = self._span._replace(end=now)
        if usable == ended.usable:
            self._span = ended
            return None, ended
        self._span = Span(now, now, usable)
        return (ended if ended.seconds >= SHORTEST else None), self._span

    def back(self, now: Moment) -> Span | None:
        """The link is up: the whole span that it was down, unless it was too short to speak of."""
        span, self._span, self._heard = self._span, None, now.up
        if span is None:
            return None
        whole = span._replace(end=now)
        return whole if whole.seconds >= SHORTEST else None
