"""Contacts: the people and rooms that get messages. No answer contains an address."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.actions import contacts as actions
from api.actions.contacts import ContactPatch, NewContact
from api.context import Shared
from api.http.paging import PageOf
from api.http.parameters import AreaFilter, ContactId
from api.http.work import WorkRoute
from api.read.routing import contacts
from api.read.schemas import ContactDocument, EndedLinks, Listing

router = APIRouter(tags=["contacts"], route_class=WorkRoute)


@router.get("/contacts")
async def list_contacts(
    context: Shared,
    page: PageOf,
    area: AreaFilter = None,
    retired: Annotated[bool, Query(description="also those that are retired")] = False,
) -> Listing[ContactDocument]:
    """Contacts, by id."""
    async with context.database.snapshot() as connection:
        found = await contacts.list_contacts(connection, page, area=area, retired=retired)
    return await found.listing(context.work)


@router.get("/contacts/{id}")
async def get_contact(context: Shared, id: ContactId) -> ContactDocument:  # noqa: A002 -- the path's own name for it
    """One contact."""
    async with context.database.snapshot() as connection:
        return await contacts.load_contact(connection, id)


@router.post("/contacts", status_code=201)
async def make_contact(context: Shared, request: Request, said: NewContact) -> ContactDocument:
    """Make a contact. A person gets an account without a password, unless one is named."""
    return await actions.make_contact(context, request, said)


@router.patch("/contacts/{id}")
async def change_contact(context: Shared, request: Request, id: ContactId, said: ContactPatch) -> ContactDocument:  # noqa: A002
    """Change a contact. `channels` replaces all its channels. The rights of its account stay."""
    return await actions.change_contact(context, request, id, said)


@router.post("/contacts/{id}/retire")
async def retire_contact(context: Shared, request: Request, id: ContactId) -> ContactDocument:  # noqa: A002
    """Tell a contact of nothing any more, and forget its addresses."""
    return await actions.retire_contact(context, request, id)


@router.post("/contacts/{id}/end-links")
async def end_links(context: Shared, request: Request, id: ContactId) -> EndedLinks:  # noqa: A002
    """End all links in messages to a contact, because its phone was lost. The next message carries a new link."""
    return await actions.end_links(context, request, id)
