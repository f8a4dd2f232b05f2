"""Incidents: what is wrong, what happened about it, and what people do about it."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from alerting.incidents import actions as incident_actions
from alerting.incidents.actions import ActionRefusedError
from api.actions.actor import author_of
from api.actions.incidents import IncidentAction, act_on_incident, refused_action
from api.actions.shares import acknowledge_shares, hand_over_shares, note_on_shares
from api.context import Context, Shared
from api.http.paging import MAX_ID, PageOf
from api.http.parameters import AreaFilter, IncidentId
from api.http.work import WorkRoute
from api.read import incidents
from api.read.escalation_schemas import ToldIncident
from api.read.escalations import load_told
from api.read.schemas import IncidentDocument, IncidentStatus, Listing

router = APIRouter(tags=["incidents"], route_class=WorkRoute)


class ActionRequest(BaseModel):
    """What is said with an action; `by`: on whose behalf the account acts."""

    text: str | None = Field(default=None, max_length=4000)
    by: str | None = Field(default=None, min_length=1, max_length=64)


class Acknowledgement(ActionRequest):
    """What is said with an acknowledgement; `eta`: when the end is expected."""

    eta: AwareDatetime | None = Field(
        default=None,
        description="until then nobody else is told; after it the escalation begins anew. Without it, as the setting "
        "MILEPOST_ACKNOWLEDGE_FOR says",
    )


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
    top: Annotated[bool, Query(description="no parts of another incident, and none without notifications")] = False,
) -> Listing[IncidentDocument]:
    """Incidents, the last opened first."""
    async with context.database.snapshot() as connection:
        found = await incidents.list_incidents(
            connection, page, area=area, status=status, kind=kind, station=station, parent=parent, top=top
        )
    return await found.listing(context.work)


@router.get("/incidents/{id}")
async def get_incident(context: Shared, id: IncidentId) -> ToldIncident:  # noqa: A002 -- the path's own name for it
    """One incident with all that happened to it."""
    return await _detail(context, id)


async def _detail(context: Context, incident: int) -> ToldIncident:
    async with context.database.snapshot() as connection:
        found = await incidents.load_incident(connection, incident)
        told = await load_told(connection, incident)
        return ToldIncident(**dict(found), escalation=told.whole, share_escalations=told.shares)


@router.post("/incidents/{id}/ack")
async def acknowledge(
    context: Shared,
    request: Request,
    id: IncidentId,  # noqa: A002
    deed: Annotated[Acknowledgement | None, Body()] = None,
) -> ToldIncident:
    """Acknowledge an incident: a person looks after it until `eta`. Of an incident that reaches beyond your scope this
    acknowledges your share. 409 when it is closed, or acknowledged already, its ETA has not passed and `eta` names no
    other."""
    said = deed or Acknowledgement()
    by, until = author_of(request, said.by), context.config.acknowledging(said.eta)
    return await _act(
        context,
        id,
        lambda connection, now: incident_actions.acknowledge(connection, id, by, said.text, now, until),
        lambda connection, now: acknowledge_shares(connection, id, by, said.text, now, until),
    )


@router.post("/incidents/{id}/assign")
async def assign(context: Shared, request: Request, id: IncidentId, assignment: Assignment) -> ToldIncident:  # noqa: A002
    """Assign an incident to a person. If the incident reaches beyond your scope, this assigns your share, and
    acknowledges the share if it has no acknowledgement. 409 when the incident is closed."""
    by, until = author_of(request, assignment.by), context.config.acknowledging(None)
    return await _act(
        context,
        id,
        lambda connection, now: incident_actions.assign(connection, id, by, assignment.assignee, now),
        lambda connection, now: hand_over_shares(connection, id, by, assignment.assignee, now, until),
    )


@router.post("/incidents/{id}/note")
async def note(context: Shared, request: Request, id: IncidentId, deed: ActionRequest) -> ToldIncident:  # noqa: A002
    """Add a remark, also to a closed incident; to your share of one that reaches beyond your scope."""
    by = author_of(request, deed.by)
    return await _act(
        context,
        id,
        lambda connection, now: incident_actions.note(connection, id, by, deed.text or "", now),
        lambda connection, now: note_on_shares(connection, id, by, deed.text or "", now),
    )


@router.post("/incidents/{id}/resolve")
async def resolve(
    context: Shared,
    request: Request,
    id: IncidentId,  # noqa: A002
    deed: Annotated[ActionRequest | None, Body()] = None,
) -> ToldIncident:
    """Close an incident by a person's decision; `text` is the reason. The fault may go on: until it is over, the
    incident has a `reopen_at`, at which it opens again. The end of the fault is notified when it comes. 403 when it
    reaches beyond your scope; 409 when it is closed already; 422 when the reason is empty."""
    said = deed or ActionRequest()
    by, after = author_of(request, said.by), context.config.reopening
    return await _act(
        context, id, lambda connection, now: incident_actions.resolve(connection, id, by, said.text, now, after)
    )


async def _act(
    context: Context, incident: int, action: IncidentAction, on_share: IncidentAction | None = None
) -> ToldIncident:
    try:
        await act_on_incident(context, incident, action, on_share)
    except ActionRefusedError as exc:
        raise refused_action(exc) from exc
    return await _detail(context, incident)
