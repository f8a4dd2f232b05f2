"""Stores what is decided about pages: one transaction before each attempt, and one after it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from alerting.delivery.facts import facts_from
from alerting.delivery.pages.limits import LIMITS, TakenTokens, settle_token
from alerting.delivery.pages.model import ContactBook, OpenMessage, OwedPage, PageTurn, Sending
from alerting.delivery.pages.outcomes import (
    Again,
    Fold,
    NextChannel,
    Settlement,
    Taken,
    TooOld,
)
from alerting.delivery.pages.packing import decide_turn
from alerting.delivery.pages.writing import MOST_LISTED, WritingStyle, write_content
from alerting.delivery.sending import MessageContent, SendOutcome, SendVerdict
from registry.contacts.model import Address, Channel, ChannelKind
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
_MOST_READ = 1000
"""Pages of one contact that are looked at, at a time."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that is stored and is to be made now."""

    contact: str
    key: UUID
    number: int
    at: datetime
    address: Address
    content: MessageContent
    sending: Sending


class ContactLook(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a contact led to. `again`: seconds until the next look at the latest, None: nothing is known."""

    begun: Begun | None = None
    again: float | None = None


class AttemptPace(msgspec.Struct, frozen=True, kw_only=True):
    """`hold`: seconds in which an attempt has ended or is ended; `lease`: seconds after which another process takes
    over an attempt whose process died. A lease is longer than a hold."""

    hold: float = 20.0
    lease: float = 30.0


async def due_contacts(connection: Connection) -> list[tuple[str, int]]:
    """The contacts for which something may be due, the most urgent first, each with the number of its newest page."""
    return [(row["contact"], row["newest"]) for row in await connection.fetch(QUERIES.due_contacts)]


async def begin_attempt(
    connection: Connection, contact: str, *, pace: AttemptPace, public_url: str | None, full: Collection[str] = ()
) -> ContactLook | None:
    """Decide what is sent to a contact next and store it, in the caller's transaction; None: another process does.

    After the commit the token is taken, the content is frozen and the attempt is noted: it is to be made now. `full`:
    kinds of channels for which none may begin.
    """
    row = await connection.fetchrow(QUERIES.lock_contact, contact)
    if row is None:
        return None
    book = await _load_book(connection, contact, row["language"], retired=row["retired"])
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    turn = decide_turn(book, now, hold=timedelta(seconds=pace.hold), full=full)
    await _store_turn(connection, turn)
    begun = None
    if turn.sending is not None:
        style = WritingStyle(language=book.language, public_url=public_url)
        begun = await _begin(connection, contact, turn.sending, style, now, pace.lease)
    again = None if turn.look_at is None else max(0.0, (turn.look_at - now).total_seconds())
    return ContactLook(begun=begun, again=again)


async def _load_book(connection: Connection, contact: str, language: Any, *, retired: bool) -> ContactBook:
    await connection.execute(QUERIES.add_limits, contact)
    limits = await connection.fetch(QUERIES.lock_limits, contact)
    pages = await connection.fetch(QUERIES.open_pages, contact, _MOST_READ)
    by_message: dict[UUID | None, list[OwedPage]] = {}
    for row in pages:
        by_message.setdefault(row["message"], []).append(_page(row))
    messages = [
        OpenMessage(
            id=row["id"],
            fingerprint=row["fingerprint"],
            due_at=row["due_at"],
            attempts=tuple(None if verdict is None else SendVerdict(verdict) for verdict in row["attempts"]),
            pages=tuple(by_message.get(row["id"], ())),
        )
        for row in await connection.fetch(QUERIES.open_messages, contact)
    ]
    channels = () if retired else await connection.fetch(QUERIES.channels, contact)
    return ContactBook(
        contact=contact,
        language=language,
        channels=tuple(Channel(ChannelKind(row["kind"]), row["fingerprint"]) for row in channels),
        pages=tuple(by_message.get(None, ())),
        messages=tuple(messages),
        tokens={row["fingerprint"]: TakenTokens(tuple(row["taken_at"]), row["silent_until"]) for row in limits},
    )


def _page(row: Any) -> OwedPage:
    given = {name: row[name] for name in OwedPage.__struct_fields__}
    return OwedPage(**{**given, "tried": frozenset(row["tried"])})


async def _store_turn(connection: Connection, turn: PageTurn) -> None:
    if turn.dropped:
        await connection.execute(QUERIES.drop_messages, list(turn.dropped))
    for query, pages in ((QUERIES.cancel_pages, turn.cancelled), (QUERIES.fail_pages, turn.failed)):
        if pages:
            await connection.execute(query, [number for number, _ in pages], [str(reason) for _, reason in pages])


async def _begin(
    connection: Connection, contact: str, sending: Sending, style: WritingStyle, now: datetime, lease: float
) -> Begun:
    address = await _one(connection, QUERIES.address, contact, sending.channel.fingerprint)
    await _save_tokens(connection, sending.channel, sending.granted.tokens)
    key = sending.message or uuid4()
    if sending.message is None:
        number, content = 1, await _write(connection, key, sending, style, now)
        await connection.execute(
            QUERIES.add_message,
            key,
            contact,
            sending.channel.kind,
            sending.channel.fingerprint,
            content,
            content.severity,
            lease,
            [page.id for page in sending.pages],
        )
    else:
        row = await _one(connection, QUERIES.try_again, key, lease)
        number, content = row["attempts"], msgspec.convert(row["content"], MessageContent)
    return Begun(
        contact=contact,
        key=key,
        number=number,
        at=now,
        address=Address(ChannelKind(address["kind"]), address["address"]),
        content=content,
        sending=sending,
    )


async def _write(
    connection: Connection, key: UUID, sending: Sending, style: WritingStyle, now: datetime
) -> MessageContent:
    listed = [page.id for page in sending.pages[:MOST_LISTED]]
    facts = [facts_from(row) for row in await connection.fetch(QUERIES.facts, listed)]
    return write_content(str(key), facts, [page.severity for page in sending.pages], style, now)


async def _save_tokens(connection: Connection, channel: Channel, tokens: TakenTokens) -> None:
    await connection.execute(
        QUERIES.save_limit, channel.kind, channel.fingerprint, list(tokens.taken), tokens.silent_until
    )


async def end_attempt(
    connection: Connection, begun: Begun, outcome: SendOutcome, settlement: Settlement, silence: float
) -> None:
    """Store what came of an attempt and what follows, in the caller's transaction. `silence`: seconds for which nothing
    is sent to the address. Storing it twice changes nothing."""
    await _settle_tokens(connection, begun, silence)
    until = begun.at + timedelta(seconds=silence) if silence else None
    await connection.execute(
        QUERIES.end_attempt, begun.key, begun.number, outcome.verdict, until, outcome.why[:500] or None
    )
    match settlement:
        case Taken():
            await connection.execute(QUERIES.mark_taken, begun.key)
        case Again(seconds, unreached):
            await connection.execute(QUERIES.mark_again, begun.key, begun.number, seconds, unreached)
        case Fold():
            await connection.execute(QUERIES.mark_over, begun.key, begun.number, "folded")
        case NextChannel(refused):
            how = "refused" if refused else "given_up"
            await connection.execute(QUERIES.mark_over, begun.key, begun.number, how)
        case TooOld():
            await connection.execute(QUERIES.mark_too_old, begun.key, begun.number)


async def _settle_tokens(connection: Connection, begun: Begun, silence: float) -> None:
    channel = begun.sending.channel
    if not LIMITS[channel.kind].windows and not silence:
        return
    row = await _one(connection, QUERIES.lock_limit, channel.kind, channel.fingerprint)
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    known = TakenTokens(tuple(row["taken_at"]), row["silent_until"])
    await _save_tokens(connection, channel, settle_token(known, begun.sending.granted.token, now, silence))


async def _one(connection: Connection, query: str, *arguments: object) -> Any:
    """The row of a query that always has one."""
    (row,) = await connection.fetch(query, *arguments)
    return row


def age_of(pages: Sequence[OwedPage], now: datetime) -> float:
    """Seconds since the oldest of the pages was due."""
    return max((now - max(page.created_at, page.not_before or page.created_at)).total_seconds() for page in pages)
