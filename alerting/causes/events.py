"""Falls and returns of stations that wait to be decided, in the order in which they were reported. Pure."""

from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime

import msgspec

from alerting.causes.evidence import Fallen, Group


class StationFell(msgspec.Struct, frozen=True):
    """A station's incident opened; `at` is when that was decided."""

    at: datetime
    fallen: Fallen


class StationReturned(msgspec.Struct, frozen=True):
    """A station's incident is over; `at` is when that was decided."""

    at: datetime
    station: str
    groups: tuple[Group, ...]


class EventQueue:
    """The events of a pass, and how many stations were online before each of them."""

    def __init__(self) -> None:
        self._events: deque[StationFell | StationReturned] = deque()
        self._fallen: dict[str, Fallen] = {}
        # By group, how many more stations were online at the next event than after all of them.
        self._ahead: Counter[Group] = Counter()

    def __bool__(self) -> bool:
        return bool(self._events)

    def add_fall(self, at: datetime, fallen: Fallen) -> None:
        """A station fell."""
        self._events.append(StationFell(at, fallen))
        self._fallen[fallen.station] = fallen
        self._ahead.update(fallen.groups)

    def add_return(self, at: datetime, station: str, before: Fallen | None) -> None:
        """A station is back; `before`: its fall that was decided in an earlier pass."""
        found = self._fallen.get(station) or before
        groups = () if found is None else found.groups
        self._events.append(StationReturned(at, station, groups))
        self._ahead.subtract(groups)

    def falls(self) -> Iterator[Fallen]:
        """All falls that wait."""
        return (event.fallen for event in self._events if isinstance(event, StationFell))

    def apply_to(self, down: set[str]) -> set[str]:
        """The stations that are down after all events, of those that were `down` before."""
        found = set(down)
        for event in self._events:
            if isinstance(event, StationFell):
                found.add(event.fallen.station)
            else:
                found.discard(event.station)
        return found

    @property
    def next_at(self) -> datetime:
        """When the next event was decided; there must be one."""
        return self._events[0].at

    def take(self) -> StationReturned | list[StationFell]:
        """The next return, or the falls up to it that were decided together."""
        first = self._events.popleft()
        if isinstance(first, StationReturned):
            self._ahead.update(first.groups)
            return first
        falls = [first]
        while self._events and isinstance(following := self._events[0], StationFell) and following.at == first.at:
            falls.append(following)
            self._events.popleft()
        for fall in falls:
            self._ahead.subtract(fall.fallen.groups)
        return falls

    def ahead(self, group: Group) -> int:
        """How many more stations of a group were online at the event that was taken last than after all of them."""
        return self._ahead[group]

    def clear(self) -> None:
        """All events were taken."""
        self._ahead.clear()
        self._fallen.clear()
