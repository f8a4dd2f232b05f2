"""Changes of state: of a terminal, and of its station, whose state is derived from its terminals'. Pure."""

import msgspec

from alerting.liveness.columns import ONLINE, UNKNOWN, UP, LiveState, flag, unflag
from alerting.liveness.model import Registration, Transition
from alerting.liveness.roster import Roster
from alerting.liveness.shards import Shard, Shards
from contract.clocks import WallMs

_DOWN = (LiveState.OFFLINE, LiveState.AWAY, LiveState.UNPROVEN)


class StateChanges:
    """Sets states, and collects the transitions and the rows that are to be saved.

    `dirty` and `dirty_stations` are emptied in place: the loop over heartbeats keeps `dirty` at hand.
    """

    def __init__(self, roster: Roster, shards: Shards) -> None:
        self.transitions: list[Transition] = []
        self.dirty: set[int] = set()
        self.dirty_stations: set[int] = set()
        self._roster = roster
        self._stations = roster.stations
        self._terminals = roster.terminals
        self._shards = shards

    def take_transitions(self) -> list[Transition]:
        """The transitions since the last call, in the order in which they were decided."""
        taken, self.transitions = self.transitions, []
        return taken

    def take_dirty(self) -> list[int]:
        """The rows of the terminals that changed since the last call, sorted."""
        rows = sorted(self.dirty)
        self.dirty.clear()
        return rows

    def take_dirty_stations(self) -> list[int]:
        """The rows of the stations that changed since the last call, sorted."""
        rows = sorted(self.dirty_stations)
        self.dirty_stations.clear()
        return rows

    def change(self, row: int, state: LiveState, at: WallMs, reason: str, deadline_at: WallMs | None = None) -> None:
        """Set the state of the terminal in `row`, dated no earlier than the state before, and judge its station."""
        t = self._terminals
        shard = self._shards.by_number[max(t.shard[row], 0)]
        before = LiveState(t.state[row])
        at = max(at, WallMs(t.since[row]))
        self.dirty.add(row)
        home = t.station[row]
        if before != state:
            t.state[row] = state
            t.since[row] = at
            self.transitions.append(
                Transition(
                    station=self._stations.ids[home],
                    terminal=t.ids[row],
                    before=before,
                    after=state,
                    usable=unflag(t.usable[row]),
                    at=at,
                    tick_at=max(shard.clock.tick_at, at),
                    deadline_at=deadline_at,
                    seen_at=WallMs(t.seen_at[row]) or None,
                    shard=shard.name,
                    reason=reason,
                )
            )
        self._judge_station(home, at, reason, shard, deadline_at)

    def register(self, home: int, registration: Registration, now: WallMs) -> None:
        """Take over what the registry says of the station in row `home`; `now` dates a change that follows from it."""
        self._roster.note_registration(home, registration)
        if self._stations.first[home] < 0 or self._is_as_its_terminal(home):
            return
        at = now if self._stations.since[home] else self._first_seen_at(home) or now
        self._judge_station(home, at, "registry", self._shard_of_station(home))

    def _is_as_its_terminal(self, home: int) -> bool:
        """Whether a station has one terminal, as nearly all have, and its state already."""
        s, t, row = self._stations, self._terminals, self._stations.first[home]
        if row < 0 or t.next[row] >= 0 or not t.counts[row] or s.quorum[home] != 1:
            return False
        usable = t.usable[row] if s.state[home] == ONLINE else UNKNOWN
        return s.state[home] == t.state[row] and s.usable[home] == usable

    def _judge_station(
        self, home: int, at: WallMs, reason: str, shard: Shard, deadline_at: WallMs | None = None
    ) -> None:
        """Derive the state of a registered station from its terminals; a change is a transition of its own."""
        s = self._stations
        if s.quorum[home] == 0:
            return
        members = self._members(home)
        state, usable = _station_state(members, s.quorum[home])
        before = LiveState(s.state[home])
        if state == before and flag(usable) == s.usable[home]:
            return
        if before is LiveState.ONLINE and state in _DOWN:
            at = _quorum_lost_at(members, s.quorum[home])
        at = max(at, WallMs(s.since[home]))
        s.state[home], s.usable[home], s.since[home] = state, flag(usable), at
        self.dirty_stations.add(home)
        self.transitions.append(
            Transition(
                station=s.ids[home],
                terminal=None,
                before=before,
                after=state,
                usable=usable,
                at=at,
                tick_at=max(shard.clock.tick_at, at),
                deadline_at=deadline_at,
                seen_at=max((member.seen_at for member in members), default=WallMs(0)) or None,
                shard=shard.name,
                reason=reason if state != before else "usable",
            )
        )

    def _members(self, home: int) -> list["_CountingTerminal"]:
        """The counting terminals of a station."""
        t = self._terminals
        return [
            _CountingTerminal(
                LiveState(t.state[row]), WallMs(t.since[row]), unflag(t.usable[row]), WallMs(t.seen_at[row])
            )
            for row in self._roster.rows_of(home)
            if t.counts[row]
        ]

    def _first_seen_at(self, home: int) -> WallMs:
        """When the first terminal of a station that was not judged yet came online; 0 for never."""
        seen = (member.since for member in self._members(home) if member.state is not LiveState.NEVER_SEEN)
        return min(seen, default=WallMs(0))

    def _shard_of_station(self, home: int) -> Shard:
        row = self._stations.first[home]
        number = self._terminals.shard[row] if row >= 0 else -1
        return self._shards.by_number[max(number, 0)]


class _CountingTerminal(msgspec.Struct, frozen=True):
    """A counting terminal, for the judgement of its station. `since`: since when it has its state."""

    state: LiveState
    since: WallMs
    usable: bool | None
    seen_at: WallMs


def _station_state(members: list[_CountingTerminal], quorum: int) -> tuple[LiveState, bool | None]:
    """The station's state, and whether a visitor can use it (None: no terminal reports it, or the station is not
    online).

    A conflicting terminal counts: something answers at the station, and the conflict has an incident of its own.
    """
    online = [member for member in members if member.state in UP]
    if len(online) >= quorum:
        words = {member.usable for member in online}
        return LiveState.ONLINE, True if True in words else False if False in words else None
    unproven = sum(member.state is LiveState.UNPROVEN for member in members)
    if unproven and len(online) + unproven >= quorum:
        return LiveState.UNPROVEN, None
    away = sum(member.state is LiveState.AWAY for member in members)
    if away and len(online) + away >= quorum:
        return LiveState.AWAY, None
    if unproven and len(online) + away + unproven >= quorum:
        return LiveState.UNPROVEN, None
    if all(member.state is LiveState.NEVER_SEEN for member in members):
        return LiveState.NEVER_SEEN, None
    return LiveState.OFFLINE, None


def _quorum_lost_at(members: list[_CountingTerminal], quorum: int) -> WallMs:
    """When fewer than `quorum` were online: the end of the quorum-th longest lasting terminal.

    Ends are dated back, so the terminal that was found offline last need not be the one that was heard last.
    """
    online = sum(member.state in UP for member in members)
    down = (member for member in members if member.state not in UP and member.state is not LiveState.NEVER_SEEN)
    ends = sorted((member.since for member in down), reverse=True)
    place = quorum - online - 1
    return ends[min(place, len(ends) - 1)] if ends else WallMs(0)
