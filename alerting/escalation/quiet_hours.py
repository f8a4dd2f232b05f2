"""When the quiet hours of contacts end. Pure."""

from datetime import datetime

from registry.hours.calendar import FROM_ALWAYS, Calendar, Version, calendar_of
from registry.hours.day_classes import DayClasses
from registry.hours.opening_text import ScheduleError
from registry.routes.routing import Routing


class QuietHours:
    """The quiet hours of the contacts of a routing; those of one text share a calendar."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._classes = DayClasses(routing.days)
        self._calendars: dict[str, Calendar | None] = {}

    def until(self, contact: str, at: datetime) -> datetime | None:
        """The end of the quiet hours of a contact that go on at `at`; None: none go on, or they would never end."""
        found = self._routing.contacts.get(contact)
        calendar = None if found is None or found.quiet is None else self._calendar(found.quiet)
        return calendar.next_change(at) if calendar is not None and calendar.is_open(at) else None

    def _calendar(self, text: str) -> Calendar | None:
        """None: the text cannot be read, so it holds nothing back."""
        if text not in self._calendars:
            try:
                version = Version(FROM_ALWAYS, text, self._routing.timezone)
                self._calendars[text] = calendar_of([version], day_classes=self._classes)
            except ScheduleError:
                self._calendars[text] = None
        return self._calendars[text]
