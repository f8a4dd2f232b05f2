"""Photos on the pages of incidents, closures and findings: the forms that send them, and the pictures themselves."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import Path, Request, Response
from starlette.responses import RedirectResponse

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
from api.console import closure_pages, incident_pages
from api.console.findings import finding_pages
from api.console.pages import page_router, words_for
from api.context import Context, Shared
from api.http.forms import person
from api.http.parameters import ClosureId, FindingId, IncidentId
from api.read.closures import load_closure
from api.read.evidence.photos import load_picture
from api.read.findings.listing import load_finding
from api.read.incidents import load_incident
from registry.photos.rules import PhotoRefusedError
from store.pool import Connection

router = page_router()


@router.get("/photos/{id}")
async def show_picture(context: Shared, id: Annotated[UUID, Path()]) -> Response:  # noqa: A002
    """The picture of a photo."""
    async with context.database.snapshot() as connection:
        return await load_picture(connection, id)


class _PhotosOf(msgspec.Struct, frozen=True):
    """Pages with a form for photos. `path`: their path; `load` raises a Problem (404); `show` shows a refusal."""

    path: str
    load: Callable[[Connection, int], Awaitable[object]]
    add: AddPhoto
    show: Callable[[Request, Context, int, int, str], Awaitable[Response]]


_INCIDENTS: Final = _PhotosOf("/incidents", load_incident, add_incident_photo, incident_pages.show_refusal)
_CLOSURES: Final = _PhotosOf("/closures", load_closure, add_closure_photo, closure_pages.show_refusal)
_FINDINGS: Final = _PhotosOf("/findings", load_finding, add_finding_photo, finding_pages.show_one)


@router.post("/incidents/{id}/photos")
async def send_incident_photo(request: Request, context: Shared, id: IncidentId) -> Response:  # noqa: A002
    """Add the photo of the form to an incident and show it; a refusal is shown on the page."""
    return await _send(request, context, id, _INCIDENTS)


@router.get("/closures/{id}/photos")
async def back_to_closure(id: ClosureId) -> Response:  # noqa: A002
    """Where a refusal was shown: loading it again shows the closure."""
    return RedirectResponse(f"/closures/{id}", status_code=303)


@router.post("/closures/{id}/photos")
async def send_closure_photo(request: Request, context: Shared, id: ClosureId) -> Response:  # noqa: A002
    """Add the photo of the form to a closure and show it; a refusal is shown on the page."""
    return await _send(request, context, id, _CLOSURES)


@router.get("/findings/{id}/photos")
async def back_to_finding(id: FindingId) -> Response:  # noqa: A002
    """Where a refusal was shown: loading it again shows the finding."""
    return RedirectResponse(f"/findings/{id}", status_code=303)


@router.post("/findings/{id}/photos")
async def send_finding_photo(request: Request, context: Shared, id: FindingId) -> Response:  # noqa: A002
    """Add the photo of the form to a finding or dispute and show it; a refusal is shown on the page."""
    return await _send(request, context, id, _FINDINGS)


async def _send(request: Request, context: Context, number: int, photos: _PhotosOf) -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        await photos.load(connection, number)
    try:
        await receive_photo(request, context, number, photos.add, person)
    except PhotoRefusedError as exc:
        return await photos.show(request, context, number, refused_photo(exc).status, exc.said.text(words.language))
    except ActionRefusedError as exc:
        status = 404 if exc.refusal is ActionRefusal.NOT_FOUND else 403
        return await photos.show(request, context, number, status, words.named("refusal", exc.refusal.value))
    return RedirectResponse(f"{photos.path}/{number}#photos", status_code=303)
