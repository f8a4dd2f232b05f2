"""Make, change and retire contacts."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Request
from pydantic import BaseModel, Field

from access.links import store as links
from api.actions.actor import author_of
from api.actions.area_code import stored_area
from api.actions.settle import settle
from api.context import Context
from api.http.problems import Problem, not_found
from api.read.moment import load_now
from api.read.routing.contacts import require_contact
from api.read.schemas import ContactDocument, EndedLinks
from contract.said import SaidError
from registry.contacts import store as contact_store
from registry.contacts.addresses import MOST_ADDRESS, MOST_CHANNELS, parse_channels
from registry.contacts.model import Address, Contact
from registry.contacts.rules import ContactEdit
from store.pool import Connection

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Role = Annotated[str, Field(min_length=1, max_length=32)]
_Area = Annotated[str | None, Field(min_length=1, max_length=32, description="null: the whole platform")]
_Quiet = Annotated[str | None, Field(max_length=2000)]
_Account = Annotated[str | None, Field(min_length=1, max_length=64, description="id or login")]
_Channels = Annotated[
    list[Annotated[str, Field(max_length=MOST_ADDRESS)]] | None,
    Field(max_length=MOST_CHANNELS, description="addresses, which are never shown again; null: as they are"),
]


class NewContact(BaseModel):
    """A new contact. Without an id it gets one; without an account a person gets one of its own."""

    id: str | None = Field(default=None, min_length=1, max_length=64)
    name: _Name
    role: _Role
    area: _Area = None
    language: Literal["zh-CN", "en"] = "zh-CN"
    room: bool = False
    quiet: _Quiet = None
    account: _Account = None
    channels: _Channels = None


class ContactPatch(BaseModel):
    """What changes; what is not there stays. A retired contact that is changed is no longer retired."""

    name: _Name | None = None
    role: _Role | None = None
    area: _Area = None
    language: Literal["zh-CN", "en"] | None = None
    room: bool | None = None
    quiet: _Quiet = None
    account: _Account = None
    channels: _Channels = None


async def make_contact(context: Context, request: Request, said: NewContact) -> ContactDocument:
    """Make a contact. Raises a Problem (422)."""

    async def make(connection: Connection) -> ContactDocument:
        given = {name: getattr(said, name) for name in ("name", "role", "language", "room", "quiet", "account")}
        contact = Contact(
            id=said.id or contact_store.new_contact_id(), area=await stored_area(connection, said.area), **given
        )
        if await contact_store.load_contact(connection, contact.id) is not None:
            raise Problem(422, f"the id {contact.id} of a contact is taken: choose another one")
        return await _put(connection, request, contact, said.channels)

    return await settle(context, make, 422)


async def change_contact(context: Context, request: Request, name: str, said: ContactPatch) -> ContactDocument:
    """Change a contact. Raises a Problem (404, 422)."""

    async def change(connection: Connection) -> ContactDocument:
        stored = await contact_store.load_contact(connection, name)
        if stored is None:
            raise not_found("contact", name)
        fields = said.model_fields_set - {"channels"}
        given: dict[str, Any] = {field: getattr(said, field) for field in fields}
        # What cannot be empty stays.
        given = {field: value for field, value in given.items() if value is not None or field in ("area", "quiet")}
        if given.get("room") and "account" not in given:
            given["account"] = None
        if "area" in given:
            given["area"] = await stored_area(connection, given["area"])
        return await _put(connection, request, msgspec.structs.replace(stored, **given), said.channels)

    return await settle(context, change, 422)


async def retire_contact(context: Context, request: Request, name: str) -> ContactDocument:
    """Retire a contact; one that is retired stays as it is. Raises a Problem (404)."""

    async def retire(connection: Connection) -> ContactDocument:
        await contact_store.retire_contact(connection, name, by=author_of(request, None))
        return require_contact(name, await contact_store.load_contact(connection, name))

    return await settle(context, retire)


async def end_links(context: Context, request: Request, name: str) -> EndedLinks:
    """End all links in messages to a contact, whose phone was lost. Raises a Problem (404)."""

    async def end(connection: Connection) -> EndedLinks:
        require_contact(name, await contact_store.load_contact(connection, name))
        now = await load_now(connection)
        return EndedLinks(id=name, ended=await links.end_links(connection, name, now, by=author_of(request, None)))

    return await settle(context, end)


async def _put(
    connection: Connection, request: Request, contact: Contact, channels: Sequence[str] | None
) -> ContactDocument:
    try:
        edit = ContactEdit(contact=contact, addresses=_addresses(channels))
        await contact_store.put_contacts(connection, [edit], by=author_of(request, None))
    except SaidError as exc:
        raise Problem(422, str(exc)) from exc
    return require_contact(contact.id, await contact_store.load_contact(connection, contact.id))


def _addresses(channels: Sequence[str] | None) -> tuple[Address, ...] | None:
    return None if channels is None else parse_channels(" ".join(channels))
