"""Blind spots: their kinds, the keys of their incidents, and their changes. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from contract.kinds import IncidentKind


class SpotKind(StrEnum):
    """The seven kinds of blind spots."""

    UNCOVERED = "uncovered"
    DARK = "dark"
    SHUT = "shut"
    IDLE = "idle"
    STALE = "stale"
    NO_WIFI = "no_wifi"
    AREA_DARK = "area_dark"


OF_AREAS: Final = frozenset({SpotKind.UNCOVERED, SpotKind.AREA_DARK})
"""Kinds whose subject is an area. Only these are notified: a station that is offline has an incident of its own."""

CLEARS: Final[Mapping[SpotKind, str]] = {
    SpotKind.UNCOVERED: "station_in_service",
    SpotKind.DARK: "heartbeat",
    SpotKind.SHUT: "online_in_hours",
    SpotKind.IDLE: "session",
    SpotKind.STALE: "resource_applied",
    SpotKind.NO_WIFI: "wifi_works",
    SpotKind.AREA_DARK: "station_works",
}
"""What would clear a blind spot of each kind: a word of the glossary family `clears`."""


class SpotFound(msgspec.Struct, frozen=True, kw_only=True):
    """A blind spot is found, or one that is open has changed. `subject`: the station, or the area for kinds of areas.

    `quiet`: it is listed but not notified. `above`: the key of its parent incident. `area`: where the station lies.
    `only_update`: change an incident that is open, but open none.
    """

    kind: SpotKind
    subject: str
    since: datetime
    figures: dict[str, Any] = {}
    quiet: bool = True
    above: str | None = None
    area: str | None = None
    reason: str = ""
    only_update: bool = False


class SpotGone(msgspec.Struct, frozen=True, kw_only=True):
    """A blind spot is over since `ended_at`."""

    kind: SpotKind
    subject: str
    ended_at: datetime
    reason: str


SpotChange = SpotFound | SpotGone


def spot_key(kind: SpotKind, subject: str) -> str:
    """The incident key of a blind spot."""
    return f"{IncidentKind.BLIND_SPOT}:{kind}:{subject}"


def split_key(key: str) -> tuple[SpotKind, str] | None:
    """Kind and subject of the key of a blind spot; None for another key."""
    head, _, rest = key.partition(":")
    kind, _, subject = rest.partition(":")
    return (SpotKind(kind), subject) if head == IncidentKind.BLIND_SPOT and kind in CLEARS and subject else None
