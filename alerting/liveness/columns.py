"""The terminals and stations of one partition, as columns (`alerting.liveness.arrays`). Pure."""

from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import repeat
from sys import intern
from typing import Any, Final

import numpy as np

from alerting.liveness.arrays import view
from alerting.liveness.boot_order import OtherBootsColumn
from contract.clocks import PipelineSeconds
from contract.messages import Heartbeat, Status

NEVER: Final = PipelineSeconds(float("inf"))
"""The deadline of a terminal that has none."""
UNKNOWN: Final = -1


class LiveState(IntEnum):
    """States of a terminal; stations use all but CONFLICTING.

    UNPROVEN: silent beyond its deadline, but gaps of the pipeline leave open whether heartbeats were lost in them.
    """

    NEVER_SEEN = 0
    ONLINE = 1
    AWAY = 2
    OFFLINE = 3
    CONFLICTING = 4
    UNPROVEN = 5

    @property
    def word(self) -> str:
        """The state as it is stored and sent."""
        return self.name.lower()


ONLINE: Final = int(LiveState.ONLINE)
"""The state as a plain number, for code that runs for every heartbeat or station: the enum would look it up."""
UP: Final = (LiveState.ONLINE, LiveState.CONFLICTING)
"""The states of a terminal that sends heartbeats."""
WORDS: Final = tuple(state.word for state in LiveState)
STATE_OF: Final = {state.word: state for state in LiveState}


def flag(value: bool | None) -> int:
    """A tri-state as a small number: None is UNKNOWN."""
    return UNKNOWN if value is None else int(value)


def unflag(value: int) -> bool | None:
    """The tri-state of a number that `flag` made."""
    return None if value == UNKNOWN else bool(value)


def conn_of(body: Heartbeat | Status) -> int:
    """The connection that a message names; UNKNOWN when the message names none, which equals no named connection."""
    return UNKNOWN if body.conn is None else body.conn


