"""Questions about all rows of the table of stations, answered by numpy: one boolean for each row, or rows. Pure."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from alerting.liveness.arrays import view
from alerting.liveness.columns import LiveState
from alerting.stations.columns import NONE, StationColumns
from alerting.stations.snapshot import ClockName
from registry.closures.rules import Closure


def clocks_of_shard(columns: StationColumns, shard: str) -> list[int]:
    """The numbers in the column `clock` that are of a shard."""
    return [number for number, clock in enumerate(columns.clocks.values) if clock[1] == shard]


def rests_on(columns: StationColumns, clocks: Iterable[ClockName]) -> Any:
    """Whether the state of each row rests on one of these clocks."""
    numbers = [number for clock in clocks if (number := columns.clocks.find(clock)) is not None]
    return np.isin(view(columns.clock), numbers)


def rests_on_untrusted(columns: StationColumns, untrusted: Iterable[ClockName]) -> Any:
    """Whether the state of each row rests on one of these clocks. While no station rests on one of them, rows without
    any clock count as well."""
    numbers = (columns.clocks.find(clock) for clock in untrusted)
    return np.isin(view(columns.clock), [NONE if number is None else number for number in numbers])


def in_state(columns: StationColumns, shard: str, state: LiveState) -> Any:
    """Whether each row is in service, in this state, and rests on a clock of the shard."""
    of_clock = np.isin(view(columns.clock), clocks_of_shard(columns, shard))
    return of_clock & (view(columns.state) == state) & (view(columns.serving) == 1)


def working(columns: StationColumns) -> Any:
    """`Standing.working` of each row."""
    online = (view(columns.state) == LiveState.ONLINE) & (view(columns.usable) != 0)
    return online & (view(columns.serving) == 1)


def in_scope(columns: StationColumns, closure: Closure) -> list[int]:
    """The rows of the stations that a closure is for."""
    if closure.station is not None:
        row = columns.index.get(closure.station)
        return [] if row is None else [row]
    profiles = enumerate(columns.profiles)
    within = [n for n, profile in profiles if closure.area in profile.path or closure.programme in profile.programmes]
    found: list[int] = np.flatnonzero(np.isin(view(columns.profile), within)).tolist()
    return found
