"""The judges of all partitions on simulated time: they may stand still, and be restarted from what they stored."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from alerting.clock import ClockState
from alerting.judge_store import _memory_text, _restore_terminal
from alerting.liveness import LivenessSettings, PartitionLiveness, Registration, ShardGap, Transition
from alerting.verdict import Clock
from contract.log import LiveEntry


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


class Judge:
    """One partition: its log, how far it was read, and what was decided."""

    def __init__(self, partition: int, settings: LivenessSettings) -> None:
        self.partition = partition
        self.live = PartitionLiveness(settings)
        self.unread: deque[tuple[str, LiveEntry]] = deque()
        self.transitions: list[Transition] = []
        self.gaps: list[ShardGap] = []
        self.judged_at = 0

    def judge(self, now: int, registered: Mapping[str, Registration]) -> None:
        """Read the log to its end; `now` is wall ms."""
        live = self.live
        while self.unread:
            live.apply(*self.unread.popleft())
            if live.strangers:
                self._register(registered)
        transitions, gaps = live.take()
        self.transitions += transitions
        self.gaps += gaps
        self.judged_at = now

    def _register(self, registered: Mapping[str, Registration]) -> None:
        strangers, self.live.strangers = self.live.strangers, {}
        for station in strangers:
            if station in registered:
                self.live.register(station, registered[station], self.live.newest_tick_at())

    def restart(self, registered: Mapping[str, Registration]) -> None:
        self.live = restarted(self.live, registered)

    def word_of(self, station: str) -> tuple[str | None, str | None]:
        """The state of a station, and the shard through which it was heard last; None for one never heard."""
        live = self.live
        row = live.stations.index.get(station)
        if row is None:
            return None, None
        newest = max(live._terminals_of(row), key=lambda terminal: live.terminals.seen_at[terminal])
        number = live.terminals.shard[newest]
        return live.station_word(row), live.shards[number].name if number >= 0 else None

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
            for name, clock in self.live.clocks().items()
            if clock.tick_at
        ]


def restarted(live: PartitionLiveness, registered: Mapping[str, Registration]) -> PartitionLiveness:
    """What a judge knows after a restart: as much as its store's rows hold."""
    new = PartitionLiveness(live.settings)
    for name, clock in live.clocks().items():
        new.shard(name, msgspec.json.decode(msgspec.json.encode(clock.state), type=ClockState))
    for row in range(len(live.terminals)):
        _restore_terminal(new, _row_of(live, row))  # type: ignore[arg-type]
    for number, station in enumerate(live.stations.ids):
        row = new.station(station)
        new.stations.state[row] = live.stations.state[number]
        new.stations.since[row] = live.stations.since[number]
        new.stations.usable[row] = live.stations.usable[number]
        if station in registered:
            new.register(station, registered[station], new.newest_tick_at())
    new.transitions, new.gaps, new.strangers = [], [], {}
    return new


def _row_of(live: PartitionLiveness, row: int) -> dict[str, Any]:
    t = live.terminals
    memory = _memory_text(live, row)
    when: Callable[[int], datetime | None] = lambda ms: moment(ms) if ms else None  # noqa: E731
    return {
        "station": live.stations.ids[t.station[row]],
        "terminal": t.ids[row],
        "shard": live.shards[t.shard[row]].name if t.shard[row] >= 0 else "",
        "state": live.state_word(row),
        "since": when(t.since[row]),
        "seen_at": when(t.seen_at[row]),
        "boot": t.boot[row],
        "run": t.run[row],
        "conn": t.conn[row],
        "n": t.n[row],
        "every": t.every[row],
        "seen": t.seen[row],
        "deadline": t.deadline[row],
        "usable": None if t.usable[row] < 0 else bool(t.usable[row]),
        "users": None if t.users[row] < 0 else t.users[row],
        "memory": None if memory is None else msgspec.json.decode(memory),
    }
