"""Repairs of incidents: what was wrong, what was done, and whether that held."""

from fastapi import APIRouter, Request

from alerting.incidents.actions import ActionRefusedError
from api.actions.actor import author_of
from api.actions.incidents import refused_action
from api.actions.repairs import RepairRequest, report_repair
from api.context import Context, Shared
from api.http.parameters import IncidentId
from api.http.problems import not_found
from api.http.work import WorkRoute
from api.read.incidents import load_incident
from api.read.response.repairs import RepairDocument, load_repairs
from api.read.schemas import Listing

router = APIRouter(tags=["incidents"], route_class=WorkRoute)


@router.get("/incidents/{id}/repairs")
async def list_repairs(context: Shared, id: IncidentId) -> Listing[RepairDocument]:  # noqa: A002
    """What was said about the causes of an incident, the newest first; at most 100. Of an incident that reaches beyond
    your scope: nothing."""
    return await _repairs(context, id)


@router.post("/incidents/{id}/repairs", status_code=201)
async def repair(context: Shared, request: Request, id: IncidentId, said: RepairRequest) -> RepairDocument:  # noqa: A002
    """Note the cause of an incident, or say that it is repaired. A repair is verified: the fault has to be over within
    the time in MILEPOST_REPAIR_STABLE, and to stay over for so long. Then the incident closes by itself; otherwise it
    goes on with its owner. Whoever said so is told. Until that is known the account has acknowledged the incident, if
    nobody had. A later repair of the incident takes the place of one that is not verified yet. Also of a closed
    incident. 403 when it reaches beyond your scope; 409 when its fault goes on as a newer incident."""
    try:
        await report_repair(context, id, author_of(request, said.by), said.said)
    except ActionRefusedError as exc:
        raise refused_action(exc) from exc
    found = await _repairs(context, id)
    if not found.items:
        raise not_found("incident", id)
    return found.items[0]


async def _repairs(context: Context, incident: int) -> Listing[RepairDocument]:
    async with context.database.snapshot() as connection:
        await load_incident(connection, incident)
        return Listing(items=await load_repairs(connection, incident), next=None)
