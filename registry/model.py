"""The entries of the registry: areas, stations, terminals, targets, schedules, closures."""

from datetime import date, datetime
from typing import Final

import msgspec

LEVELS: Final = ("province", "prefecture", "county", "township", "village")
LIFECYCLES: Final = ("planned", "commissioned", "suspended", "retired")
ALWAYS_OPEN: Final = "24x7"
METRICS: Final = (
    "stations",
    "in_service",
    "covered",
    "covered_areas",
    "online_rate",
    "service_rate",
    "sessions",
    "content_bytes",
    "content_titles",
)
SHARES: Final = frozenset({"in_service", "covered", "online_rate", "service_rate"})
"""Metrics that are fractions from 0 to 1."""
CHANNEL: Final = "milepost_registry"
"""NOTIFY channel on which every change of the registry is announced, without a payload."""


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a division tree; `path` is root first, itself last."""

    code: str
    name: str
    name_en: str | None = None
    name_bo: str | None = None
    parent: str | None = None
    level: str
    path: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A service point; `lat` and `lon` are degrees of WGS-84."""

    id: str
    name: str
    name_en: str | None = None
    name_bo: str | None = None
    kind: str | None = None
    area: str | None = None
    lat: float | None = None
    lon: float | None = None
    lifecycle: str = "commissioned"
    commissioned_at: datetime | None = None
    address: str | None = None
    isp: str | None = None
    feeder: str | None = None
    schedule: str = ALWAYS_OPEN
    quorum: int = 1
    auto_registered: bool = False
    programmes: tuple[str, ...] = ()


class DeclaredClosure(msgspec.Struct, frozen=True, kw_only=True):
    """A closure of one station as import files have it. Station and beginning are its key."""

    station: str
    from_at: datetime
    until_at: datetime
    reason: str
    declared_by: str = "import"
    approved_by: str | None = None

    @property
    def id(self) -> str:
        """The key: station and beginning."""
        return f"{self.station} {self.from_at.isoformat()}"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A target of a programme for each of `areas`, or (`level`) for every area of that level within them.

    `metric` must reach `threshold` (a share is a fraction from 0 to 1) by `deadline`. `language`: of the content that
    counts; None: all.
    """

    id: str
    programme: str | None = None
    name: str
    metric: str
    areas: tuple[str, ...]
    level: str | None = None
    threshold: float | None = None
    deadline: date | None = None
    language: str | None = None


class AreaSuccession(msgspec.Struct, frozen=True, kw_only=True):
    """The area `new` follows the area `old` from the day `on`; both are codes. An area that keeps its code while
    another one joins or leaves it follows itself."""

    old: str
    new: str
    on: date

    @property
    def id(self) -> str:
        """The key: both codes."""
        return f"{self.old} {self.new}"

    @property
    def name(self) -> str:
        """The part that a report of an import shows beside the key."""
        return self.on.isoformat()


class KindSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """The opening rules, from a local day on, of those stations of a kind that have no rules of their own."""

    kind: str
    valid_from: date = date.min
    rules: str

    @property
    def id(self) -> str:
        """The key: kind and first day."""
        return f"{self.kind} {self.valid_from.isoformat()}"

    @property
    def name(self) -> str:
        """What a report of an import shows of the entry."""
        return self.rules


class DatedHours(msgspec.Struct, frozen=True, kw_only=True):
    """Opening hours on local days `first` to `last` of a station, a kind, an area with all below it, or everywhere."""

    station: str | None = None
    kind: str | None = None
    area: str | None = None
    first: date
    last: date
    rules: str
    reason: str | None = None

    @property
    def id(self) -> str:
        """The key: scope and days."""
        scope = " ".join(part or "-" for part in (self.station, self.kind, self.area))
        return f"{scope} {self.first.isoformat()} {self.last.isoformat()}"

    @property
    def name(self) -> str:
        """What a report of an import shows of the entry."""
        return self.rules


class NamedDay(msgspec.Struct, frozen=True, kw_only=True):
    """The class of a day, as the state announced it: workday, rest or holiday."""

    day: date
    day_class: str
    title: str | None = None

    @property
    def id(self) -> str:
        """The key: the day."""
        return self.day.isoformat()


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """A device at a station; `counts`: it is one of those that make the station online."""

    station: str
    id: str
    type: str | None = None
    counts: bool = True
    installed_at: datetime | None = None
    refresh_due: date | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one batch from a station that is not registered."""

    station: str
    terminals: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    messages: int = 1
