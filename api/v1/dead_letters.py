"""Refused messages, and stations that were heard but are not registered."""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter

from api.context import Shared
from api.http.paging import MAX_ID, AfterDeadletter, AfterUnregistered, PageOf
from api.http.work import WorkRoute
from api.read.found import FoundPage
from api.read.schemas import Deadletter, Listing, Unregistered
from api.v1.queries import QUERIES

router = APIRouter(tags=["refused"], route_class=WorkRoute)

_FIRST: Final = AfterUnregistered(datetime.max.replace(tzinfo=UTC), "")


@router.get("/deadletters")
async def list_deadletters(context: Shared, page: PageOf) -> Listing[Deadletter]:
    """Refused messages, one an MQTT message, of the last 10,000."""
    after = page.after(AfterDeadletter, AfterDeadletter(MAX_ID)).id
    async with context.database.snapshot() as connection:
        rows = await connection.fetch(QUERIES.list_deadletters, after, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterDeadletter(row["id"]))
    found = FoundPage(rows=shown, next=following, document=lambda row: Deadletter(**row), things=len(shown))
    return await found.listing(context.work)


@router.get("/unregistered")
async def list_unregistered(context: Shared, page: PageOf) -> Listing[Unregistered]:
    """Stations that were heard but are not registered, the last heard first."""
    after = page.after(AfterUnregistered, _FIRST)
    async with context.database.snapshot() as connection:
        rows = await connection.fetch(QUERIES.list_unregistered, after.last_seen_at, after.station, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterUnregistered(row["last_seen_at"], row["station"]))
    found = FoundPage(rows=shown, next=following, document=lambda row: Unregistered(**row), things=len(shown))
    return await found.listing(context.work)
