"""The open incidents that concern a person, with the facts that are needed to travel to their stations."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from alerting.incidents.severity import severity_of
from api.http.problems import not_found
from api.http.work import Work
from api.read.moment import load_now
from api.read.queries import QUERIES as READ
from api.read.response.grouping import by_township
from api.read.response.open_time import open_time
from api.read.response.opening_hours import hours_since, load_calendars_of
from api.read.response.queries import QUERIES
from api.read.response.schemas import WhyMine, WorkDocument, WorkItem
from api.read.schemas import Opening
from contract.home import HOME
from registry.duty.listing import duty_areas
from registry.duty.roster_store import load_roster
from registry.hours.calendar import SHUT, Calendar
from store.pool import Connection

MOST: Final = 300
"""Maximum number of incidents in a list of work."""


class FoundItems(msgspec.Struct, frozen=True):
    """Incidents as database rows, with their calendars; `why` by incident."""

    rows: Sequence[asyncpg.Record]
    calendars: Mapping[int, Calendar]
    why: Mapping[int, list[WhyMine]]
    now: datetime

    def items(self) -> list[WorkItem]:
        """The documents in the order of the rows."""
        begins = ((row["calendar"], row["began_at"]) for row in self.rows)
        hours = hours_since(self.calendars, begins, self.now)
        return [_item(row, self, open_time(hours[row["calendar"]], row["began_at"], self.now)) for row in self.rows]

    @property
    def places(self) -> list[tuple[str | None, str | None]]:
        """(station, area) of everything that the documents name."""
        return [(row["station"], area) for row in self.rows for area in (row["area"], row["township"])]

    @property
    def accounts(self) -> list[str | None]:
        """The accounts that the documents name."""
        return [one for row in self.rows for one in (row["assignee"], row["acknowledged_by"])]


class FoundWork(msgspec.Struct, frozen=True):
    """The work of a person as database rows. `contacts`: (id, name); `more`: there are more incidents."""

    found: FoundItems
    contacts: Sequence[tuple[str, str]]
    more: bool

    async def document(self, work: Work) -> WorkDocument:
        """The document, grouped by township. Raises a Problem (503) when too many large answers are being made."""
        groups = await work.do(len(self.found.rows), lambda: by_township(self.found.items()))
        return WorkDocument(
            at=self.found.now, contacts=[one for one, _ in self.contacts], groups=groups, more=self.more
        )


async def load_work(connection: Connection, account: str, contact: str | None = None) -> FoundWork:
    """The open incidents that concern an account, or the contact in the request. Raises a Problem (404) for a contact
    outside the scope."""
    own = await connection.fetch(QUERIES.own_contacts, account, contact)
    if contact is not None and not own:
        raise not_found("contact", contact)
    now = await load_now(connection)
    contacts = [row["id"] for row in own]
    areas = await _areas_of_duty(connection, contacts, now)
    # An assignee is an account, or free text: the id or the name of a contact.
    accounts = {row["account"] for row in own if row["account"]} | ({account} if contact is None else set())
    names = accounts | set(contacts) | {row["name"] for row in own}
    rows = await connection.fetch(
        QUERIES.own_incidents, sorted(names), contacts, await _below(connection, areas), None in areas, MOST + 1
    )
    why = {row["id"]: row["why"] for row in rows[:MOST]}
    found = await load_items(connection, list(why), now, why)
    return FoundWork(found, [(row["id"], row["name"]) for row in own], len(rows) > MOST)


async def load_items(
    connection: Connection, incidents: Sequence[int], now: datetime, why: Mapping[int, list[WhyMine]] | None = None
) -> FoundItems:
    """The facts about incidents that are needed to travel to their stations, in the order of `incidents`."""
    rows = await connection.fetch(QUERIES.work_items, list(incidents))
    calendars = await load_calendars_of(connection, (row["calendar"] for row in rows))
    return FoundItems(rows, calendars, why or {}, now)


async def _areas_of_duty(connection: Connection, contacts: Sequence[str], now: datetime) -> set[str | None]:
    if not contacts:
        return set()
    loaded = await load_roster(connection, now)
    return duty_areas(loaded.roster, contacts, now)


async def _below(connection: Connection, areas: set[str | None]) -> list[str]:
    """The codes of areas and of all areas below them."""
    wanted = sorted(area for area in areas if area is not None)
    return [row["code"] for row in await connection.fetch(READ.areas_in_subtrees, wanted)] if wanted else []


def _item(row: asyncpg.Record, found: FoundItems, opened: timedelta) -> WorkItem:
    fields: dict[str, Any] = {name: row[name] for name in row.keys() if name != "calendar"}  # noqa: SIM118 -- a row is no dict
    eta = None if row["status"] == "closed" else row["eta_at"]
    return WorkItem(
        **{**fields, "eta_at": eta},
        severity=severity_of(row["kind"], row["detail"], children=row["stations_down"]),
        age_s=max((found.now - row["began_at"]).total_seconds(), 0.0),
        open_age_s=opened.total_seconds(),
        overdue=eta is not None and eta <= found.now,
        why=found.why.get(row["id"], []),
        openings=_openings(row["calendar"], found),
    )


def _openings(calendar: int | None, found: FoundItems) -> list[Opening] | None:
    """The end of tomorrow."""
    if calendar is None:
        return None
    today = found.now.astimezone(HOME).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        spans = found.calendars.get(calendar, SHUT).openings(found.now, today + timedelta(days=2))
    except ValueError:
        return []
    return [Opening(begin=opens, end=closes) for opens, closes in spans]
