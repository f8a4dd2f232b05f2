"""Compares what a fleet did, by its journal, with what Milepost says of it. Pure.

The journal knows when heartbeats went out, so it knows which silences were long enough to be called offline, and
which were so long that they must have been. Times are milliseconds since the epoch.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from agents.simulator import journal, usability
from agents.simulator.spans import Span, common, without
from agents.simulator.usability import Patience, Said

OFFLINE: Final = "offline"
ONLINE: Final = "online"
UNUSABLE: Final = "unusable"
UNKNOWN: Final = "unknown"
DOUBT: Final = 1000
"""ms before the end of a connection in which what was written may not have arrived."""
_Least = Callable[[float], float]
"""From `every` to the seconds of a silence."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of Milepost; seconds. It is what was promised, not what the system's settings say.

    `k` heartbeats may be missed; a Last Will shortens that to `will` seconds after one missed heartbeat; after a
    blind time everybody has `2 × every + floor` left. Who sends is online after `believed` heartbeats, whatever its
    boot and its numbers. A station that is of no use for `grace` while it is open is an incident. `slack` is for what
    is on its way.
    """

    k: float = 3.0
    believed: float = 4.0
    will: float = 10.0
    floor: float = 10.0
    grace: float = 300.0
    slack: float = 3.0

    @property
    def patience(self) -> Patience:
        return Patience(self.k, self.slack, self.grace)


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a station's timeline as the API gives it."""

    begin: int
    end: int
    verdict: str


class Stored(NamedTuple):
    """A record as the database knows it."""

    terminal: str
    box: str
    id: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the API says of one station: its history, its health records, its `station_offline` incidents' begins, its
    `unusable` incidents; `openings` (None: always) and declared `closures`."""

    timeline: Sequence[Interval]
    health: Sequence[Stored]
    incidents: Sequence[int] = ()
    unusable: Sequence[Span] = ()
    openings: Sequence[Span] | None = None
    closures: Sequence[Span] = ()
    deadletters: int | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it should be. `kind` is one of KINDS."""

    kind: str
    station: str
    text: str


KINDS: Final = (
    "false_offline",
    "missed_offline",
    "shut_out",
    "false_incident",
    "unusable_online",
    "missed_unusable",
    "false_unusable",
    "lost_record",
    "stored_twice",
    "never_sent",
    "garbage_unnamed",
)


_Heard = tuple[int, float]
"""When a heartbeat went out, and its `every`."""


class _Life:
    """What one terminal's journal says. A heartbeat is doubtful when it may have died with its connection."""

    def __init__(self) -> None:
        self.beats: list[_Heard] = []
        # Of its clones, by boot.
        self.clones: dict[str, list[_Heard]] = {}
        self.said: dict[int, bool | None] = {}
        self.doubtful: set[_Heard] = set()
        self.away: list[Span] = []

    def lost(self, at: int) -> None:
        """The connection ended at `at`."""
        for beats in (self.beats, *self.clones.values()):
            self.doubtful.update(beat for beat in beats[-2:] if 0 <= at - beat[0] < DOUBT)

    @property
    def voice(self) -> list[Said]:
        """What its heartbeats said of being usable."""
        return [Said(at, every, self.said.get(at), (at, every) not in self.doubtful) for at, every in self.beats]


class History(msgspec.Struct):
    """A journal, put in order by station."""

    began: int = 0
    ended: int = 0
    lives: dict[str, dict[str, _Life]] = {}
    made: dict[str, set[Stored]] = {}
    acked: dict[str, set[Stored]] = {}
    garbage: Counter[str] = msgspec.field(default_factory=Counter)
    # The newest id of each box, and the ids that a machine which was set back gave to other records as well.
    newest: dict[tuple[str, str, str], int] = {}
    reused: dict[str, set[Stored]] = {}

    @property
    def stations(self) -> list[str]:
        return sorted(self.lives)


_AWAY_AT_MOST: Final = 86_400_000


def history(entries: Iterable[journal.Entry]) -> History:
    """Read a journal."""
    found = History()
    for entry in entries:
        found.began = found.began or entry.at
        found.ended = max(found.ended, entry.at)
        match entry:
            case journal.Beat():
                life = _life(found, entry.station, entry.terminal)
                beats = life.clones.setdefault(entry.boot, []) if entry.clone else life.beats
                beats.append((entry.at, entry.every))
                if not entry.clone:
                    life.said[entry.at] = entry.usable
            case journal.Linked(up=False):
                _life(found, entry.station, entry.terminal).lost(entry.at)
            case journal.Told(state="away"):
                back = entry.back_at or entry.at + _AWAY_AT_MOST
                _life(found, entry.station, entry.terminal).away.append((entry.at, back))
            case journal.Made():
                _made(found, entry)
            case journal.Acked():
                numbers = (number for first, last in entry.ids for number in range(first, last + 1))
                records = {Stored(entry.terminal, entry.box, number) for number in numbers}
                found.acked.setdefault(entry.station, set()).update(records)
            case journal.Garbage():
                found.garbage[entry.station] += 1
            case _:
                pass
    return found


