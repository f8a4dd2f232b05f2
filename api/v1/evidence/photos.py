"""Photos as evidence of incidents, closures and findings: send one, list them, fetch one."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import ActionRefusal
from api.actions.photos import (
    AddPhoto,
    add_closure_photo,
    add_finding_photo,
    add_incident_photo,
    receive_photo,
    refused_photo,
)
from api.context import Context, Shared
from api.http.parameters import ClosureId, FindingId, IncidentId
from api.http.problems import Problem, not_found
from api.http.work import WorkRoute
from api.read import closures, incidents
from api.read.evidence.photos import PhotoDocument, list_photos, load_photo, load_picture
from api.read.findings.listing import load_finding
from api.read.schemas import Listing
from registry.photos.rules import PhotoRefusedError
from registry.photos.store import PhotoOf
from store.pool import Connection

router = APIRouter(tags=["photos"], route_class=WorkRoute)

PhotoId = Annotated[UUID, Path(description="the photo's id")]
_By = Annotated[str | None, Query(min_length=1, max_length=64, description="on whose behalf the account acts")]
_PICTURE: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_SENDS: Final = {
    "requestBody": {
        "required": True,
        "content": {"image/jpeg": {**_PICTURE, "example": "(the bytes of a photo)"}},
    }
}


@router.get("/incidents/{id}/photos")
async def list_incident_photos(context: Shared, id: IncidentId) -> Listing[PhotoDocument]:  # noqa: A002
    """The photos of an incident, the first one first; 20 at most."""
    return await _list(context, id, incidents.load_incident, PhotoOf(incident=id))


@router.post("/incidents/{id}/photos", status_code=201, openapi_extra=_SENDS)
async def send_incident_photo(
    context: Shared,
    request: Request,
    id: IncidentId,  # noqa: A002
    by: _By = None,
) -> PhotoDocument:
    """Add a photo to an incident, also to a closed one: the file (JPEG, PNG or WebP) is the body, or the field
    `photo` of a multipart form. The picture alone is kept, as a JPEG; place, time and camera are not. One that is there
    already is not kept twice. 413 for more than 20 MB or 64 million pixels; 415 for another kind of file; 422 for a
    damaged one; 409 when there are 20; 403 when the incident reaches beyond your scope."""
    return await _add(context, request, id, by, incidents.load_incident, add_incident_photo)


@router.get("/closures/{id}/photos")
async def list_closure_photos(context: Shared, id: ClosureId) -> Listing[PhotoDocument]:  # noqa: A002
    """The photos of a closure, the first one first; 20 at most."""
    return await _list(context, id, closures.load_closure, PhotoOf(closure=id))


@router.post("/closures/{id}/photos", status_code=201, openapi_extra=_SENDS)
async def send_closure_photo(
    context: Shared,
    request: Request,
    id: ClosureId,  # noqa: A002
    by: _By = None,
) -> PhotoDocument:
    """Add a photo to a closure as its evidence: the file is the body. As for an incident; 409 when the closure was
    withdrawn; 404 also when it is of more than your scope."""
    return await _add(context, request, id, by, closures.load_closure, add_closure_photo)


@router.get("/findings/{id}/photos")
async def list_finding_photos(context: Shared, id: FindingId) -> Listing[PhotoDocument]:  # noqa: A002
    """The photos of a finding or dispute, the first one first; 20 at most."""
    return await _list(context, id, load_finding, PhotoOf(finding=id))


@router.post("/findings/{id}/photos", status_code=201, openapi_extra=_SENDS)
async def send_finding_photo(
    context: Shared,
    request: Request,
    id: FindingId,  # noqa: A002
    by: _By = None,
) -> PhotoDocument:
    """Add a photo to a finding or dispute as its evidence: the file is the body. Limits and errors are those of a photo
    of an incident; 409 also when the finding is closed."""
    return await _add(context, request, id, by, load_finding, add_finding_photo)


@router.get("/photos/{id}")
async def get_photo(context: Shared, id: PhotoId) -> PhotoDocument:  # noqa: A002
    """One photo without its picture."""
    async with context.database.snapshot() as connection:
        return await load_photo(connection, id)


@router.get("/photos/{id}/jpeg", response_class=Response, responses={200: {"content": {"image/jpeg": _PICTURE}}})
async def get_picture(context: Shared, id: PhotoId) -> Response:  # noqa: A002
    """The picture of a photo: a JPEG that is not cached and in which a browser runs nothing."""
    async with context.database.snapshot() as connection:
        return await load_picture(connection, id)


_Load = Callable[[Connection, int], Awaitable[object]]
"""Loads the incident, closure or finding of photos. Raises a Problem (404)."""


async def _list(context: Context, number: int, load: _Load, of: PhotoOf) -> Listing[PhotoDocument]:
    async with context.database.snapshot() as connection:
        await load(connection, number)
        return await list_photos(connection, of)


async def _add(
    context: Context, request: Request, number: int, by: str | None, load: _Load, add: AddPhoto
) -> PhotoDocument:
    async with context.database.snapshot() as connection:
        await load(connection, number)
    try:
        return (await receive_photo(request, context, number, add, lambda _: by)).photo
    except PhotoRefusedError as exc:
        raise refused_photo(exc) from exc
    except ActionRefusedError as exc:
        is_missing = exc.refusal is ActionRefusal.NOT_FOUND
        raise (not_found("incident", number) if is_missing else Problem(403, str(exc))) from exc
