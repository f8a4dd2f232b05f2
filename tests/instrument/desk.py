"""The incident process on simulated time: what it decides from what judges committed, kept as the database would."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerting.incidents_core import Book, Change, Incident, StationFacts, follow_stations
from alerting.liveness import Transition
from alerting.pipeline import Gap, Watchdog, follow_pipeline
from alerting.standing import Standing
from tests.instrument.judges import Judge, moment


class Kept:
    """The incidents so far, and what people were told of them: (moment, incident, phase)."""

    def __init__(self) -> None:
        self.incidents: dict[int, Incident] = {}
        self.told: list[tuple[datetime, int, str]] = []

    def book(self) -> Book:
        return Book(self.incidents.values())

    def store(self, book: Book, now: datetime) -> None:
        """Give new incidents their ids, as the database does."""
        first = len(self.incidents) + 1
        ids = {new.id: first + number for number, new in enumerate(book.opened)}
        for incident in (*book.changed, *book.opened):
            stored = ids.get(incident.id, incident.id)
            parent = None if incident.parent is None else ids.get(incident.parent, incident.parent)
            self.incidents[stored] = msgspec.structs.replace(incident, id=stored, parent=parent)
        self.told += [(now, ids.get(number, number), phase) for number, phase in book.notifications()]


class Desk:
    """Reads transitions and gaps of all partitions behind its cursors; what it remembers is lost with `restart`."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        self.kept = Kept()
        self._judges = judges
        self._cursors = [(0, 0)] * len(judges)
        self.restart()

    def restart(self) -> None:
        self._watchdog = Watchdog()

    def decide(self, now: datetime, standings: dict[str, Standing]) -> None:
        """One pass; `standings` is the registry's side of every station."""
        transitions, gaps = self._read()
        book = self.kept.book()
        facts = {name: StationFacts(one.lifecycle, one.area) for name, one in standings.items()}
        follow_stations(book, [_change(one) for one in transitions if one.terminal is None], facts, now)
        clocks = [clock for judge in self._judges for clock in judge.clocks()]
        view = self._watchdog.look(clocks, now=now, mono=now.timestamp())  # type: ignore[arg-type]
        follow_pipeline(book, gaps=gaps, view=view, now=now)
        self.kept.store(book, now)

    def _read(self) -> tuple[list[Transition], list[Gap]]:
        transitions: list[Transition] = []
        gaps: list[Gap] = []
        for number, judge in enumerate(self._judges):
            seen, known = self._cursors[number]
            transitions += judge.transitions[seen:]
            gaps += [
                Gap(
                    shard=one.shard,
                    partition=judge.partition,
                    began_at=moment(one.gap.began_at),
                    ended_at=moment(one.gap.ended_at),
                    reason=one.gap.reason,
                )
                for one in judge.gaps[known:]
            ]
            self._cursors[number] = (len(judge.transitions), len(judge.gaps))
        return transitions, gaps


def _change(transition: Transition) -> Change:
    return Change(
        station=transition.station,
        before=transition.before.word,
        after=transition.after.word,
        at=moment(transition.at),
        reason=transition.reason,
        seen_at=None if transition.seen_at is None else moment(transition.seen_at),
        shard=transition.shard,
    )
