"""What should have come of a month, counted out by hand from its truth: who had to be called offline, and when.

Brute force, station by station, interval by interval; it shares no code with the judge, and knows no message, only
when power, link and our own parts were there. Times are seconds since the month's beginning.

A silence is from the last heartbeat that reached us to the next one. It had to be called offline when three heartbeats
were missed by the time that counts, and must not have been if not; what lies within a tick of the limit may go either
way. Where gaps of ours came between, it had to be doubted then, and called offline when it was proven.

Whoever sends is alive, whatever its identity: a terminal that was set back, that does not count, or that has a clone
must be called online at its second heartbeat at the latest, and at its third where its numbers alone went back.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
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
    """An unbroken time of sending: the minute of its end, its first and last heartbeat that reached us, its shard."""

    end: int
    first: float
    last: float
    shard: str
    unsure: bool = False
    """After it there was sending of which no heartbeat reached us, though a goodbye may have; or the last ones may not
    have been believed."""
    known: float = 0.0
    """The heartbeat with which it must be called online."""


class Silence(msgspec.Struct, frozen=True):
    """Between two heartbeats that reached us. `due`: when it had to be called offline (inf: never); `slack`: how far
    the truth leaves that open; `next`: the heartbeat that ended it.

    `since`: from when on it counts as offline. `gone`: from when on it was known not to be online, which one that
    said goodbye is earlier, and `gone_since` as of when."""

    last: float
    due: float
    next: float
    slack: float
    since: float = 0.0
    gone: float = 0.0
    gone_since: float = 0.0
    doubt: float = inf
    """From when on gaps left open whether it was silent (inf: they never did)."""

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
    """The time that counts of a shard: all but its stops that were noticed."""

    def __init__(self, stops: Sequence[Stop], dies_at: int | None) -> None:
        self.gaps = [span for stop in stops if (span := _gap(stop)) is not None]
        if dies_at is not None:
            self.gaps = [gap for gap in self.gaps if gap[0] < dies_at * 60] + [(dies_at * 60, 10 * END * 60)]
        self.gaps = list(_joined(sorted(self.gaps)))
        self._begins = [begin for begin, _ in self.gaps]
        self._lost = [0, *accumulate(end - begin for begin, end in self.gaps)]
        # The clock at each gap.
        self.bounds = [begin - lost for begin, lost in zip(self._begins, self._lost, strict=False)]

    def at(self, wall: float) -> float:
        """How much had been counted."""
        place = bisect_right(self._begins, wall)
        if not place:
            return wall
        return wall - self._lost[place - 1] - (min(wall, self.gaps[place - 1][1]) - self._begins[place - 1])

    def wall(self, counted: float) -> float:
        """The earliest wall time at which so much had been counted."""
        return counted + self._lost[bisect_left(self.bounds, counted)]

    def bounds_after(self, wall: float) -> list[int]:
        """The clock at each gap that was not over at `wall`."""
        return self.bounds[bisect_right(self.gaps, wall, key=lambda gap: gap[1]) :]

    def within(self, wall: float) -> bool:
        place = bisect_right(self._begins, wall)
        return place > 0 and wall <= self.gaps[place - 1][1]


def _joined(gaps: Iterable[Span]) -> Iterator[Span]:
    """Gaps that touch are one."""
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


def _proof(bounds: Sequence[int], since: float, due: float, every: int) -> float:
    """When a silence is proven at last: what it owes since then (clock), due when nothing is lost, and the gaps that
    came since it was heard.

    In the stretch with the last heartbeat nothing is to be proven. Later ones prove what they hold but for the time of
    connecting, and two of it at once, or six in all, are enough.
    """
    begin, proven = -inf, 0
    for end in (*bounds, inf):
        first = begin == -inf
        owed = since if first else max(since, begin + FLOOR)
        at = due if first else max(due, min(begin + FLOOR + 2 * every, owed + max(1, 2 * K - proven) * every))
        if at <= end:
            return at
        proven += max(0, int((end - owed) // every))
        begin = end
    return inf


def _gap(stop: Stop) -> Span | None:
    """From the last tick before a stop to the first after it; None when nobody could notice."""
    begin, end = stop.begin * 60, (stop.end + 1) * 60
    return (begin, end) if stop.killed or end - begin > LONGEST else None


class Oracle:
    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self._stops = {
            shard: [s for s in truth.stops if s.part == "bridge" and s.where == shard and _happens(s, shard, truth)]
            for shard in SHARDS
        }
        self._counted = {
            shard: Counted(self._stops[shard], truth.moves_at if shard == "b" else None) for shard in SHARDS
        }
        self._cuts: dict[str, list[tuple[int, int, bool]]] = {}
        for cut in truth.cuts:
            self._cuts.setdefault(cut.name, []).append((cut.begin, cut.end, cut.wills))

    def lives(self, number: int) -> list[Life]:
        """Each unbroken time in which a station sent and anything of it reached us."""
        return list(self._lives(number, self.truth.places[number]))

    def silences(self, number: int, lives: Sequence[Life]) -> list[Silence]:
        """What follows each of these."""
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
            # Nothing is known of one that was never heard, so its first heartbeat is enough.
            since = int(heard[0] // 60) if heard else begin
            believed = heard if life is None or self._odd_before(number, since) is None else heard[1:]
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

    def _odd_before(self, number: int, end: int) -> Odd | None:
        odd = self.truth.odd.get(number)
        return odd if odd is not None and odd.kind != "skip" and odd.begin <= end else None

    def _is_doubtful(self, number: int, begin: int, end: int, every: int) -> bool:
        """Whether a time of sending ends before heartbeats whose numbers went back were enough to be believed."""
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
        """When what was sent then reached the log: later, if the bridge stood still; never, if it was dead."""
        for stop in self._stops[shard]:
            if stop.begin * 60 <= at < stop.end * 60:
                return None if stop.killed else stop.end * 60
        return at

    def _resubscribed(self, at: int, shard: str) -> float:
        """When a bridge that was dead gets what is retained."""
        return min(s.end * 60 for s in self._stops[shard] if s.begin * 60 <= at < s.end * 60)

    # -- what should have come of it ---------------------------------------------------------------------------

    def _silence(self, life: Life, following: float, place: Place, number: int) -> Silence:
        end, last, shard = life.end, life.last, life.shard
        counted, every = self._counted[shard], place.every * 60
        due = counted.at(last) + K * every
        slack = 2.0 * TICK + (LONGEST if counted.within(last) else 0) + (inf if life.unsure else 0)
        slack += every if self._odd_before(number, END) is not None else 0
        told = self._told(number, place, end, shard)
        if told is not None:
            kind, at, unsure = told
            slack += unsure
            if kind == "away":
                due = counted.at(at) + min(away_minutes(place, number, end) * 60, DAY)
            else:
                due = min(due, max(counted.at(at) + WILL, counted.at(last) + every + WILL))
            last = max(last, at)
        away = told is not None and told[0] == "away"
        owed, sign = (due, last) if away else (counted.at(life.last), life.last)
        first, due = due, _proof(counted.bounds_after(sign), owed, due, every)
        wall = inf if due == inf else counted.wall(due)
        early, unsure = self._doubted_before(life, every, inf if told is None else told[1])
        slack += unsure
        if due > first or early < inf:
            return Silence(life.last, wall, following, slack, wall, wall, wall, min(early, counted.wall(first)))
        if told is not None and told[0] == "away":
            return Silence(life.last, wall, following, slack, wall, told[1], told[1])
        return Silence(life.last, wall, following, slack, life.last + every, wall, life.last + every)

    def _doubted_before(self, life: Life, every: int, goodbye: float) -> tuple[float, float]:
        """From when on a terminal was doubted before its goodbye came (inf: it was not), and how unsure the rest is
        then: nobody asks what follows a goodbye of one that was called offline."""
        counted = self._counted[life.shard]
        first = counted.at(life.last) + K * every
        if goodbye == inf or counted.wall(first) > goodbye:
            return inf, 0.0
        proven = _proof(counted.bounds_after(life.last), counted.at(life.last), first, every)
        return counted.wall(first), inf if proven < inf and counted.wall(proven) < goodbye + 2 * TICK else 0.0

    def sees(self, cut: Cut) -> bool:
        """Whether all of ours worked from before a cut until its stations had to be called offline."""
        return not any(stop.begin <= cut.end + 60 and stop.end >= cut.begin - 60 for stop in self.truth.stops)

    def blind(self, number: int) -> list[Span]:
        """When nobody could say anything of a station: our own parts stood still."""
        place = self.truth.places[number]
        mine = {("bridge", place.shard), ("bridge", "a"), ("judge", str(number % JUDGES))}
        return [
            (stop.begin * 60, (stop.end + 1) * 60)
            for stop in self.truth.stops
            if stop.part == "incidents" or (stop.part, stop.where) in mine
        ]

    def _told(self, number: int, place: Place, end: int, shard: str) -> tuple[str, float, float] | None:
        """What was said of the end: away, or the broker's word that the connection is lost; when, how sure."""
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
        return said[0], at, DAY if len(set(said)) > 1 else 0.0


