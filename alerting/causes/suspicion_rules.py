"""Suspicion of a shard: the rule for nearly all stations of a shard that fall together. Pure.

A station stopped between its last heartbeat and its first missed heartbeat. When these intervals share an instant for
at least `least` stations, and for at least `share` of all stations of the shard that should have gone on, a fault of
the shard is more likely than a fault of each station. Then the shard is suspected: the stations that fell are unknown,
and one incident of the pipeline reports the suspicion. Stations that are heard stay online. The suspicion ends when
half of the stations are back, or when a person decides that the shard is sound. Stations that are still silent then
have two heartbeats and `floor` seconds to be heard before they are offline.

A station should have gone on when it is in service, no approved closure excuses it, and it was online and open from
`margin` seconds before its last heartbeat until `margin` seconds after its deadline; stations that are counted together
all begin at the earliest of their last heartbeats. A station that people switch off at closing time is no evidence
about the shard.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.causes.evidence import Peer, overlap
from alerting.stations.common_interval import CommonInterval
from alerting.stations.model import AWAY_OVERDUE, StationChange
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field

SAMPLE: Final = 400
"""Largest number of stations of a shard whose heartbeats are looked up; a larger shard is sampled."""


class MassSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the suspicion. `missed`: missed heartbeats until a station is offline (k); `margin`, `floor` in
    seconds; `share`, `least`: see the module."""

    share: float = 0.8
    least: int = 20
    margin: float = 600.0
    missed: float = 3.0
    floor: float = 10.0


class Member(msgspec.Struct, kw_only=True):
    """A station that fell with its shard: `heard_at` its last heartbeat, `missed_at` its first missed heartbeat.

    The station is unknown until `ended_at`: then it came back (`returned`), or its time to come back was over.
    """

    station: str
    heard_at: datetime
    missed_at: datetime
    ended_at: datetime | None = None
    returned: bool = False


class Suspicion(msgspec.Struct, kw_only=True):
    """A suspected shard.

    `window`: the common instant of the falls; `opened_at`, `known_at`: when the suspicion was decided, by the wall
    clock and by the watermark; `began_at`: the first missed heartbeat; `fell`: how many of the `counted` stations fell;
    `registry`: the revision of the registry at that time; `members`: the stations that are still unknown.
    """

    shard: str
    opened_at: datetime
    window: CommonInterval
    began_at: datetime
    known_at: datetime
    fell: int
    counted: int
    registry: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    members: dict[str, Member] = {}


class ShardSample(msgspec.Struct, frozen=True):
    """Stations of a shard that should go on: their number, and a sample whose heartbeats are looked up."""

    number: int
    stations: Sequence[str]