def _made(found: History, entry: journal.Made) -> None:
    record, box = Stored(entry.terminal, entry.box, entry.id), (entry.station, entry.terminal, entry.box)
    if entry.id <= found.newest.get(box, -1):
        found.reused.setdefault(entry.station, set()).add(record)
    found.newest[box] = max(entry.id, found.newest.get(box, -1))
    if entry.kind == "health":
        found.made.setdefault(entry.station, set()).add(record)


def _life(found: History, station: str, terminal: str) -> _Life:
    return found.lives.setdefault(station, {}).setdefault(terminal, _Life())


def check(found: History, seen: Mapping[str, Seen], rules: Rules | None = None) -> list[Finding]:
    """Everything that the journal and Milepost do not agree on; `seen` has an entry for each station of the journal."""
    rules = rules or Rules()
    return [finding for station in found.stations for finding in check_station(found, station, seen[station], rules)]


def check_station(found: History, station: str, seen: Seen, rules: Rules) -> list[Finding]:
    """The findings about one station."""
    return [
        *_check_silences(found, station, seen, rules),
        *_check_use(found, station, seen, rules),
        *_check_records(found, station, seen),
        *_check_garbage(found, station, seen),
    ]


# -- silence ---------------------------------------------------------------------------------------------------


def _check_silences(found: History, station: str, seen: Seen, rules: Rules) -> list[Finding]:
    lives = list(found.lives[station].values())
    allowed = common([_may_be_offline(life, found.ended, rules) for life in lives])
    needed = common([_must_be_offline(life, found.ended, rules) for life in lives])
    slowest = max((every for life in lives for _, every in life.beats), default=0.0)
    return [
        *_false(found, station, seen, allowed, rules),
        *_shut_out(station, lives, seen, rules),
        *(
            Finding(kind="missed_offline", station=station, text=f"silent from {begin} to {end}, never called offline")
            for begin, end in needed
            if not _told(begin, end, seen.timeline, 2 * slowest + rules.floor + rules.slack)
        ),
    ]


def _false(found: History, station: str, seen: Seen, allowed: list[Span], rules: Rules) -> list[Finding]:
    slack = round(rules.slack * 1000)
    called = {("false_offline", one.begin) for one in seen.timeline if one.verdict == OFFLINE}
    called |= {("false_incident", begin) for begin in seen.incidents}
    return [
        Finding(kind=kind, station=station, text=f"called offline since {at}, but it sent heartbeats")
        for kind, at in sorted(called)
        if found.began <= at <= found.ended and not _covered(at, allowed, slack)
    ]


_SILENT: Final = (OFFLINE, "away", "never_seen", "closed")
"""Verdicts that no station has while a terminal of it is heard."""


def _shut_out(station: str, lives: Sequence[_Life], seen: Seen, rules: Rules) -> Iterator[Finding]:
    """A machine that went on sending, while its station was called anything but online."""
    runs = [run for life in lives for beats in (life.beats, *life.clones.values()) for run in _runs(beats)]
    for one in seen.timeline:
        for begin, end, every in runs if one.verdict in _SILENT else ():
            since, until = max(begin, one.begin), min(end, one.end)
            if until - since > (rules.believed * every + rules.slack) * 1000:
                text = f"called {one.verdict} from {one.begin} to {one.end}, but it sent from {begin} to {end}"
                yield Finding(kind="shut_out", station=station, text=text)
                break


def _runs(beats: Sequence[_Heard]) -> Iterator[tuple[int, int, float]]:
    """When it sent without missing a heartbeat: from, until, and the longest `every`."""
    if not beats:
        return
    begin, slowest = beats[0]
    for (at, every), (following, _) in pairwise(beats):
        if following - at > 1500 * every:
            yield begin, at, slowest
            begin, slowest = following, 0.0
        slowest = max(slowest, every)
    yield begin, beats[-1][0], slowest


def _may_be_offline(life: _Life, ended: int, rules: Rules) -> list[Span]:
    """The silences that may be called offline: what Milepost may have heard last is as early as can be."""

    def least(every: float) -> float:
        return max(1.5 * every, min(rules.k * every, every + rules.will) - 1)

    # A clone is heard as well, once it is believed.
    heard = life.beats + [beat for beats in life.clones.values() for beat in beats[2:]]
    sure = sorted(beat for beat in heard if beat not in life.doubtful)
    # Who said when he would be back is overdue at once.
    overdue = [(back, min([at for at, _ in life.beats if at > back], default=ended)) for _, back in life.away]
    return [*_silences(sure, life.away, ended, least), *(span for span in overdue if span[0] < span[1])]


