"""The terminals and stations of one partition, as columns. Pure.

National scale is 700,000 stations; a Python object each would cost gigabytes and a scan tens of milliseconds.
A column is an `array` (fast for one element) that numpy reads in place (fast for all).
"""

from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import repeat
from sys import intern
from typing import Any, Final

import numpy as np

from alerting.liveness.boot_order import Memories
from contract.messages import Heartbeat, Status

NEVER: Final = float("inf")
UNKNOWN: Final = -1


class State(IntEnum):
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
        return self.name.lower()


WORDS: Final = tuple(state.word for state in State)
STATE_OF: Final = {state.word: state for state in State}


def flag(value: bool | None) -> int:
    """A tri-state as a small number: None is UNKNOWN."""
    return UNKNOWN if value is None else int(value)


def unflag(value: int) -> bool | None:
    return None if value == UNKNOWN else bool(value)


def conn_of(body: Heartbeat | Status) -> int:
    """The connection that a message names as a number: one that names none is UNKNOWN, and so only like itself."""
    return UNKNOWN if body.conn is None else body.conn


class Stations:
    """One row per station: its registration, its state, and the first of its terminals."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.ids: list[str] = []
        self.state = array("b")
        self.since = array("q")
        self.usable = array("b")
        # 0: not registered, so not judged.
        self.quorum = array("h")
        self.first = array("i")
        # Through which its newest sign came; -1: none yet.
        self.shard = array("h")

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, station: str) -> int:
        return self.rows([station])[0]

    def rows(self, stations: Sequence[str]) -> list[int]:
        """The row of each station, made for those that are new: by columns, for there are 700,000 at a start."""
        index, known = self.index, len(self.ids)
        rows = [index.setdefault(station, len(index)) for station in stations]
        self.ids += dict.fromkeys(station for station, row in zip(stations, rows, strict=True) if row >= known)
        fresh: tuple[tuple[array[int], int], ...] = (
            (self.state, State.NEVER_SEEN),
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
    take seven times the room, which is a tenth of all that a judge takes."""

    def __init__(self) -> None:
        self._packed = array("Q")
        self._others: dict[int, str] = {}

    def append(self, boot: str) -> None:
        self.extend([boot])

    def extend(self, boots: Sequence[str]) -> None:
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
        """Whether it is the boot of a row; what each heartbeat asks."""
        raw = boot.encode()
        packed = int.from_bytes(raw, "little") if len(raw) <= _PACKED else 0  # as `_pack`, without another call
        return self._packed[row] == packed and (packed != 0 or self._others.get(row, "") == boot)


_PACKED: Final = 8


def _pack(boot: str) -> int:
    """0: it is kept as it is, being longer, or none. No name holds a NUL, so nothing is lost by padding."""
    raw = boot.encode()
    return int.from_bytes(raw, "little") if len(raw) <= _PACKED else 0


class Terminals:
    """One row per terminal. Clock values in pipeline seconds, wall times in ms."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.station = array("i")
        self.next = array("i")
        self.counts = array("b")
        self.state = array("b")
        self.since = array("q")
        self.shard = array("h")
        self.boot = Boots()
        self.run = array("q")
        self.conn = array("q")
        self.n = array("q")
        self.every = array("d")
        self.seen = array("d")
        self.seen_at = array("q")
        self.deadline = array("d")
        self.usable = array("b")
        # A Last Will of the newest connection came after the last heartbeat.
        self.will = array("b")
        self.users = array("q")
        self.memory = Memories()

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, terminal: str, station: int, first: int) -> int:
        """Append a terminal that was never heard; `first` is the station's list head so far."""
        row = len(self.ids)
        self.ids.append(intern(terminal))  # nearly all are 001
        self.boot.append("")
        fresh: tuple[tuple[array[Any], float], ...] = (
            (self.station, station),
            (self.next, first),
            (self.counts, 1),
            (self.state, State.NEVER_SEEN),
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
        """Append many that count; every other column is the caller's to extend by as many."""
        self.ids += map(intern, ids)
        self.station.extend(stations)
        self.next.extend(following)
        self.counts.extend(repeat(1, len(stations)))

    def view(self, column: "array[Any]") -> Any:
        """A numpy view of a column; drop it before the next `add`, which would have to move the memory."""
        return np.frombuffer(column, dtype=_DTYPES[column.typecode])

    def due(self, shard: int, clock: float) -> list[int]:
        """Rows of a shard whose deadline the clock has reached."""
        late = self.view(self.deadline) <= clock
        if not late.any():
            return []
        found: list[int] = np.flatnonzero(late & (self.view(self.shard) == shard)).tolist()
        return found

    def hold_stamps(self, shard: int, clock: float) -> list[int]:
        """Take back what stamps foresaw of an interval that did not count: nobody was heard later than `clock`.

        Returns the rows changed.
        """
        ahead: list[int] = np.flatnonzero((self.view(self.seen) > clock) & (self.view(self.shard) == shard)).tolist()
        for row in ahead:
            self.deadline[row] -= self.seen[row] - clock
            self.seen[row] = clock
        return ahead


_DTYPES: Final = {"b": np.int8, "h": np.int16, "i": np.int32, "q": np.int64, "d": np.float64}
