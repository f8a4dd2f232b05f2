"""When nearly all stations of a shard fall together, the shard is suspected and not the stations. Pure.

A station stopped between its last heartbeat and the first that was missed. When of the stations of a shard that
should have gone on at least `least`, and `share` of all, have intervals that share an instant, something is more likely
wrong with the shard than with them: those that fell are unknown, and one incident of the pipeline says so. Those that
are heard stay online. It is over when half are back, or when a person decides that the shard is sound; those that are
still silent then have two heartbeats and `floor` seconds to be heard before they are offline.

A station should have gone on when it is in service, no approved closure excuses it, and it was online and open from
`margin` seconds before its last heartbeat until `margin` seconds after its deadline: what is switched off when it
closes says nothing about the shard.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.causes.evidence import Peer, overlap
from alerting.pipeline.blind_incidents import SUSPECTED, Trouble
from alerting.stations.common_interval import CommonInterval
from alerting.stations.model import AWAY_OVERDUE, Changed, StationChange
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field

SAMPLE: Final = 400
"""Stations of a shard that are asked about; in a larger one they stand for the others."""
REMEMBERED: Final = timedelta(days=1)
"""For so long an instant that was decided about is not suspected again."""
HALF_BACK: Final = "half_back"
PERSON: Final = "person"


class MassSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`missed` heartbeats make a deadline (k); `margin` and `floor` are seconds."""

    share: float = 0.8
    least: int = 20
    margin: float = 600.0
    missed: float = 3.0
    floor: float = 10.0


class Member(msgspec.Struct, kw_only=True):
    """A station that fell with its shard: heard last, and missed since. Unknown until `ended_at`, when it `returned`
    or had its time to."""

    station: str
    heard_at: datetime
    missed_at: datetime
    ended_at: datetime | None = None
    returned: bool = False


class Suspicion(msgspec.Struct, kw_only=True):
    """A shard that is suspected: the instants that what fell has in common, when it was decided, `fell` of how many
    `counted` stations, by which revision of the registry, and those of its members that are still unknown."""

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


class Asked(msgspec.Struct, frozen=True):
    """Stations of a shard that should go on: how many there are, and some of them that are to be asked about."""

    number: int
    stations: Sequence[str]