def _must_be_offline(life: _Life, ended: int, rules: Rules) -> list[Span]:
    """The silences that must be, clones counted among what was heard."""
    heard = sorted(life.beats + [beat for beats in life.clones.values() for beat in beats])
    return _silences(heard, life.away, ended, lambda every: rules.k * every + rules.slack)


def _silences(beats: list[_Heard], away: list[Span], ended: int, least: _Least) -> list[Span]:
    """From when the first missed heartbeat was due until the next one: the silences of at least so long."""
    found = []
    for (at, every), (until, _) in zip(beats, [*beats[1:], (ended, 0.0)], strict=True):
        due = max([at + round(every * 1000), *(back for told, back in away if at <= told <= until)])
        if (until - due) / 1000 + every >= least(every) and due < until:
            found.append((due, until))
    return found


def _covered(at: int, spans: Sequence[Span], slack: int) -> bool:
    return any(begin - slack <= at <= end + slack for begin, end in spans)


def _told(begin: int, end: int, timeline: Sequence[Interval], grace: float) -> bool:
    """Whether it was called offline, or Milepost was blind so near its end that it could not know."""
    touching = [one for one in timeline if one.begin < end and one.end > begin]
    if any(one.verdict == OFFLINE for one in touching):
        return True
    blind = [min(end, one.end) for one in touching if one.verdict == "unknown"]
    return bool(blind) and (end - max(blind)) / 1000 < grace


# -- use -------------------------------------------------------------------------------------------------------


def _check_use(found: History, station: str, seen: Seen, rules: Rules) -> list[Finding]:
    """What was said of being usable; two machines with one identity say nothing that can be held against anybody."""
    lives = list(found.lives[station].values())
    if any(life.clones for life in lives):
        return []
    voices = [life.voice for life in lives]
    late = round((2 * usability.slowest(voices) + rules.floor + rules.slack) * 1000)
    blind = [(one.begin, one.end + late) for one in seen.timeline if one.verdict == UNKNOWN]
    nobody = without(usability.unusable(voices, found.began, found.ended, rules.patience), blind)
    return [
        *_reads_online(station, seen, nobody),
        *_missed_unusable(station, seen, nobody, rules),
        *_false_unusable(found, station, seen, voices, rules),
    ]


def _verdicts(seen: Seen, verdict: str) -> list[Span]:
    return [(one.begin, one.end) for one in seen.timeline if one.verdict == verdict]


def _reads_online(station: str, seen: Seen, nobody: list[Span]) -> list[Finding]:
    span = usability.longest(common([nobody, _verdicts(seen, ONLINE)]))
    text = "" if span is None else f"reads online from {span[0]} to {span[1]}, when nobody could use it"
    return [Finding(kind="unusable_online", station=station, text=text)] if span else []


def _missed_unusable(station: str, seen: Seen, nobody: list[Span], rules: Rules) -> list[Finding]:
    least = round((rules.grace + rules.slack) * 1000)
    return [
        Finding(
            kind="missed_unusable", station=station, text=f"of no use from {begin} to {end}, and no incident said so"
        )
        for begin, end in usability.expected(nobody, seen.openings, seen.closures)
        if end - begin >= least and not common([[(begin, end)], seen.unusable])
    ]


def _false_unusable(
    found: History, station: str, seen: Seen, voices: Sequence[Sequence[Said]], rules: Rules
) -> list[Finding]:
    slack = round((usability.slowest(voices) + rules.slack) * 1000)
    called = common([_verdicts(seen, UNUSABLE), usability.usable(voices, rules.patience)])
    wrong = {begin for begin, end in called if end - begin > slack}
    suspects = usability.suspects(voices, found.ended)
    begun = (begin for begin, _ in seen.unusable if found.began <= begin <= found.ended)
    wrong |= {begin for begin in begun if not _covered(begin, suspects, slack)}
    return [
        Finding(kind="false_unusable", station=station, text=f"called of no use at {at}, but it said it can be used")
        for at in sorted(wrong)
    ]


# -- records ---------------------------------------------------------------------------------------------------


def _check_records(found: History, station: str, seen: Seen) -> list[Finding]:
    made = found.made.get(station, set())
    acked = found.acked.get(station, set()) & made - found.reused.get(station, set())
    stored = Counter(record for record in seen.health)
    boxes = {(record.terminal, record.box) for record in made}
    lost = acked - stored.keys()
    twice = {record for record, times in stored.items() if times > 1}
    strange = {one for one in stored if (one.terminal, one.box) in boxes} - made
    return [
        Finding(kind=kind, station=station, text=f"{len(records)} records, such as {min(records)}")
        for kind, records in (("lost_record", lost), ("stored_twice", twice), ("never_sent", strange))
        if records
    ]


def _check_garbage(found: History, station: str, seen: Seen) -> list[Finding]:
    sent = found.garbage[station]
    if seen.deadletters is None or seen.deadletters >= sent:
        return []
    text = f"{sent} broken messages were sent, {seen.deadletters} are in the dead letters"
    return [Finding(kind="garbage_unnamed", station=station, text=text)]
