"""Applies the station rules to the field over time: which incidents of stations open, and which are over. Pure.

Transitions, openings, closures and the ends of graces are processed in the order of time. So the result depends neither
on the order in which the streams arrive nor on their division into passes.
"""

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from alerting.station_incidents.rules import RULES, Closes, Intent, Opens, RuleSettings, StationRule, Want
from alerting.stations.model import About, Changed, StationChange
from alerting.stations.schedule import BULK
from alerting.stations.snapshot import PassTime, Standing
from alerting.stations.table import Field

_AGAIN: Final = timedelta(seconds=5)
"""How long a grace that ended is extended while the state of its station is not known."""

_Timer = tuple[datetime, str, int]
_RanOut = tuple[int, datetime]
"""(number of a rule, time at which its grace ended)."""


class _RuleMemory:
    """The memory of one rule. `handled`: the kind of the incident that goes on, by station; `due`: the end of the grace
    of stations that wait."""

    def __init__(self, rule: StationRule) -> None:
        self.rule = rule
        self.handled: dict[str, str] = {}
        self.due: dict[str, datetime] = {}


class StationWatch:
    """The station rules over a field. After a restart, `reconcile` restores the memory."""

    def __init__(self, field: Field, settings: RuleSettings) -> None:
        self.field = field
        self.settings = settings
        self._memories = [_RuleMemory(rule) for rule in RULES]
        # Heap of (end of a grace, station, number of the rule).
        self._timers: list[_Timer] = []
        self._intents: list[Intent] = []
        self._looked = 0
        self._turned = 0
        self._stopped = False

    def reconcile(self, open_incidents: Iterable[tuple[str, str]]) -> None:
        """Restore the memory from the incidents that go on, (station, kind). The next `follow` returns the differences
        between them and the field."""
        opened = list(open_incidents)
        for memory in self._memories:
            memory.handled = {station: kind for station, kind in opened if kind in memory.rule.kinds}
        handled = {station for station, _ in opened}
        for station in sorted(handled):
            if station not in self.field:
                self._judge(station, None)
        for standing in self.field.standings():
            if not standing.working or standing.station in handled:
                self._judge(standing.station, standing)

    def follow(self, changes: Iterable[StationChange], moment: PassTime) -> list[Intent]:
        """Apply transitions in their order and advance the time to `moment.known`; returns the intents.

        Changes that the caller made to the field since the last call (registry, closures) are judged first. When very
        many stations open at one time, the work is spread over several calls, and the time does not advance beyond that
        opening before all of them are judged (`busy`).
        """
        self._turned = 0
        self._look()
        for change in changes:
            # A tick later than now comes from a wrong clock: the time does not advance beyond now.
            self._go_on(min(change.tick_at, moment.now), moment, inclusive=False)
            self._apply(change)
            self._look()
        self._go_on(moment.known, moment, inclusive=True)
        return self._take()

    def _apply(self, change: StationChange) -> None:
        try:
            self.field.apply(change)
        except Exception as exc:  # set this station aside; all others go on
            self.field.troubles.put("station", change.station, exc)

    @property
    def busy(self) -> bool:
        """Whether work is left for the next call."""
        return self.field.schedule.turning or self._stopped

    def take_changes(self) -> list[Changed]:
        """Remove and return the changes of the field, for the other parts."""
        self._looked = 0
        return self.field.take_changes()

    def _go_on(self, until: datetime, moment: PassTime, *, inclusive: bool) -> None:
        """Advance the time to `until`, over boundaries at or before it and ends of graces before it (`inclusive`: at or
        before it)."""
        self._turn()
        while not self._full():
            boundary, timer = self.field.schedule.next_boundary, self._next_timer()
            if boundary is not None and boundary <= until and (timer is None or boundary <= timer[0]):
                self.field.schedule.advance(boundary)
                self._turn()
            elif timer is not None and (timer[0] < until or (inclusive and timer[0] == until)):
                self.field.schedule.advance(timer[0])
                self._run_out(timer, moment)
            else:
                self.field.schedule.advance(until)
                break

    def _turn(self) -> None:
        self._turned += self.field.schedule.turn_some(BULK - self._turned)
        self._look()

    def _full(self) -> bool:
        """Whether this call reached its limit of work; the rest is left for the next call."""
        self._stopped = len(self._intents) >= BULK
        return self._stopped or self.field.schedule.turning

    def _look(self) -> None:
        """Judge the stations whose changes were not judged yet."""
        changes = self.field.changes
        while self._looked < len(changes):
            changed = changes[self._looked]
            self._looked += 1
            self._judge(changed.station, changed.after)

    def _judge(self, station: str, standing: Standing | None, ran_out: _RanOut | None = None) -> None:
        """Judge a station by every rule, and set it aside if that fails; `ran_out`: the grace that ended, if any."""
        try:
            self._judge_one(station, standing, ran_out)
        except Exception as exc:  # set this station aside; all others go on
            for memory in self._memories:
                memory.due.pop(station, None)
            self.field.troubles.put("station", station, exc)
        else:
            self.field.troubles.drop("station", station)

    def _judge_one(self, station: str, standing: Standing | None, ran_out: _RanOut | None) -> None:
        about = None if standing is None else self.field.about(station)
        for number in range(len(self._memories)):
            late = ran_out[1] if ran_out is not None and ran_out[0] == number else None
            self._judge_by(number, station, standing, about, late)

    def _judge_by(
        self,
        number: int,
        station: str,
        standing: Standing | None,
        about: About | None,
        ran_out: datetime | None,
    ) -> None:
        """Judge a station by one rule; `ran_out`: when the grace of this rule ended, if it did."""
        memory = self._memories[number]
        self._end(memory, station, standing, about)
        want = None if standing is None or about is None else memory.rule.wanted(standing, about, self.settings)
        if standing is None or about is None or want is None or station in memory.handled:
            memory.due.pop(station, None)
        elif want.due is None or (ran_out is not None and want.due <= ran_out):
            self._open(memory, standing, about, want)
        else:
            self._wait(number, station, want.due)

    def _end(self, memory: _RuleMemory, station: str, standing: Standing | None, about: About | None) -> None:
        kind = memory.handled.get(station)
        reason = None if kind is None else memory.rule.ending(kind, standing, about)
        if kind is None or reason is None:
            return
        del memory.handled[station]
        ended_at = None
        if standing is not None and standing.in_service:
            ended_at = standing.since if memory.rule.by_state else self.field.time
        self._intents.append(Closes(station=station, kind=kind, reason=reason, at=self.field.time, ended_at=ended_at))

    def _open(self, memory: _RuleMemory, standing: Standing, about: About, want: Want) -> None:
        station = standing.station
        memory.due.pop(station, None)
        memory.handled[station] = want.kind
        seen_at = about.seen_at if memory.rule.by_state else None
        self._intents.append(Opens(station=station, area=standing.area, want=want, at=self.field.time, seen_at=seen_at))

    # -- graces ------------------------------------------------------------------------------------------------

    def _wait(self, number: int, station: str, due: datetime) -> None:
        if self._memories[number].due.get(station) != due:
            self._memories[number].due[station] = due
            heapq.heappush(self._timers, (due, station, number))

    def _next_timer(self) -> _Timer | None:
        """The timer of the next grace that ends; timers that were cancelled or replaced are removed."""
        while self._timers and not self._is_running(self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0] if self._timers else None

    def _is_running(self, timer: _Timer) -> bool:
        due, station, number = timer
        return self._memories[number].due.get(station) == due

    def _run_out(self, timer: _Timer, moment: PassTime) -> None:
        heapq.heappop(self._timers)
        due, station, number = timer
        del self._memories[number].due[station]
        standing = self.field.standing(station)
        if standing is not None and not moment.knows(standing):
            # Nothing becomes known before the end of this pass.
            again = max(moment.known - due, timedelta()) // _AGAIN + 1
            self._wait(number, station, due + again * _AGAIN)
        else:
            self._judge(station, standing, ran_out=(number, max(due, self.field.time)))

    def _take(self) -> list[Intent]:
        intents, self._intents = self._intents, []
        return intents
