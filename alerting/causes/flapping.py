"""Flapping: one incident for a station that changes its state again and again, as in Icinga. Pure.

Time is divided into slots. A slot counts when the station fell or returned in it. Each of the last twenty slots has a
weight, from 0.8 for the oldest to 1.2 for the newest. The weight of the slots that count, as a share of all weight, is
the restlessness of the station. The station flaps from a share of `on` until the share is below `off`: a hysteresis.
(Icinga 2 documentation, "Flapping".)

The length of a slot follows the time that the judge needs to decide that the station is offline, so a station with a
heartbeat every two seconds flaps within minutes. The length is constant during an episode: from a first change until no
change counts any more.
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
    """`slots`: the number of slots; `slot`: seconds of a slot for a station with a heartbeat a minute, in proportion
    for other intervals; `on`, `off`: thresholds, as shares of the weight of all slots."""

    slots: int = 20
    slot: float = 180.0
    on: float = 0.3
    off: float = 0.25

    def length(self, every: float) -> float:
        """Seconds of a slot of a station with a heartbeat every `every` seconds."""
        return in_proportion(self.slot, every)


class Turn(msgspec.Struct, frozen=True):
    """A station began or stopped flapping at `at`; `first` and `last`: the first and last change that count."""

    station: str
    flaps: bool
    at: datetime
    first: datetime
    last: datetime
    changes: int
    share: float


def restlessness(changes: Iterable[float], slot: int, settings: FlappingSettings, length: float | None = None) -> float:
    """The weighted share of slots with a change, 0 to 1, over the slots up to number `slot`.

    `changes` in seconds; `length`: seconds of a slot.
    """
    count, size = settings.slots, settings.slot if length is None else length
    ages = {slot - int(change // size) for change in changes}
    step = (_NEWEST - _OLDEST) / max(count - 1, 1)
    weight = sum(_NEWEST - step * age for age in ages if 0 <= age < count)
    return weight / (count * (_NEWEST + _OLDEST) / 2)


class _FlappingMemory(msgspec.Struct):
    """The memory of one station. `slot`: seconds of a slot in this episode."""

    changes: deque[float]
    slot: float
    flaps: bool = False

    def number(self, now: float) -> int:
        """The number of the slot that contains a moment."""
        return int(now // self.slot)


class Flapping:
    """Which stations flap. The caller reports the changes in the order in which they were decided."""

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
        """The stations that flap now."""
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
        """Restore the stored memory of a station."""
        kept = deque(sorted(change.timestamp() for change in changes))
        self._stations[station] = _FlappingMemory(kept, slot or self._settings.slot, flaps)
        if flaps:
            self._flapping.add(station)

    def note(self, station: str, at: datetime, every: float = USUAL) -> None:
        """Report a fall or return of a station; `every`: the interval of its slowest terminal, in seconds."""
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
        """Remove the last change of a station if it came at or after `since`: that fall has a common cause."""
        memory = self._stations.get(station)
        if memory is not None and memory.changes and memory.changes[-1] >= since.timestamp():
            memory.changes.pop()

    def forget(self, station: str) -> None:
        """Delete the memory of a station."""
        if self._stations.pop(station, None) is not None:
            self._gone.add(station)
        self._flapping.discard(station)

    def take_gone(self) -> set[str]:
        """The stations whose memory was deleted since the last call; for a store."""
        gone, self._gone = self._gone, set()
        return gone

    def advance(self, known: datetime, is_known: Callable[[str], bool] = lambda _: True) -> list[Turn]:
        """Advance the time to `known`; returns the turns since the last call.

        A station whose present state is not known (`is_known`) does not stop flapping.
        """
        now = known.timestamp()
        for station in sorted(self._flapping):
            if is_known(station):
                self._settle(station, self._stations[station], now)
        self._sweep(now)
        turns, self._turns = self._turns, []
        return turns

    def _share(self, memory: _FlappingMemory, slot: int) -> float:
        return restlessness(memory.changes, slot, self._settings, memory.slot)

    def _settle(self, station: str, memory: _FlappingMemory, now: float) -> None:
        """End the flapping of a station at the first slot by which its share was below `off`."""
        quiet = self._quiet(memory, memory.number(now)) if memory.flaps else None
        if quiet is not None:
            slot, share = quiet
            memory.flaps = False
            self._flapping.discard(station)
            self._turn(station, memory, max([slot * memory.slot, *memory.changes]), share)

    def _quiet(self, memory: _FlappingMemory, until: int) -> tuple[int, float] | None:
        """The first slot since the newest change, up to `until`, with a share below `off`, and that share."""
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
        """Delete the memory of stations without a change that counts; at most once in `LEAST` seconds."""
        if int(now // LEAST) == self._swept:
            return
        self._swept = int(now // LEAST)
        for station in [s for s in self._stations if s not in self._flapping]:
            self._prune(self._stations[station], now)
            if not self._stations[station].changes:
                self.forget(station)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
