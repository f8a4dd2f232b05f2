"""Silences in the database; each change has an entry in the ledger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg

from alerting.silences.making import NewSilence, sound_silence
from alerting.silences.model import Silence
from alerting.silences.rules import Silences
from contract.errors import RemedyError
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)

MOST_UNFINISHED: Final = 5000
"""Silences in force or planned that one account can see; whoever decides about a page reads them all."""


async def make_silence(connection: Connection, new: NewSilence, now: datetime) -> Silence:
    """Make a silence. Raises RemedyError for one that cannot be made (`sound_silence`), or whose station or area does
    not exist or is outside the scope, which is answered alike."""
    sound = sound_silence(new, now)
    if await connection.fetchval(QUERIES.count_unfinished, MOST_UNFINISHED) >= MOST_UNFINISHED:
        raise RemedyError(
            f"there are {MOST_UNFINISHED} silences already that are not over: silence an area instead of its stations, "
            "or end some",
            f"未结束的屏蔽已有 {MOST_UNFINISHED} 条：请改为屏蔽整个区划，或先结束一些",
        )
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                QUERIES.make_silence,
                *(sound.station, sound.area, list(sound.kinds)),
                *(sound.from_at, sound.until_at, sound.reason, sound.made_by),
            )
            made = silence_of(row or {})
            await append_entries(connection, [_made_entry(made)])
    except (asyncpg.ForeignKeyViolationError, asyncpg.InsufficientPrivilegeError) as exc:
        raise _no_such_place(sound) from exc
    return made


def _no_such_place(new: NewSilence) -> RemedyError:
    if new.named is None:
        return RemedyError(
            "only an account whose scope is everything silences everything: name a station or an area",
            "只有范围为全部的账户才能屏蔽全部：请填写服务点或区划",
        )
    return RemedyError(f"there is no station or area {new.named}: correct it", f"没有服务点或区划 {new.named}：请改正")


async def end_silence(connection: Connection, number: int, *, by: Author) -> Silence | None:
    """End a silence now; one that has not begun is never in force. None when there is none of this id that the account
    may end. One that is over already does not change."""
    async with connection.transaction():
        row = await connection.fetchrow(QUERIES.lock_silence, number)
        if row is None:
            return None
        if row["ended_at"] is not None or row["is_over"]:
            return silence_of(row)
        ended = silence_of(await connection.fetchrow(QUERIES.end_silence, number, by.account) or {})
        await append_entries(connection, [_entry(LedgerKind.SILENCE_ENDED, number, by.account, by.remarked)])
    return ended


def _made_entry(made: Silence) -> LedgerEntry:
    place = {"station": made.station, "area": made.area}
    body = {
        **{name: code for name, code in place.items() if code is not None},
        "kinds": sorted(made.kinds),
        "from_ms": ms_of(made.from_at),
        "until_ms": ms_of(made.until_at),
        **hashed(reason=made.reason),
    }
    return _entry(LedgerKind.SILENCE_MADE, made.id, made.made_by, body)


def _entry(kind: LedgerKind, number: int, actor: str, body: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(kind=kind, subject=f"silence/{number}", actor=actor, body=body)


async def load_silence(connection: Connection, number: int) -> Silence | None:
    """The silence of this id."""
    row = await connection.fetchrow(QUERIES.load_silence, number)
    return None if row is None else silence_of(row)


async def load_silences(connection: Connection, now: datetime) -> Silences:
    """All that are in force at `now` or planned, to ask `silenced_until`."""
    return Silences(silence_of(row) for row in await connection.fetch(QUERIES.unfinished_silences, now))


def silence_of(row: asyncpg.Record | Mapping[str, Any]) -> Silence:
    """A row of the table silence."""
    return Silence(**{**{name: row[name] for name in Silence.__struct_fields__}, "kinds": frozenset(row["kinds"])})
