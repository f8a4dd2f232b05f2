"""Whether stations fell together: what speaks for and against a common cause. Pure.

A station stopped between its last heartbeat and the first that was missed. Stations fell together when those
intervals share an instant; a group of stations (an area, an uplink, …) explains it when most of its members did.
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
"""From the one that claims least to the one that claims most, which decides between groups of the same stations."""

Group = tuple[str, str]
"""(cause, name): stations that have something in common."""


class Fallen(msgspec.Struct, frozen=True):
    """A station that stopped: its last heartbeat, the first that was missed, its groups (areas with the root first).

    `key` is that of its incident; `every` is the interval of its slowest terminal, in seconds.
    """

    station: str
    began: datetime
    until: datetime
    groups: tuple[Group, ...] = ()
    key: str = ""
    every: float = USUAL


class Peer(msgspec.Struct, frozen=True):
    """A station that is still online: between which moments it was heard last and should be heard next."""

    station: str
    began: datetime
    until: datetime
    overdue: bool
    groups: tuple[Group, ...] = ()
    every: float = USUAL


class Evidence(msgspec.Struct, frozen=True):
    """How many stations of a group fell together, how many were heard since, and how many were not due since."""

    fallen: float
    against: float
    silent: float = 0.0

    def qualifies(self, least: int, share: float) -> bool:
        """Whether at least `least` stations fell, and they are the `share` of those that say anything."""
        return self.fallen >= least and self.fallen >= share * (self.fallen + self.against)

    @property
    def share(self) -> float:
        """The share of the fallen among those that say anything, 0 to 1."""
        counted = self.fallen + self.against
        return self.fallen / counted if counted else 0.0

    @property
    def score(self) -> float:
        """What the group explains, less what contradicts it; silence that proves nothing takes a little off a
        larger claim, so that a county is not taken for its province."""
        return self.fallen - self.against - self.silent / 4


def overlap(intervals: Iterable[tuple[datetime, datetime, float]], lo: datetime, hi: datetime) -> CommonInterval | None:
    """The instants within [lo, hi] that most of the weight of (began, until, weight) shares; the earliest of equals."""
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
    """The evidence at an instant. `peers` are a sample of the `online` members; without one, all speak against."""
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
    """How much of a window a station lived through: what cannot have stopped it. Stations that were all found missing
    at their opening could have stopped at any time of the night, so one that came in the morning speaks for itself."""
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