class MassFalls:
    """The falls of a pass, by shard, and whether nearly all of a shard fell. Call `look` first in each pass."""

    def __init__(self, settings: MassSettings, field: Field) -> None:
        self.settings = settings
        self._field = field
        self._margin = timedelta(seconds=settings.margin)
        self._fresh: dict[str, list[Member]] = {}
        self._falling: set[str] = set()
        self._asked: dict[str, ShardSample] = {}

    def look(
        self, changes: Sequence[StationChange], running: Mapping[str, Suspicion], moment: PassTime
    ) -> dict[str, ShardSample]:
        """The stations whose heartbeats to look up, by shard: shards with a fall in this pass, and suspected shards."""
        self._fresh = self._falls(changes)
        self._falling = {change.station for change in changes if change.terminal is None and change.after == "offline"}
        self._asked = {}
        for shard, suspicion in running.items():
            self._ask(shard, suspicion.window.lo, suspicion.known_at, moment)
        for shard, falls in self._fresh.items():
            if shard not in running:
                lo = min(fall.heard_at for fall in falls)
                self._ask(shard, lo, max(change.tick_at for change in changes), moment)
        return self._asked

    def _ask(self, shard: str, lo: datetime, known: datetime, moment: PassTime) -> None:
        number, stations = self._field.suspected.steady(
            shard, lo - self._margin, known + self._margin,
            untrusted=moment.untrusted, without=self._falling, most=SAMPLE,
        )  # fmt: skip
        self._asked[shard] = ShardSample(number, stations)

    def _falls(self, changes: Iterable[StationChange]) -> dict[str, list[Member]]:
        """The falls of this pass of stations that should have gone on, by shard."""
        found: dict[str, list[Member]] = {}
        for change in changes:
            if change.terminal is not None or change.after != "offline" or change.reason == AWAY_OVERDUE:
                continue
            if change.seen_at is None or change.shard is None:
                continue
            fall = Member(station=change.station, heard_at=change.seen_at, missed_at=change.at)
            if self._should_have_gone_on(fall, change.tick_at):
                found.setdefault(change.shard, []).append(fall)
        return found

    def _should_have_gone_on(self, fall: Member, decided: datetime, since: datetime | None = None) -> bool:
        """Whether a station that fell should have gone on; `since`: an earlier time than its last heartbeat, from which
        the margin counts instead."""
        every = fall.missed_at - fall.heard_at
        deadline = max(decided, fall.heard_at + self.settings.missed * every)
        begin = (since or fall.heard_at) - self._margin
        return self._field.suspected.was_online(fall.station, begin) and self._field.schedule.is_expected_throughout(
            fall.station, begin, deadline + self._margin
        )

    @property
    def shards(self) -> list[str]:
        """The shards with a fall of a station that should have gone on."""
        return sorted(self._fresh)

    def suspect(
        self, shard: str, peers: Sequence[Peer], past: Collection[Suspicion], moment: PassTime, registry: str
    ) -> Suspicion | None:
        """A suspicion of the shard, if nearly all of its stations fell; None otherwise.

        `peers`: the heartbeats of the sampled stations; `past`: earlier suspicions, whose instants are not suspected
        again; `registry`: the present revision of the registry.
        """
        fresh = self._fresh[shard]
        lo, hi = min(fall.heard_at for fall in fresh), max(fall.missed_at for fall in fresh)
        # The sample has the stations that were online and open since `lo`, so of the stations that fell only such ones
        # count, too. Otherwise a station that opened after `lo` would count if it fell, and not if it goes on.
        fresh = [fall for fall in fresh if self._should_have_gone_on(fall, moment.known, lo)]
        down = [*fresh, *self._earlier(shard, lo, moment)]
        overdue, weight = [peer for peer in peers if peer.overdue], self.weight(shard)
        window = overlap(
            [
                *((one.heard_at, one.missed_at, 1.0) for one in down),
                *((one.began, one.until, weight) for one in overdue),
            ],
            lo,
            hi,
        )
        if window is None or any(window.touches(one.window) for one in past):
            return None
        fallen = [one for one in down if window.spans(one.heard_at, one.missed_at)]
        missing = [one for one in overdue if window.meets(one)]
        fell = len(fallen) + round(weight * len(missing))
        counted = len(fallen) + self._asked[shard].number
        if fell < self.settings.least or fell < self.settings.share * counted:
            return None
        return Suspicion(
            shard=shard,
            opened_at=moment.now,
            window=window,
            began_at=min([*(one.missed_at for one in fallen), *(one.until for one in missing)]),
            known_at=moment.known,
            fell=fell,
            counted=counted,
            registry=registry,
        )

    def _earlier(self, shard: str, since: datetime, moment: PassTime) -> list[Member]:
        """Stations that fell at or after `since` in earlier passes, are still down, and should have gone on."""
        found = [
            Member(station=station, heard_at=heard, missed_at=missed)
            for station, heard, missed in self._field.suspected.fallen(shard, since)
        ]
        return [fall for fall in found if self._should_have_gone_on(fall, moment.known, since)]

    def weight(self, shard: str) -> float:
        """The number of stations that each sampled station represents; 0 without a sample."""
        asked = self._asked.get(shard)
        return asked.number / len(asked.stations) if asked and asked.stations else 0.0
