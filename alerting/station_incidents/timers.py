"""Follows the field through time and says which stations become incidents and which incidents are over. Pure.

Transitions, openings, closures and graces that run out are taken in the order of time, so that it is the same however
the streams came in and however they were cut into passes.
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
"""How soon a grace that ran out while the station's clock said nothing is looked at again."""

_Timer = tuple[datetime, str, int]
_RanOut = tuple[int, datetime]
"""The number of a rule, and when a grace of it was over."""


class _RuleMemory:
    """What is remembered of one rule: which stations have an incident of its kinds that goes on, and until when the
    grace of others runs."""

    def __init__(self, rule: StationRule) -> None:
        self.rule = rule
        self.handled: dict[str, str] = {}
        self.due: dict[str, datetime] = {}


class StationWatch:
    """The station rules over a field. What it remembers is found again by `reconcile` after a restart."""

    def __init__(self, field: Field, settings: RuleSettings) -> None:
        self.field = field
        self.settings = settings
        self._memories = [_RuleMemory(rule) for rule in RULES]
        # (when a grace runs out, of which station, by which rule)
        self._timers: list[_Timer] = []
        self._intents: list[Intent] = []
        self._looked = 0
        self._turned = 0
        self._stopped = False

    def reconcile(self, open_incidents: Iterable[tuple[str, str]]) -> None:
        """Take up the work with the incidents that go on, (station, kind); `follow` says what does not fit."""
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
        """Take transitions in, in their order, and let time go on to `moment.known`.

        What the caller told the field since the last call (registry, closures) is looked at first. When a great
        many stations open at once time stands still at that opening until all of them are looked at (`busy`).
        """
        self._turned = 0
        self._look()
        for change in changes:
            # A tick later than now comes from a clock that is wrong; nobody's time goes ahead for it.
            self._go_on(min(change.tick_at, moment.now), moment, inclusive=False)
            self._apply(change)
            self._look()
        self._go_on(moment.known, moment, inclusive=True)
        return self._take()

    def _apply(self, change: StationChange) -> None:
        try:
            self.field.apply(change)
        except Exception as exc:  # whatever it is: it costs this station, and no other
            self.field.troubles.put("station", change.station, exc)

    @property
    def busy(self) -> bool:
        """Whether the next call has something to do already."""
        return self.field.schedule.turning or self._stopped

    def take_changes(self) -> list[Changed]:
        """What changed in the field, for the other parts."""
        self._looked = 0
        return self.field.take_changes()

    def _go_on(self, until: datetime, moment: PassTime, *, inclusive: bool) -> None:
        """Let time go on, over boundaries up to `until` and graces before it (`inclusive`: up to it)."""
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
        """Whether this call did so much that the rest is for the next."""
        self._stopped = len(self._intents) >= BULK
        return self._stopped or self.field.schedule.turning

    def _look(self) -> None:
        """Judge the stations that changed since the last look."""
        changes = self.field.changes
        while self._looked < len(changes):
            changed = changes[self._looked]
            self._looked += 1
            self._judge(changed.station, changed.after)

    def _judge(self, station: str, standing: Standing | None, ran_out: _RanOut | None = None) -> None:
        """Look at a station by every rule; `ran_out`: the grace of one did. One that cannot be judged is set aside."""
        try:
            self._judge_one(station, standing, ran_out)
        except Exception as exc:  # whatever it is: it costs this station, and no other
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
        """Look at a station by one rule; `ran_out`: its grace did so at that time."""
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
        """The next grace to run out; those that were given up or put off are passed over."""
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
            self._wait(number, station, due + _AGAIN)
        else:
            self._judge(station, standing, ran_out=(number, max(due, self.field.time)))

    def _take(self) -> list[Intent]:
        intents, self._intents = self._intents, []
        return intents
