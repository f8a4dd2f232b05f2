"""The page of the work of a person: open incidents by township, for the phone and for paper."""

from typing import Final

from fastapi import Request, Response

from access.rules import Actor
from api.console.name_lookup import load_account_names, load_names_of
from api.console.pages import page_router, show, words_for
from api.console.response.rows import work_row
from api.context import Shared
from api.http.middleware import ACTOR
from api.http.parameters import Text
from api.http.problems import Problem
from api.read.response.work_list import MOST, load_work

router = page_router()

_UNKNOWN: Final = "work_unknown_contact"


@router.get("/work")
async def show_work(request: Request, context: Shared, contact: Text = "") -> Response:
    """The open incidents that concern the reader, or a contact."""
    words, asked = words_for(request), contact.strip()
    actor: Actor = request.scope[ACTOR]
    try:
        async with context.database.snapshot() as connection:
            found = await load_work(connection, actor.account, asked or None)
            named = await load_names_of(connection, words, found.found.places)
            accounts = await load_account_names(connection, words, found.found.accounts)
    except Problem as exc:
        if exc.status != 404:
            raise
        return show(
            request, "work.html", 404, unknown=words(_UNKNOWN), contact=asked, groups=[], person=None, work=None
        )
    work = await found.document(context.work)
    return show(
        request,
        "work.html",
        unknown="",
        contact=asked,
        person=found.contacts[0][1] if asked else None,
        work=work,
        most=MOST,
        total=len(found.found.rows),
        groups=[
            (named.area(group.area), [work_row(one, named, words, accounts.shown) for one in group.items])
            for group in work.groups
        ],
    )
