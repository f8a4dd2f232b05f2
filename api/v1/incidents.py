"""Incidents: what is wrong, what happened about it, and what people do about it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from alerting.incidents import actions as incident_actions
from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import Refusal
from api.context import QUERIES, Context, Shared
from api.http.filters import AreaFilter
from api.http.middleware import ACTOR, NAMES
from api.http.paging import MAX_ID, AfterIncident, PageOf
from api.http.problems import Problem, bad_parameter, not_found
from api.http.work import WorkRoute
from api.read.schemas import Incident, IncidentDetail, IncidentEntry, IncidentStatus, Listing
from store.pool import Connection

router = APIRouter(tags=["incidents"], route_class=WorkRoute)

IncidentId = Annotated[int, Path(ge=0, le=MAX_ID, description="the incident's number")]
_MOST_ENTRIES: Final = 1000


class Deed(BaseModel):
    """What is said with an action; `by` is the person who acts, if it is not the administrator."""

    text: str | None = Field(default=None, max_length=4000)
    by: str | None = Field(default=None, min_length=1, max_length=64)


class Assignment(BaseModel):
    """Whom the incident is handed to."""

    assignee: str = Field(min_length=1, max_length=64)
    by: str | None = Field(default=None, min_length=1, max_length=64)


@router.get("/incidents")
async def list_incidents(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    status: Annotated[IncidentStatus | None, Query(description="only those that are so now")] = None,
    kind: Annotated[str | None, Query(max_length=64, description="station_offline, pipeline_blind, …")] = None,
    station: Annotated[str | None, Query(max_length=64, description="a station's id")] = None,
    parent: Annotated[int | None, Query(ge=0, le=MAX_ID, description="those of which this one is the cause")] = None,
    top: Annotated[bool, Query(description="no parts of another, nothing that pages nobody")] = False,
) -> Listing[Incident]:
    """Incidents, the last opened first."""
    after = page.after(AfterIncident, AfterIncident(MAX_ID)).id
    async with context.database.snapshot() as connection:
        rows = await connection.fetch(
            QUERIES.list_incidents, after, status, kind, area, page.limit + 1, station, parent, top
        )
    shown, following = page.cut(rows, lambda row: AfterIncident(row["id"]))
    things = len(shown) + sum(len(row["children"]) for row in shown) // 10
    items = await context.work.do(things, lambda: [Incident(**row) for row in shown])
    return Listing(items=items, next=following)


@router.get("/incidents/{id}")
async def get_incident(context: Shared, id: IncidentId) -> IncidentDetail:  # noqa: A002 -- the path's own name for it
    """One incident with all that happened to it."""
    return await _detail(context, id)


async def _detail(context: Context, incident: int) -> IncidentDetail:
    async with context.database.snapshot() as connection:
        row = await connection.fetchrow(QUERIES.get_incident, incident)
        if row is None:
            raise not_found("incident", incident)
        entries = await connection.fetch(QUERIES.list_entries, incident, _MOST_ENTRIES)
    return IncidentDetail(**row, entries=[IncidentEntry(**entry) for entry in entries])


@router.post("/incidents/{id}/ack")
async def acknowledge(
    context: Shared,
    request: Request,
    id: IncidentId,  # noqa: A002
    deed: Annotated[Deed | None, Body()] = None,
) -> IncidentDetail:
    """A person looks after it. 409 when one does already, or it is closed."""
    said = deed or Deed()
    actor = actor_of(request, said.by)
    return await _act(
        context, id, lambda connection, now: incident_actions.acknowledge(connection, id, actor, said.text, now)
    )


@router.post("/incidents/{id}/assign")
async def assign(context: Shared, request: Request, id: IncidentId, assignment: Assignment) -> IncidentDetail:  # noqa: A002
    """Hand it to a person. 409 when it is closed."""
    actor = actor_of(request, assignment.by)
    return await _act(
        context,
        id,
        lambda connection, now: incident_actions.assign(connection, id, actor, assignment.assignee, now),
    )


@router.post("/incidents/{id}/note")
async def note(context: Shared, request: Request, id: IncidentId, deed: Deed) -> IncidentDetail:  # noqa: A002
    """Add a remark, also to a closed incident."""
    actor = actor_of(request, deed.by)
    return await _act(
        context, id, lambda connection, now: incident_actions.note(connection, id, actor, deed.text or "", now)
    )


@router.post("/incidents/{id}/resolve")
async def resolve(
    context: Shared,
    request: Request,
    id: IncidentId,  # noqa: A002
    deed: Annotated[Deed | None, Body()] = None,
) -> IncidentDetail:
    """Close it by a person's word; `text` is the reason. That says nothing about the fault: while it goes on, the
    incident has a `reopen_at` at which it opens again, and that it is over is told when it is. 409 when it is closed
    already."""
    said = deed or Deed()
    actor, after = actor_of(request, said.by), context.config.reopening
    return await _act(
        context, id, lambda connection, now: incident_actions.resolve(connection, id, actor, said.text, now, after)
    )


def actor_of(request: Request, by: str | None) -> str:
    """Who acts: the person named, else whoever holds the token or sits at the console."""
    return by or NAMES[request.scope[ACTOR]]


Action = Callable[[Connection, datetime], Awaitable[None]]


async def act(context: Context, action: Action) -> None:
    """Do to an incident what `action` says, now by the database's time. Raises ActionRefusedError."""
    async with context.database.connection() as connection:
        await action(connection, await connection.fetchval(QUERIES.now))


async def _act(context: Context, incident: int, action: Action) -> IncidentDetail:
    try:
        await act(context, action)
    except ActionRefusedError as exc:
        raise _refused(exc) from exc
    return await _detail(context, incident)


def _refused(exc: ActionRefusedError) -> Problem:
    match exc.refusal:
        case Refusal.NOT_FOUND:
            return not_found("incident", exc.incident)
        case Refusal.EMPTY | Refusal.TOO_LONG:
            return bad_parameter("text", str(exc))
        case _:
            return Problem(409, str(exc))
