"""The committed state of the incident process, in memory in place of the database: incidents, and the parts' memory."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from alerting.blindspots.remembered import RememberedMoment
from alerting.blindspots.tracker import StoredSpot
from alerting.causes.common_cause import CommonCause
from alerting.causes.suspicion_rules import Member, Suspicion
from alerting.causes.suspicion_tracker import Suspicions
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.rules import RULE_KINDS


class Kept:
    """All incidents, and their notifications in `notified`: (moment, incident, phase); `held`: until when they wait."""

    def __init__(self) -> None:
        self.incidents: dict[int, Incident] = {}
        self.notified: list[tuple[datetime, int, str]] = []
        self.held: dict[int, datetime] = {}
        self.opened: dict[int, Incident] = {}
        self.going_on: dict[int, Incident] = {}
        self.outages: dict[tuple[str, datetime], bytes] = {}
        self.flapping: dict[str, tuple[Sequence[datetime], bool, float]] = {}
        self.remembered: dict[tuple[str, str], datetime] = {}
        self.counts: dict[str, Sequence[int]] = {}
        # State after the last pass: (shard, opened_at) to suspicions, with the members that are unknown.
        self.suspicions: dict[tuple[str, datetime], bytes] = {}
        self.members: list[Member] = []
        self._by_key: dict[str, list[int]] = {}
        self._at_station: dict[str, set[int]] = {}
        self._shelved: set[int] = set()

    def newest(self, keys: Iterable[str]) -> list[Incident]:
        """The newest incident of each key."""
        return [self.incidents[self._by_key[key][-1]] for key in keys if key in self._by_key]

    def all_of(self, keys: Iterable[str]) -> list[Incident]:
        return [self.incidents[number] for key in keys for number in self._by_key.get(key, ())]

    def store(self, book: Book, now: datetime) -> None:
        """Store the changes of a book; new incidents get their ids, as in the database."""
        opened, changed = book.opened, book.changed
        if not opened and not changed:
            return
        first = len(self.incidents) + 1
        ids = {new.id: first + number for number, new in enumerate(opened)}
        for incident in (*changed, *opened):
            stored = ids.get(incident.id, incident.id)
            parent = None if incident.parent is None else ids.get(incident.parent, incident.parent)
            self._put(msgspec.structs.replace(incident, id=stored, parent=parent))
        self.held.update({ids.get(number, number): until for number, until in book.held.items()})
        self.notified += [(now, ids.get(number, number), phase) for number, phase in book.notifications()]

    def _put(self, incident: Incident) -> None:
        if incident.id not in self.incidents:
            self._by_key.setdefault(incident.key, []).append(incident.id)
        self.incidents[incident.id] = incident
        if incident.is_open:
            self.opened[incident.id] = incident
        else:
            self.opened.pop(incident.id, None)
        here = self._at_station.setdefault(incident.station or "", set())
        if incident.goes_on:
            self.going_on[incident.id] = incident
            here.add(incident.id)
        else:
            self.going_on.pop(incident.id, None)
            here.discard(incident.id)
        (self._shelved.add if incident.reopen_at is not None else self._shelved.discard)(incident.id)

    def going_on_at(self, stations: Iterable[str]) -> list[Incident]:
        """The incidents that go on at these stations."""
        return [self.going_on[number] for one in stations for number in sorted(self._at_station.get(one, ()))]

    def due_shelved(self, now: datetime) -> list[Incident]:
        """The shelved incidents whose `reopen_at` has come by `now`."""
        shelved = [self.going_on[number] for number in sorted(self._shelved & self.going_on.keys())]
        return [one for one in shelved if one.reopen_at is not None and one.reopen_at <= now]

    def notified_of(self, now: datetime) -> set[int]:
        """The incidents of which people were notified by `now` that they opened. A notification that waited for an
        opening counts only if the incident was still open then."""
        opened = {number for _, number, phase in self.notified if phase == "opened"}
        return {number for number in opened if not self._is_silent(number, now)}

    def _is_silent(self, number: int, now: datetime) -> bool:
        until, closed = self.held.get(number), self.incidents[number].closed_at
        return until is not None and until > min(now, closed or now)

    # -- load of a new leader ----------------------------------------------------------------------------------

    def handled(self) -> list[tuple[str, str]]:
        """(station, kind) of the incidents that go on, of the kinds of the station rules."""
        return [(one.station, one.kind) for one in self.going_on.values() if one.kind in RULE_KINDS and one.station]

    def keep_suspicions(self, core: Suspicions) -> None:
        """Store the suspicions and members that changed."""
        changed = {(one.shard, one.opened_at): one for one in (*core.touched.values(), *(one for one, _ in core.moved))}
        self.suspicions.update({key: msgspec.json.encode(one) for key, one in changed.items()})
        self.members += [msgspec.structs.replace(member) for _, member in core.moved]
        core.touched, core.moved = {}, []

    def suspected(self) -> list[Suspicion]:
        return [msgspec.json.decode(one, type=Suspicion) for one in self.suspicions.values()]

    def down(self, kinds: Collection[str]) -> list[Incident]:
        return [one for one in self.going_on.values() if one.kind in kinds and one.station is not None]

    def causes(self, every_of: Callable[[str], float], kind: str) -> dict[int, CommonCause]:
        """The stored causes of a kind, by the ids of their incidents, without children."""
        found = {}
        for (key, began), memory in self.outages.items():
            incident = max((one for one in self.all_of([key]) if one.began_at == began), key=lambda one: one.id)
            if incident.kind == kind:
                found[incident.id] = msgspec.json.decode(memory, type=CommonCause)
        for incident in self.incidents.values():
            if incident.parent in found and incident.station is not None:
                found[incident.parent].ever[incident.station] = every_of(incident.station)
        return found

    def spots(self) -> list[StoredSpot]:
        """The blind spots that go on."""
        spots = [one for one in self.going_on.values() if one.kind == "blind_spot"]
        return [
            StoredSpot(
                key=one.key,
                since=one.began_at,
                stage=one.detail.get("stage"),
                parent_key=None if one.parent is None else self.incidents[one.parent].key,
            )
            for one in spots
        ]

    def memory(self) -> list[RememberedMoment]:
        return [RememberedMoment(rule, subject, at) for (rule, subject), at in self.remembered.items()]

    def remember(self, changed: Iterable[RememberedMoment]) -> None:
        for row in changed:
            if row.at is None:
                self.remembered.pop((row.rule, row.subject), None)
            else:
                self.remembered[row.rule, row.subject] = row.at
