"""The terminals of a made-up history: what the bridge of a shard writes into the log, minute by minute. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from zlib import crc32

from contract.clocks import MonotonicMs, WallMs
from contract.log import HeartbeatEntry, LiveEntry, StatusEntry, Tick
from contract.messages import Heartbeat, Status
from milepost.history.plan import DAY, TODAY, HistoryPlan, PlannedStation, switches

EVERY: Final = 15
"""Minutes between two heartbeats."""
TICKS: Final = 3
"""Minutes between two ticks."""
MINUTE: Final = 60_000
TERMINAL: Final = "001"
START: Final = "made-up"
"""The one start of the bridge."""


def boot_of(station: str) -> str:
    """The one boot of the terminal of a station; it says goodbye at the end."""
    return f"{crc32(station.encode()):08x}"


class MadeUpTerminal:
    """The terminal 001 of a station: why it is not heard, and what it counted."""

    def __init__(self, station: PlannedStation) -> None:
        self.station = station
        self.boot = boot_of(station.id)
        self.silent = 0
        self.asleep = False
        self.broken = 0
        self.conn = self.n = 0
        self.slot = -1

    @property
    def is_heard(self) -> bool:
        """Whether its messages arrive."""
        return not self.silent and not self.asleep


class MadeUpShard:
    """All terminals of a plan, and the bridge of their shard. `epoch`: the first midnight, wall ms."""

    def __init__(self, plan: HistoryPlan, *, shard: str, epoch: WallMs) -> None:
        self._plan, self._shard, self._epoch = plan, shard, epoch
        self.terminals = {each.id: MadeUpTerminal(each) for each in plan.stations}
        self._slots: list[dict[str, MadeUpTerminal]] = [{} for _ in range(EVERY)]
        self._acts: dict[int, list[tuple[str, str]]] = defaultdict(list)
        self._seq = 0
        for fault in plan.faults:
            begins, ends = ("break", "mend") if fault.is_heard else ("fall", "rise")
            self._acts[fault.begin].append((begins, fault.station))
            self._acts[fault.end].append((ends, fault.station))
        for each in plan.stations:
            self._acts[0].append(("wake", each.id))
            for day in range((plan.end - TODAY) // DAY):
                times = switches(each, day)
                if times is not None:
                    self._acts[times[0]].append(("wake", each.id))
                    self._acts[times[1]].append(("sleep", each.id))
            self._acts[(plan.end - TODAY) // DAY * DAY].append(("wake", each.id))

    def minute(self, now: int) -> Iterator[tuple[str, LiveEntry]]:
        """What is written in a minute: (station, entry), a tick last. Nothing while the platform is blind."""
        blind = any(begin <= now < end for begin, end in self._plan.gaps)
        for act, station in self._acts.pop(now, ()):
            yield from self._do(act, self.terminals[station], now, blind=blind)
        for station, terminal in self._slots[now % EVERY].items():
            terminal.n += 1
            if not blind:
                yield station, self._heartbeat(terminal, now)
        if not blind and now % TICKS == 0:
            yield "", self._tick(now)

    def farewell(self, now: int) -> Iterator[tuple[str, LiveEntry]]:
        """The end of the history: each terminal that is heard says that it restarts."""
        for terminal in self.terminals.values():
            if terminal.is_heard:
                yield terminal.station.id, self._away(terminal, now, "update", 30 * MINUTE)
        yield "", self._tick(now)

    def _do(self, act: str, terminal: MadeUpTerminal, now: int, *, blind: bool) -> Iterator[tuple[str, LiveEntry]]:
        if act == "sleep" and terminal.is_heard and not blind:
            times = switches(terminal.station, now // DAY + 1)
            yield terminal.station.id, self._away(terminal, now, "closing", ((times or (now,))[0] - now) * MINUTE)
        if act in ("sleep", "wake"):
            terminal.asleep = act == "sleep"
        terminal.silent += {"fall": 1, "rise": -1}.get(act, 0)
        terminal.broken += {"break": 1, "mend": -1}.get(act, 0)
        self._settle(terminal, now)

    def _settle(self, terminal: MadeUpTerminal, now: int) -> None:
        """A terminal that can be heard again connects, and sends from this minute on."""
        if terminal.is_heard and terminal.slot < 0:
            terminal.conn += 1
            terminal.slot = now % EVERY
            self._slots[terminal.slot][terminal.station.id] = terminal
        elif not terminal.is_heard and terminal.slot >= 0:
            del self._slots[terminal.slot][terminal.station.id]
            terminal.slot = -1

    def _heartbeat(self, terminal: MadeUpTerminal, now: int) -> HeartbeatEntry:
        at = WallMs(self._epoch + now * MINUTE)
        return HeartbeatEntry(
            terminal=TERMINAL,
            shard=self._shard,
            start=START,
            received=at,
            mono=MonotonicMs(now * MINUTE),
            body=Heartbeat(
                v=1, boot=terminal.boot, run=1, conn=terminal.conn, n=terminal.n, at=at, every=EVERY * 60.0,
                usable=not terminal.broken,
            ),
        )  # fmt: skip

    def _away(self, terminal: MadeUpTerminal, now: int, reason: str, for_ms: int) -> StatusEntry:
        at = WallMs(self._epoch + now * MINUTE)
        terminal.n += 1
        return StatusEntry(
            terminal=TERMINAL,
            shard=self._shard,
            start=START,
            received=at,
            mono=MonotonicMs(now * MINUTE),
            body=Status(
                v=1, boot=terminal.boot, run=1, conn=terminal.conn, n=terminal.n, state="away", at=at,
                reason=reason, back_by=WallMs(at + for_ms),
            ),
        )  # fmt: skip

    def _tick(self, now: int) -> Tick:
        self._seq += 1
        return Tick(
            shard=self._shard, bridge=START, start=START, seq=self._seq, at=WallMs(self._epoch + now * MINUTE),
            mono=MonotonicMs(now * MINUTE), whole=self._seq > 1,
        )  # fmt: skip
