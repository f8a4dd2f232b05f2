"""The form on the page of an incident for the cause and the repair of the fault, with an optional photo."""

from collections.abc import Mapping

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from alerting.incidents.actions import ActionRefusedError
from alerting.repairs.rules import RepairSaid
from api.actions.actor import author_of
from api.actions.photos import photo_of_form, refused_photo
from api.actions.repairs import report_repair
from api.console.incident_pages import BEYOND, show_refusal
from api.console.pages import page_router, words_for
from api.context import Shared
from api.http.forms import person
from api.http.parameters import IncidentId
from api.http.uploads.reading import read_upload, typed
from registry.photos.rules import PhotoRefusedError

router = page_router()


@router.post("/incidents/{id}/repair")
async def repair(request: Request, context: Shared, id: IncidentId) -> Response:  # noqa: A002
    """Store the repair of the form, with its photo if there is one; a refusal is shown on the page."""
    words = words_for(request)
    said: dict[str, str] = {}
    try:
        async with read_upload(request, context.uploads, context.account) as sent:
            said = sent.fields
            photo = await photo_of_form(context, sent)
            await report_repair(context, id, author_of(request, person(said)), _said(said), photo)
    except PhotoRefusedError as exc:
        status, why = refused_photo(exc).status, exc.said.text(words.language)
        return await show_refusal(request, context, id, status, why, typed(exc, said))
    except ActionRefusedError as exc:
        status = 403 if exc.refusal in BEYOND else 409
        return await show_refusal(request, context, id, status, words.named("refusal", exc.refusal.value), said)
    return RedirectResponse(f"/incidents/{id}", status_code=303)


def _said(said: Mapping[str, str]) -> RepairSaid:
    return RepairSaid(
        cause=said.get("cause", ""),
        parts=said.get("parts", ""),
        text=said.get("text", ""),
        fixed="fixed" in said,
    )
