"""The memory of one common cause: which stations fell with it, and when the cause is over. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from alerting.causes.evidence import Fallen, Group, areas_of, common
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.common_interval import CommonInterval
from alerting.stations.promise import USUAL, slowest_within


class Opening(NamedTuple):
    """Whether a station is expected to be online, and when its present or last opening began (None: its hours have no
    limit, or are not known)."""

    expected: bool = True
    began: datetime | None = None


class CommonCause(msgspec.Struct, kw_only=True):
    """A cause, from the opening of its parent incident until it has no children left.

    `children`: the stations that are down by this cause; `areas`: the number of children in each area; `ever`: all
    stations that were ever children, with the interval (s) of each. `most`: the largest number of children at one time;
    `low`: the smallest number since then; `low_at`: when the number fell to `low`. `patience`: seconds without a
    further fall after which a small cause is over; `told`: the number of stations at the opening or the last `Grown`.
    """

    key: str
    group: Group
    window: CommonInterval
    began: datetime
    joined_at: datetime
    low_at: datetime
    patience: float
    common: tuple[Group, ...] = ()
    share: float = 1.0
    expected: int = 0
    told: int = 0
    most: int = 0
    low: int = 0
    children: dict[str, Fallen] = {}
    areas: dict[str, int] = {}
    ever: dict[str, float] = {}
    # When the cause ended, while slow children still have time to return.
    ended: datetime | None = None
    # Cache of `slowest_awaited`: (number of stations in `ever`, interval in seconds).
    pace: tuple[int, float] = (0, USUAL)

    def to_store(self) -> "CommonCause":
        """The part that a store keeps: all fields but the stations, which are read from their incidents."""
        return msgspec.structs.replace(self, children={}, areas={}, ever={})

    def put(self, fallen: Fallen) -> None:
        """Add a child without any change of times; for a restore."""
        self.children[fallen.station] = fallen
        for area in areas_of(fallen.groups):
            self.areas[area] = self.areas.get(area, 0) + 1

    def add(self, fallen: Fallen, at: datetime, settings: CauseSettings) -> None:
        """Add a station that fell by this cause, as of `at`."""
        self.put(fallen)
        self.ever[fallen.station] = fallen.every
        self.joined_at = max(self.joined_at, at)
        self.window = self.window.narrowed(fallen)
        self.common = common((self.common, fallen.groups))
        length = (fallen.until - fallen.began).total_seconds()
        self.patience = max(self.patience, settings.patience(fallen.every) + length)
        self.most = max(self.most, len(self.children))
        if not self.returning(settings):
            self.low, self.low_at = len(self.children), at

    def remove(self, station: str, at: datetime) -> None:
        """Remove a station that is back or out of service."""
        fallen = self.children.pop(station, None)
        for area in areas_of(fallen.groups if fallen else ()):
            self.areas[area] -= 1
        if len(self.children) < self.low:
            self.low, self.low_at = len(self.children), at

    def postpone(self, at: datetime) -> None:
        """Start the waiting times again at `at`: the states of the stations were not known until then."""
        self.low_at, self.joined_at = max(self.low_at, at), max(self.joined_at, at)

    def returning(self, settings: CauseSettings) -> bool:
        """Whether the share `returned` of the stations is back."""
        return len(self.children) <= (1 - settings.returned) * self.most

    def slowest_awaited(self, settings: CauseSettings) -> float:
        """The interval of the slowest station within the share that must return."""
        if self.pace[0] != len(self.ever):
            self.pace = (len(self.ever), slowest_within(self.ever.values(), settings.returned))
        return self.pace[1]

    def verified_at(self, fallen: Fallen, settings: CauseSettings) -> datetime | None:
        """Until when a child has time to come back after the end; None: this child needs no more time than the
        others."""
        if self.ended is None or fallen.every <= self.slowest_awaited(settings):
            return None
        return self.ended + timedelta(seconds=settings.patience(fallen.every))

    def prompt_children(self, at: datetime, settings: CauseSettings) -> list[Fallen]:
        """The children whose time to come back is over by `at`; the cause has ended."""
        untils = ((fallen, self.verified_at(fallen, settings)) for fallen in self.children.values())
        return [fallen for fallen, until in untils if until is None or until <= at]

    def gave_time(self, fallen: Fallen, at: datetime, opening: Opening, settings: CauseSettings) -> bool:
        """Whether a child had time in its opening hours to come back after the end of its cause, as of `at`.

        A station that is closed may be switched off. An opening that passed without a return was time enough.
        """
        if opening.began is None or opening.began <= (self.ended or at):
            return opening.expected
        return not opening.expected or at >= opening.began + timedelta(seconds=settings.patience(fallen.every))

    def due(self, settings: CauseSettings) -> tuple[datetime, str] | None:
        """When the cause is over if nothing changes until then, and why; None while it goes on."""
        if self.returning(settings):
            reason = "most_back" if self.children else "all_back"
            return self.low_at + timedelta(seconds=settings.patience(self.slowest_awaited(settings))), reason
        if len(self.ever) < settings.least:
            return self.joined_at + timedelta(seconds=self.patience), "did_not_spread"
        return None

    def takes(self, fallen: Fallen, online: int, settings: CauseSettings) -> bool:
        """Whether a later fall belongs to this cause; `online`: the number of stations of the group that are online.

        It belongs when its interval contains the common instant, when the station fell by this cause before, or when
        the share `whole` of the group is down. Once most stations are back, that last condition does not apply.
        """
        if self.group not in fallen.groups:
            return False
        if self.window.meets(fallen):
            return True
        if self.returning(settings):
            return fallen.station in self.ever
        down = len(self.children)
        return fallen.station in self.ever or down >= settings.whole * (down + online)
