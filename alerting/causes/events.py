"""The queue of falls and returns of stations for one pass, in the order in which they were reported. Pure."""

from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime

import msgspec

from alerting.causes.evidence import Fallen, Group


class StationFell(msgspec.Struct, frozen=True):
    """A station's incident opened; `at`: the time of that decision."""

    at: datetime
    fallen: Fallen


class StationReturned(msgspec.Struct, frozen=True):
    """A station's incident is over; `at`: the time of that decision."""

    at: datetime
    station: str
    groups: tuple[Group, ...]


class EventQueue:
    """The events of a pass, and how many stations were online at each event."""

    def __init__(self) -> None:
        self._events: deque[StationFell | StationReturned] = deque()
        self._fallen: dict[str, Fallen] = {}
        # By group: the number of online stations at the next event, minus the number after all events.
        self._ahead: Counter[Group] = Counter()

    def __bool__(self) -> bool:
        return bool(self._events)

    def add_fall(self, at: datetime, fallen: Fallen) -> None:
        """Report the fall of a station."""
        self._events.append(StationFell(at, fallen))
        self._fallen[fallen.station] = fallen
        self._ahead.update(fallen.groups)

    def add_return(self, at: datetime, station: str, before: Fallen | None) -> None:
        """Report the return of a station; `before`: its fall, if that was decided in an earlier pass."""
        found = self._fallen.get(station) or before
        groups = () if found is None else found.groups
        self._events.append(StationReturned(at, station, groups))
        self._ahead.subtract(groups)

    def falls(self) -> Iterator[Fallen]:
        """All falls in the queue."""
        return (event.fallen for event in self._events if isinstance(event, StationFell))

    def apply_to(self, down: set[str]) -> set[str]:
        """The stations that are down after all events; `down`: the stations that are down before the events."""
        found = set(down)
        for event in self._events:
            if isinstance(event, StationFell):
                found.add(event.fallen.station)
            else:
                found.discard(event.station)
        return found

    @property
    def next_at(self) -> datetime:
        """When the next event was decided; the queue must not be empty."""
        return self._events[0].at

    def take(self) -> StationReturned | list[StationFell]:
        """Remove and return the next event: one return, or all following falls with the same time of decision."""
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
        """The number of online stations of a group after the event that was taken last, minus the number after all
        events of the pass."""
        return self._ahead[group]

    def clear(self) -> None:
        """Reset the counts after all events were taken."""
        self._ahead.clear()
        self._fallen.clear()
