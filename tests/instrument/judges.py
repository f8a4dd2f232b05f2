"""The judges of all partitions on simulated time; they can be frozen, and restarted from their stored rows."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from alerting.liveness.columns import unflag
from alerting.liveness.model import LivenessSettings, Registration, ShardGap, Transition
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.pipeline_clock import ClockState
from alerting.liveness.stored_rows import memory_text, restore_terminals
from alerting.pipeline.blind_incidents import PipelineGap
from alerting.stations.model import StationChange
from alerting.stations.snapshot import ClockName
from alerting.stations.verdict import Clock
from contract.log import LiveEntry


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


class Judge:
    """The judge of one partition: the unread entries of its log, and its decisions."""

    def __init__(self, partition: int, settings: LivenessSettings) -> None:
        self.partition = partition
        self.live = PartitionLiveness(settings)
        self.unread: deque[tuple[str, LiveEntry]] = deque()
        # Transitions of stations (not of terminals) as rows of the database; `seq` is the place in this list, from 1.
        self.changes: list[StationChange] = []
        self.gaps: list[ShardGap] = []
        self.judged_at = 0

    def judge(self, now: int, registered: Mapping[str, Registration]) -> None:
        """Read the log to its end; `now` is wall ms."""
        live = self.live
        while self.unread:
            live.apply(*self.unread.popleft())
            if live.roster.strangers:
                self._register(registered)
        transitions, gaps = live.take_decided()
        self.changes += self._rows(transitions)
        self.gaps += gaps
        self.judged_at = now

    def _rows(self, transitions: Iterable[Transition]) -> list[StationChange]:
        own = [one for one in transitions if one.terminal is None]
        return [change_of(one, self.partition, number) for number, one in enumerate(own, len(self.changes) + 1)]

    def _register(self, registered: Mapping[str, Registration]) -> None:
        strangers = self.live.roster.take_strangers()
        for station in strangers:
            if station in registered:
                self.live.register(station, registered[station], self.live.shards.newest_tick_at())

    def restart(self, registered: Mapping[str, Registration]) -> None:
        self.live = restarted(self.live, registered)

    def word_of(self, station: str) -> tuple[str | None, str | None]:
        """(state, shard of the last heartbeat) of a station; None for a station without any heartbeat."""
        live = self.live
        row = live.stations.index.get(station)
        if row is None:
            return None, None
        number = live.stations.shard[row]
        return live.station_word(row), live.shards.by_number[number].name if number >= 0 else None

    def usable_of(self, station: str) -> bool | None:
        row = self.live.stations.index.get(station)
        return None if row is None else unflag(self.live.stations.usable[row])

    def clocks(self) -> list[Clock]:
        return [
            Clock(
                partition=self.partition,
                shard=name,
                clock=clock.clock,
                tick_at=moment(clock.tick_at),
                judged_at=moment(self.judged_at),
                blind_since=None if clock.state.blind_since is None else moment(clock.state.blind_since),
            )
            for name, clock in self.live.shards.clocks().items()
            if clock.tick_at
        ]


class Committed:
    """The rows of all judges, as the incident process reads them from the database: the Source of a scenario."""

    def __init__(self, judges: Sequence[Judge], homes: Callable[[str], int]) -> None:
        self._judges = judges
        self._home = homes

    def clocks(self) -> list[Clock]:
        return [clock for judge in self._judges for clock in judge.clocks()]

    def changes(self, read: Mapping[int, int]) -> list[StationChange]:
        return [one for judge in self._judges for one in judge.changes[read.get(judge.partition, 0) :]]

    def gaps(self, read: dict[int, int]) -> list[PipelineGap]:
        found = []
        for judge in self._judges:
            found += [gap_of(one, judge.partition) for one in judge.gaps[read.get(judge.partition, 0) :]]
            read[judge.partition] = len(judge.gaps)
        return found

    def heard_through(self, read: int) -> tuple[int, dict[str, ClockName]]:
        found = {}
        for judge in self._judges:
            for station in judge.live.stations.index:
                _, shard = judge.word_of(station)
                if shard is not None:
                    found[station] = (judge.partition, shard)
        return 0, found

    def promises(self, stations: Iterable[str]) -> dict[str, float]:
        """The interval (s) of each station's slowest terminal."""
        found = ((station, promise_of(self._judges[self._home(station)].live, station)) for station in stations)
        return {station: every for station, every in found if every}

    def peers(self, stations: Iterable[str], floor: float | None = None) -> dict[str, tuple[datetime, datetime, bool]]:
        return {
            station: peer
            for station in stations
            if (peer := peer_of(self._judges[self._home(station)].live, station, floor)) is not None
        }


