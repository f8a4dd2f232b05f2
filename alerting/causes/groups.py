"""The groups of a station, the number of online stations in a group, and a sample of them. Pure.

The counts are computed over the field's columns on demand, at most once a pass. That costs less than updating the count
of each group with each station that falls or returns.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from alerting.causes.common_cause import Opening
from alerting.causes.evidence import AGENT, AREA, FEEDER, SHARD, UPLINK, Group, Peer
from alerting.liveness.arrays import view
from alerting.liveness.columns import LiveState
from alerting.stations.columns import NONE, Profile, StationColumns
from alerting.stations.selections import clocks_of_shard, rests_on_untrusted
from alerting.stations.snapshot import ClockName, PassTime, Standing
from alerting.stations.stamps import INSTANT
from alerting.stations.table import Field

SAMPLE: Final = 40
"""Stations of a group whose heartbeats are looked up."""
_SHARED: Final = 200_000


class Population:
    """The groups of the stations of a field. The agent's version of a station is one of its groups."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._columns = field.columns
        self._agents: list[str] = []
        self._agent_numbers: dict[str, int] = {}
        self._agent = array("h")
        self._profiles = 0
        self._within: dict[Group, array[int]] = {}
        self._tuples: dict[tuple[object, ...], tuple[Group, ...]] = {}
        self._untrusted: frozenset[ClockName] = frozenset()
        self._without: Collection[str] = ()
        self._online: Any = None
        self._values: dict[str, Any] = {}
        self._counts: dict[str, Any] = {}
        self._known: dict[Group, int] = {}

    # -- groups of a station -----------------------------------------------------------------------------------

    def note_agents(self, agents: Mapping[str, str]) -> None:
        """Take the agent's version of each station: {station: version}."""
        self._reach()
        for station, agent in agents.items():
            row = self._columns.index.get(station)
            if row is not None:
                number = self._agent_numbers.setdefault(agent, len(self._agents))
                if number == len(self._agents):
                    self._agents.append(agent)
                self._agent[row] = number

    def groups_of(self, station: str) -> tuple[Group, ...]:
        """The groups of a station, areas with the root first; empty for a station that is not registered."""
        standing = self._field.standing(station)
        return () if standing is None else self._groups(standing, self._agent_of(station))

    def _agent_of(self, station: str) -> str | None:
        self._reach()
        number = self._agent[self._columns.index[station]]
        return None if number == NONE else self._agents[number]

    def _groups(self, standing: Standing, agent: str | None) -> tuple[Group, ...]:
        """One shared tuple for all stations with the same groups: it saves memory and makes comparison fast."""
        key = (standing.path, standing.isp, standing.feeder, agent, standing.shard)
        if len(self._tuples) > _SHARED:
            self._tuples.clear()
        return self._tuples.setdefault(key, groups_of(standing, agent))

    def _reach(self) -> None:
        """Extend the agent column to the length of the field's columns."""
        missing = len(self._columns.ids) - len(self._agent)
        if missing > 0:
            self._agent.extend([NONE] * missing)

    def peer(self, station: str, began: datetime, until: datetime, overdue: bool, every: float) -> Peer:
        """An online station as evidence: last heartbeat at `began`, next due at `until`, interval `every` (s).

        A station that is closed or excused at `until` may be switched off: then its silence is no evidence of a fall.
        """
        fell = overdue and self._field.schedule.is_expected_throughout(station, until, until + INSTANT)
        return Peer(station, began, until, fell, self.groups_of(station), every)

    # -- counting ----------------------------------------------------------------------------------------------

    def look(self, untrusted: frozenset[ClockName], without: Collection[str] = ()) -> None:
        """Begin a pass: discard the counts of the last pass.

        Stations on `untrusted` clocks, and the stations in `without`, do not count as online.
        """
        self._untrusted, self._without, self._online = untrusted, without, None
        self._values, self._counts, self._known = {}, {}, {}

    def online(self, group: Group) -> int:
        """The number of stations of a group that are in service and online."""
        if group not in self._known:
            self._known[group] = self._online_in(group)
        return self._known[group]

    def _online_in(self, group: Group) -> int:
        column, numbers = self._column_of(group)
        if column not in self._counts:
            values = self._values_of(column)
            self._counts[column] = np.bincount(values[values >= 0])
        counts, wanted = self._counts[column], np.asarray(numbers, dtype=np.int64)
        return int(counts[wanted[wanted < len(counts)]].sum())

    def sample(self, group: Group, limit: int) -> list[str]:
        """At most `limit` online stations of a group, evenly spread over the rows of the group."""
        column, numbers = self._column_of(group)
        values = self._values_of(column)
        wanted = np.zeros(max(values.max(initial=0), max(numbers, default=0)) + 2, dtype=bool)
        wanted[np.asarray(numbers, dtype=np.int64)] = True  # NONE is -1 and selects the last element, which stays False
        found = self._online_rows()[wanted[values]]
        if len(found) > limit:
            found = found[np.linspace(0, len(found) - 1, limit).astype(int)]
        return [self._columns.ids[row] for row in found.tolist()]

    def _column_of(self, group: Group) -> tuple[str, Sequence[int]]:
        """The column that identifies the stations of a group, and their values in that column."""
        cause, name = group
        if cause == AGENT:
            number = self._agent_numbers.get(name)
            return AGENT, [] if number is None else [number]
        return (SHARD, clocks_of_shard(self._columns, name)) if cause == SHARD else (AREA, self._members(group))

    def _values_of(self, column: str) -> Any:
        """The values of a column for the online stations."""
        if column not in self._values:
            self._reach()
            columns = {AGENT: self._agent, SHARD: self._columns.clock, AREA: self._columns.profile}
            self._values[column] = view(columns[column])[self._online_rows()]
        return self._values[column]

    def _online_rows(self) -> Any:
        if self._online is None:
            online = _online(self._columns, self._untrusted)
            index = self._columns.index
            online[[index[station] for station in self._without if station in index]] = False
            self._online = np.flatnonzero(online)
        return self._online

    def _members(self, group: Group) -> Sequence[int]:
        """The numbers of the profiles that belong to an area, uplink or feeder."""
        profiles = self._columns.profiles
        for number in range(self._profiles, len(profiles)):
            for known in _of_profile(profiles[number]):
                self._within.setdefault(known, array("i")).append(number)
        self._profiles = len(profiles)
        return self._within.get(group, array("i"))


