"""Stations that fell with their shard: the shard is suspected, and the state of these stations is unknown. Pure.

The rules are those of `alerting.causes.suspicion_rules`; this module finds the evidence in the columns, and marks rows.
"""

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from alerting.liveness.arrays import view
from alerting.liveness.columns import LiveState
from alerting.stations.columns import StationColumns
from alerting.stations.common_interval import CommonInterval
from alerting.stations.model import AWAY_OVERDUE, ChangeLog, StationChange
from alerting.stations.schedule import StationSchedule
from alerting.stations.selections import in_scope, in_state, rests_on_untrusted
from alerting.stations.snapshot import ClockName
from alerting.stations.stamps import LONG_AGO, moment_of, stamp_of


class SuspectedShards:
    """The suspected shards, each with the instants within which a station must have fallen to be suspected too."""

    def __init__(self, columns: StationColumns, schedule: StationSchedule, log: ChangeLog) -> None:
        self._columns = columns
        self._schedule = schedule
        self._log = log
        self._instants: dict[str, CommonInterval] = {}

    # -- marking -----------------------------------------------------------------------------------------------

    def suspect(self, shard: str, instants: CommonInterval) -> None:
        """Suspect the stations of a shard that fell within these instants, and those that will."""
        self._instants[shard] = instants
        for station, heard, missed in self.fallen(shard, instants.lo):
            if instants.spans(heard, missed):
                self._set(self._columns.index[station], suspected=True)

    def trust(self, shard: str) -> None:
        """Stations of a shard that fall from now on are not suspected."""
        self._instants.pop(shard, None)

    def restore(self, station: str) -> None:
        """Mark a station that was suspected when the memory was stored; this is not logged as a change."""
        row = self._columns.index.get(station)
        if row is not None and self._columns.state[row] == LiveState.OFFLINE:
            self._columns.suspected[row] = 1

    def release(self, station: str) -> None:
        """A station is not suspected any more: its state is what the judges decided."""
        row = self._columns.index.get(station)
        if row is not None and self._columns.suspected[row]:
            self._set(row, suspected=False)

    def note_change(self, row: int, change: StationChange, *, fell: bool) -> None:
        """A transition of the station in a row: whether it is suspected now. `fell`: its state is another one."""
        if change.after != "offline":
            self._columns.suspected[row] = 0
        elif fell and change.seen_at is not None and change.reason != AWAY_OVERDUE:
            instants = self._instants.get(change.shard or "")
            self._columns.suspected[row] = instants is not None and instants.spans(change.seen_at, change.at)

    def _set(self, row: int, *, suspected: bool) -> None:
        before = self._columns.standing_of(row)
        self._columns.suspected[row] = suspected
        self._log.note(before, self._columns.standing_of(row))

    # -- evidence ----------------------------------------------------------------------------------------------

    def is_suspected(self, station: str) -> bool:
        """Whether a station is suspected."""
        row = self._columns.index.get(station)
        return row is not None and bool(self._columns.suspected[row])

    def was_online(self, station: str, since: datetime) -> bool:
        """Whether a station has been online since then, until it fell if it did, as far as that was seen."""
        row = self._columns.index.get(station)
        return row is not None and self._columns.online_since[row] <= stamp_of(since)

    def fallen(self, shard: str, since: datetime) -> list[tuple[str, datetime, datetime]]:
        """(station, heard last, missed since) of the stations of a shard that went offline after `since`. Without those
        that are suspected, and those that were away and did not come back."""
        columns = self._columns
        found = in_state(columns, shard, LiveState.OFFLINE) & (view(columns.since) >= stamp_of(since))
        found &= (view(columns.suspected) == 0) & (view(columns.seen) > LONG_AGO)
        kept = (row for row in np.flatnonzero(found).tolist() if columns.reason_of(row) != AWAY_OVERDUE)
        times = ((columns.ids[row], moment_of(columns.seen[row]), moment_of(columns.since[row])) for row in kept)
        return [(station, heard, missed) for station, heard, missed in times if heard and missed]

    def steady(
        self,
        shard: str,
        begin: datetime,
        end: datetime,
        *,
        untrusted: Iterable[ClockName] = (),
        without: Iterable[str] = (),
        most: int | None = None,
    ) -> tuple[int, list[str]]:
        """How many stations of a shard have been online since `begin` and are expected to be until `end`, and at most
        `most` of them, from all over the shard. Not counted: those in `without`, and those on `untrusted` clocks."""
        columns = self._columns
        found = in_state(columns, shard, LiveState.ONLINE) & (view(columns.online_since) <= stamp_of(begin))
        found &= ~rests_on_untrusted(columns, untrusted)
        calendars = list(self._schedule.openings.not_open_throughout(begin, end))
        found &= ~np.isin(view(columns.calendar), calendars)
        found[[columns.index[station] for station in without if station in columns.index]] = False
        for closure in self._schedule.closures.excusing_within(begin, end):
            found[in_scope(columns, closure)] = False
        kept = np.flatnonzero(found)
        step = 1 if most is None else max(1, -(-len(kept) // most))
        return len(kept), [columns.ids[row] for row in kept[::step].tolist()]