def promise_of(live: PartitionLiveness, station: str) -> float:
    """The interval (s) of a station's slowest terminal; 0: no heartbeat came."""
    row = live.stations.index.get(station)
    return 0.0 if row is None else max((live.terminals.every[one] for one in live.roster.rows_of(row)), default=0.0)


def peer_of(live: PartitionLiveness, station: str, floor: float | None) -> tuple[datetime, datetime, bool] | None:
    """(last heartbeat, next heartbeat due, whether each terminal is overdue or its Last Will came) of a station.

    `floor`: a terminal whose last heartbeat came before a gap has two intervals and `floor` seconds after the gap.
    """
    row = live.stations.index.get(station)
    if row is None:
        return None
    t = live.terminals
    heard = [one for one in live.roster.rows_of(row) if t.seen_at[one] and live.state_word(one) in _HEARD]
    if not heard:
        return None
    overdue = all(live.state_word(one) == "offline" or t.will[one] or _is_overdue(live, one, floor) for one in heard)
    until = max(t.seen_at[one] + round(t.every[one] * 1000) for one in heard)
    return moment(max(t.seen_at[one] for one in heard)), moment(until), overdue


def _is_overdue(live: PartitionLiveness, row: int, floor: float | None) -> bool:
    t, state = live.terminals, live.shards.by_number[live.terminals.shard[row]].clock.state
    rests = floor is not None and t.seen[row] <= state.stretch_from
    had_time = not rests or state.clock - state.stretch_from >= 2 * t.every[row] + (floor or 0)
    return t.seen[row] + t.every[row] < state.clock and had_time


_HEARD = ("online", "offline", "conflicting")


def change_of(one: Transition, partition: int, seq: int) -> StationChange:
    """A transition as a row that the incident process reads."""
    return StationChange(
        station=one.station,
        before=one.before.word,
        after=one.after.word,
        at=moment(one.at),
        tick_at=moment(one.tick_at),
        reason=one.reason,
        partition=partition,
        seq=seq,
        usable=one.usable,
        seen_at=None if one.seen_at is None else moment(one.seen_at),
        shard=one.shard,
    )


def gap_of(one: ShardGap, partition: int) -> PipelineGap:
    return PipelineGap(
        shard=one.shard,
        partition=partition,
        began_at=moment(one.gap.began_at),
        ended_at=moment(one.gap.ended_at),
        reason=one.gap.reason,
    )


def restarted(live: PartitionLiveness, registered: Mapping[str, Registration]) -> PartitionLiveness:
    """A judge after a restart: its state is restored from the stored rows."""
    new = PartitionLiveness(live.settings)
    for name, clock in live.shards.clocks().items():
        new.shards.number_of(name, msgspec.json.decode(msgspec.json.encode(clock.state), type=ClockState))
    if len(live.terminals):
        restore_terminals(new, [_row_of(live, row) for row in range(len(live.terminals))])
    for number, station in enumerate(live.stations.ids):
        row = new.roster.station(station)
        new.stations.state[row] = live.stations.state[number]
        new.stations.since[row] = live.stations.since[number]
        new.stations.usable[row] = live.stations.usable[number]
        if live.stations.shard[number] >= 0:
            new.stations.shard[row] = new.shards.number_of(live.shards.by_number[live.stations.shard[number]].name)
        if station in registered:
            new.register(station, registered[station], new.shards.newest_tick_at())
    new.take_decided()
    new.roster.take_strangers()
    return new


def _row_of(live: PartitionLiveness, row: int) -> tuple[Any, ...]:
    """A terminal's row, as `load_terminals` reads it."""
    t = live.terminals
    return (
        live.stations.ids[t.station[row]],
        t.ids[row],
        live.shards.by_number[t.shard[row]].name if t.shard[row] >= 0 else "",
        live.state_word(row),
        t.since[row],
        t.seen_at[row],
        t.boot[row],
        t.run[row],
        t.conn[row],
        t.n[row],
        t.every[row],
        t.seen[row],
        t.deadline[row],
        t.usable[row],
        t.users[row],
        memory_text(live, row),
    )