def _unbroken(heard: Sequence[float], every: int) -> Iterator[list[float]]:
    """Heartbeats that reached us, divided where so many between them were lost that it may have been doubted."""
    part = [heard[0]]
    for before, at in pairwise(heard):
        if at - before > K * every + TICK:
            yield part
            part = []
        part.append(at)
    yield part


def _happens(stop: Stop, shard: str, truth: Truth) -> bool:
    return shard != "b" or stop.begin < truth.moves_at


def _switched_on(number: int, place: Place) -> list[Span]:
    openings = (hours(place, day) for day in range(DAYS))
    return [(one[0] - lead(number), one[1] + lag(place, number)) for one in openings if one is not None]


def _without(span: Span, begin: int, end: int) -> Iterator[Span]:
    if end <= span[0] or begin >= span[1]:
        yield span
        return
    if span[0] < begin:
        yield (span[0], begin)
    if end < span[1]:
        yield (end, span[1])


class Verdicts(msgspec.Struct):
    """What a station was called against what it was, a sentence each."""

    false: list[str]
    missed: list[str]


def compare(lives: Sequence[Life], silences: Sequence[Silence], called: Sequence[tuple[float, str]]) -> Verdicts:
    """`called`: (decided at, state) of one station, in order."""
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
    """Whether it was called neither online nor offline between the doubt and the proof."""
    return any(
        state == "unproven" and silence.last < at <= silence.doubt + TICK + silence.slack for at, state in called
    )


def _is_online(called: Sequence[tuple[float, str]], at: float) -> bool:
    """Whether it was called online at about `at`; it may have closed at once."""
    before = bisect_right(called, at - 3 * TICK, key=lambda one: one[0]) - 1
    lately = [state for when, state in called[max(0, before) :] if when <= at + 2 * TICK]
    return "online" in lately
