"""A small field on simulated time: what is told to it line by line, and which incidents come of it."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerting.incidents.book import Book, Incident
from alerting.station_incidents.hold import hold_until_open
from alerting.station_incidents.rules import RuleSettings
from alerting.station_incidents.timers import StationWatch
from alerting.station_incidents.write import write_intents
from alerting.stations.model import Facts, Judged, StationChange
from alerting.stations.snapshot import DOUBTFUL, ClockName, PassTime
from alerting.stations.table import Field
from registry.closures.rules import Closure
from registry.hours.calendar import Version, calendar_of

ZONE = ZoneInfo("Asia/Shanghai")
DAY = datetime(2026, 11, 23, tzinfo=ZONE)
"""A Monday."""
DAYTIME = 1


def at(clock: str, day: int = 0) -> datetime:
    """A local time ("09:05" or "09:05:30") of the Monday, or of `day` days later."""
    hours, minutes, *seconds = map(int, clock.split(":"))
    return DAY + timedelta(days=day, hours=hours, minutes=minutes, seconds=sum(seconds))


CALENDARS = {
    DAYTIME: calendar_of([Version(date.min, "Mo-Su 09:00-12:00,14:00-17:30")]),
}


def facts(station: str = "A", **given: object) -> Facts:
    """A commissioned station, open by day, that is expected to report since last week."""
    known = {"commissioned_at": at("08:00", -7), "calendar": DAYTIME, "area": "632122000000"}
    return Facts(station=station, **(known | given))  # type: ignore[arg-type]


def change(
    station: str, before: str, after: str, since: datetime, decided: datetime | None = None, **given: object
) -> StationChange:
    known: dict[str, object] = {"reason": "missed_heartbeats" if after == "offline" else after, "shard": "main"}
    known |= given
    return StationChange(
        station=station,
        before=before,
        after=after,
        at=since,
        tick_at=decided or since,
        **known,  # type: ignore[arg-type]
    )


def closure(number: int, begin: datetime, end: datetime, **given: object) -> Closure:
    known: dict[str, object] = {"station": None, "reason": "repairs", "declared_by": "扎西", "declared_at": begin}
    return Closure(id=number, from_at=begin, until_at=end, **(known | given))  # type: ignore[arg-type]


class World:
    """One incident process: its field, its rules and every incident so far. `told`: (station, kind, phase, time)."""

    def __init__(self, time: datetime, stations: Iterable[tuple[Facts, Judged | None]]) -> None:
        self.field = Field(time, CALENDARS)
        for known, judged in stations:
            self.field.restore_station(known, judged)
        self.watch = StationWatch(self.field, RuleSettings())
        self.watch.reconcile([])
        self.incidents: dict[int, Incident] = {}
        self.told: list[tuple[str, str, str, str]] = []
        self._ids = 0

    def step(
        self,
        now: datetime,
        *changes: StationChange,
        untrusted: Iterable[ClockName] = (),
        known: datetime | None = None,
    ) -> Book:
        """A pass at `now`, at which everything is known (up to `known`) but what rests on `untrusted` clocks."""
        moment = PassTime(now=now, known=known or now, untrusted=frozenset({*untrusted, DOUBTFUL}))
        book = Book(self.incidents.values())
        write_intents(book, self.watch.follow(changes, moment), now)
        self.watch.take_changes()
        hold_until_open(book, self.field, now, self.watch.settings)
        for incident, phase in book.notifications():
            found = book.get(incident)
            assert found is not None
            when = book.held.get(incident, now).astimezone(ZONE)
            self.told.append((found.station or "", found.kind, phase, f"{when:%a %H:%M:%S}"))
        for new in book.opened:
            self._ids += 1
            self.incidents[self._ids] = Incident(
                **{name: getattr(new, name) for name in new.__struct_fields__} | {"id": self._ids}
            )
        for old in book.changed:
            self.incidents[old.id] = old
        return book

    def until(self, end: datetime, seconds: float = 30) -> None:
        """Passes without news until `end`."""
        while self.field.time < end:
            self.step(min(end, self.field.time + timedelta(seconds=seconds)))

    @property
    def open(self) -> list[str]:
        return sorted(incident.key for incident in self.incidents.values() if incident.is_open)


def judged(state: str, since: datetime, **given: object) -> Judged:
    reason = {"offline": "missed_heartbeats", "away": "away"}.get(state)
    known: dict[str, object] = {"partition": 0, "shard": "main", "reason": reason}
    return Judged(state=state, since=since, **(known | given))  # type: ignore[arg-type]
