"""A journal, ordered by station: when terminals sent heartbeats, and which silences may or must be called offline.

Pure. Times are milliseconds since the epoch.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from agents.simulator import journal
from agents.simulator.seen import ExpectedRules, StoredRecord
from agents.simulator.spans import Span
from agents.simulator.usability import UsableReport

DOUBT: Final = 1000
"""ms before the end of a connection: messages written since then may not have arrived."""
Heard = tuple[int, float]
"""(time at which a heartbeat was sent, its `every`)"""
_OWN: Final = ("killed", "cut")
"""Reasons of the end of a connection that the terminal itself ended."""
_Least = Callable[[float], float]
"""From `every` to the seconds of a silence."""


class Life:
    """The journal of one terminal. A heartbeat is doubtful when it may have been lost with its connection."""

    def __init__(self) -> None:
        self.beats: list[Heard] = []
        # The heartbeats of its clones, by boot.
        self.clones: dict[str, list[Heard]] = {}
        self.said: dict[int, bool | None] = {}
        self.doubtful: set[Heard] = set()
        self.away: list[Span] = []
        # When it lost its connection without any broker: it lost its power or its link.
        self.broke: list[int] = []

    def lost(self, at: int, why: str = "") -> None:
        """The connection ended at `at`."""
        if why in _OWN:
            self.broke.append(at)
        for beats in (self.beats, *self.clones.values()):
            self.doubtful.update(beat for beat in beats[-2:] if 0 <= at - beat[0] < DOUBT)

    @property
    def voice(self) -> list[UsableReport]:
        """What its heartbeats said about being usable."""
        return [
            UsableReport(at, every, self.said.get(at), (at, every) not in self.doubtful) for at, every in self.beats
        ]


class History(msgspec.Struct):
    """A journal, ordered by station."""

    began: int = 0
    ended: int = 0
    lives: dict[str, dict[str, Life]] = {}
    made: dict[str, set[StoredRecord]] = {}
    acked: dict[str, set[StoredRecord]] = {}
    garbage: Counter[str] = msgspec.field(default_factory=Counter)
    # The newest id of each box, and the ids that a machine which was set back gave to other records as well.
    newest: dict[tuple[str, str, str], int] = {}
    reused: dict[str, set[StoredRecord]] = {}

    @property
    def stations(self) -> list[str]:
        """All stations of the journal."""
        return sorted(self.lives)


_AWAY_AT_MOST: Final = 86_400_000


def history(entries: Iterable[journal.Entry]) -> History:
    """Read a journal."""
    found = History()
    for entry in entries:
        found.began = found.began or entry.at
        found.ended = max(found.ended, entry.at)
        match entry:
            case journal.HeartbeatSent():
                life = _life(found, entry.station, entry.terminal)
                beats = life.clones.setdefault(entry.boot, []) if entry.clone else life.beats
                beats.append((entry.at, entry.every))
                if not entry.clone:
                    life.said[entry.at] = entry.usable
            case journal.LinkChanged(up=False):
                _life(found, entry.station, entry.terminal).lost(entry.at, entry.why)
            case journal.StatusSent(state="away"):
                back = entry.back_at or entry.at + _AWAY_AT_MOST
                _life(found, entry.station, entry.terminal).away.append((entry.at, back))
            case journal.RecordMade():
                _made(found, entry)
            case journal.RecordsAcked():
                numbers = (number for first, last in entry.ids for number in range(first, last + 1))
                records = {StoredRecord(entry.terminal, entry.box, number) for number in numbers}
                found.acked.setdefault(entry.station, set()).update(records)
            case journal.GarbageSent():
                found.garbage[entry.station] += 1
            case _:
                pass
    return found


def _made(found: History, entry: journal.RecordMade) -> None:
    record, box = StoredRecord(entry.terminal, entry.box, entry.id), (entry.station, entry.terminal, entry.box)
    if entry.id <= found.newest.get(box, -1):
        found.reused.setdefault(entry.station, set()).add(record)
    found.newest[box] = max(entry.id, found.newest.get(box, -1))
    if entry.kind == "health":
        found.made.setdefault(entry.station, set()).add(record)


def _life(found: History, station: str, terminal: str) -> Life:
    return found.lives.setdefault(station, {}).setdefault(terminal, Life())


def may_be_offline(life: Life, ended: int, rules: ExpectedRules) -> list[Span]:
    """The silences that may be called offline, with the earliest heartbeat that can have been the last to arrive."""

    def least(every: float) -> float:
        return max(1.5 * every, min(rules.k * every, every + rules.will) - 1)

    # The server hears a clone, too, once it believes it.
    heard = life.beats + [beat for beats in life.clones.values() for beat in beats[2:]]
    sure = sorted(beat for beat in heard if beat not in life.doubtful)
    # A terminal that promised its return is overdue at once.
    overdue = [(back, min([at for at, _ in life.beats if at > back], default=ended)) for _, back in life.away]
    return [*_silences(sure, life.away, ended, least), *(span for span in overdue if span[0] < span[1])]


def must_be_offline(life: Life, ended: int, rules: ExpectedRules) -> list[Span]:
    """The silences that must be called offline; heartbeats of clones count, too."""
    heard = sorted(life.beats + [beat for beats in life.clones.values() for beat in beats])
    return _silences(heard, life.away, ended, lambda every: rules.k * every + rules.slack)


def _silences(beats: list[Heard], away: list[Span], ended: int, least: _Least) -> list[Span]:
    """Silences that last long enough, from when the first missed heartbeat was due until the next heartbeat."""
    found = []
    for (at, every), (until, _) in zip(beats, [*beats[1:], (ended, 0.0)], strict=True):
        due = max([at + round(every * 1000), *(back for sent, back in away if at <= sent <= until)])
        if (until - due) / 1000 + every >= least(every) and due < until:
            found.append((due, until))
    return found


def runs_of(beats: Sequence[Heard]) -> Iterator[tuple[int, int, float]]:
    """(begin, end, longest `every`) of the times in which no heartbeat was missed."""
    if not beats:
        return
    begin, slowest = beats[0]
    for (at, every), (following, _) in pairwise(beats):
        if following - at > 1500 * every:
            yield begin, at, slowest
            begin, slowest = following, 0.0
        slowest = max(slowest, every)
    yield begin, beats[-1][0], slowest
