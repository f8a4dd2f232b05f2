"""Everything that says who is on duty, as of one moment."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from registry.contacts.model import Contact
from registry.contacts.store import load_contacts
from registry.duty.model import Duty
from registry.duty.rules import DutyRoster
from registry.duty.store import load_duties, load_substitutes
from registry.hours.day_classes import DayClass
from registry.hours.schedule_store import load_days
from store.pool import Connection


class LoadedRoster(msgspec.Struct, frozen=True):
    """Who is on duty, and the contacts and duties that it names, by their ids."""

    roster: DutyRoster
    contacts: Mapping[str, Contact]
    duties: Mapping[int, Duty]


async def load_roster(connection: Connection, at: datetime) -> LoadedRoster:
    """What the scope of the connection shows of it, for `at` and later. Needs a transaction of one snapshot."""
    contacts, duties = await load_contacts(connection), await load_duties(connection)
    substitutes = await load_substitutes(connection, since=at)
    days = {day.day: DayClass(day.day_class) for day in (await load_days(connection)).values()}
    roster = DutyRoster(dict(sorted(contacts.items())), duties, substitutes, days)
    return LoadedRoster(roster, contacts, {duty.id: duty for duty in duties if duty.id is not None})
