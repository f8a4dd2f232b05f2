"""Stations that beat, cuts that take them and the incidents that follow, on virtual time and with the pure core."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from alerting.causes.common_cause import CommonCause, Opening
from alerting.causes.evidence import Fallen, Group, Peer
from alerting.causes.membership import sort_by_cause
from alerting.causes.tracker import Causes
from alerting.causes.write import fall_of, write_plan
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import station_rule_key
from contract.kinds import IncidentKind
from tests.shelving import closed_by_hand

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
MISSED = 3


def station_key(station: str) -> str:
    return station_rule_key(IncidentKind.STATION_OFFLINE, station)


def second(number: float) -> datetime:
    return START + timedelta(seconds=number)


@dataclass
class Station:
    """Beats every `every` seconds from `phase` on, while it is up; heard last and offline as the judge says."""

    id: str
    groups: tuple[Group, ...]
    every: int = 60
    phase: int = 0
    up: bool = True
    heard: int = -1
    offline: bool = False

    def beat(self, now: int) -> bool:
        """Whether it was heard since it was looked at last."""
        due = now - (now - self.phase) % self.every
        if not self.up or due <= self.heard:
            return False
        self.heard = due
        return True

    @property
    def fallen(self) -> Fallen:
        return Fallen(
            self.id, second(self.heard), second(self.heard + self.every), self.groups, station_key(self.id), self.every
        )


@dataclass
class World:
    """Every `tick` seconds the judge looks; every `stride` seconds the incident process has a pass. `openings`: of the
    stations with opening hours."""

    settings: CauseSettings = field(default_factory=CauseSettings)
    tick: int = 1
    stride: int = 1
    asks: bool = True
    stations: dict[str, Station] = field(default_factory=dict)
    now: int = 0
    openings: dict[str, Opening] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.causes = Causes(self.settings, self.online)
        self.incidents: dict[int, Incident] = {}
        self.pages: list[tuple[int, str, str]] = []
        self._told: set[tuple[int, str]] = set()
        self._decided: list[tuple[int, Station, Fallen | None]] = []

    # -- building and doing ------------------------------------------------------------------------------------

    def add(self, number: int, *groups: str, every: int = 60, prefix: str = "S") -> list[Station]:
        """Stations in groups written `area:63`; areas with the root first."""
        pairs = tuple((cause, name) for cause, _, name in (group.partition(":") for group in groups))
        first = len(self.stations)
        fresh = [
            Station(f"{prefix}{first + n:03d}", pairs, every, phase=(first + n) * 7 % every, heard=-1)
            for n in range(number)
        ]
        for station in fresh:
            station.heard = station.phase - every
            self.stations[station.id] = station
        return fresh

    def cut(self, stations: Iterable[Station]) -> None:
        for station in stations:
            station.up = False

    def mend(self, stations: Iterable[Station]) -> None:
        """They reconnect within 20 seconds."""
        for number, station in enumerate(stations):
            if not station.up:
                station.up, station.phase = True, self.now + 1 + number % 20
                station.heard = max(station.heard, station.phase - station.every)

    def run(self, seconds: int) -> None:
        for _ in range(seconds // self.tick):
            self.now += self.tick
            for station in self.stations.values():
                self._judge(station)
            if self.now % self.stride == 0:
                self.look()

    def _judge(self, station: Station) -> None:
        if station.beat(self.now) and station.offline:
            station.offline = False
            self._decided.append((self.now, station, None))
        elif not station.offline and self.now >= station.heard + MISSED * station.every:
            station.offline = True
            self._decided.append((self.now, station, station.fallen))

    # -- the incident process ----------------------------------------------------------------------------------

    def online(self, group: Group) -> int:
        return sum(not station.offline and group in station.groups for station in self.stations.values())

    def peers(self, group: Group) -> list[Peer]:
        members = [s for s in self.stations.values() if not s.offline and group in s.groups]
        return [
            Peer(s.id, second(s.heard), second(s.heard + s.every), self.now > s.heard + s.every, s.groups, s.every)
            for s in members
        ]

    def look(self) -> None:
        """One pass: the station's own rule, then the causes; the book is stored as the shell does it."""
        book = Book(incident for incident in self.incidents.values() if incident.goes_on)
        for at, station, fallen in self._decided:
            if fallen is not None:
                incident = _offline(station, fallen, second(self.now))
                book.open(incident, "missed_heartbeats")
                self.causes.note_fall(second(at), fallen)
            else:
                open_one = book.open_of(station_key(station.id))
                assert open_one is not None
                book.close(open_one, ended_at=second(at), now=second(self.now), reason="online")
                self.causes.note_return(second(at), station.id)
        self._decided.clear()
        asked = {group: self.peers(group) for group in self.causes.wanted()} if self.asks else {}
        plan = self.causes.decide(second(self.now), asked, expected=lambda one: self.openings.get(one, Opening()))
        write_plan(book, plan, second(self.now))
        self._store(book)

    def _store(self, book: Book) -> None:
        ids = {new.id: len(self.incidents) + n + 1 for n, new in enumerate(book.opened)}
        for incident in (*book.opened, *book.changed):
            parent = None if incident.parent is None else ids.get(incident.parent, incident.parent)
            number = ids.get(incident.id, incident.id)
            self.incidents[number] = msgspec.structs.replace(incident, id=number, parent=parent)
        for number, phase in book.notifications():
            self._tell(ids.get(number, number), phase)

    def _tell(self, number: int, phase: str) -> None:
        if (number, phase) not in self._told:
            self._told.add((number, phase))
            self.pages.append((self.now, self.incidents[number].key, phase))

    def restart(self) -> None:
        """The incident process begins anew, with what it can read: open incidents, and the causes' own memory."""
        memory = [*self.causes.members.outages.values(), *self.causes.members.late]
        self.causes = Causes(self.settings, self.online)
        kept = [outage.to_store() for outage in memory]
        by_id = self._by_incident(kept)
        falls = []
        for incident in self.incidents.values():
            if incident.kind != IncidentKind.STATION_OFFLINE:
                continue
            station = self.stations[incident.station or ""]
            fallen = fall_of(incident, station.groups, station.every)
            if incident.parent in by_id:
                by_id[incident.parent].ever[fallen.station] = fallen.every
            if incident.goes_on:
                falls.append((fallen, incident.parent))
        alone = sort_by_cause(by_id, falls)
        self.causes.restore(kept, alone)

    def _by_incident(self, kept: Sequence[CommonCause]) -> dict[int, CommonCause]:
        """The causes by the ids of their incidents. Of several incidents that began together, the memory is that of the
        newest, as the query `load_outages` says: a cause that is over may have left another in its place."""
        newest = {(incident.key, incident.began_at): number for number, incident in sorted(self.incidents.items())}
        return {newest[outage.key, outage.began]: outage for outage in kept}

    def resolve(self, key: str) -> None:
        """A person closes an incident."""
        (number,) = [n for n, incident in self.incidents.items() if incident.key == key and incident.is_open]
        self.incidents[number] = closed_by_hand(self.incidents[number], second(self.now))

    # -- what is asked -----------------------------------------------------------------------------------------

    def outages(self) -> list[Incident]:
        return [incident for incident in self.incidents.values() if incident.kind == IncidentKind.AREA_OUTAGE]

    def keys(self, test: Callable[[Incident], bool]) -> list[str]:
        return sorted(incident.key for incident in self.incidents.values() if test(incident))

    def children(self, outage: Incident) -> list[str]:
        return sorted(i.station or "" for i in self.incidents.values() if i.parent == outage.id)

    def story(self) -> list[str]:
        """What people were told, without times; what was told in one moment by its name."""
        return [f"{phase} {key}" for _, phase, key in sorted((at, phase, key) for at, key, phase in self.pages)]

    def tree(self) -> list[tuple[str, str, str | None]]:
        """Every incident: key, status, and the key of its parent."""
        rows = (
            (i.key, i.status, self.incidents[i.parent].key if i.parent is not None else None)
            for i in self.incidents.values()
        )
        return sorted(rows, key=str)


def _offline(station: Station, fallen: Fallen, now: datetime) -> Incident:
    return Incident(
        id=0,
        kind=IncidentKind.STATION_OFFLINE,
        key=station_key(station.id),
        status="open",
        station=station.id,
        began_at=fallen.until,
        opened_at=now,
        detail={"reason": "missed_heartbeats", "seen_at": fallen.began},
    )
