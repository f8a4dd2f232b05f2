"""The columns of the table of stations (`alerting.liveness.arrays`): one row per station. Pure.

What many stations share (area, kind, uplink …) is one `Profile` for all of them.
"""

from array import array
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar

from alerting.liveness.columns import STATE_OF, UNKNOWN, WORDS, LiveState, flag, unflag
from alerting.stations.model import Judged
from alerting.stations.snapshot import IN_SERVICE, UNPROVEN, ClockName, Standing
from alerting.stations.stamps import LONG_AGO, moment_of, stamp_of

NONE: Final = -1
"""No number, in a column of numbers."""

T = TypeVar("T")


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


class Numbering(Generic[T]):
    """Numbers for values that many rows share: a column holds the number in place of the value."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, value: T) -> int:
        """The number of a value, made when the value is new."""
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = len(self.values)
            self.values.append(value)
        return found

    def find(self, value: T) -> int | None:
        """The number of a value; None: no row ever had it."""
        return self._numbers.get(value)


class StationColumns:
    """Columns by row; `index` finds the row of a station that is registered. Moments are stamps."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.ids: list[str] = []
        #: The number of its Profile.
        self.profile = array("i")
        #: Whether it is in service.
        self.serving = array("b")
        self.commissioned = array("q")
        #: The id of its calendar; NONE: it is always open.
        self.calendar = array("q")
        self.open = array("b")
        #: LiveState, and since when.
        self.state = array("b")
        self.since = array("q")
        #: The last heartbeat before the state.
        self.seen = array("q")
        #: A `flag`.
        self.usable = array("b")
        #: The number of the clock that the state rests on.
        self.clock = array("h")
        #: The number of the reason for the state.
        self.reason = array("h")
        #: Whether a declared closure holds, and whether an approved one does.
        self.silenced = array("b")
        self.excused = array("b")
        #: When the last closure ended.
        self.silence_ended = array("q")
        #: The interval of its slowest terminal, s; 0: not known.
        self.every = array("f")
        #: Fell with its shard, which is suspected: see `alerting.causes.suspicion_rules`.
        self.suspected = array("b")
        #: Since when it is, or was last, online, as far as that was seen.
        self.online_since = array("q")
        # By row: since when the station is online and not usable; few stations are.
        self._unusable: dict[int, datetime] = {}
        self._profiles: Numbering[Profile] = Numbering()
        self._clocks: Numbering[ClockName] = Numbering()
        self._reasons: Numbering[str] = Numbering()

    def add_station(self, station: str) -> int:
        """Append a station of which nothing is known yet, and return its row."""
        row = len(self.ids)
        self.index[station] = row
        self.ids.append(station)
        self.profile.append(NONE)
        self.serving.append(0)
        self.commissioned.append(LONG_AGO)
        self.calendar.append(NONE)
        self.open.append(1)
        self.state.append(LiveState.NEVER_SEEN)
        self.since.append(LONG_AGO)
        self.seen.append(LONG_AGO)
        self.usable.append(UNKNOWN)
        self.clock.append(NONE)
        self.reason.append(NONE)
        self.silenced.append(0)
        self.excused.append(0)
        self.silence_ended.append(LONG_AGO)
        self.every.append(0.0)
        self.suspected.append(0)
        self.online_since.append(LONG_AGO)
        return row

    def remove_station(self, row: int) -> None:
        """Take a station out. Its row stays, out of the index and of every calendar."""
        self._unusable.pop(row, None)
        self.suspected[row] = 0
        del self.index[self.ids[row]]
        self.calendar[row], self.clock[row], self.profile[row] = NONE, NONE, NONE

    # -- what is written into a row ----------------------------------------------------------------------------

    def note_facts(self, row: int, profile: ProfileFields, calendar: int, commissioned: int) -> None:
        """What the registry says. `profile`: the fields of one, which equals a Profile that other stations have."""
        number = self._profiles.find(profile)  # type: ignore[arg-type]
        self.profile[row] = self._profiles.number(Profile(*profile)) if number is None else number
        self.serving[row] = self.profile_of(row).lifecycle == IN_SERVICE
        self.calendar[row] = calendar
        self.commissioned[row] = commissioned

    def note_path(self, row: int, path: tuple[str, ...]) -> None:
        """The area of a station lies elsewhere in the tree."""
        self.profile[row] = self._profiles.number(self.profile_of(row)._replace(path=path))

    def note_judged(self, row: int, judged: Judged) -> None:
        """What the judges decided. Raises KeyError for a state that does not exist."""
        self.state[row] = STATE_OF[judged.state]
        self.since[row] = stamp_of(judged.since)
        self.seen[row] = stamp_of(judged.seen_at)
        self.usable[row] = flag(judged.usable)
        if self.state[row] == LiveState.ONLINE:
            self.online_since[row] = self.since[row]
        since = judged.unusable_since or judged.since
        if self.state[row] == LiveState.ONLINE and self.usable[row] == 0 and since is not None:
            self._unusable[row] = since
        else:
            self._unusable.pop(row, None)
        self.reason[row] = NONE if judged.reason is None else self._reasons.number(judged.reason)
        if judged.shard is not None:
            self.note_clock(row, (judged.partition, judged.shard))

    def note_clock(self, row: int, clock: ClockName) -> None:
        """The state of a station rests on this clock."""
        self.clock[row] = self._clocks.number(clock)

    # -- what is read from a row -------------------------------------------------------------------------------

    def profile_of(self, row: int) -> Profile:
        """The profile of a station."""
        return self._profiles.values[self.profile[row]]

    def clock_of(self, row: int) -> ClockName | None:
        """The clock that the state of a station rests on."""
        number = self.clock[row]
        return None if number == NONE else self._clocks.values[number]

    def reason_of(self, row: int) -> str | None:
        """Why a station has its state."""
        number = self.reason[row]
        return None if number == NONE else self._reasons.values[number]

    def standing_of(self, row: int) -> Standing:
        """How a station stands."""
        profile, clock = self.profile_of(row), self.clock_of(row)
        return Standing(
            station=self.ids[row],
            area=profile.area,
            path=profile.path,
            kind=profile.kind,
            isp=profile.isp,
            feeder=profile.feeder,
            lifecycle=profile.lifecycle,
            commissioned_at=moment_of(self.commissioned[row]),
            state=UNPROVEN if self.suspected[row] else WORDS[self.state[row]],
            since=moment_of(self.since[row]),
            usable=unflag(self.usable[row]),
            unusable_since=self._unusable.get(row),
            partition=clock[0] if clock else None,
            shard=clock[1] if clock else None,
            open=bool(self.open[row]),
            excused=bool(self.excused[row]),
            silenced=bool(self.silenced[row]),
        )

    @property
    def profiles(self) -> list[Profile]:
        """By the numbers in the column `profile`; the list only grows."""
        return self._profiles.values

    @property
    def clocks(self) -> Numbering[ClockName]:
        """By the numbers in the column `clock`."""
        return self._clocks
