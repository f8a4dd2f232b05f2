"""Contacts in the database. Addresses go in and come out for the process that sends only."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from contract.errors import RemedyError
from registry.contacts.model import Address, Channel, ChannelKind, Contact, SecretChannel
from registry.contacts.rules import ContactEdit, KnownAccount, contact_body, require_accounts, require_contact
from registry.store import known_areas
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
_ID_BYTES: Final = 5
_WRITTEN: Final = ("id", "name", "role", "area", "language", "room", "quiet", "account")


def new_contact_id() -> str:
    """An id for a contact for which nobody names one."""
    return f"c-{secrets.token_hex(_ID_BYTES)}"


async def load_contacts(connection: Connection, ids: Collection[str] | None = None) -> dict[str, Contact]:
    """Contacts by their ids, retired ones too; None: all that the caller sees."""
    rows = await connection.fetch(QUERIES.load_contacts, None if ids is None else list(ids))
    return {row["id"]: contact_of(row) for row in rows}


async def load_contact(connection: Connection, contact: str) -> Contact | None:
    """The contact of an id, retired or not."""
    return (await load_contacts(connection, [contact])).get(contact)


async def list_contacts(
    connection: Connection, *, area: str | None = None, retired: bool = False, after: str = "", limit: int = 100
) -> list[Contact]:
    """Contacts in the order of their ids, of an area and those below it; None: everywhere."""
    rows = await connection.fetch(QUERIES.list_contacts, after, area, retired, limit)
    return [contact_of(row) for row in rows]


async def load_addresses(connection: Connection, contacts: Collection[str]) -> dict[str, tuple[SecretChannel, ...]]:
    """The channels of contacts with their addresses, in the order in which they are tried; a contact that is told of
    nothing, or has no channel, is not there. Only for the process that sends; the API's role may not read them."""
    found: dict[str, list[SecretChannel]] = {}
    for row in await connection.fetch(QUERIES.load_addresses, list(contacts)):
        kind = ChannelKind(row["kind"])
        secret = SecretChannel(Channel(kind, row["fingerprint"]), Address(kind, row["address"]))
        found.setdefault(row["contact"], []).append(secret)
    return {contact: tuple(channels) for contact, channels in found.items()}


async def fingerprints_of(connection: Connection, addresses: Sequence[Address]) -> list[Channel]:
    """The channels that stand for addresses, in their order."""
    rows = await connection.fetch(QUERIES.fingerprints, *_split(addresses))
    return [Channel(address.kind, row["fingerprint"]) for address, row in zip(addresses, rows, strict=True)]


async def put_contacts(connection: Connection, edits: Sequence[ContactEdit], *, by: Author) -> None:
    """Make or change contacts, each once, with entries of the ledger. A person without an account gets one, without a
    password, as a technician of the contact's area; an account that is there keeps its rights.

    Raises SaidError or RemedyError for what cannot be stored, or lies outside what the caller may write.
    """
    for edit in edits:
        require_contact(edit)
    if not edits:
        return
    ids = [edit.contact.id for edit in edits]
    async with connection.transaction():
        await connection.execute(QUERIES.lock_contacts, ids)
        before = await load_contacts(connection, ids)
        wanted = await _wanted(connection, edits, before, by.account)
        new = [contact for id_, contact in wanted.items() if id_ not in before]
        changed = [contact for id_, contact in wanted.items() if id_ in before and contact != before[id_]]
        await _write(connection, new, changed, by)
        await _put_channels(connection, edits, wanted, before)
        accounts = await _give_accounts(connection, [contact.id for contact in (*new, *changed)], by)
        made = {c.id: msgspec.structs.replace(c, account=accounts.get(c.id, c.account)) for c in (*new, *changed)}
        kinds = {**{c.id: LedgerKind.CONTACT_MADE for c in new}, **{c.id: LedgerKind.CONTACT_CHANGED for c in changed}}
        entries = [_entry(kinds[c.id], c.id, by, contact_body(c, c.channels)) for c in made.values()]
        await append_entries(connection, entries)


async def retire_contact(connection: Connection, contact: str, *, by: Author) -> bool:
    """No longer tell a contact of anything, and forget its addresses; its account stays. False: there is no such
    contact, or it was retired already."""
    async with connection.transaction():
        if await connection.fetchval(QUERIES.retire_contact, contact, by.account) is None:
            return False
        await connection.execute(QUERIES.clear_channels, [contact])
        await append_entries(connection, [_entry(LedgerKind.CONTACT_RETIRED, contact, by, {})])
    return True


async def _wanted(
    connection: Connection, edits: Sequence[ContactEdit], before: Mapping[str, Contact], by: str
) -> dict[str, Contact]:
    """The contacts as they are to be, with the ids of their accounts and with their channels. Raises RemedyError for an
    account that they may not have."""
    named = {edit.contact.account for edit in edits} | {contact.account for contact in before.values()}
    known = await _accounts(connection, {name for name in named if name is not None}, by)
    addresses = [address for edit in edits for address in edit.addresses or ()]
    channels = iter(await fingerprints_of(connection, addresses))
    found: dict[str, Contact] = {}
    for edit in edits:
        old = before.get(edit.contact.id)
        kept = old.channels if old else ()
        own = kept if edit.addresses is None else tuple(next(channels) for _ in edit.addresses)
        account = _account_of(edit.contact, old, known)
        muted = old is not None and old.muted
        found[edit.contact.id] = msgspec.structs.replace(
            edit.contact,
            account=account,
            channels=own,
            retired_at=old.retired_at if old and muted else None,
            muted=muted,
        )
    touched = [(c, old) for id_, c in found.items() if _moves_messages(c, old := before.get(id_))]
    require_accounts(touched, {account.id: account for account in known.values()}, by)
    return found


