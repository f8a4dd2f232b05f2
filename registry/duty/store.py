"""Duties and substitutes in the database. Every change has an entry in the ledger, in its transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg

from contract.errors import RemedyError
from registry.duty.checks import require_substitute, sound_duty
from registry.duty.model import Duty, NamedContact, Substitute
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("queries.sql"))

T = TypeVar("T", Duty, Substitute)

_DUTY: Final = ("area", "role", "contact", "times", "weeks", "week", "valid_from", "valid_to")
_SUBSTITUTE: Final = ("contact", "substitute", "from_at", "until_at", "reason")


async def load_duties(connection: Connection) -> tuple[Duty, ...]:
    """Every duty in the scope of the connection."""
    return tuple(Duty(**dict(row)) for row in await connection.fetch(QUERIES.load_duties))


async def load_substitutes(connection: Connection, *, since: datetime | None = None) -> tuple[Substitute, ...]:
    """The substitutes in the scope of the connection that are not over at `since` (None: all)."""
    return tuple(Substitute(**dict(row)) for row in await connection.fetch(QUERIES.load_substitutes, since))


async def load_contact_names(connection: Connection) -> dict[str, NamedContact]:
    """Every contact in the scope of the connection, by id."""
    return {row["id"]: NamedContact(**dict(row)) for row in await connection.fetch(QUERIES.contact_names)}


async def put_duties(connection: Connection, duties: Sequence[Duty], *, by: Author) -> list[Duty]:
    """Add duties; one that differs from a stored one in `valid_to` only replaces it. Returns those that were written,
    with their ids.

    Raises SaidError for a duty that cannot be, RemedyError for a contact or area that is not there or outside the
    scope, which is answered alike.
    """
    sound = _last_of_each((sound_duty(duty) for duty in duties), _DUTY[:-1])
    try:
        async with connection.transaction():
            await _require_contacts(connection, {duty.contact for duty in sound})
            rows = await connection.fetch(QUERIES.put_duties, *_columns(sound, _DUTY), by.account)
            written = [Duty(**dict(row)) for row in rows]
            await append_entries(connection, [_duty_entry(LedgerKind.DUTY_GIVEN, duty, by) for duty in written])
    except (asyncpg.ForeignKeyViolationError, asyncpg.InsufficientPrivilegeError) as exc:
        raise _no_area(duty.area for duty in sound) from exc
    return written


async def give_duty(connection: Connection, duty: Duty, *, by: Author) -> Duty:
    """Add one duty; returns it as it is stored, also if it was there already. Raises as `put_duties`."""
    async with connection.transaction():
        if written := await put_duties(connection, [duty], by=by):
            return written[0]
        same = sound_duty(duty)
        row = await connection.fetchrow(QUERIES.find_duty, *(getattr(same, name) for name in _DUTY[:-1]))
        return Duty(**dict(row or {}))


async def remove_duties(connection: Connection, ids: Collection[int], *, by: Author) -> list[Duty]:
    """Remove the duties of these ids; returns those that there were in the scope."""
    async with connection.transaction():
        gone = [Duty(**dict(row)) for row in await connection.fetch(QUERIES.remove_duties, list(ids))]
        await append_entries(connection, [_duty_entry(LedgerKind.DUTY_REMOVED, duty, by) for duty in gone])
        return gone


async def put_substitutes(connection: Connection, substitutes: Sequence[Substitute], *, by: Author) -> list[Substitute]:
    """Add substitutes; one for the same contact from the same time replaces the stored one. Returns those that were
    written, with their ids.

    Raises SaidError for a substitute that cannot be, RemedyError for a contact that is not there or outside the scope.
    """
    for each in substitutes:
        require_substitute(each)
    wanted = _last_of_each(substitutes, ("contact", "from_at"))
    try:
        async with connection.transaction():
            await _require_contacts(connection, {name for each in wanted for name in (each.contact, each.substitute)})
            rows = await connection.fetch(QUERIES.put_substitutes, *_columns(wanted, _SUBSTITUTE), by.account)
            written = [Substitute(**dict(row)) for row in rows]
            entries = [_substitute_entry(LedgerKind.SUBSTITUTE_GIVEN, each, by, reason=each.reason) for each in written]
            await append_entries(connection, entries)
    except asyncpg.InsufficientPrivilegeError as exc:
        raise RemedyError(
            "one of the contacts has another substitute from the same time on: name another time",
            "其中一名联系人从同一时间起已另有代班人：请换一个时间",
        ) from exc
    return written


async def give_substitute(connection: Connection, absence: Substitute, *, by: Author) -> Substitute:
    """Add one substitute; returns it as it is stored, also if it was there already. Raises as `put_substitutes`."""
    async with connection.transaction():
        if written := await put_substitutes(connection, [absence], by=by):
            return written[0]
        row = await connection.fetchrow(QUERIES.find_substitute, absence.contact, absence.from_at)
        return Substitute(**dict(row or {}))


async def remove_substitutes(connection: Connection, ids: Collection[int], *, by: Author) -> list[Substitute]:
    """Remove the substitutes of these ids; returns those that there were in the scope."""
    async with connection.transaction():
        gone = [Substitute(**dict(row)) for row in await connection.fetch(QUERIES.remove_substitutes, list(ids))]
        entries = [_substitute_entry(LedgerKind.SUBSTITUTE_REMOVED, each, by) for each in gone]
        await append_entries(connection, entries)
        return gone


async def _require_contacts(connection: Connection, contacts: set[str]) -> None:
    seen = {row["id"] for row in await connection.fetch(QUERIES.seen_contacts, list(contacts))}
    if lacking := sorted(contacts - seen):
        shown = ", ".join(lacking[:3])
        raise RemedyError(f"there is no contact {shown}: correct it", f"没有联系人 {shown}：请改正")


def _no_area(areas: Iterable[str | None]) -> RemedyError:
    """The same answer for areas that are not there and for those outside the scope, where the whole is as well."""
    named = sorted({area for area in areas if area})
    shown = ", ".join(named[:10])
    if not named:
        return RemedyError("name an area: the whole is outside your scope", "请填写区划：全域超出您的管辖范围")
    if len(named) > 1:
        return RemedyError(f"one of the areas {shown} is not there: correct it", f"区划 {shown} 之一不存在：请改正")
    return RemedyError(f"there is no area {shown}: correct it", f"没有区划 {shown}：请改正")


def _last_of_each(entries: Iterable[T], key: Sequence[str]) -> list[T]:
    """The entries without those that a later one of the same key replaces: a statement writes a row only once."""
    return list({tuple(getattr(entry, name) for name in key): entry for entry in entries}.values())


def _columns(entries: Sequence[Any], names: Iterable[str]) -> list[list[Any]]:
    return [[getattr(entry, name) for entry in entries] for name in names]


def _duty_entry(kind: LedgerKind, duty: Duty, by: Author) -> LedgerEntry:
    fields = {name: getattr(duty, name) for name in _DUTY}
    body = {name: value.isoformat() if isinstance(value, date) else value for name, value in fields.items()}
    return LedgerEntry(kind=kind, subject=f"duty/{duty.id}", actor=by.account, body=body | by.remarked)


def _substitute_entry(kind: LedgerKind, absence: Substitute, by: Author, *, reason: str | None = None) -> LedgerEntry:
    body = {
        "contact": absence.contact,
        "substitute": absence.substitute,
        "from_ms": ms_of(absence.from_at),
        "until_ms": ms_of(absence.until_at),
        **hashed(reason=reason),
        **by.remarked,
    }
    return LedgerEntry(kind=kind, subject=f"substitute/{absence.id}", actor=by.account, body=body)
