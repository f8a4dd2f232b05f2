"""The oracle of a month: which stations must be judged offline, and when, computed from the truth.

A brute-force computation, station by station and interval by interval. It shares no code with the judge and uses no
messages, only the times at which power, link and the parts of the platform worked. Times are seconds since the
beginning of the month.

A silence lasts from the last heartbeat that reached the log to the next one. It must be judged offline when three
heartbeats were missed in counted time, and must not be judged offline otherwise; within a tick of the limit both
results are correct. When gaps came between, the silence must be `unproven` first, and offline when it is proven.

A terminal that sends is alive, whatever its identity: a terminal that was restored to an earlier state, that does not
count its heartbeats, or that has a clone must be judged online at its second heartbeat at the latest, and at its third
if only its numbers went back.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from math import inf
from typing import NamedTuple

import msgspec

from tests.instrument.ground_truth import (
    ALWAYS,
    DAYS,
    END,
    SHARDS,
    Cut,
    Odd,
    Place,
    Stop,
    Truth,
    away_minutes,
    hours,
    lag,
    lead,
    openings,
    relink,
)

K = 3
FLOOR = 600
WILL = 600
LONGEST = 300
DAY = 86_400
TICK = 60
JUDGES = 3

Span = tuple[int, int]


class Life(NamedTuple):
    """An interval of uninterrupted sending: `end` in minutes, its `first` and `last` heartbeat that reached the log,
    and its shard."""

    end: int
    first: float
    last: float
    shard: str
    unsure: bool = False
    """After this life the terminal sent again and no heartbeat reached the log, though a goodbye may have; or the judge
    may have rejected the last heartbeats."""
    known: float = 0.0
    """The heartbeat at which the station must be judged online."""


class Silence(msgspec.Struct, frozen=True):
    """A silence between two heartbeats that reached the log (`last`, `next`).

    `due`: when the station must be judged offline (inf: never); `slack`: the tolerance of `due`; `since`: the beginning
    of the offline state. `gone`: when the station was known not to be online, which is earlier after a goodbye;
    `gone_since`: the beginning of that state.
    """

    last: float
    due: float
    next: float
    slack: float
    since: float = 0.0
    gone: float = 0.0
    gone_since: float = 0.0
    doubt: float = inf
    """When the silence became unproven because of gaps (inf: never)."""

    @property
    def must(self) -> bool:
        return self.due + TICK + self.slack < min(self.next, END * 60)

    @property
    def must_be_doubted(self) -> bool:
        return self.doubt + TICK + self.slack < min(self.next, self.due - self.slack, END * 60)

    @property
    def may(self) -> bool:
        return self.due - self.slack < self.next


class Counted:
    """The counted time of a shard: all time but its noticed stops."""

    def __init__(self, stops: Sequence[Stop], dies_at: int | None, weak: Container[int] = ()) -> None:
        self.gaps = [span for stop in stops if (span := _gap(stop)) is not None]
        if dies_at is not None:
            self.gaps = [gap for gap in self.gaps if gap[0] < dies_at * 60] + [(dies_at * 60, 10 * END * 60)]
        self.gaps = list(_joined(sorted(self.gaps)))
        self._begins = [begin for begin, _ in self.gaps]
        self._lost = [0, *accumulate(end - begin for begin, end in self.gaps)]
        # The counted time at the beginning of each gap.
        self.bounds = [begin - lost for begin, lost in zip(self._begins, self._lost, strict=False)]
        self._weak = weak
        self._weak_bounds = {bound for bound, begin in zip(self.bounds, self._begins, strict=True) if begin in weak}

    def at(self, wall: float) -> float:
        """The counted time at a wall time."""
        place = bisect_right(self._begins, wall)
        if not place:
            return wall
        return wall - self._lost[place - 1] - (min(wall, self.gaps[place - 1][1]) - self._begins[place - 1])

    def wall(self, counted: float) -> float:
        """The earliest wall time with this counted time."""
        return counted + self._lost[bisect_left(self.bounds, counted)]

    def is_weak_until(self, bound: float) -> bool:
        """Whether fewer than half of the stations kept their promises in the stretch that ended at this gap."""
        return bound in self._weak_bounds

    def weakness(self, counted: float) -> set[bool]:
        """Whether fewer than half keep their promises, by the ticks around a counted time."""
        first = int(self.wall(counted)) // 60 * 60
        ticks = [tick for tick in (first, first + 60, first + 120) if self.at(tick) > self.at(tick - 60)]
        return {tick in self._weak for tick in ticks}

    def bounds_after(self, wall: float) -> list[int]:
        """The counted time at each gap that was not over at `wall`."""
        return self.bounds[bisect_right(self.gaps, wall, key=lambda gap: gap[1]) :]

    def within(self, wall: float) -> bool:
        place = bisect_right(self._begins, wall)
        return place > 0 and wall <= self.gaps[place - 1][1]


def _joined(gaps: Iterable[Span]) -> Iterator[Span]:
    """The union of sorted gaps: gaps that touch become one."""
    pending: Span | None = None
    for begin, end in gaps:
        if pending is not None and begin <= pending[1]:
            pending = (pending[0], max(pending[1], end))
            continue
        if pending is not None:
            yield pending
        pending = (begin, end)
    if pending is not None:
        yield pending


def _proof(counted: Counted, sign: float, since: float, due: float, every: int) -> tuple[float, float]:
    """When a silence is proven, in counted time, and how much earlier it may be.

    `sign`: the last heartbeat; `since`: from when on heartbeats are owed; `due`: when the station is offline if no gap
    comes between. In the stretch with the last heartbeat no proof is needed. In each later stretch, the heartbeats
    after the time to reconnect are proof: two missed in one stretch, or six in all, are enough. Of the six, those do
    not count that were missed in a stretch in which fewer than half of the shard's stations kept their promises.
    """
    begin, proven = -inf, 0
    for end in (*counted.bounds_after(sign), inf):
        first = begin == -inf
        owed = since if first else max(since, begin + FLOOR)
        alone = max(due, due if first else begin + FLOOR + 2 * every)
        at = min(alone, due if first else max(due, owed + max(1, 2 * K - proven) * every))
        weak = counted.weakness(at) if at < alone and at <= end else {False}
        if weak == {True}:
            at = alone
        elif True in weak:
            return min(alone, end), min(alone, end) - at
        if at <= end:
            return at, 0.0
        proven += 0 if counted.is_weak_until(end) else max(0, int((end - owed) // every))
        begin = end
    return inf, 0.0


def _gap(stop: Stop) -> Span | None:
    """The gap of a stop, from the last tick before it to the first tick after it; None: too short to be noticed."""
    begin, end = stop.begin * 60, (stop.end + 1) * 60
    return (begin, end) if stop.killed or end - begin > LONGEST else None


class Oracle:
    """`weak`: the seconds at which the ticks of a shard said that fewer than half of its stations keep their promises;
    whether they do is the census's to count (`broker/ticks/census.py`), and tested there."""

    def __init__(self, truth: Truth, weak: Mapping[str, Container[int]] | None = None) -> None:
        self.truth = truth
        weak = weak or {}
        self._stops = {
            shard: [s for s in truth.stops if s.part == "bridge" and s.where == shard and _happens(s, shard, truth)]
            for shard in SHARDS
        }
        self._counted = {
            shard: Counted(self._stops[shard], truth.moves_at if shard == "b" else None, weak.get(shard, ()))
            for shard in SHARDS
        }
        self._stopped = {shard: _stopped(stops) for shard, stops in self._stops.items()}
        self._blind: dict[tuple[str, int], list[Span]] = {}
        self._cuts: dict[str, list[tuple[int, int, bool]]] = {}
        for cut in truth.cuts:
            self._cuts.setdefault(cut.name, []).append((cut.begin, cut.end, cut.wills))

    def lives(self, number: int) -> list[Life]:
        """The intervals in which a station sent and at least one heartbeat reached the log."""
        return list(self._lives(number, self.truth.places[number]))

    def silences(self, number: int, lives: Sequence[Life]) -> list[Silence]:
        """The silence after each life."""
        place = self.truth.places[number]
        nexts = [life.first for life in lives[1:]] + [inf]
        return [self._silence(life, nexts[turn], place, number) for turn, life in enumerate(lives)]

    # -- when it sent ------------------------------------------------------------------------------------------

    def _lives(self, number: int, place: Place) -> Iterator[Life]:
        life: Life | None = None
        for begin, end in self._sending(number, place):
            shard = "a" if place.shard == "b" and begin >= self.truth.moves_at else place.shard
            beats = [m * 60 + number % 50 for m in range(begin, min(end, END), place.every)]
            heard = [at for beat in beats if (at := self._reaches(beat, shard)) is not None]
            # Before its first heartbeat a station has no earlier boot or number, so the first heartbeat is believed.
            since = int(heard[0] // 60) if heard else begin
            believed = heard if life is None else heard[self._disbelieved(number, place, begin, since) :]
            if believed:
                if life is not None:
                    yield life
                unsure = self._is_doubtful(number, begin, end, place.every)
                *holes, last = _unbroken(heard, place.every * 60)
                for part in holes:
                    yield Life(int(part[-1] // 60) + 1, part[0], part[-1], shard, unsure, max(part[0], believed[0]))
                life = Life(end, last[0], last[-1], shard, unsure, max(last[0], believed[0]))
            elif life is not None:
                life = life._replace(unsure=True)
        if life is not None:
            yield life

    def _disbelieved(self, number: int, place: Place, begin: int, since: int) -> int:
        """How many heartbeats from `begin` on the judge need not believe, the first of which came in the minute
        `since`: two if only its numbers are not newer, because its link came back and its agent never stopped."""
        odd = self._odd_before(number, since)
        if odd is None:
            return 0
        came_back = any(end == begin for _, end, _ in self._hits(place))
        return 2 if came_back and odd.kind in ("stuck", "renumber", "snapshot") else 1

    def _odd_before(self, number: int, end: int) -> Odd | None:
        odd = self.truth.odd.get(number)
        return odd if odd is not None and odd.kind != "skip" and odd.begin <= end else None

    def _is_doubtful(self, number: int, begin: int, end: int, every: int) -> bool:
        """Whether numbers went back, and the sending ended before the judge had enough heartbeats to believe them."""
        odd = self._odd_before(number, end)
        if odd is None or odd.kind == "clone":
            return False
        since = [max(begin, odd.begin)] + [odd.end] * (begin < odd.end < end)
        return odd.end > begin and any(end - 5 * every < at for at in since)

    def _sending(self, number: int, place: Place) -> list[Span]:
        wanted = [(1 + number % 60, END * 2)] if place.kind == ALWAYS else _switched_on(number, place)
        away = [(d.begin, d.end) for d in self.truth.deaths.get(number, ())]
        away += [(begin, end) for begin, end, _ in self._hits(place)]
        if place.shard == "b":
            away.append((self.truth.moves_at, self.truth.moves_at + relink(number)))
        for begin, end in sorted(away):
            wanted = [part for span in wanted for part in _without(span, begin, end)]
        return wanted

    def _hits(self, place: Place) -> list[tuple[int, int, bool]]:
        return self._cuts.get(place.county, []) + self._cuts.get(place.feeder, [])

    def _reaches(self, at: int, shard: str) -> float | None:
        """When a message sent at `at` reached the log: later if the bridge was frozen; None: never, it was killed."""
        begins, stops = self._stopped[shard]
        stop = stops[bisect_right(begins, at)]
        if stop is None:
            return at
        return None if stop.killed else stop.end * 60

    def _resubscribed(self, at: int, shard: str) -> float:
        """When a killed bridge is back and gets the retained messages."""
        return min(s.end * 60 for s in self._stops[shard] if s.begin * 60 <= at < s.end * 60)

    # -- expected results --------------------------------------------------------------------------------------

    def _silence(self, life: Life, following: float, place: Place, number: int) -> Silence:
        end, last, shard = life.end, life.last, life.shard
        counted, every = self._counted[shard], place.every * 60
        due = counted.at(last) + K * every
        slack = 2.0 * TICK + (LONGEST if counted.within(last) else 0) + (inf if life.unsure else 0)
        slack += every if self._odd_before(number, END) is not None else 0
        ending = self._last_message(number, place, end, shard)
        if ending is not None:
            kind, at, unsure = ending
            slack += unsure
            if kind == "away":
                due = counted.at(at) + min(away_minutes(place, number, end) * 60, DAY)
            else:
                due = min(due, max(counted.at(at) + WILL, counted.at(last) + every + WILL))
            last = max(last, at)
        away = ending is not None and ending[0] == "away"
        owed, sign = (due, last) if away else (counted.at(life.last), life.last)
        first, (due, sooner) = due, _proof(counted, sign, owed, due, every)
        slack += sooner
        wall = inf if due == inf else counted.wall(due)
        early, unsure = self._doubted_before(life, every, inf if ending is None else ending[1])
        slack += unsure
        if due > first or early < inf:
            return Silence(life.last, wall, following, slack, wall, wall, wall, min(early, counted.wall(first)))
        if ending is not None and ending[0] == "away":
            return Silence(life.last, wall, following, slack, wall, ending[1], ending[1])
        return Silence(life.last, wall, following, slack, life.last + every, wall, life.last + every)

    def _doubted_before(self, life: Life, every: int, goodbye: float) -> tuple[float, float]:
        """When a terminal became unproven before its goodbye came (inf: it did not), and the extra slack after that.

        The slack is inf when the terminal was judged offline before the goodbye: the oracle does not check that case.
        """
        counted = self._counted[life.shard]
        first = counted.at(life.last) + K * every
        if goodbye == inf or counted.wall(first) > goodbye:
            return inf, 0.0
        proven, sooner = _proof(counted, life.last, counted.at(life.last), first, every)
        return counted.wall(first), inf if proven < inf and counted.wall(proven - sooner) < goodbye + 2 * TICK else 0.0

    def sees(self, cut: Cut) -> bool:
        """Whether all parts of the platform worked from before a cut until its stations had to be judged offline."""
        return not any(stop.begin <= cut.end + 60 and stop.end >= cut.begin - 60 for stop in self.truth.stops)

    def blind(self, number: int) -> list[Span]:
        """The intervals without knowledge of a station, because parts of the platform did not run."""
        shard, judge = self.truth.places[number].shard, number % JUDGES
        if (shard, judge) not in self._blind:
            mine = {("bridge", shard), ("bridge", "a"), ("judge", str(judge))}
            self._blind[shard, judge] = [
                (stop.begin * 60, (stop.end + 1) * 60)
                for stop in self.truth.stops
                if stop.part == "incidents" or (stop.part, stop.where) in mine
            ]
        return self._blind[shard, judge]

    def _last_message(self, number: int, place: Place, end: int, shard: str) -> tuple[str, float, float] | None:
        """The message at the end of a life: (away or lost, its time, slack); None: no message reached the log."""
        said = []
        closes = place.kind != ALWAYS and any(
            opening is not None and opening[1] + lag(place, number) == end
            for opening in (hours(place, day) for day in (end // 1440 - 1, end // 1440) if 0 <= day < DAYS)
        )
        if closes and place.says_goodbye:
            said.append("away")
        if number % 2 and any(death.begin == end for death in self.truth.deaths.get(number, ())):
            said.append("lost")
        if any(begin == end and wills for begin, _, wills in self._hits(place)):
            said.append("lost")
        if shard == "b" and end >= self.truth.moves_at:
            return None
        at = self._reaches(end * 60, shard) if said else None
        if at is None and "away" in said:
            at = self._resubscribed(end * 60, shard)
        if at is None:
            return None
        # In the minute in which a bridge starts, the message may have come before or after.
        is_tie = any(stop.killed and stop.end == end for stop in self._stops[shard])
        return said[0], at, DAY if len(set(said)) > 1 or is_tie else 0.0


def _unbroken(heard: Sequence[float], every: int) -> Iterator[list[float]]:
    """The heartbeats that reached the log, split where so many were lost that the station may be unproven."""
    part = [heard[0]]
    for before, at in pairwise(heard):
        if at - before > K * every + TICK:
            yield part
            part = []
        part.append(at)
    yield part


def _stopped(stops: Sequence[Stop]) -> tuple[list[int], list[Stop | None]]:
    """The seconds at which the first stop of those that cover a time changes, and the stop before and after each."""
    bounds = sorted({bound * 60 for stop in stops for bound in (stop.begin, stop.end)})
    covering = (next((one for one in stops if one.begin * 60 <= at < one.end * 60), None) for at in bounds)
    return bounds, [None, *covering]


def _happens(stop: Stop, shard: str, truth: Truth) -> bool:
    return shard != "b" or stop.begin < truth.moves_at


def _switched_on(number: int, place: Place) -> list[Span]:
    return [(begin - lead(number), end + lag(place, number)) for begin, end in openings(place)]


def _without(span: Span, begin: int, end: int) -> Iterator[Span]:
    if end <= span[0] or begin >= span[1]:
        yield span
        return
    if span[0] < begin:
        yield (span[0], begin)
    if end < span[1]:
        yield (end, span[1])


class Verdicts(msgspec.Struct):
    """The wrong results, one sentence each: `false` (should not be there) and `missed` (should be there)."""

    false: list[str]
    missed: list[str]


def compare(lives: Sequence[Life], silences: Sequence[Silence], called: Sequence[tuple[float, str]]) -> Verdicts:
    """Compare the judged states of one station with the truth; `called`: (decided at, state), in order."""
    found = Verdicts([], [])
    begins = [silence.last for silence in silences]
    seen: set[int] = set()
    for at, _ in (one for one in called if one[1] == "offline"):
        place = bisect_right(begins, at) - 1
        silence = silences[place] if place >= 0 else None
        again = place in seen and silence is not None and silence.slack < inf
        if silence is None or again or not silence.may or at < silence.due - silence.slack:
            found.false.append(f"called offline at {at}: {silence}")
        elif at > silence.due + TICK + silence.slack:
            found.missed.append(f"called offline late, at {at}: {silence}")
        seen.add(place)
    found.false += [f"doubted at {at}" for at, state in called if state == "unproven" and not _may_doubt(silences, at)]
    found.missed += [f"never doubted: {one}" for one in silences if one.must_be_doubted and not _doubted(called, one)]
    found.missed += [
        f"never called offline: {one}" for turn, one in enumerate(silences) if one.must and turn not in seen
    ]
    found.missed += [f"not called online: {life}" for life in lives if not _is_online(called, life.known + TICK)]
    return found


def _may_doubt(silences: Sequence[Silence], at: float) -> bool:
    return any(
        one.last < at <= one.next + 2 * TICK and (one.slack == inf or one.doubt - one.slack <= at) for one in silences
    )


def _doubted(called: Sequence[tuple[float, str]], silence: Silence) -> bool:
    """Whether the judge decided `unproven` in a silence, by the time at which it must be doubted."""
    return any(
        state == "unproven" and silence.last < at <= silence.doubt + TICK + silence.slack for at, state in called
    )


def _is_online(called: Sequence[tuple[float, str]], at: float) -> bool:
    """Whether the judge decided `online` at about `at`; the station may have closed right after that."""
    before = bisect_right(called, at - 3 * TICK, key=lambda one: one[0]) - 1
    lately = [state for when, state in called[max(0, before) :] if when <= at + 2 * TICK]
    return "online" in lately
