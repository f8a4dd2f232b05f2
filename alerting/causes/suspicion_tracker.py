"""The suspicions of shards: beginning, members and end. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from alerting.causes.evidence import Peer
from alerting.causes.suspicion_rules import MassFalls, MassSettings, Member, ShardSample, Suspicion
from alerting.pipeline.blind_incidents import SUSPECTED, Trouble
from alerting.stations.model import Changed, StationChange
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field

REMEMBERED: Final = timedelta(days=1)
"""How long after the end of a suspicion its instant is not suspected again."""
HALF_BACK: Final = "half_back"
PERSON: Final = "person"


class Suspicions:
    """The running suspicions. In each pass call `wanted`, look up the peers, call `begin`, and after the station rules
    `follow`."""

    def __init__(self, settings: MassSettings, field: Field) -> None:
        self.settings = settings
        self._field = field
        self._falls = MassFalls(settings, field)
        self.running: dict[str, Suspicion] = {}
        self._ending: list[Suspicion] = []
        self._home: dict[str, Suspicion] = {}
        self._past: dict[str, list[Suspicion]] = {}
        # To be stored: suspicions that changed, and members that joined or ended.
        self.touched: dict[tuple[str, datetime], Suspicion] = {}
        self.moved: list[tuple[Suspicion, Member]] = []

    def restore(self, suspicions: Iterable[Suspicion]) -> None:
        """Restore stored suspicions, also those that ended lately; call this before the field is read."""
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
        """The running suspicions as troubles of the pipeline."""
        return [
            Trouble(shard=one.shard, partition=None, since=one.began_at, cause=SUSPECTED)
            for one in self.running.values()
        ]

    # -- before a pass -----------------------------------------------------------------------------------------

    def wanted(self, changes: Sequence[StationChange], moment: PassTime) -> dict[str, ShardSample]:
        """The stations whose heartbeats to look up, by shard: shards with a fall in this pass, and suspected shards."""
        return self._falls.look(changes, self.running, moment)

    def begin(self, peers: Mapping[str, Sequence[Peer]], moment: PassTime, registry: str) -> None:
        """Suspect each shard of which nearly all stations fell; `peers`: by shard, the heartbeats of the stations that
        `wanted` returned."""
        for shard in self._falls.shards:
            if shard not in self.running:
                past = self._past.get(shard, ())
                found = self._falls.suspect(shard, peers.get(shard, ()), past, moment, registry)
                if found is not None:
                    self._open(found)

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
        """Note which stations fell with their shard and which came back, and end suspicions.

        `decisions`: by shard, the last time at which a person decided that the shard is sound.
        """
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
        """The number of stations that are silent since the common instant: members, plus overdue peers by weight."""
        overdue = sum(peer.overdue and one.window.meets(peer) for peer in peers)
        return len(one.members) + self._falls.weight(one.shard) * overdue

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
        """Release the members whose time to come back is over; a member on an untrusted clock stays unknown."""
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
