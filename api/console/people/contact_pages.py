"""Pages about contacts: those there are, one of them, and the forms to make, change and retire one."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from access.links.store import count_good_links
from api.actions.contacts import ContactPatch, NewContact, change_contact, end_links, make_contact, retire_contact
from api.console.area_choice import find_area
from api.console.name_lookup import PlaceNames, load_account_names, load_names_of
from api.console.names import role_named
from api.console.pages import page_router, show, why_refused, words_for
from api.console.texts import Words
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.paging import Page
from api.http.parameters import ContactId, Cursor, Text
from api.http.problems import Problem
from api.read.moment import load_now
from api.read.routing.contacts import list_contacts, load_contact
from api.read.schemas import ContactDocument

router = page_router()

_PAGE: Final = 50
_FIELDS: Final = ("id", "name", "role", "area", "language", "quiet", "room", "account", "channels")
_NEEDED: Final = ("name", "role")
_LABELS: Final = {name: f"contact_{name}" for name in _FIELDS}


@router.get("/contacts")
async def show_contacts(
    request: Request,
    context: Shared,
    area: Text = "",
    retired: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Contacts by id, and a form for another one."""
    return await _list(request, context, area, retired, cursor)


async def _list(
    request: Request,
    context: Context,
    area: str = "",
    retired: str = "",
    cursor: str = "",
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        page = Page(_PAGE, cursor or None)
        found = await list_contacts(connection, page, area=where_asked.codes, retired=bool(retired))
        named = await load_names_of(connection, words, [(None, row["area"]) for row in found.rows])
    return show(
        request,
        "contacts.html",
        code,
        rows=[_row(one, named, words) for one in await found.documents(context.work)],
        next=found.next,
        cursor=cursor,
        area=area,
        retired=retired,
        where_asked=where_asked,
        refused=refused,
        said={**dict.fromkeys(_FIELDS, ""), "area": where_asked.code or "", "language": words.language, **(said or {})},
    )


def _row(contact: ContactDocument, named: PlaceNames, words: Words) -> dict[str, Any]:
    if contact.retired_at is None:
        state, status = "contact_active", "active"
    else:
        state, status = ("contact_is_muted" if contact.muted else "contact_is_retired"), "retired"
    return {
        "contact": contact,
        "where": named.area(contact.area) or words("contact_whole"),
        "role": words.named("duty_role", contact.role),
        "kinds": words("comma").join(words.named("channel", channel.kind) for channel in contact.channels),
        "state": words(state),
        "status": status,
    }


@router.get("/contacts/{id}")
async def show_contact(request: Request, context: Shared, id: ContactId) -> Response:  # noqa: A002
    """One contact, and the forms to change and to retire it."""
    return await _one(request, context, id)


async def _one(
    request: Request,
    context: Context,
    name: str,
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request)
    async with context.database.snapshot() as connection:
        contact = await load_contact(connection, name)
        named = await load_names_of(connection, words, [(None, contact.area)])
        accounts = await load_account_names(connection, words, [contact.account])
        links = await count_good_links(connection, name, await load_now(connection))
    stored = {field: getattr(contact, field) or "" for field in ("name", "role", "area", "language", "quiet")}
    return show(
        request,
        "contact.html",
        code,
        who=accounts.shown,
        refused=refused,
        links=links,
        said={**dict.fromkeys(_FIELDS, ""), **stored, "room": "yes" if contact.room else "", **(said or {})},
        **_row(contact, named, words),
    )


@router.post("/contacts")
async def make(request: Request, context: Shared) -> Response:
    """Make the contact of the form and show it; a refusal is shown beside the form."""
    said = await read_form(request)
    try:
        made = await make_contact(context, request, NewContact.model_validate(_given(said)))
    except (Problem, ValidationError) as exc:
        return await _list(request, context, code=422, refused=_refusal(exc, words_for(request)), said=_kept(said))
    return RedirectResponse(f"/contacts/{made.id}", status_code=303)


@router.post("/contacts/{id}")
async def change(request: Request, context: Shared, id: ContactId) -> Response:  # noqa: A002
    """Change a contact as the form says, and go back to its page."""
    said = await read_form(request)
    try:
        await change_contact(context, request, id, ContactPatch.model_validate(_given(said, emptied=("area", "quiet"))))
    except (Problem, ValidationError) as exc:
        if isinstance(exc, Problem) and exc.status == 404:
            raise
        refused = _refusal(exc, words_for(request))
        return await _one(request, context, id, code=422, refused=refused, said=_kept(said))
    return RedirectResponse(f"/contacts/{id}", status_code=303)


@router.post("/contacts/{id}/retire")
async def retire(request: Request, context: Shared, id: ContactId) -> Response:  # noqa: A002
    """Retire a contact, and go back to its page."""
    await read_form(request)
    await retire_contact(context, request, id)
    return RedirectResponse(f"/contacts/{id}", status_code=303)


@router.post("/contacts/{id}/end-links")
async def lose_phone(request: Request, context: Shared, id: ContactId) -> Response:  # noqa: A002
    """End the links of a contact whose phone was lost, and go back to its page."""
    await read_form(request)
    await end_links(context, request, id)
    return RedirectResponse(f"/contacts/{id}", status_code=303)


def _given(said: Mapping[str, str], *, emptied: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of a form as those of a request; an empty one is left out, or null if it is one of `emptied`."""
    fields: dict[str, Any] = {name: said[name] for name in _FIELDS if said.get(name)}
    # Browsers send empty fields, which a form as it is read does not have.
    fields |= {name: "" for name in _NEEDED if not said.get(name)} | {
        name: None for name in emptied if not said.get(name)
    }
    fields["room"] = said.get("room") == "yes"
    if "role" in fields:
        fields["role"] = role_named(fields["role"])
    if "channels" in fields:
        fields["channels"] = said["channels"].split()
    return fields


def _kept(said: Mapping[str, str]) -> dict[str, str]:
    """What a form shows again: everything but addresses."""
    return {name: value for name, value in said.items() if name in _FIELDS and name != "channels"}


def _refusal(exc: Problem | ValidationError, words: Words) -> str:
    """Why it was refused, in the reader's language."""
    return why_refused(exc, words, _LABELS, "contact_name")
