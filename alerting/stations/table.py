"""The table of stations: how every station stands, kept up to date from transitions, registry, calendars and closures.
Pure.

The caller feeds it in the order of time, and takes what changed as pairs (before, after). It keeps columns instead of
objects: 700,000 stations fit into a fraction of a gigabyte. A `Standing` is made when it is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import numpy as np

from alerting.liveness.arrays import view
from alerting.liveness.columns import WORDS
from alerting.stations.columns import NONE, StationColumns
from alerting.stations.model import About, Changed, ChangeLog, Facts, Judged, OpeningHours, StationChange
from alerting.stations.promise import USUAL
from alerting.stations.schedule import StationSchedule
from alerting.stations.selections import rests_on
from alerting.stations.snapshot import ClockName, Standing
from alerting.stations.stamps import moment_of, stamp_of
from alerting.stations.suspected import SuspectedShards
from store.troubles import Troubles


class Field:
    """All stations at one moment, `time`, which only goes forward.

    `columns`: the rows, which only this table and its parts write. `schedule`: when stations should be open.
    `suspected`: the stations that fell with their shard. `troubles`: stations and calendars that cannot be judged.
    """

    def __init__(self, time: datetime, calendars: Mapping[int, OpeningHours] | None = None) -> None:
        self.troubles = Troubles()
        self.columns = StationColumns()
        self._log = ChangeLog(time)
        self.schedule = StationSchedule(self.columns, self._log, self.troubles)
        self.suspected = SuspectedShards(self.columns, self.schedule, self._log)
        #: When the last gap of each clock ended.
        self._resumed: dict[ClockName, datetime] = {}
        self.schedule.set_calendars(calendars or {})

    def __len__(self) -> int:
        return len(self.columns.index)

    def __contains__(self, station: str) -> bool:
        return station in self.columns.index

    @property
    def time(self) -> datetime:
        """The moment at which the stations stand so."""
        return self._log.time

    # -- asking ------------------------------------------------------------------------------------------------

    def standing(self, station: str) -> Standing | None:
        """How a station stands; None: it is not registered."""
        row = self.columns.index.get(station)
        return None if row is None else self.columns.standing_of(row)

    def standings(self) -> Iterator[Standing]:
        """How all stations stand."""
        return (self.columns.standing_of(row) for row in self.columns.index.values())

    def about(self, station: str) -> About:
        """What else is known of a station. Raises KeyError when it is not registered."""
        columns = self.columns
        row = columns.index[station]
        clock = columns.clock_of(row)
        times = (self.schedule.openings.opened_at(columns.calendar[row]), moment_of(columns.silence_ended[row]))
        resumed = self._resumed.get(clock) if clock else max(self._resumed.values(), default=None)
        return About(
            reason=columns.reason_of(row),
            seen_at=moment_of(columns.seen[row]),
            promised=self.promise_of(station),
            opened_at=max((time for time in times if time is not None), default=None),
            resumed_at=resumed,
        )

    def every_of(self, station: str) -> float:
        """The interval of a station's slowest terminal that counts, s; the usual one where it is not known."""
        return self.promise_of(station) or USUAL

    def promise_of(self, station: str) -> float | None:
        """The interval of a station's slowest terminal that counts, s; None: not known."""
        row = self.columns.index.get(station)
        return (self.columns.every[row] or None) if row is not None else None

    def clock_of(self, station: str) -> ClockName | None:
        """The clock that a station's state rests on."""
        row = self.columns.index.get(station)
        return None if row is None else self.columns.clock_of(row)

    def resting_on(self, clocks: Iterable[ClockName]) -> list[str]:
        """The stations whose state rests on one of these clocks."""
        return [self.columns.ids[row] for row in np.flatnonzero(rests_on(self.columns, clocks)).tolist()]

    def take_changes(self) -> list[Changed]:
        """What changed since the last call, in its order."""
        return self._log.take_changes()

    @property
    def changes(self) -> list[Changed]:
        """What `take_changes` would return now."""
        return self._log.changes

    # -- the registry ------------------------------------------------------------------------------------------

    def restore_station(self, facts: Facts, judged: Judged | None = None) -> None:
        """Put a station in when the memory is loaded; this is not logged as a change."""
        self._note_facts(self.columns.add_station(facts.station), facts)
        if judged is not None:
            self.restore_state(facts.station, judged)

    def restore_state(self, station: str, judged: Judged) -> None:
        """Set the state of a station, when memory is loaded. A station that is not registered is ignored."""
        row = self.columns.index.get(station)
        if row is not None:
            self.columns.note_judged(row, judged)

    def register(self, facts: Facts, judged: Judged | None = None) -> None:
        """Take over what the registry says of a station; `judged` only of a station that is new here."""
        row = self.columns.index.get(facts.station)
        before = None if row is None else self.columns.standing_of(row)
        if row is None:
            self.restore_station(facts, judged)
            row = self.columns.index[facts.station]
        else:
            self._note_facts(row, facts)
        self._log.note(before, self.columns.standing_of(row))

    def remove_station(self, station: str) -> None:
        """The station was deleted from the registry."""
        row = self.columns.index.get(station)
        if row is not None:
            before = self.columns.standing_of(row)
            self.columns.remove_station(row)
            self._log.note(before, None)

    def set_paths(self, paths: Mapping[str, tuple[str, ...]]) -> None:
        """The tree of areas changed: {area: path}. Stations of areas that are not named keep their paths."""
        columns = self.columns
        profiles = enumerate(columns.profiles)
        moved = [n for n, profile in profiles if paths.get(profile.area or "", profile.path) != profile.path]
        for row in np.flatnonzero(np.isin(view(columns.profile), moved)).tolist():
            before = columns.standing_of(row)
            columns.note_path(row, paths[before.area or ""])
            self.schedule.closures.flag_row(row, self.time)
            self._log.note(before, columns.standing_of(row))

    def _note_facts(self, row: int, facts: Facts) -> None:
        profile = (facts.area, facts.path, facts.kind, facts.isp, facts.feeder, facts.lifecycle, facts.programmes)
        calendar = NONE if facts.calendar is None else facts.calendar
        self.columns.note_facts(row, profile, calendar, stamp_of(facts.commissioned_at))
        self.columns.open[row] = self.schedule.openings.is_open(calendar)
        self.schedule.closures.flag_row(row, self.time)

    def note_promise(self, station: str, every: float) -> None:
        """Set the interval that a station promises, s; this is not logged as a change."""
        row = self.columns.index.get(station)
        if row is not None:
            self.columns.every[row] = every

    # -- states ------------------------------------------------------------------------------------------------

    def apply(self, change: StationChange) -> bool:
        """Take a transition in; False when the station is not registered."""
        columns = self.columns
        row = columns.index.get(change.station)
        if row is None:
            return False
        before, fell = columns.standing_of(row), change.after != WORDS[columns.state[row]]
        judged = Judged(
            partition=change.partition,
            state=change.after,
            since=change.at if fell else before.since or change.at,
            usable=change.usable,
            unusable_since=before.unusable_since or change.at,
            shard=change.shard,
            seen_at=change.seen_at,
            reason=change.reason if fell else columns.reason_of(row),
        )
        columns.note_judged(row, judged)
        self.suspected.note_change(row, change, fell=fell)
        self._log.note(before, columns.standing_of(row))
        return True

    def note_clock(self, station: str, clock: ClockName) -> None:
        """The station is heard through this clock now; its state did not change."""
        row = self.columns.index.get(station)
        if row is not None:
            before = self.columns.standing_of(row)
            self.columns.note_clock(row, clock)
            self._log.note(before, self.columns.standing_of(row))

    def resume(self, clock: ClockName, at: datetime) -> None:
        """A gap of a clock ended at `at`."""
        known = self._resumed.get(clock)
        self._resumed[clock] = at if known is None else max(known, at)
