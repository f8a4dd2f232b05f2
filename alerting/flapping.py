"""Stations that come and go: one incident for all of it, as Icinga does. Pure.

Time is cut into slots. Of the last twenty, those in which a station fell or returned count, each with a weight
from 0.8 for the oldest to 1.2 for the newest; their share of all weight says how restless it is. From `on` upwards
the station flaps, until the share is below `off`. (Icinga 2 documentation, "Flapping".)
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

_OLDEST: Final = 0.8
_NEWEST: Final = 1.2


class FlappingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`slots` of `slot` seconds each are looked at; thresholds are shares of their weight."""

    slots: int = 20
    slot: float = 180.0
    on: float = 0.3
    off: float = 0.25

    @property
    def window(self) -> float:
        """Seconds after which a change counts no more."""
        return self.slots * self.slot


class Turn(msgspec.Struct, frozen=True):
    """A station began (or ended) to flap `at`; its first and last change that count."""

    station: str
    flaps: bool
    at: datetime
    first: datetime
    last: datetime
    changes: int
    share: float


def restlessness(changes: Iterable[float], slot: int, settings: FlappingSettings) -> float:
    """The weighted share of the slots up to number `slot` in which there was a change; changes in seconds."""
    count = settings.slots
    ages = {slot - int(change // settings.slot) for change in changes}
    step = (_NEWEST - _OLDEST) / max(count - 1, 1)
    weight = sum(_NEWEST - step * age for age in ages if 0 <= age < count)
    return weight / (count * (_NEWEST + _OLDEST) / 2)


class _Memory(msgspec.Struct):
    changes: deque[float]
    flaps: bool = False


class Flapping:
    """Which stations flap; tell it the changes in the order in which they were decided."""

    def __init__(self, settings: FlappingSettings) -> None:
        self._settings = settings
        self._stations: dict[str, _Memory] = {}
        self._flapping: set[str] = set()
        self._turns: list[Turn] = []
        self._swept = 0
        # Stations that were forgotten since somebody took this set.
        self.gone: set[str] = set()

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

    def restore(self, station: str, changes: Iterable[datetime], *, flaps: bool) -> None:
        """Take over what a store kept of a station."""
        self._stations[station] = _Memory(deque(sorted(change.timestamp() for change in changes)), flaps)
        if flaps:
            self._flapping.add(station)

    def note(self, station: str, at: datetime) -> None:
        """A station fell or returned."""
        memory = self._stations.setdefault(station, _Memory(deque()))
        now = at.timestamp()
        self._settle(station, memory, now)
        memory.changes.append(now)
        self._prune(memory, now)
        share = restlessness(memory.changes, self._slot(now), self._settings)
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
            self.gone.add(station)
        self._flapping.discard(station)

    def advance(self, known: datetime, knows: Callable[[str], bool] = lambda _: True) -> list[Turn]:
        """Let time go on; what turned since the last call. Of a station that nobody `knows` nothing ends."""
        now = known.timestamp()
        for station in sorted(self._flapping):
            if knows(station):
                self._settle(station, self._stations[station], now)
        self._sweep(now)
        turns, self._turns = self._turns, []
        return turns

    def _slot(self, now: float) -> int:
        return int(now // self._settings.slot)

    def _settle(self, station: str, memory: _Memory, now: float) -> None:
        """End it at the first slot by which it was quiet enough."""
        quiet = self._quiet(memory, self._slot(now)) if memory.flaps else None
        if quiet is not None:
            slot, share = quiet
            memory.flaps = False
            self._flapping.discard(station)
            self._turn(station, memory, max([slot * self._settings.slot, *memory.changes]), share)

    def _quiet(self, memory: _Memory, until: int) -> tuple[int, float] | None:
        """The first slot since the newest change, up to `until`, by which the share had fallen, and the share."""
        first = self._slot(memory.changes[-1]) if memory.changes else until
        for slot in range(first, min(until, first + self._settings.slots) + 1):
            share = restlessness(memory.changes, slot, self._settings)
            if share < self._settings.off:
                return slot, share
        return None

    def _turn(self, station: str, memory: _Memory, now: float, share: float) -> None:
        changes = memory.changes or [now]
        turn = Turn(
            station, memory.flaps, _time(now), _time(changes[0]), _time(changes[-1]), len(changes), round(share, 3)
        )
        self._turns.append(turn)

    def _prune(self, memory: _Memory, now: float) -> None:
        oldest = (self._slot(now) - self._settings.slots + 1) * self._settings.slot
        while memory.changes and memory.changes[0] < oldest:
            memory.changes.popleft()

    def _sweep(self, now: float) -> None:
        """Forget, once a slot, the stations that have long been quiet."""
        if self._slot(now) == self._swept:
            return
        self._swept = self._slot(now)
        for station in [s for s in self._stations if s not in self._flapping]:
            self._prune(self._stations[station], now)
            if not self._stations[station].changes:
                self.forget(station)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
