"""Outages of the link become presence records: the terminal was running, but not heard. Pure."""

from typing import Final, NamedTuple

from contract.clocks import MonotonicSeconds, WallMs
from contract.messages import Presence

SHORTEST: Final = 1.0
"""Seconds; a shorter outage is not recorded."""


class Moment(NamedTuple):
    """`at` is the wall clock in ms since the epoch, `up` the seconds since the agent's start."""

    at: WallMs
    up: MonotonicSeconds

    def back_to(self, up: MonotonicSeconds) -> "Moment":
        """The earlier moment `up`, by the wall clock as it is now."""
        return Moment(WallMs(self.at - round((self.up - up) * 1000)), up)


class Span(NamedTuple):
    """From `begin` to `end` the terminal ran without a link; `usable` did not change within."""

    begin: Moment
    end: Moment
    usable: bool | None

    @property
    def seconds(self) -> float:
        """The length, by the monotonic clock."""
        return self.end.up - self.begin.up

    def record(self, number: int) -> Presence:
        """The presence record of this span."""
        return Presence(
            id=number,
            at=self.begin.at,
            up=self.begin.up,
            until=self.end.at,
            until_up=self.end.up,
            usable=self.usable,
        )


class PresenceTracker:
    """Notes when the link is up and down. At the start it is down, and counts as heard at that moment."""

    def __init__(self, start: Moment, usable: bool | None) -> None:
        self._heard = start.up
        self._span: Span | None = Span(start, start, usable)

    @property
    def is_down(self) -> bool:
        """Whether an outage is going on."""
        return self._span is not None

    def heard(self, now: Moment) -> None:
        """The broker sent something, so the link was good until now."""
        self._heard = now.up

    def lost(self, now: Moment, usable: bool | None) -> None:
        """The link is down, since the moment at which it was last heard."""
        if self._span is None:
            self._span = Span(now.back_to(min(self._heard, now.up)), now, usable)

    def running(self, now: Moment, usable: bool | None) -> tuple[Span | None, Span | None]:
        """While down: the span that a change of `usable` has just ended, or None, and the span that goes on."""
        if self._span is None:
            return None, None
        ended = self._span._replace(end=now)
        if usable == ended.usable:
            self._span = ended
            return None, ended
        self._span = Span(now, now, usable)
        return (ended if ended.seconds >= SHORTEST else None), self._span

    def back(self, now: Moment) -> Span | None:
        """The link is up: the span of the outage, or None when it was shorter than `SHORTEST`."""
        span, self._span, self._heard = self._span, None, now.up
        if span is None:
            return None
        whole = span._replace(end=now)
        return whole if whole.seconds >= SHORTEST else None