class Suspicions:
    """The suspicions that go on. Ask `wanted`, answer in `begin` before the pass and in `follow` after it."""

    def __init__(self, settings: MassSettings, field: Field) -> None:
        self.settings = settings
        self._field = field
        self._margin = timedelta(seconds=settings.margin)
        self.running: dict[str, Suspicion] = {}
        self._ending: list[Suspicion] = []
        self._home: dict[str, Suspicion] = {}
        self._past: dict[str, list[Suspicion]] = {}
        self._fresh: dict[str, list[Member]] = {}
        self._falling: set[str] = set()
        self._asked: dict[str, Asked] = {}
        # What a store is to write: suspicions that changed, and members of them that came or ended.
        self.touched: dict[tuple[str, datetime], Suspicion] = {}
        self.moved: list[tuple[Suspicion, Member]] = []

    def restore(self, suspicions: Iterable[Suspicion]) -> None:
        """Take over what a store kept, also those that ended lately; before anybody looks at the field."""
        for one in suspicions:
            self._past.setdefault(one.shard, []).append(one)
            if one.ended_at is None:
                self.running[one.shard] = one
                self._field.suspected.suspect(one.shard, one.window)
            elif one.members:
                self._ending.append(one)
            for station in one.members:
                self._home[station] = one
                self._field.suspected.restore(station)
        self._field.take_changes()

    def troubles(self) -> list[Trouble]:
        """What is wrong with the pipeline."""
        return [
            Trouble(shard=one.shard, partition=None, since=one.began_at, cause=SUSPECTED)
            for one in self.running.values()
        ]

    # -- before a pass -----------------------------------------------------------------------------------------

    def wanted(self, changes: Sequence[StationChange], moment: PassTime) -> dict[str, Asked]:
        """Per shard in which something falls, or that is suspected, the stations to ask about."""
        self._fresh = self._falls(changes)
        self._falling = {change.station for change in changes if change.terminal is None and change.after == "offline"}
        self._asked = {}
        for shard, suspicion in self.running.items():
            self._ask(shard, suspicion.window.lo, suspicion.known_at, moment)
        for shard, falls in self._fresh.items():
            if shard not in self.running:
                lo = min(fall.heard_at for fall in falls)
                self._ask(shard, lo, max(change.tick_at for change in changes), moment)
        return self._asked

    def _ask(self, shard: str, lo: datetime, known: datetime, moment: PassTime) -> None:
        number, stations = self._field.suspected.steady(
            shard, lo - self._margin, known + self._margin,
            untrusted=moment.untrusted, without=self._falling, most=SAMPLE,
        )  # fmt: skip
        self._asked[shard] = Asked(number, stations)

    def _falls(self, changes: Iterable[StationChange]) -> dict[str, list[Member]]:
        """What fell now and should have gone on, by shard."""
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

    def _should_have_gone_on(self, fall: Member, decided: datetime) -> bool:
        every = fall.missed_at - fall.heard_at
        deadline = max(decided, fall.heard_at + self.settings.missed * every)
        begin = fall.heard_at - self._margin
        return self._field.suspected.was_online(fall.station, begin) and self._field.schedule.is_expected_throughout(
            fall.station, begin, deadline + self._margin
        )

    def begin(self, peers: Mapping[str, Sequence[Peer]], moment: PassTime, registry: str) -> None:
        """Suspect a shard when what fell is nearly all of it; `peers` answers by shard what was wanted."""
        for shard, falls in sorted(self._fresh.items()):
            if shard not in self.running:
                self._begin(shard, falls, peers.get(shard, ()), moment, registry)

    def _begin(
        self, shard: str, fresh: Sequence[Member], peers: Sequence[Peer], moment: PassTime, registry: str
    ) -> None:
        lo, hi = min(fall.heard_at for fall in fresh), max(fall.missed_at for fall in fresh)
        down = [*fresh, *self._earlier(shard, lo, moment)]
        overdue, weight = [peer for peer in peers if peer.overdue], self._weight(shard)
        window = overlap(
            [
                *((one.heard_at, one.missed_at, 1.0) for one in down),
                *((one.began, one.until, weight) for one in overdue),
            ],
            lo,
            hi,
        )
        if window is None or any(window.touches(past.window) for past in self._past.get(shard, ())):
            return
        fallen = [one for one in down if window.spans(one.heard_at, one.missed_at)]
        missing = [one for one in overdue if window.meets(one)]
        fell = len(fallen) + round(weight * len(missing))
        counted = len(fallen) + self._asked[shard].number
        if fell < self.settings.least or fell < self.settings.share * counted:
            return
        self._open(
            Suspicion(
                shard=shard,
                opened_at=moment.now,
                window=window,
                began_at=min([*(one.missed_at for one in fallen), *(one.until for one in missing)]),
                known_at=moment.known,
                fell=fell,
                counted=counted,
                registry=registry,
            )
        )

    def _earlier(self, shard: str, since: datetime, moment: PassTime) -> list[Member]:
        """What fell before and is down since, but should have gone on."""
        found = [
            Member(station=station, heard_at=heard, missed_at=missed)
            for station, heard, missed in self._field.suspected.fallen(shard, since)
        ]
        return [fall for fall in found if self._should_have_gone_on(fall, moment.known)]

    def _weight(self, shard: str) -> float:
        """How many stations each that is asked about stands for."""
        asked = self._asked.get(shard)
        return asked.number / len(asked.stations) if asked and asked.stations else 0.0

    def _open(self, suspicion: Suspicion) -> None:
        self.running[suspicion.shard] = suspicion
        self._past.setdefault(suspicion.shard, []).append(suspicion)
        self._touch(suspicion)
        self._field.suspected.suspect(suspicion.shard, suspicion.window)

    def _touch(self, suspicion: Suspicion) -> None:
        self.touched[suspicion.shard, suspicion.opened_at] = suspicion

    # -- after a pass ------------------------------------------------------------------------------------------

    def follow(
        self,
        changes: Iterable[Changed],
        peers: Mapping[str, Sequence[Peer]],
        decisions: Mapping[str, datetime],
        moment: PassTime,
    ) -> None:
        """Note who fell with its shard and who came back, and what is over. `decisions`: when a person decided last
        that a shard is sound."""
        for changed in changes:
            self._note(changed)
        for shard, one in list(self.running.items()):
            self._recount(one, peers.get(shard, ()))
            decided = decisions.get(shard)
            if decided is not None and decided >= one.opened_at:
                self._end(one, PERSON, moment)
            elif 2 * self._silent(one, peers.get(shard, ())) <= one.fell:
                self._end(one, HALF_BACK, moment)
        for one in list(self._ending):
            self._release(one, moment)
        self._forget(moment)

    def _note(self, changed: Changed) -> None:
        station, home = changed.station, self._home.get(changed.station)
        if self._field.suspected.is_suspected(station):
            if home is None and changed.after is not None:
                self._join(changed)
        elif home is not None:
            after = changed.after
            self._leave(home, station, changed.at if after is None or after.since is None else after.since, True)

    def _join(self, changed: Changed) -> None:
        after, seen_at = changed.after, self._field.about(changed.station).seen_at
        suspicion = self.running.get((after.shard if after else None) or "")
        if suspicion is None or after is None or after.since is None:
            return
        member = Member(station=after.station, heard_at=seen_at or after.since, missed_at=after.since)
        suspicion.members[after.station] = member
        self._home[after.station] = suspicion
        self.moved.append((suspicion, member))

    def _leave(self, home: Suspicion, station: str, at: datetime, returned: bool) -> None:
        member = home.members.pop(station)
        member.ended_at, member.returned = max(at, member.missed_at), returned
        del self._home[station]
        self.moved.append((home, member))

    def _silent(self, one: Suspicion, peers: Sequence[Peer]) -> float:
        """How many are silent since that instant, of those that were called offline and those that are overdue."""
        overdue = sum(peer.overdue and one.window.meets(peer) for peer in peers)
        return len(one.members) + self._weight(one.shard) * overdue

    def _recount(self, one: Suspicion, peers: Sequence[Peer]) -> None:
        fell = round(self._silent(one, peers))
        if fell > one.fell:
            one.fell, one.counted = fell, max(one.counted, fell)
            self._touch(one)

    def _end(self, one: Suspicion, why: str, moment: PassTime) -> None:
        one.ended_at, one.ended_by = moment.known, why
        del self.running[one.shard]
        self._field.suspected.trust(one.shard)
        self._ending.append(one)
        self._touch(one)

    def _release(self, one: Suspicion, moment: PassTime) -> None:
        """Judge those whose time is up; while nobody knows how a station stands, it runs on."""
        for member in list(one.members.values()):
            if self._is_due(one, member, moment):
                self._field.suspected.release(member.station)
                self._leave(one, member.station, moment.known, False)
        if not one.members:
            self._ending.remove(one)

    def _is_due(self, one: Suspicion, member: Member, moment: PassTime) -> bool:
        clock = self._field.clock_of(member.station)
        if one.ended_at is None or (clock is not None and clock in moment.untrusted):
            return False
        resumed = self._field.about(member.station).resumed_at if member.station in self._field else None
        begin = one.ended_at if resumed is None else max(one.ended_at, resumed)
        every = member.missed_at - member.heard_at
        return begin + 2 * every + timedelta(seconds=self.settings.floor) <= moment.known

    def _forget(self, moment: PassTime) -> None:
        for shard, past in list(self._past.items()):
            self._past[shard] = [
                one for one in past if one.ended_at is None or one.members or one.ended_at > moment.known - REMEMBERED
            ]
            if not self._past[shard]:
                del self._past[shard]