def _moves_messages(wanted: Contact, stored: Contact | None) -> bool:
    return stored is None or (wanted.account, wanted.channels) != (stored.account, stored.channels)


def _account_of(contact: Contact, stored: Contact | None, known: Mapping[str, KnownAccount]) -> str | None:
    if contact.room:
        return None
    if contact.account is None:
        return stored.account if stored else None
    found = known.get(contact.account) or known.get(contact.account.lower())
    return contact.account if found is None else found.id


async def account_ids(connection: Connection, named: Collection[str]) -> dict[str, str]:
    """{name: the id of the account that has it as its id or its login, in whatever case}, as far as the caller sees
    accounts."""
    known = await _accounts(connection, named, "")
    return {name: found.id for name in named if (found := known.get(name) or known.get(name.lower()))}


async def beyond_accounts(connection: Connection, contacts: Iterable[Contact]) -> list[str]:
    """The ids of contacts whose area their account does not see, so that its links in messages would show nothing."""
    persons = [contact for contact in contacts if contact.account is not None]
    ids, accounts, areas = ([getattr(each, name) for each in persons] for name in ("id", "account", "area"))
    return [row["id"] for row in await connection.fetch(QUERIES.beyond_accounts, ids, accounts, areas)]


async def _accounts(connection: Connection, named: Collection[str], by: str) -> dict[str, KnownAccount]:
    """Accounts by their ids and by their logins in lower case; an id comes first."""
    wanted = sorted({*named, *(name.lower() for name in named)})
    found = [KnownAccount(**dict(row)) for row in await connection.fetch(QUERIES.find_accounts, wanted, by)]
    return {account.login.lower(): account for account in found} | {account.id: account for account in found}


async def _write(connection: Connection, new: Sequence[Contact], changed: Sequence[Contact], by: Author) -> None:
    named = {contact.area for contact in (*new, *changed) if contact.area is not None}
    if unknown := named - await known_areas(connection, named):
        raise _no_area(unknown)
    try:
        async with connection.transaction():
            made = await connection.fetch(QUERIES.add_contacts, *_columns(new), by.account)
            await connection.execute(QUERIES.change_contacts, *_columns(changed), by.account)
    except (asyncpg.ForeignKeyViolationError, asyncpg.InsufficientPrivilegeError) as exc:
        raise _no_area({contact.area or "-" for contact in (*new, *changed)}) from exc
    taken = sorted({contact.id for contact in new} - {row["id"] for row in made})
    if taken:
        raise RemedyError(
            f"the id {taken[0]} of a contact is taken: choose another one",
            f"联系人编号 {taken[0]} 已被使用：请另选一个",
        )


def _no_area(areas: Collection[str]) -> RemedyError:
    shown = ", ".join(sorted(areas)[:3])
    return RemedyError(
        f"there is no area {shown} for a contact of yours: import the area first, or correct it",
        f"没有可供您的联系人使用的区划 {shown}：请先导入区划，或更正",
    )


async def _put_channels(
    connection: Connection, edits: Iterable[ContactEdit], wanted: Mapping[str, Contact], before: Mapping[str, Contact]
) -> None:
    """Replace the channels of the contacts whose channels change."""
    changed = {
        edit.contact.id: edit.addresses
        for edit in edits
        if edit.addresses is not None
        and wanted[edit.contact.id].channels != (old.channels if (old := before.get(edit.contact.id)) else ())
    }
    await connection.execute(QUERIES.clear_channels, list(changed))
    rows = [(contact, place, address) for contact, some in changed.items() for place, address in enumerate(some, 1)]
    await connection.execute(
        QUERIES.add_channels,
        [contact for contact, _, _ in rows],
        [place for _, place, _ in rows],
        *_split([address for _, _, address in rows]),
    )


async def _give_accounts(connection: Connection, contacts: Sequence[str], by: Author) -> dict[str, str]:
    """{contact: its new account} of those that are persons without one."""
    rows = await connection.fetch(QUERIES.give_accounts, list(contacts), by.account)
    entries = [
        LedgerEntry(
            kind=LedgerKind.ACCOUNT_MADE,
            subject=f"account/{row['id']}",
            actor=by.account,
            body={
                "role": "technician",
                "whole": row["area"] is None,
                "areas": [] if row["area"] is None else [row["area"]],
                **hashed(login=row["login"], name=row["name"]),
            },
        )
        for row in rows
    ]
    await append_entries(connection, entries)
    return {row["contact"]: row["id"] for row in rows}


def _entry(kind: LedgerKind, contact: str, by: Author, body: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(kind=kind, subject=f"contact/{contact}", actor=by.account, body={**body, **by.remarked})


def _columns(contacts: Sequence[Contact]) -> list[list[Any]]:
    return [[getattr(contact, name) for contact in contacts] for name in _WRITTEN]


def _split(addresses: Sequence[Address]) -> tuple[list[str], list[str]]:
    return [address.kind.value for address in addresses], [address.text for address in addresses]


def contact_of(row: asyncpg.Record) -> Contact:
    """A contact as the queries of this store have it."""
    channels = zip(row["kinds"], row["fingerprints"], strict=True)
    return Contact(
        **{name: row[name] for name in (*_WRITTEN, "retired_at", "muted")},
        channels=tuple(Channel(ChannelKind(kind), fingerprint) for kind, fingerprint in channels),
    )
