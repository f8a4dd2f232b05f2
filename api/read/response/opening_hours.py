"""The opening hours of many stations, for the open time of their incidents."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from api.read.response.open_time import OpenHours, hours_of
from api.read.response.queries import QUERIES
from registry.hours.calendar import SHUT, Calendar, Definition
from registry.hours.calendar_store import load_day_classes
from store.pool import Connection


async def load_calendars_of(connection: Connection, calendars: Iterable[int | None]) -> dict[int, Calendar]:
    """Calendars by their ids; a calendar that cannot be read is never open."""
    wanted = {one for one in calendars if one is not None}
    if not wanted:
        return {}
    classes = await load_day_classes(connection)
    found: dict[int, Calendar] = {}
    for row in await connection.fetch(QUERIES.calendars, sorted(wanted)):
        try:
            found[row["id"]] = Calendar(msgspec.convert(row["definition"], Definition), classes)
        except msgspec.ValidationError:
            found[row["id"]] = SHUT
    return found


def hours_since(
    calendars: Mapping[int, Calendar], begins: Iterable[tuple[int | None, datetime]], until: datetime
) -> dict[int | None, OpenHours | None]:
    """The openings of each calendar from the earliest of its `begins` to `until`; None: always open."""
    earliest: dict[int, datetime] = {}
    for calendar, begin in begins:
        if calendar is not None:
            earliest[calendar] = min(begin, earliest.get(calendar, begin))
    return {None: None, **{one: hours_of(calendars.get(one, SHUT), begin, until) for one, begin in earliest.items()}}
