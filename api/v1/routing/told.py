"""Who would be told of an incident."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.context import Shared
from api.http.parameters import StationId
from api.http.times import parse_stored_time
from api.http.work import WorkRoute
from api.read.routing.explained_schemas import ExplainedDocument
from api.read.routing.explaining import load_incident_asked
from contract.kinds import IncidentKind, Severity

router = APIRouter(tags=["routes"], route_class=WorkRoute)

Kind = Annotated[IncidentKind, Query(description="the kind of the incident")]
Grave = Annotated[Severity | None, Query(description="its severity; that of the kind")]
At = Annotated[str | None, Query(max_length=64, description="when it begins, ISO 8601; now")]


@router.get("/stations/{id}/routing")
async def explain_station(
    context: Shared,
    id: StationId,  # noqa: A002 -- the path's own name
    kind: Kind = IncidentKind.STATION_OFFLINE,
    severity: Grave = None,
    at: At = None,
) -> ExplainedDocument:
    """Who would be told of an incident of a station, when, by which channels, and why each route does or does not
    apply."""
    moment = None if at is None else parse_stored_time("at", at)
    async with context.database.snapshot() as connection:
        asked = await load_incident_asked(connection, station=id, kind=kind, severity=severity, at=moment)
    return await context.work.do(asked.things, asked.document)


@router.get("/areas/{code}/routing")
async def explain_area(
    context: Shared,
    code: Annotated[str, Path(max_length=64, description="63 means 630000000000")],
    kind: Kind = IncidentKind.AREA_OUTAGE,
    severity: Grave = None,
    at: At = None,
) -> ExplainedDocument:
    """Who would be told of an incident of an area."""
    moment = None if at is None else parse_stored_time("at", at)
    async with context.database.snapshot() as connection:
        asked = await load_incident_asked(connection, area=code, kind=kind, severity=severity, at=moment)
    return await context.work.do(asked.things, asked.document)
