"""The page behind a link: `/i/{token}`, without a sign-in and without JavaScript.

GET and HEAD change nothing, whoever previews the link. A form counts once.
"""

import hashlib
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from access.links.rules import LinkRefusal, once_key
from access.links.store import TooManyPostsError
from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import MAX_TEXT
from alerting.repairs.rules import CAUSES, MAX_PARTS
from api.actions.photos import refused_photo, write_photo
from api.console.links.acts import DAYS, HOURS, NEEDS, SEEN, LinkForm, TakenError, act_once
from api.console.links.facts import LinkFacts, load_facts
from api.console.links.private_answer import by_script, private, said_to_script, small
from api.console.links.values import incident_values
from api.console.links.visit import LinkRefusedError, Visit, open_visit
from api.console.pages import LANGUAGE_COOKIE, OpenPageRoute, answer, frame, link, render
from api.console.texts import Words, choose, language_of
from api.context import Context, Shared
from api.http.problems import Problem
from api.http.uploads.reading import FILE, receive_upload, typed
from contract.errors import RemedyError
from contract.said import Said
from registry.closures.rules import MAX_REASON
from registry.photos.rules import PhotoRefusedError

router = APIRouter(include_in_schema=False, route_class=OpenPageRoute)

_MOST_NUMBER: Final = 15
"""Digits of the number of an incident; a token is longer."""
_MOST_PHOTO: Final = 100_000
"""Bytes that the script of the page makes of a photo: they take 40 s over a line of 20 kbit/s."""


@router.get("/i/{token}")
async def show_link(request: Request, context: Shared, token: str) -> Response:
    """The incident of a link; for the number of an incident, which is the short address in an SMS to a room, the way to
    its page."""
    if token.isdecimal() and token.isascii() and len(token) <= _MOST_NUMBER:
        return RedirectResponse(f"/incidents/{int(token)}", status_code=303)
    try:
        visit = await open_visit(request, context, token)
        return await _show(request, visit, token)
    except LinkRefusedError as exc:
        return _refused(request, context, exc)


@router.post("/i/{token}")
async def act_by_link(request: Request, context: Shared, token: str) -> Response:
    """Do what a form says, once, and show the page again. After a refusal what was typed is still there."""
    try:
        visit = await open_visit(request, context, token)
        return await _read(request, visit, token)
    except LinkRefusedError as exc:
        return _refused(request, context, exc)


async def _read(request: Request, visit: Visit, token: str) -> Response:
    said: Mapping[str, str] = {}
    try:
        async with receive_upload(request, visit.context.uploads, visit.account.id) as sent:
            said = sent.fields
            visit = await open_visit(request, visit.context, token)  # a photo takes minutes: the link may have ended
            file = sent.files.get(FILE, b"")
            once = once_key(_own_fields(said, file))
            if once is None:
                return await _show(request, visit, token, 422, "again", said)
            photo = await write_photo(visit.context, file) if file else None
            form = LinkForm(act=said.get("act", ""), once=once, said=said, photo=photo)
            return await _act(request, visit, token, form)
    except PhotoRefusedError as exc:
        return await _show(request, visit, token, refused_photo(exc).status, exc.said, typed(exc, said))
    except RemedyError as exc:
        return await _show(request, visit, token, 422, exc.said, said)


def _own_fields(said: Mapping[str, str], file: bytes) -> dict[str, str]:
    """The fields that identify a form that is sent again: all fields except `seen`, and the hash of the file."""
    own = {name: value for name, value in said.items() if name != SEEN}
    return {**own, FILE: hashlib.sha256(file).hexdigest()} if file else own


async def _act(request: Request, visit: Visit, token: str, form: LinkForm) -> Response:
    try:
        is_new = await act_once(visit, form)
    except ActionRefusedError as exc:
        return await _show(request, visit, token, 409, exc.refusal.value, form.said)
    except TakenError:
        return await _show(request, visit, token, 409, "taken", form.said)
    except TooManyPostsError:
        return await _show(request, visit, token, 429, "too_many", form.said)
    except LookupError as exc:
        raise LinkRefusedError(LinkRefusal.LOST, 410, visit.link.language) from exc
    to = link(f"/i/{token}", done=form.act, again=None if is_new else "yes", lang=request.query_params.get("lang"))
    if by_script(request):
        words = _words(request, visit.context, visit.link.language)
        return said_to_script(200, to=to, said=words(f"link_done.after_{form.act}"))
    return RedirectResponse(to, status_code=303)


async def _show(
    request: Request,
    visit: Visit,
    token: str,
    status: int = 200,
    refused: str | Said = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    words = _words(request, visit.context, visit.link.language)
    try:
        async with visit.context.database.snapshot() as connection:
            facts = await load_facts(connection, visit.link.incident, words, visit.context.work)
    except Problem as exc:
        if exc.status != 404:
            raise
        raise LinkRefusedError("outside", 404, visit.link.language) from exc
    why = _why(words, refused, facts)
    owner = facts.incident.acknowledged_by or ""
    if refused and by_script(request):
        return said_to_script(status, refused=words("refused", why=why), seen=owner)
    done = request.query_params.get("done", "")
    shown = {
        **frame(request, words),
        **incident_values(words, facts),
        "visit": visit,
        "facts": facts,
        "token": token,
        "done": done if done in NEEDS and not refused else "",
        "again": bool(request.query_params.get("again")),
        "refused": why,
        "typed": typed or {},
        "once": secrets.token_urlsafe(12),
        "owner": owner,
        "hours": HOURS,
        "days": DAYS,
        "most_reason": MAX_REASON,
        "causes": CAUSES,
        "most": MAX_TEXT,
        "most_parts": MAX_PARTS,
        "most_photo": _MOST_PHOTO,
        "acknowledge_for": visit.context.config.acknowledging(None).otherwise,
        "stable": visit.context.config.verifying,
    }
    html = await visit.context.work.make_page(partial(render, "link.html", shown))
    return small(request, private(answer(request, words, html, status)))


def _why(words: Words, refused: str | Said, facts: LinkFacts) -> str:
    if isinstance(refused, Said):
        return refused.text(words.language)
    incident = facts.incident
    if refused == "taken":
        until = "?" if incident.eta_at is None else words.day_hour(incident.eta_at)
        return words("link_taken", who=facts.accounts.shown(incident.acknowledged_by), time=until)
    if refused in ("", "again", "too_many"):
        return words(f"link_{refused}") if refused else ""
    return words.named("refusal", refused)


def _refused(request: Request, context: Context, exc: LinkRefusedError) -> Response:
    """The page of a refused link: the reason, and what to do. The page is not compressed, because the compressed length
    would depend on the token."""
    words = _words(request, context, exc.language)
    if request.method == "POST" and by_script(request):
        return said_to_script(exc.status, refused=words("refused", why=words(f"link_is.{exc.why}")))
    shown = {**frame(request, words), "why": exc.why}
    return private(answer(request, words, render("link_refused.html", shown), exc.status))


def _words(request: Request, context: Context, language: str | None) -> Words:
    """The language that `?lang=` asks for, else the last choice, else the language of the contact, else of the
    browser."""
    asked = language_of(request.query_params.get("lang", "")) or request.cookies.get(LANGUAGE_COOKIE) or language
    return Words(choose(asked, request.headers.get("accept-language", ""), context.config.language))
