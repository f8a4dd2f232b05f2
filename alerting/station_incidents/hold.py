"""Until when notifications wait whose stations need not be open now. Pure."""

from datetime import datetime, timedelta

from alerting.incidents.book import Book
from alerting.station_incidents.rules import RuleSettings
from alerting.stations.table import Field


def hold_until_open(book: Book, field: Field, at: datetime, settings: RuleSettings) -> None:
    """Hold notifications in the book whose stations all need not be open at `at`, until the first of them opens.

    The end of a closure is an opening. A notification that an incident opened waits for the grace after the opening
    too: by then the incident is over if the stations came back with their opening. That grace is longer for a common
    cause of slow stations, because such a cause is over later.
    """
    for incident, phase in book.notifications():
        stations = _stations_of(book, incident)
        times = [until for station in stations if (until := field.schedule.opens_at(station, at)) is not None]
        if times and len(times) == len(stations):
            grace = _grace(stations, field, settings) if phase in ("opened", "reopened") else 0.0
            book.hold(incident, min(times) + timedelta(seconds=grace))


def _grace(stations: list[str], field: Field, settings: RuleSettings) -> float:
    """Seconds after an opening until people are notified of an incident of these stations."""
    if len(stations) < settings.causes.least:
        return settings.opening_grace
    slowest = max(map(field.every_of, stations))
    return settings.opening_grace + settings.causes.patience(slowest) - settings.causes.hold


def _stations_of(book: Book, incident: int) -> list[str]:
    """The station of an incident; for a parent, the stations of its open children in the book."""
    found = book.get(incident)
    if found is not None and found.station is not None:
        return [found.station]
    known = (*book.opened, *book.changed)
    return [one.station for one in known if one.parent == incident and one.is_open and one.station is not None]