def groups_of(standing: Standing, agent: str | None) -> tuple[Group, ...]:
    """The groups of a station, from its standing and its agent's version."""
    named = ((UPLINK, standing.isp), (FEEDER, standing.feeder), (AGENT, agent), (SHARD, standing.shard))
    return (*((AREA, code) for code in standing.path), *((cause, name) for cause, name in named if name))


def _of_profile(profile: Profile) -> Iterable[Group]:
    yield from ((AREA, code) for code in profile.path)
    yield from ((cause, name) for cause, name in ((UPLINK, profile.isp), (FEEDER, profile.feeder)) if name)


def _online(columns: StationColumns, untrusted: frozenset[ClockName]) -> Any:
    online = view(columns.state) == LiveState.ONLINE
    online &= (view(columns.serving) == 1) & (view(columns.profile) >= 0)
    return online & ~rests_on_untrusted(columns, untrusted)


def known_at(field: Field, moment: PassTime) -> Callable[[str], bool]:
    """A function of a station's id: whether its state at `moment` is known.

    A station that is not registered counts as known, because no further change of its state is expected.
    """

    def is_known(station: str) -> bool:
        standing = field.standing(station)
        return standing is None or moment.knows(standing)

    return is_known


def expected_in(field: Field) -> Callable[[str], Opening]:
    """A function of a station's id: its opening at the time of the field. A closure that excuses it hides the opening.

    A station that is not registered counts as expected, because no further change of its state is expected.
    """
    columns, openings = field.columns, field.schedule.openings

    def expected(station: str) -> Opening:
        row = columns.index.get(station)
        if row is None:
            return Opening()
        if columns.excused[row]:
            return Opening(expected=False)
        calendar = columns.calendar[row]
        return Opening(openings.is_open(calendar), openings.opened_at(calendar))

    return expected
