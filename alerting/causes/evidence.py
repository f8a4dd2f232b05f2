"""Evidence for and against a common cause of falls. Pure.

A station stopped between its last heartbeat and its first missed heartbeat. Stations fell together when these
intervals share an instant. A group of stations (an area, an uplink, …) explains the falls when most of its members fell
at that instant.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from alerting.stations.common_interval import CommonInterval
from alerting.stations.promise import USUAL

AREA: Final = "area"
UPLINK: Final = "uplink"
FEEDER: Final = "feeder"
AGENT: Final = "agent"
SHARD: Final = "shard"
CAUSES: Final = (AREA, FEEDER, UPLINK, AGENT, SHARD)
"""The order of preference between groups of the same stations, from the weakest claim to the strongest."""

Group = tuple[str, str]
"""(cause, name): stations with a common property, such as ("uplink", "telecom-a")."""


class Fallen(msgspec.Struct, frozen=True):
    """A station that stopped, between its last heartbeat (`began`) and its first missed heartbeat (`until`).

    `groups`: areas with the root first, then the other groups; `key`: the key of its incident; `every`: the interval of
    its slowest terminal, in seconds.
    """

    station: str
    began: datetime
    until: datetime
    groups: tuple[Group, ...] = ()
    key: str = ""
    every: float = USUAL


class Peer(msgspec.Struct, frozen=True):
    """A station that is still online: its last heartbeat (`began`), and when the next one is due (`until`)."""

    station: str
    began: datetime
    until: datetime
    overdue: bool
    groups: tuple[Group, ...] = ()
    every: float = USUAL


class Evidence(msgspec.Struct, frozen=True):
    """How many stations of a group fell together (`fallen`), how many were heard after that (`against`), and how many
    had no heartbeat due after that (`silent`)."""

    fallen: float
    against: float
    silent: float = 0.0

    def qualifies(self, least: int, share: float) -> bool:
        """Whether at least `least` stations fell, and these are at least `share` of the stations that are evidence."""
        return self.fallen >= least and self.fallen >= share * (self.fallen + self.against)

    @property
    def share(self) -> float:
        """The share of the fallen among the stations that are evidence, 0 to 1."""
        counted = self.fallen + self.against
        return self.fallen / counted if counted else 0.0

    @property
    def score(self) -> float:
        """The falls that the group explains, minus the stations that contradict it, minus a quarter of the stations
        that were not due: so the rules prefer a county to its province when both explain the same falls."""
        return self.fallen - self.against - self.silent / 4


def overlap(intervals: Iterable[tuple[datetime, datetime, float]], lo: datetime, hi: datetime) -> CommonInterval | None:
    """The instants within [lo, hi] that the intervals (began, until, weight) with the largest total weight share.

    The earliest of equals; None: no interval meets [lo, hi].
    """
    points = sorted(
        edge
        for began, until, weight in intervals
        if began <= hi and until >= lo
        for edge in ((max(began, lo), 0, weight), (until, 1, weight))
    )
    best, running, found = 0.0, 0.0, None
    for place, (moment, closes, weight) in enumerate(points):
        running += -weight if closes else weight
        if running > best + 1e-9 and not closes:
            best, found = running, (moment, place)
    return None if found is None else CommonInterval(found[0], _first_end(points, found[1], hi))


def _first_end(points: Sequence[tuple[datetime, int, float]], place: int, hi: datetime) -> datetime:
    return min(next((moment for moment, closes, _ in points[place:] if closes), hi), hi)


def weigh(window: CommonInterval, fallen: Iterable[Fallen], peers: Sequence[Peer], online: int) -> Evidence:
    """The evidence at an instant. `peers`: a sample of the `online` members; without a sample, all online members count
    against the cause."""
    down = sum(window.meets(one) for one in fallen)
    if not peers:
        return Evidence(down, online)
    scale = online / len(peers)
    fell = sum(_fell(peer, window) for peer in peers)
    against = sum(_worked(peer, window) for peer in peers if not _fell(peer, window))
    return Evidence(down + scale * fell, scale * against, scale * (len(peers) - fell - against))


def _fell(peer: Peer, window: CommonInterval) -> bool:
    return peer.overdue and window.meets(peer)


def _worked(peer: Peer, window: CommonInterval) -> float:
    """The part of the window, 0 to 1, during which the station demonstrably worked.

    That part counts against the cause. Example: stations did not come back at their opening, so the window is the whole
    night; a station whose last heartbeat came in the morning worked until then.
    """
    if peer.began > window.hi:
        return 1.0
    return 0.0 if peer.began <= window.lo else (peer.began - window.lo) / (window.hi - window.lo)


def common(members: Iterable[Sequence[Group]]) -> tuple[Group, ...]:
    """The groups that all members share, in their order."""
    every = iter(members)
    shared = tuple(next(every, ()))
    for groups in every:
        if not shared:
            break
        if groups is not shared:
            shared = tuple(group for group in shared if group in groups)
    return shared


def areas_of(groups: Iterable[Group]) -> list[str]:
    """The areas among groups, in their order."""
    return [name for cause, name in groups if cause == AREA]


def deepest_area(groups: Iterable[Group]) -> str | None:
    """The smallest area among groups whose areas stand with the root first."""
    areas = areas_of(groups)
    return areas[-1] if areas else None
