"""When a person who can be told is on duty for a role in an area, over an interval. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from registry.duty.model import Duty
from registry.duty.rules import Place
from registry.duty.times import days_around, is_valid_on, spans_in_force
from registry.hours.local_time import instant_of
from registry.hours.opening_text import ScheduleError
from registry.routes.people import People

_DAY: Final = timedelta(days=1)
Spans = tuple[tuple[datetime, datetime], ...]
"""Intervals in order, [from, until), none of which touch."""

MUTE: Final = "mute"
"""A contact without a channel."""
TOLD: Final = "told"
"""A person with a channel."""
ROOM: Final = "room"
"""A room that can be told; a message to it does not count as told to a person."""


class Coverage:
    """The coverage of each role and area in [`begin`, `end`). Places whose people have the same times share it."""

    def __init__(self, people: People, begin: datetime, end: datetime) -> None:
        self._people, self._roster = people, people.roster
        self.begin, self.end = begin, end
        self.whole: Spans = ((begin, end),)
        self._of_contact: dict[str, Spans] = {}
        self._of_place: dict[Place, Spans] = {}
        self._of_times: dict[tuple[object, ...], Spans] = {}

    def has_people(self, place: Place) -> bool:
        """Whether somebody has the role in this very area, on duty now or not, retired or not."""
        return bool(self._roster.duties(*place) or self._roster.contacts(*place))

    def spans(self, place: Place) -> Spans:
        """When a person who has a channel is on duty."""
        found = self._of_place.get(place)
        if found is None:
            times = self._times(place)
            found = self._of_times.get(times)
            if found is None:
                found = self._of_times[times] = self._swept(place)
            self._of_place[place] = found
        return found

    def has_state(self, place: Place, state: str) -> bool:
        """Whether somebody has the role here who is `MUTE` or a `ROOM`."""
        named = [duty.contact for duty in self._roster.duties(*place)]
        named += [contact.id for contact in self._roster.contacts(*place)]
        return state in map(self._state, named)

    def _times(self, place: Place) -> tuple[object, ...]:
        """Equal for places that are covered at the same times."""
        duties = sorted(map(self._duty_times, self._roster.duties(*place)))
        return *duties, *sorted({self._told(contact.id) for contact in self._roster.contacts(*place)})

    def _duty_times(self, duty: Duty) -> tuple[object, ...]:
        rotation = (str(duty.weeks), str(duty.week), str(duty.valid_from), str(duty.valid_to))
        return duty.times, *rotation, self._told(duty.contact)

    def _told(self, contact: str) -> Spans:
        """When a person with a channel does the duties of a contact: the contact, or a substitute."""
        found = self._of_contact.get(contact)
        if found is None:
            moments = (at for at in self._roster.substitutes.moments([contact]) if self.begin < at < self.end)
            edges = [self.begin, *sorted(set(moments)), self.end]
            found = joined((since, until) for since, until in pairwise(edges) if self._is_told(contact, since))
            self._of_contact[contact] = found
        return found

    def _is_told(self, contact: str, at: datetime) -> bool:
        holder = self._roster.substitutes.stand_in(contact, at).contact
        return holder is not None and self._state(holder) == TOLD

    def _state(self, contact: str) -> str:
        """Whether a contact can be told."""
        known = self._people.routing.contacts.get(contact)
        if known is None or known.retired_at is not None:
            return "gone"
        if not known.channels:
            return MUTE
        return ROOM if known.room else TOLD

    def _swept(self, place: Place) -> Spans:
        """The spans of the duties of persons with a channel; also the times in which no duty names a person, if a
        person with a channel has this role and area. An absent person has the channels of the substitute."""
        told: list[tuple[datetime, datetime]] = []
        named: list[tuple[datetime, datetime]] = []
        duties: list[Duty] = []
        for duty in self._roster.duties(*place):
            with suppress(ScheduleError):
                spans = spans_in_force(duty, self.begin, self.end, self._roster.classes, self._roster.timezone)
                duties.append(duty)
                named += spans
                told += overlap(joined(spans), self._told(duty.contact))
        own = joined(span for contact in self._roster.contacts(*place) for span in self._told(contact.id))
        if own:
            told += overlap(self._unnamed(duties, named), own)
        return joined(clipped(told, self.begin, self.end))

    def _unnamed(self, duties: Sequence[Duty], in_force: Sequence[tuple[datetime, datetime]]) -> Spans:
        """The times in which no readable duty names a person: local days outside of the dates of all duties, without
        the spans in force."""
        if any(duty.valid_from is None and duty.valid_to is None for duty in duties):
            return ()
        zone = ZoneInfo(self._roster.timezone)
        days = [
            (instant_of(datetime.combine(day, time()), zone), instant_of(datetime.combine(day + _DAY, time()), zone))
            for day in days_around(self.begin, self.end, self._roster.timezone)
            if any(is_valid_on(duty, day) for duty in duties)
        ]
        return without(joined(clipped([*days, *in_force], self.begin, self.end)), self.begin, self.end)


def clipped(
    spans: Iterable[tuple[datetime, datetime]], begin: datetime, end: datetime
) -> Iterable[tuple[datetime, datetime]]:
    """The intervals, cut to [`begin`, `end`)."""
    return ((max(since, begin), min(until, end)) for since, until in spans if since < end and until > begin)


def joined(spans: Iterable[tuple[datetime, datetime]]) -> Spans:
    """Intervals as one list in order: those that touch or overlap are one."""
    found: list[tuple[datetime, datetime]] = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until)
        elif since < until:
            found.append((since, until))
    return tuple(found)


def overlap(some: Spans, others: Spans) -> Iterator[tuple[datetime, datetime]]:
    """The times that are in both lists, each in order and without spans that touch."""
    place = 0
    for since, until in some:
        while place < len(others) and others[place][1] <= since:
            place += 1
        for begins, ends in others[place:]:
            if begins >= until:
                break
            yield max(since, begins), min(until, ends)


def without(spans: Sequence[tuple[datetime, datetime]], begin: datetime, end: datetime) -> Spans:
    """What `spans`, which are in order and do not touch, leave of [`begin`, `end`)."""
    edges = [begin, *(edge for span in spans for edge in span), end]
    return tuple((since, until) for since, until in zip(edges[::2], edges[1::2], strict=True) if since < until)
