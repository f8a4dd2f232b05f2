"""Follows the field through time and says which stations become incidents and which incidents are over. Pure.

Transitions, openings, closures and graces that run out are taken in the order of time, so that it is the same however
the streams came in and however they were cut into passes.
"""

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from alerting.field import BULK, About, Changed, Field, StationChange
from alerting.standing import Moment, Standing
from alerting.station_rules import Closes, Intent, Opens, RuleSettings, Want, ending, wanted

_AGAIN: Final = timedelta(seconds=5)
"""How soon a grace that ran out while the station's clock said nothing is looked at again."""


class StationWatch:
    """The station rules over a field.

    It remembers which stations have an incident of its kinds (open, or resolved by a person while the fault goes on)
    and whose grace is running; both are found again by `reconcile` after a restart.
    """

    def __init__(self, field: Field, settings: RuleSettings) -> None:
        self.field = field
        self.settings = settings
        self._handled: dict[str, str] = {}
        self._due: dict[str, datetime] = {}
        self._timers: list[tuple[datetime, str]] = []
        self._intents: list[Intent] = []
        self._looked = 0
        self._turned = 0
        self._stopped = False

    def reconcile(self, open_incidents: Mapping[str, str]) -> None:
        """Take up the work with the incidents that are open, {station: kind}; `follow` says what does not fit."""
        self._handled = dict(open_incidents)
        for station in open_incidents:
            if station not in self.field:
                self._judge(station, None)
        for standing in self.field.standings():
            if not standing.working or standing.station in self._handled:
                self._judge(standing.station, standing)

    def follow(self, changes: Iterable[StationChange], moment: Moment) -> list[Intent]:
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
        return self.field.turning or self._stopped

    def take_changes(self) -> list[Changed]:
        """What changed in the field, for the other parts."""
        self._looked = 0
        return self.field.take()

    def _go_on(self, until: datetime, moment: Moment, *, inclusive: bool) -> None:
        """Let time go on, over boundaries up to `until` and graces before it (`inclusive`: up to it)."""
        self._turn()
        while not self._full():
            boundary, timer = self.field.next_boundary, self._next_timer()
            if boundary is not None and boundary <= until and (timer is None or boundary <= timer[0]):
                self.field.advance(boundary)
                self._turn()
            elif timer is not None and (timer[0] < until or (inclusive and timer[0] == until)):
                self.field.advance(timer[0])
                self._run_out(*timer, moment)
            else:
                self.field.advance(until)
                break

    def _turn(self) -> None:
        self._turned += self.field.turn_some(BULK - self._turned)
        self._look()

    def _full(self) -> bool:
        """Whether this call did so much that the rest is for the next."""
        self._stopped = len(self._intents) >= BULK
        return self._stopped or self.field.turning

    def _look(self) -> None:
        """Judge the stations that changed since the last look."""
        changes = self.field.changes
        while self._looked < len(changes):
            changed = changes[self._looked]
            self._looked += 1
            self._judge(changed.station, changed.after)

    def _judge(self, station: str, standing: Standing | None, ran_out: datetime | None = None) -> None:
        """Look at a station; `ran_out`: its grace did so at that time. One that cannot be judged is set aside."""
        try:
            self._judge_one(station, standing, ran_out)
        except Exception as exc:  # whatever it is: it costs this station, and no other
            self._due.pop(station, None)
            self.field.troubles.put("station", station, exc)
        else:
            self.field.troubles.drop("station", station)

    def _judge_one(self, station: str, standing: Standing | None, ran_out: datetime | None) -> None:
        about = None if standing is None else self.field.about(station)
        self._end(station, standing, about)
        want = None if standing is None or about is None else wanted(standing, about, self.settings)
        if standing is None or about is None or want is None or station in self._handled:
            self._due.pop(station, None)
        elif want.due is None or (ran_out is not None and want.due <= ran_out):
            self._open(standing, about, want)
        else:
            self._wait(station, want.due)

    def _end(self, station: str, standing: Standing | None, about: About | None) -> None:
        kind = self._handled.get(station)
        reason = None if kind is None else ending(kind, standing, about)
        if kind is None or reason is None:
            return
        del self._handled[station]
        serving = standing is not None and standing.in_service
        ended_at = standing.since if standing is not None and serving else None
        self._intents.append(Closes(station=station, kind=kind, reason=reason, at=self.field.time, ended_at=ended_at))

    def _open(self, standing: Standing, about: About, want: Want) -> None:
        station = standing.station
        self._due.pop(station, None)
        self._handled[station] = want.kind
        self._intents.append(
            Opens(station=station, area=standing.area, want=want, at=self.field.time, seen_at=about.seen_at)
        )

    # -- graces ------------------------------------------------------------------------------------------------

    def _wait(self, station: str, due: datetime) -> None:
        if self._due.get(station) != due:
            self._due[station] = due
            heapq.heappush(self._timers, (due, station))

    def _next_timer(self) -> tuple[datetime, str] | None:
        """The next grace to run out; those that were given up or put off are passed over."""
        while self._timers and self._due.get(self._timers[0][1]) != self._timers[0][0]:
            heapq.heappop(self._timers)
        return self._timers[0] if self._timers else None

    def _run_out(self, due: datetime, station: str, moment: Moment) -> None:
        heapq.heappop(self._timers)
        del self._due[station]
        standing = self.field.standing(station)
        if standing is not None and not moment.knows(standing):
            self._wait(station, due + _AGAIN)
        else:
            self._judge(station, standing, ran_out=max(due, self.field.time))

    def _take(self) -> list[Intent]:
        intents, self._intents = self._intents, []
        return intents
