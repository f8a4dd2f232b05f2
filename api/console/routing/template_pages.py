"""The pages of message templates: the list, and one template with its forms and a preview."""

from typing import Annotated

from fastapi import Path, Request, Response
from starlette.responses import RedirectResponse

from alerting.delivery.texts import Language
from alerting.delivery.wording.names import TemplateName
from alerting.delivery.wording.store import load_templates
from alerting.delivery.wording.template import MOST_TEXT
from api.actions.templates import change_template, forget_template
from api.console.name_lookup import load_account_names
from api.console.pages import page_router, show, words_for
from api.console.routing.template_rows import (
    TemplateBook,
    book_of,
    default_text,
    known_name,
    list_rows,
    placeholder_rows,
    preview_rows,
    what_of,
    why_broken,
)
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.problems import Problem, not_found
from api.read.moment import load_now
from contract.errors import RemedyError
from contract.said import said_by

router = page_router()

Name = Annotated[str, Path(max_length=64)]


@router.get("/templates")
async def show_templates(request: Request, context: Shared) -> Response:
    """The texts of messages, and whether each is changed."""
    async with context.database.snapshot() as connection:
        book = book_of(await load_templates(connection))
    return show(request, "message_templates.html", rows=list_rows(book, words_for(request)))


@router.get("/templates/{name}/{language}")
async def show_template(request: Request, context: Shared, name: Name, language: Language) -> Response:
    """One template with its placeholders, a preview, and the forms to change and to reset it."""
    return await _one(request, context, name, language)


async def _one(
    request: Request,
    context: Context,
    name: str,
    language: Language,
    *,
    tried: str | None = None,
    refused: str = "",
) -> Response:
    """The page; `tried`: a text that is not stored, `refused`: why a text was not stored."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        book = book_of(await load_templates(connection))
        now = await load_now(connection)
        accounts = await load_account_names(connection, words, [one.edited_by for one in book.stored.values()])
    known, stored = known_name(name), book.stored.get((name, language))
    if known is None and stored is None:
        raise not_found("template", name)
    wording = book.wording
    if known is not None and tried is not None and not refused:
        try:
            wording = book.tried(known, language, tried)
        except RemedyError as exc:
            refused = said_by(exc).text(words.language)
    return show(
        request,
        "message_template.html",
        422 if refused else 200,
        refused=refused,
        name=name,
        language=language,
        known=known is not None,
        what=what_of(name, words),
        state=book.state((name, language)),
        broken=why_broken(book, (name, language), words),
        stored=stored,
        edited_by=accounts.shown(stored.edited_by) if stored else "",
        tried=tried is not None,
        most=MOST_TEXT,
        text=tried if tried is not None else _text(book, known, name, language),
        placeholders=placeholder_rows(known, words) if known else [],
        messages=preview_rows(known, wording, language, context.config.url, now) if known else [],
    )


def _text(book: TemplateBook, known: TemplateName | None, name: str, language: str) -> str:
    stored = book.stored.get((name, language))
    return stored.text if stored else default_text(known) if known else ""


@router.post("/templates/{name}/{language}")
async def change(request: Request, context: Shared, name: Name, language: Language) -> Response:
    """Store the text of the form, or show messages with it; a refusal is shown beside the form."""
    said = await read_form(request)
    known = known_name(name)
    if known is None:
        raise not_found("template", name)
    text = said.get("text", "")
    if said.get("preview"):
        return await _one(request, context, name, language, tried=text)
    try:
        await change_template(context, request, known, language, text)
    except Problem as exc:
        refused = said_by(exc.__cause__ or exc).text(words_for(request).language)
        return await _one(request, context, name, language, tried=text, refused=refused)
    return RedirectResponse(f"/templates/{name}/{language}", status_code=303)


@router.post("/templates/{name}/{language}/reset")
async def reset(request: Request, context: Shared, name: Name, language: Language) -> Response:
    """Go back to the text of Milepost, and to the list."""
    await read_form(request)
    await forget_template(context, request, name, language)
    return RedirectResponse("/templates", status_code=303)
