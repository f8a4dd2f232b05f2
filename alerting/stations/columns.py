"""The columns of the field: one row per station. Pure.

As in `alerting.liveness.columns`, a column is an `array` that numpy reads in place. What many stations share (area,
kind, uplink …) is one `Profile` for all of them.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np

from alerting.liveness.columns import UNKNOWN, LiveState
from alerting.stations.snapshot import IN_SERVICE, ClockName, Standing
from registry.closures.rules import Closure

NONE: Final = -1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NEVER: Final = -(2**63)

T = TypeVar("T")


def stamp_of(moment: datetime | None) -> int:
    """A time as microseconds since the epoch, for a column."""
    return _NEVER if moment is None else (moment - _EPOCH) // _MICROSECOND


def moment_of(stamp: int) -> datetime | None:
    return None if stamp == _NEVER else _EPOCH + timedelta(microseconds=stamp)


class Profile(NamedTuple):
    """What the registry says of a station and of many others."""

    area: str | None
    path: tuple[str, ...]
    kind: str | None
    isp: str | None
    feeder: str | None
    lifecycle: str
    programmes: tuple[str, ...]


ProfileFields = tuple[str | None, tuple[str, ...], str | None, str | None, str | None, str, tuple[str, ...]]


class _Names(Generic[T]):
    """Numbers for values that come again and again."""

    def __init__(self) -> None:
        self.names: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, name: T) -> int:
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self.names)
            self.names.append(name)
        return found

    def find(self, name: T) -> int | None:
        return self._numbers.get(name)


class Rows:
    """Columns by row; `index` finds the row of a station that is registered. Times in microseconds."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.ids: list[str] = []
        self.profile = array("i")
        self.serving = array("b")
        self.commissioned = array("q")
        self.calendar = array("q")
        self.open = array("b")
        self.state = array("b")
        self.since = array("q")
        self.seen = array("q")
        self.usable = array("b")
        self.clock = array("h")
        self.reason = array("h")
        self.silenced = array("b")
        self.excused = array("b")
        self.silence_ended = array("q")
        # Seconds; 0: nothing is known of it.
        self.every = array("f")
        # Fell with its shard, which is suspected: see `alerting.causes.shard_suspicion`.
        self.suspected = array("b")
        # Since when it is, or was last, online, as far as that was seen.
        self.online_since = array("q")
        # Since when those that are online and not usable are so; nearly none is.
        self._unusable: dict[int, datetime] = {}
        self._profiles: _Names[Profile] = _Names()
        self._clocks: _Names[ClockName] = _Names()
        self._reasons: _Names[str] = _Names()

    def add(self, station: str) -> int:
        """Append a station of which nothing is known yet."""
        row = len(self.ids)
        self.index[station] = row
        self.ids.append(station)
        self.profile.append(NONE)
        self.serving.append(0)
        self.commissioned.append(_NEVER)
        self.calendar.append(NONE)
        self.open.append(1)
        self.state.append(LiveState.NEVER_SEEN)
        self.since.append(_NEVER)
        self.seen.append(_NEVER)
        self.usable.append(UNKNOWN)
        self.clock.append(NONE)
        self.reason.append(NONE)
        self.silenced.append(0)
        self.excused.append(0)
        self.silence_ended.append(_NEVER)
        self.every.append(0.0)
        self.suspected.append(0)
        self.online_since.append(_NEVER)
        return row

    def remove(self, row: int) -> None:
        """The row stays, out of the index and of every calendar."""
        self._unusable.pop(row, None)
        self.suspected[row] = 0
        del self.index[self.ids[row]]
        self.calendar[row], self.clock[row], self.profile[row] = NONE, NONE, NONE

    def note_facts(self, row: int, profile: ProfileFields, calendar: int, commissioned: int) -> None:
        """`profile`: the fields of one; it equals the `Profile` that other stations have already."""
        number = self._profiles.find(profile)  # type: ignore[arg-type]
        self.profile[row] = self._profiles.number(Profile(*profile)) if number is None else number
        self.serving[row] = self.profile_of(row).lifecycle == IN_SERVICE
        self.calendar[row] = calendar
        self.commissioned[row] = commissioned

    def note_reason(self, row: int, reason: str | None) -> None:
        self.reason[row] = NONE if reason is None else self._reasons.number(reason)

    def note_unusable(self, row: int, since: datetime | None) -> None:
        """After the state and `usable` of a row: since when nobody can use it, if nobody can."""
        if self.state[row] == LiveState.ONLINE and self.usable[row] == 0 and since is not None:
            self._unusable[row] = since
        else:
            self._unusable.pop(row, None)

    def unusable_since(self, row: int) -> datetime | None:
        return self._unusable.get(row)

    def rest(self, row: int, clock: ClockName) -> None:
        self.clock[row] = self._clocks.number(clock)

    @property
    def profiles(self) -> list[Profile]:
        """By the numbers in the column `profile`; it only grows."""
        return self._profiles.names

    def clocks_of(self, shard: str) -> list[int]:
        """The numbers in the column `clock` that are of a shard."""
        return [number for number, clock in enumerate(self._clocks.names) if clock[1] == shard]

    def number_of(self, clock: ClockName) -> int:
        """The number of a clock in the column `clock`; NONE when no station rests on it."""
        found = self._clocks.find(clock)
        return NONE if found is None else found

    def profile_of(self, row: int) -> Profile:
        return self._profiles.names[self.profile[row]]

    def clock_of(self, row: int) -> ClockName | None:
        number = self.clock[row]
        return None if number == NONE else self._clocks.names[number]

    def reason_of(self, row: int) -> str | None:
        number = self.reason[row]
        return None if number == NONE else self._reasons.names[number]

    def works(self, row: int) -> bool:
        """As `Standing.working`."""
        return self.state[row] == LiveState.ONLINE and self.usable[row] != 0 and self.serving[row] == 1

    def working(self) -> Any:
        """`works` of all rows."""
        online = (self.view(self.state) == LiveState.ONLINE) & (self.view(self.usable) != 0)
        return online & (self.view(self.serving) == 1)

    def resting_on(self, clocks: Iterable[ClockName]) -> list[str]:
        numbers = [number for clock in clocks if (number := self._clocks.find(clock)) is not None]
        rows = np.flatnonzero(np.isin(self.view(self.clock), numbers)).tolist() if numbers else []
        return [self.ids[row] for row in rows]

    def of_shard(self, shard: str, state: LiveState) -> Any:
        """Which rows are in service, in a state, and rest on a clock of a shard."""
        of_clock = np.isin(self.view(self.clock), self.clocks_of(shard))
        return of_clock & (self.view(self.state) == state) & (self.view(self.serving) == 1)

    def turn(self, calendar: int, is_open: bool) -> list[int]:
        """Open or close the stations of a calendar that work; the rows of the others that are to follow."""
        view = self.view(self.open)
        turned = (self.view(self.calendar) == calendar) & (view != is_open)
        working = self.working()
        view[turned & working] = is_open
        idle: list[int] = np.flatnonzero(turned & ~working).tolist()
        return idle

    def of_scope(self, closure: Closure) -> list[int]:
        """The rows of the stations that a closure is for."""
        if closure.station is not None:
            row = self.index.get(closure.station)
            return [] if row is None else [row]
        names = enumerate(self._profiles.names)
        within = [n for n, profile in names if closure.area in profile.path or closure.programme in profile.programmes]
        found: list[int] = np.flatnonzero(np.isin(self.view(self.profile), within)).tolist()
        return found

    def repath(
        self, paths: Mapping[str, tuple[str, ...]], standing: Callable[[int], Standing]
    ) -> Iterator[tuple[int, Standing]]:
        """Give the stations of areas that moved their new paths; rows with how they stood before."""
        names = self._profiles.names
        moved = [n for n, profile in enumerate(names) if paths.get(profile.area or "", profile.path) != profile.path]
        for row in np.flatnonzero(np.isin(self.view(self.profile), moved)).tolist():
            before, profile = standing(row), self.profile_of(row)
            self.profile[row] = self._profiles.number(profile._replace(path=paths[profile.area or ""]))
            yield row, before

    def view(self, column: "array[Any]") -> Any:
        """A numpy view of a column; drop it before the next `add`, which would have to move the memory."""
        return np.frombuffer(column, dtype=_DTYPES[column.typecode])


_DTYPES: Final = {"b": np.int8, "h": np.int16, "i": np.int32, "q": np.int64}
