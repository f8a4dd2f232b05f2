"""Until when notifications about stations wait that need not be open now. Pure."""

from datetime import datetime, timedelta

from alerting.incidents.book import Book
from alerting.station_incidents.rules import RuleSettings
from alerting.stations.table import Field


def hold_until_open(book: Book, field: Field, at: datetime, settings: RuleSettings) -> None:
    """What concerns stations that need not be open at `at` is told when the first of them opens, or its closure ends.

    That something is wrong is told `opening_grace` later: by then it is over if they came back with their opening. A
    cause of slow stations is over later after that than one of others, and is told so much later.
    """
    for incident, phase in book.notifications():
        stations = _stations_of(book, incident)
        times = [until for station in stations if (until := field.schedule.opens_at(station, at)) is not None]
        if times and len(times) == len(stations):
            grace = _grace(stations, field, settings) if phase in ("opened", "reopened") else 0.0
            book.hold(incident, min(times) + timedelta(seconds=grace))


def _grace(stations: list[str], field: Field, settings: RuleSettings) -> float:
    """Seconds after an opening until what is wrong with these stations is told."""
    if len(stations) < settings.causes.least:
        return settings.opening_grace
    slowest = max(map(field.every_of, stations))
    return settings.opening_grace + settings.causes.patience(slowest) - settings.causes.hold


def _stations_of(book: Book, incident: int) -> list[str]:
    """The station of an incident; of a parent those of its children that are open and in the book."""
    found = book.get(incident)
    if found is not None and found.station is not None:
        return [found.station]
    known = (*book.opened, *book.changed)
    return [one.station for one in known if one.parent == incident and one.is_open and one.station is not None]