class Stations:
    """One row per station: its registration, its state, and the first of its terminals."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.ids: list[str] = []
        #: LiveState
        self.state = array("b")
        #: Since when it has its state, wall ms; 0: it was never judged.
        self.since = array("q")
        #: A `flag`.
        self.usable = array("b")
        #: How many of its terminals must be online; 0: not registered, so not judged.
        self.quorum = array("h")
        #: The row of its first terminal; -1: none. `Terminals.next` leads on to the others.
        self.first = array("i")
        #: The number of the shard through which its newest message came; -1: none yet.
        self.shard = array("h")

    def __len__(self) -> int:
        return len(self.ids)

    def add_station(self, station: str) -> int:
        """The row of a station, made when the station is new."""
        return self.rows([station])[0]

    def rows(self, stations: Sequence[str]) -> list[int]:
        """The row of each station, made for those that are new. It works by columns: there are 700,000 at a start."""
        index, known = self.index, len(self.ids)
        rows = [index.setdefault(station, len(index)) for station in stations]
        self.ids += dict.fromkeys(station for station, row in zip(stations, rows, strict=True) if row >= known)
        fresh: tuple[tuple[array[int], int], ...] = (
            (self.state, LiveState.NEVER_SEEN),
            (self.since, 0),
            (self.usable, UNKNOWN),
            (self.quorum, 0),
            (self.first, -1),
            (self.shard, -1),
        )
        for column, value in fresh:
            column.extend(repeat(value, len(index) - known))
        return rows


class Boots:
    """A column of boots. Those of up to eight bytes, as agents make them, are kept as numbers: as strings they would
    take seven times the memory, a tenth of all that a judge takes."""

    def __init__(self) -> None:
        self._packed = array("Q")
        self._others: dict[int, str] = {}

    def append(self, boot: str) -> None:
        """Add the boot of the next row; "" for none."""
        self.extend([boot])

    def extend(self, boots: Sequence[str]) -> None:
        """Add the boots of the next rows."""
        known = len(self._packed)
        self._packed.extend(map(_pack, boots))
        packed = self._packed[known:]
        self._others.update((row, boot) for row, boot in enumerate(boots, known) if boot and not packed[row - known])

    def __getitem__(self, row: int) -> str:
        packed = self._packed[row]
        return packed.to_bytes(8, "little").rstrip(b"\0").decode() if packed else self._others.get(row, "")

    def __setitem__(self, row: int, boot: str) -> None:
        self._packed[row] = packed = _pack(boot)
        if packed or not boot:
            self._others.pop(row, None)
        else:
            self._others[row] = boot

    def holds(self, row: int, boot: str) -> bool:
        """Whether `boot` is the boot of a row. Every heartbeat asks this, so the code of `_pack` is repeated here."""
        raw = boot.encode()
        packed = int.from_bytes(raw, "little") if len(raw) <= _PACKED else 0
        return self._packed[row] == packed and (packed != 0 or self._others.get(row, "") == boot)


_PACKED: Final = 8


def _pack(boot: str) -> int:
    """The boot as a number; 0: it is too long for that, or "". No name holds a NUL, so padding with NUL loses
    nothing."""
    raw = boot.encode()
    return int.from_bytes(raw, "little") if len(raw) <= _PACKED else 0


class Terminals:
    """One row per terminal."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        #: The row of its station.
        self.station = array("i")
        #: The row of the next terminal of the same station; -1: none.
        self.next = array("i")
        #: Whether it counts for the state of its station.
        self.counts = array("b")
        #: LiveState
        self.state = array("b")
        #: Since when it has its state, wall ms.
        self.since = array("q")
        #: The number of the shard through which it was heard last; -1: none yet.
        self.shard = array("h")
        #: Its current boot, and the numbers of the newest message of that boot.
        self.boot = Boots()
        self.run = array("q")
        self.conn = array("q")
        self.n = array("q")
        #: The interval that it promised last, s.
        self.every = array("d")
        #: When it was heard last: pipeline seconds of its shard, and wall ms.
        self.seen = array("d")
        self.seen_at = array("q")
        #: When its silence is judged next, pipeline seconds of its shard.
        self.deadline = array("d")
        #: A `flag`.
        self.usable = array("b")
        #: Whether a Last Will of the newest connection came after the last heartbeat.
        self.will = array("b")
        #: The users that it counted last; UNKNOWN: it did not report a number.
        self.users = array("q")
        self.other_boots = OtherBootsColumn()

    def __len__(self) -> int:
        return len(self.ids)

    def add_terminal(self, terminal: str, station: int, first: int) -> int:
        """Append a terminal that was never heard, and return its row. `first`: the first terminal of its station so
        far, -1 for none."""
        row = len(self.ids)
        self.ids.append(intern(terminal))  # nearly all are 001
        self.boot.append("")
        fresh: tuple[tuple[array[Any], float], ...] = (
            (self.station, station),
            (self.next, first),
            (self.counts, 1),
            (self.state, LiveState.NEVER_SEEN),
            (self.since, 0),
            (self.shard, -1),
            (self.run, -1),
            (self.conn, -1),
            (self.n, -1),
            (self.every, 0.0),
            (self.seen, 0.0),
            (self.seen_at, 0),
            (self.deadline, NEVER),
            (self.usable, UNKNOWN),
            (self.will, 0),
            (self.users, UNKNOWN),
        )
        for column, value in fresh:
            column.append(value)
        return row

    def extend(self, ids: Iterable[str], stations: Sequence[int], following: Sequence[int]) -> None:
        """Append many terminals that count. The caller extends every other column by as many."""
        self.ids += map(intern, ids)
        self.station.extend(stations)
        self.next.extend(following)
        self.counts.extend(repeat(1, len(stations)))

    def due_rows(self, shard: int, clock: PipelineSeconds) -> list[int]:
        """Rows of a shard whose deadline the clock has reached."""
        late = view(self.deadline) <= clock
        if not late.any():
            return []
        found: list[int] = np.flatnonzero(late & (view(self.shard) == shard)).tolist()
        return found

    def hold_stamps(self, shard: int, clock: PipelineSeconds) -> list[int]:
        """The clock of a shard stands still at `clock`, because an interval did not count: move the terminals that
        were heard later in that interval, with their deadlines, back to `clock`. Returns the rows that changed."""
        ahead: list[int] = np.flatnonzero((view(self.seen) > clock) & (view(self.shard) == shard)).tolist()
        for row in ahead:
            self.deadline[row] -= self.seen[row] - clock
            self.seen[row] = clock
        return ahead
