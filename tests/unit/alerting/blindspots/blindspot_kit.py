"""A field of a few stations that a test moves through time, and what the blind spots make of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from alerting.blindspots.area_counts import StandingChange
from alerting.blindspots.by_records import StationRecords
from alerting.blindspots.by_silence import StationLookup
from alerting.blindspots.opening_days import OpeningCalendar
from alerting.blindspots.remembered import RememberedMoment
from alerting.blindspots.settings import BlindSpotSettings
from alerting.blindspots.tracker import BlindSpots, StartingState, StoredSpot
from alerting.blindspots.unknown_time import Gaps, UnknownTime
from alerting.blindspots.write import write_spots
from alerting.incidents.book import Book, Incident
from alerting.stations.snapshot import DOUBTFUL, ClockName, PassTime, Standing
from registry.hours.calendar import ALWAYS
from tests.shelving import closed_by_hand

START = datetime(2026, 11, 2, 0, tzinfo=UTC)
"""A Monday, 08:00 in China."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PATH = ("63", "6321", "632122")


class Taken(NamedTuple):
    """An outage, and how many stations it took in each area."""

    key: str
    began: datetime
    areas: dict[str, int]


class Scene:
    """Stations by id, one moment, and the incidents that came of it. Nothing is shared with a database."""

    def __init__(
        self,
        settings: BlindSpotSettings | None = None,
        hours: Mapping[str, OpeningCalendar] | None = None,
        at: datetime = START,
    ) -> None:
        self.settings = settings or BlindSpotSettings()
        self.stations: dict[str, Standing] = {}
        self.hours = dict(hours or {})
        self.now = at
        self.untrusted: frozenset[ClockName] = frozenset()
        self.gaps = Gaps()
        self.outages: list[Taken] = []
        self.targets: dict[str, Sequence[str]] = {}
        self.records: dict[str, StationRecords] = {}
        self.reporting: set[str] = {"A"}
        self.incidents: dict[int, Incident] = {}
        self.told: list[tuple[str, str]] = []
        self.steps: list[StandingChange] = []
        self.memory: dict[tuple[str, str], datetime] = {}
        self.core = self._new()

    def _new(self) -> BlindSpots:
        core = BlindSpots(
            StationLookup(self.stations.get, lambda station: self.hours.get(station, ALWAYS)), self.settings
        )
        rows = [RememberedMoment(rule, subject, at) for (rule, subject), at in self.memory.items()]
        core.load_stations(
            list(self.stations.values()),
            StartingState(known=self.now, spots=self._spots(), memory=rows, targets=self.targets, had=self._had()),
        )
        core.note_records(self.records.values(), self.now)
        return core

    def _had(self) -> frozenset[str]:
        return frozenset(area for s in self.stations.values() if s.in_service for area in s.path)

    def _spots(self) -> list[StoredSpot]:
        found = {}
        for incident in sorted(self.incidents.values(), key=lambda i: -i.id if i.id < 0 else i.id):
            if incident.goes_on:
                parent = None if incident.parent is None else self.incidents[incident.parent].key
                found[incident.key] = StoredSpot(
                    key=incident.key,
                    since=incident.began_at,
                    stage=incident.detail.get("stage"),
                    parent_key=parent,
                )
        return list(found.values())

    def restart(self) -> None:
        """The process ends, and the next begins where it was."""
        self.core = self._new()
        self._settle()

    def add(self, station: str, state: str = "online", **facts: object) -> None:
        """Register a station; its clock is (0, main) unless told otherwise."""
        given = {"path": PATH, "since": self.now, "partition": 0, "shard": "main", "commissioned_at": self.now, **facts}
        path = given["path"]
        assert isinstance(path, tuple)
        new = msgspec.convert({"station": station, "state": state, "area": path[-1], **given}, Standing)
        self.stations[station] = new
        self.steps.append(StandingChange(None, new, self.now))

    def change(self, station: str, **facts: object) -> None:
        """Change how a station stands; a new state holds since now unless told otherwise."""
        before = self.stations[station]
        if "state" in facts and facts["state"] != before.state:
            facts.setdefault("since", self.now)
        after = msgspec.structs.replace(before, **facts)
        self.stations[station] = after
        self.steps.append(StandingChange(before, after, self.now))

    def remove(self, station: str) -> None:
        self.steps.append(StandingChange(self.stations.pop(station), None, self.now))

    def say(self, station: str, **facts: datetime | bool | None) -> None:
        """What the newest records of a station say."""
        known = self.records.get(station) or StationRecords(station=station, first_at=self.now)
        self.records[station] = msgspec.structs.replace(known, **facts)
        self.core.note_records([self.records[station]], self.now)

    def unknown(self, begin: datetime, end: datetime, clock: ClockName = (0, "main")) -> None:
        self.gaps.add_gaps([UnknownTime(*clock, begin, end)])

    def aim(self, targets: Mapping[str, Sequence[str]]) -> None:
        self.targets = dict(targets)
        self.core.set_targets(self.targets, self.now)

    def go(self, by: timedelta = timedelta(), *, step: timedelta | None = None) -> None:
        """Let time go on, and the process pass after pass (every `step`)."""
        until = self.now + by
        while True:
            self.core.follow_stations(self.steps, self.now)
            self.steps = []
            if self.core.may_be_due(self.now, {outage.key for outage in self.outages}):
                self.core.find_due(
                    PassTime(now=self.now, known=self.now, untrusted=frozenset({*self.untrusted, DOUBTFUL})),
                    self.gaps,
                    self.outages,
                )
            questions = self.core.take_questions()
            if questions:
                self.core.note_reporting(question for question in questions if question.station in self.reporting)
                continue
            self._settle()
            if self.now >= until:
                break
            self.now = min(until, self.now + (step or until - self.now))

    def _settle(self) -> None:
        book = Book(self.incidents.values())
        write_spots(book, self.core.take_changes(), self.now)
        self.told += [(book_entry(book, number), phase) for number, phase in book.notifications()]
        numbers = {new.id: len(self.incidents) + place + 1 for place, new in enumerate(book.opened)}
        for incident in (*book.changed, *book.opened):
            parent = incident.parent if incident.parent is None else numbers.get(incident.parent, incident.parent)
            stored = msgspec.structs.replace(incident, id=numbers.get(incident.id, incident.id), parent=parent)
            self.incidents[stored.id] = stored
        for row in self.core.memory.take_changed():
            self.memory.pop((row.rule, row.subject), None)
            if row.at is not None:
                self.memory[row.rule, row.subject] = row.at

    def resolve(self, key: str) -> None:
        """A person closes an incident."""
        known = self.incident(key)
        self.incidents[known.id] = closed_by_hand(known, self.now)

    def put_outage(self, key: str, area: str) -> int:
        """Many stations fell for one cause, as another part found; the id of that incident."""
        number = len(self.incidents) + 1
        self.incidents[number] = Incident(
            id=number, kind="area_outage", key=key, status="open", area=area, began_at=self.now, opened_at=self.now
        )
        self.outages = [Taken(key, self.now, dict.fromkeys([area, *PATH[PATH.index(area) :]], 2))]
        return number

    def close_outage(self, key: str) -> None:
        (number,) = [i.id for i in self.incidents.values() if i.key == key]
        self.incidents[number] = msgspec.structs.replace(self.incidents[number], status="closed", closed_at=self.now)
        self.outages = []

    def incident(self, key: str) -> Incident:
        """The newest incident of a key."""
        return max((i for i in self.incidents.values() if i.key == f"blind_spot:{key}"), key=lambda i: i.id)

    @property
    def open(self) -> dict[str, datetime]:
        """The blind spots that are open, by since when."""
        return {i.key.removeprefix("blind_spot:"): i.began_at for i in self.incidents.values() if i.is_open}

    @property
    def pages(self) -> list[tuple[str, str]]:
        """Whom people were told of since the last call: (key, phase)."""
        told, self.told = self.told, []
        return told


def book_entry(book: Book, number: int) -> str:
    incident = book.get(number)
    assert incident is not None
    return incident.key.removeprefix("blind_spot:")
