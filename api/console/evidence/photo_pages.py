"""Photos on the pages of incidents, closures and findings: the forms that send them, and the pictures themselves."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response
from starlette.responses import RedirectResponse

from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import ActionRefusal
from api.actions.actor import author_of
from api.actions.photos import add_closure_photo, add_finding_photo, add_incident_photo, refused_photo
from api.console import closure_pages, incident_pages
from api.console.findings import finding_pages
from api.console.pages import page_router, words_for
from api.context import Context, Shared
from api.http.forms import person
from api.http.parameters import ClosureId, FindingId, IncidentId
from api.http.uploads.multipart import SentForm
from api.http.uploads.reading import FILE, read_upload
from api.read.closures import load_closure
from api.read.evidence.photos import load_picture
from api.read.findings.listing import load_finding
from api.read.incidents import load_incident
from registry.photos.rules import PhotoRefusedError

router = page_router()


@router.get("/photos/{id}")
async def show_picture(context: Shared, id: Annotated[UUID, Path()]) -> Response:  # noqa: A002
    """The picture of a photo."""
    async with context.database.snapshot() as connection:
        return await load_picture(connection, id)


@router.post("/incidents/{id}/photos")
async def send_incident_photo(request: Request, context: Shared, id: IncidentId) -> Response:  # noqa: A002
    """Add the photo of the form to an incident and show it; a refusal is shown on the page."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        await load_incident(connection, id)
    try:
        async with read_upload(request, context.uploads, _account(context)) as sent:
            await add_incident_photo(context, id, author_of(request, person(sent.fields)), _file(sent))
    except PhotoRefusedError as exc:
        status = refused_photo(exc).status
        return await incident_pages.show_refusal(request, context, id, status, exc.said.text(words.language))
    except ActionRefusedError as exc:
        status = 404 if exc.refusal is ActionRefusal.NOT_FOUND else 403
        why = words.named("refusal", exc.refusal.value)
        return await incident_pages.show_refusal(request, context, id, status, why)
    return RedirectResponse(f"/incidents/{id}#photos", status_code=303)


@router.get("/closures/{id}/photos")
async def back_to_closure(id: ClosureId) -> Response:  # noqa: A002
    """Where a refusal was shown: loading it again shows the closure."""
    return RedirectResponse(f"/closures/{id}", status_code=303)


@router.post("/closures/{id}/photos")
async def send_closure_photo(request: Request, context: Shared, id: ClosureId) -> Response:  # noqa: A002
    """Add the photo of the form to a closure and show it; a refusal is shown on the page."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        await load_closure(connection, id)
    try:
        async with read_upload(request, context.uploads, _account(context)) as sent:
            await add_closure_photo(context, id, author_of(request, person(sent.fields)), _file(sent))
    except PhotoRefusedError as exc:
        status = refused_photo(exc).status
        return await closure_pages.show_refusal(request, context, id, status, exc.said.text(words.language))
    return RedirectResponse(f"/closures/{id}#photos", status_code=303)


@router.get("/findings/{id}/photos")
async def back_to_finding(id: FindingId) -> Response:  # noqa: A002
    """Where a refusal was shown: loading it again shows the finding."""
    return RedirectResponse(f"/findings/{id}", status_code=303)


@router.post("/findings/{id}/photos")
async def send_finding_photo(request: Request, context: Shared, id: FindingId) -> Response:  # noqa: A002
    """Add the photo of the form to a finding or dispute and show it; a refusal is shown on the page."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        await load_finding(connection, id)
    try:
        async with read_upload(request, context.uploads, _account(context)) as sent:
            await add_finding_photo(context, id, author_of(request, person(sent.fields)), _file(sent))
    except PhotoRefusedError as exc:
        status = refused_photo(exc).status
        return await finding_pages.show_one(request, context, id, status, exc.said.text(words.language))
    return RedirectResponse(f"/findings/{id}#photos", status_code=303)


def _account(context: Context) -> str:
    return "" if context.actor is None else context.actor.account


def _file(sent: SentForm) -> bytes:
    return sent.files.get(FILE, b"")
