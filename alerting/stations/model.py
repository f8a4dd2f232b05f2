"""What goes into the table of stations, and what comes out of it, as values."""

from datetime import datetime
from typing import Final, Protocol

import msgspec

from alerting.stations.promise import USUAL
from alerting.stations.snapshot import Standing

AWAY_OVERDUE: Final = "away_overdue"
"""Why the judges call a station offline that did not come back in time."""


class OpeningHours(Protocol):
    """What the table asks of a calendar of the registry. Every time is aware; None: never."""

    def is_open(self, at: datetime, /) -> bool:
        """Whether it is open at a moment."""

    def next_change(self, at: datetime, /) -> datetime | None:
        """The first opening or closing after `at`."""

    def next_opening(self, at: datetime, /) -> datetime | None:
        """The first opening after `at`."""

    def last_change(self, at: datetime, /) -> datetime | None:
        """The last opening or closing not after `at`."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry says of a station. `commissioned_at`: since when it is expected to report. `calendar` None: it
    is always open."""

    station: str
    area: str | None = None
    path: tuple[str, ...] = ()
    kind: str | None = None
    isp: str | None = None
    feeder: str | None = None
    lifecycle: str = "commissioned"
    commissioned_at: datetime | None = None
    calendar: int | None = None
    programmes: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the judges decided last about a station: the state, since when, the last heartbeat before it, and why.

    `unusable_since`: since when the station is online and not usable.
    """

    partition: int
    state: str
    since: datetime | None = None
    usable: bool | None = None
    unusable_since: datetime | None = None
    shard: str | None = None
    seen_at: datetime | None = None
    reason: str | None = None


class StationChange(msgspec.Struct, frozen=True, kw_only=True):
    """A transition: a station's own, or (`terminal` given) one of its terminals'.

    `at`: since when it holds; `tick_at`: the tick that decided it; `seen_at`: the last heartbeat before it.
    """

    station: str
    before: str
    after: str
    at: datetime
    tick_at: datetime
    reason: str
    partition: int = 0
    seq: int = 0
    usable: bool | None = None
    seen_at: datetime | None = None
    shard: str | None = None
    terminal: str | None = None


class Changed(msgspec.Struct, frozen=True):
    """How a station stood and stands now, and as of when. None: it was not, or is no longer, registered."""

    before: Standing | None
    after: Standing | None
    at: datetime

    @property
    def station(self) -> str:
        """The id of the station."""
        known = self.after or self.before
        return known.station if known else ""


class ChangeLog:
    """What changed in the table since it was taken last, and the moment at which the table stands."""

    def __init__(self, time: datetime) -> None:
        self.time = time
        self.changes: list[Changed] = []

    def note(self, before: Standing | None, after: Standing | None) -> None:
        """A station changed at the table's moment, unless both are equal."""
        if before != after:
            self.changes.append(Changed(before, after, self.time))

    def take_changes(self) -> list[Changed]:
        """The changes since the last call, in their order."""
        taken, self.changes = self.changes, []
        return taken


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the station rules need beyond a Standing.

    `promised`: the interval of the station's slowest terminal, s; None: not known. `reason` and `seen_at` of the last
    change of state. `opened_at`: when its present (or last) opening began, or a closure within it ended (None: it is
    always open). `resumed_at`: when the last gap of its clock ended; from then on the station can be heard again.
    """

    reason: str | None = None
    seen_at: datetime | None = None
    promised: float | None = None
    opened_at: datetime | None = None
    resumed_at: datetime | None = None

    @property
    def every(self) -> float:
        """The interval of the station's slowest terminal, s; the usual one where it is not known."""
        return self.promised or USUAL
