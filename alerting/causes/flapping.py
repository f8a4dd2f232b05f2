"""Stations that come and go: one incident for all of it, as Icinga does. Pure.

Time is cut into slots. Of the last twenty, those in which a station fell or returned count, each with a weight
from 0.8 for the oldest to 1.2 for the newest; their share of all weight says how restless it is. From `on` upwards
the station flaps, until the share is below `off`. (Icinga 2 documentation, "Flapping".)

A slot is as long as the station takes to be called offline, so that one that beats every two seconds is seen to flap
within minutes. It stays so for an episode: from a change until nothing of it counts any more.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from alerting.stations.promise import LEAST, USUAL, in_proportion

_OLDEST: Final = 0.8
_NEWEST: Final = 1.2


class FlappingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`slots` are looked at, each of `slot` seconds for a station that beats once a minute and in proportion for
    others; thresholds are shares of their weight."""

    slots: int = 20
    slot: float = 180.0
    on: float = 0.3
    off: float = 0.25

    def length(self, every: float) -> float:
        """Seconds of a slot of a station that beats every `every` seconds."""
        return in_proportion(self.slot, every)


class Turn(msgspec.Struct, frozen=True):
    """A station began (or ended) to flap `at`; its first and last change that count."""

    station: str
    flaps: bool
    at: datetime
    first: datetime
    last: datetime
    changes: int
    share: float


def restlessness(changes: Iterable[float], slot: int, settings: FlappingSettings, length: float | None = None) -> float:
    """The weighted share of the slots up to number `slot`, of `length` seconds, in which there was a change; changes in
    seconds."""
    count, size = settings.slots, settings.slot if length is None else length
    ages = {slot - int(change // size) for change in changes}
    step = (_NEWEST - _OLDEST) / max(count - 1, 1)
    weight = sum(_NEWEST - step * age for age in ages if 0 <= age < count)
    return weight / (count * (_NEWEST + _OLDEST) / 2)


class _FlappingMemory(msgspec.Struct):
    """`slot`: the seconds of a slot in this episode."""

    changes: deque[float]
    slot: float
    flaps: bool = False

    def number(self, now: float) -> int:
        """The slot that a moment lies in."""
        return int(now // self.slot)


class Flapping:
    """Which stations flap; tell it the changes in the order in which they were decided."""

    def __init__(self, settings: FlappingSettings) -> None:
        self._settings = settings
        self._stations: dict[str, _FlappingMemory] = {}
        self._flapping: set[str] = set()
        self._turns: list[Turn] = []
        self._swept = 0
        self._gone: set[str] = set()

    def __contains__(self, station: str) -> bool:
        return station in self._flapping

    @property
    def stations(self) -> set[str]:
        """Those that flap now."""
        return set(self._flapping)

    def changes_of(self, station: str) -> list[datetime]:
        """The changes of a station that count; for a store."""
        memory = self._stations.get(station)
        return [] if memory is None else [_time(change) for change in memory.changes]

    def slot_of(self, station: str) -> float:
        """The seconds of a slot in the present episode of a station; for a store."""
        memory = self._stations.get(station)
        return self._settings.slot if memory is None else memory.slot

    def restore(self, station: str, changes: Iterable[datetime], *, flaps: bool, slot: float | None = None) -> None:
        """Take over what a store kept of a station."""
        kept = deque(sorted(change.timestamp() for change in changes))
        self._stations[station] = _FlappingMemory(kept, slot or self._settings.slot, flaps)
        if flaps:
            self._flapping.add(station)

    def note(self, station: str, at: datetime, every: float = USUAL) -> None:
        """A station fell or returned, whose slowest terminal beats every `every` seconds."""
        length = self._settings.length(every)
        memory = self._stations.setdefault(station, _FlappingMemory(deque(), length))
        now = at.timestamp()
        self._settle(station, memory, now)
        self._prune(memory, now)
        if not memory.changes and not memory.flaps:
            memory.slot = length
        memory.changes.append(now)
        share = self._share(memory, memory.number(now))
        if not memory.flaps and share >= self._settings.on:
            memory.flaps = True
            self._flapping.add(station)
            self._turn(station, memory, now, share)

    def take_back(self, station: str, since: datetime) -> None:
        """The fall since then had another cause after all: if it was noted, it counts no more."""
        memory = self._stations.get(station)
        if memory is not None and memory.changes and memory.changes[-1] >= since.timestamp():
            memory.changes.pop()

    def forget(self, station: str) -> None:
        """Nothing of the station counts any more."""
        if self._stations.pop(station, None) is not None:
            self._gone.add(station)
        self._flapping.discard(station)

    def take_gone(self) -> set[str]:
        """The stations that were forgotten since the last call; for a store."""
        gone, self._gone = self._gone, set()
        return gone

    def advance(self, known: datetime, knows: Callable[[str], bool] = lambda _: True) -> list[Turn]:
        """Let time go on; what turned since the last call. Of a station that nobody `knows` nothing ends."""
        now = known.timestamp()
        for station in sorted(self._flapping):
            if knows(station):
                self._settle(station, self._stations[station], now)
        self._sweep(now)
        turns, self._turns = self._turns, []
        return turns

    def _share(self, memory: _FlappingMemory, slot: int) -> float:
        return restlessness(memory.changes, slot, self._settings, memory.slot)

    def _settle(self, station: str, memory: _FlappingMemory, now: float) -> None:
        """End it at the first slot by which it was quiet enough."""
        quiet = self._quiet(memory, memory.number(now)) if memory.flaps else None
        if quiet is not None:
            slot, share = quiet
            memory.flaps = False
            self._flapping.discard(station)
            self._turn(station, memory, max([slot * memory.slot, *memory.changes]), share)

    def _quiet(self, memory: _FlappingMemory, until: int) -> tuple[int, float] | None:
        """The first slot since the newest change, up to `until`, by which the share had fallen, and the share."""
        first = memory.number(memory.changes[-1]) if memory.changes else until
        for slot in range(first, min(until, first + self._settings.slots) + 1):
            share = self._share(memory, slot)
            if share < self._settings.off:
                return slot, share
        return None

    def _turn(self, station: str, memory: _FlappingMemory, now: float, share: float) -> None:
        changes = memory.changes or [now]
        turn = Turn(
            station, memory.flaps, _time(now), _time(changes[0]), _time(changes[-1]), len(changes), round(share, 3)
        )
        self._turns.append(turn)

    def _prune(self, memory: _FlappingMemory, now: float) -> None:
        oldest = (memory.number(now) - self._settings.slots + 1) * memory.slot
        while memory.changes and memory.changes[0] < oldest:
            memory.changes.popleft()

    def _sweep(self, now: float) -> None:
        """Forget now and then the stations that have long been quiet."""
        if int(now // LEAST) == self._swept:
            return
        self._swept = int(now // LEAST)
        for station in [s for s in self._stations if s not in self._flapping]:
            self._prune(self._stations[station], now)
            if not self._stations[station].changes:
                self.forget(station)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
