"""Stores what is decided about pages: one transaction before each attempt, and one after it."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from access.links.store import give_links
from alerting.channels.store import ChannelName, note_send
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
from alerting.delivery.senders.answers import news_of
from alerting.delivery.sending import MessageContent, SendOutcome, SendVerdict
from alerting.delivery.wording.store import count_pages, load_wording
from registry.contacts.model import GROUP_CHANNELS, Address, Channel
from registry.contacts.store import load_addresses
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST_READ: Final = 1000
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

    hold: float = 17.0
    lease: float = 20.0


class DueContact(NamedTuple):
    """A contact for which something may be due; `newest`: the number of its newest page."""

    contact: str
    newest: int
    urgent: bool


async def due_contacts(connection: Connection) -> list[DueContact]:
    """The contacts for which something may be due, the most urgent first."""
    return [DueContact(*row) for row in await connection.fetch(QUERIES.due_contacts)]


async def next_due(connection: Connection) -> float | None:
    """Seconds until something becomes due for a contact; None: nothing has a time."""
    seconds: float | None = await connection.fetchval(QUERIES.next_due)
    return seconds


async def begin_attempt(
    connection: Connection, contact: str, *, pace: AttemptPace, public_url: str | None, full: Collection[str] = ()
) -> ContactLook | None:
    """Decide what is sent to a contact next and store it, in the caller's transaction; None: another process does.

    After the commit the token is taken, the content is frozen and the attempt is noted: it is to be made now. `full`:
    kinds of channels for which none may begin.
    """
    held = await connection.fetchrow(QUERIES.lock_contact, contact)
    if held is None:
        return None
    secret = (await load_addresses(connection, [contact])).get(contact, ())
    book = await _load_book(connection, contact, held["language"], [each.channel for each in secret])
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    turn = decide_turn(book, now, hold=timedelta(seconds=pace.hold), full=full)
    await _store_turn(connection, turn)
    begun = None
    if turn.sending is not None:
        tokens = await _links_for(connection, contact, turn.sending, now) if held["person"] and public_url else {}
        style = WritingStyle(language=book.language, public_url=public_url, tokens=tokens)
        (address,) = [each.address for each in secret if each.channel == turn.sending.channel]
        key, number, content = await _note_attempt(connection, contact, turn.sending, style, now, pace.lease)
        begun = Begun(
            contact=contact, key=key, number=number, at=now, address=address, content=content, sending=turn.sending
        )
    again = None if turn.look_at is None else max(0.0, (turn.look_at - now).total_seconds())
    return ContactLook(begun=begun, again=again)


async def _links_for(connection: Connection, contact: str, sending: Sending, now: datetime) -> dict[int, str]:
    """The tokens of links for a person; none in a message that is written already, or that a group reads."""
    if sending.message is not None or sending.channel.kind in GROUP_CHANNELS:
        return {}
    return await give_links(connection, contact, [page.incident for page in sending.pages[:MOST_LISTED]], now)


async def _load_book(connection: Connection, contact: str, language: Any, channels: Collection[Channel]) -> ContactBook:
    limits = await connection.fetch(QUERIES.lock_limits, contact)
    if len(limits) < len(channels):
        await connection.execute(QUERIES.add_limits, contact)
        limits = await connection.fetch(QUERIES.lock_limits, contact)
    pages = await connection.fetch(QUERIES.open_pages, contact, MOST_READ)
    by_message: dict[UUID | None, list[OwedPage]] = {}
    for row in pages:
        by_message.setdefault(row["message"], []).append(_page(row))
    messages = [
        OpenMessage(
            id=row["id"],
            fingerprint=row["fingerprint"],
            due_at=row["due_at"],
            attempts=_verdicts(row),
            pages=tuple(by_message.get(row["id"], ())),
        )
        for row in await connection.fetch(QUERIES.open_messages, contact)
    ]
    owed = {row["id"]: _page(row) for row in pages}
    hastened = [
        OpenMessage(
            id=row["id"],
            fingerprint=row["fingerprint"],
            due_at=_EPOCH,
            attempts=_verdicts(row),
            pages=tuple(owed[number] for number in row["pages"] if number in owed),
        )
        for row in await connection.fetch(QUERIES.hastened_messages, contact)
    ]
    return ContactBook(
        contact=contact,
        language=language,
        channels=tuple(channels),
        dead=frozenset(row["fingerprint"] for row in limits if row["dead"]),
        resting=frozenset(row["fingerprint"] for row in limits if row["dead"] and row["lately"]),
        pages=tuple(by_message.get(None, ())),
        messages=tuple(messages),
        hastened=tuple(hastened),
        tokens={row["fingerprint"]: TakenTokens(tuple(row["taken_at"]), row["silent_until"]) for row in limits},
    )


def _page(row: Any) -> OwedPage:
    given = {name: row[name] for name in OwedPage.__struct_fields__}
    return OwedPage(**{**given, "tried": frozenset(row["tried"]), "hastened": frozenset(row["hastened"])})


def _verdicts(row: Any) -> tuple[SendVerdict | None, ...]:
    return tuple(None if verdict is None else SendVerdict(verdict) for verdict in row["attempts"])


async def _store_turn(connection: Connection, turn: PageTurn) -> None:
    if turn.dropped:
        await connection.execute(QUERIES.drop_messages, list(turn.dropped))
    for query, pages in ((QUERIES.cancel_pages, turn.cancelled), (QUERIES.fail_pages, turn.failed)):
        if pages:
            await connection.execute(query, [number for number, _ in pages], [str(reason) for _, reason in pages])


async def _note_attempt(
    connection: Connection, contact: str, sending: Sending, style: WritingStyle, now: datetime, lease: float
) -> tuple[UUID, int, MessageContent]:
    """The key, the number of the attempt and the content; the token is taken too."""
    await _save_tokens(connection, sending.channel, sending.granted.tokens)
    if sending.message is not None:
        numbers = [page.id for page in sending.pages]
        row = await _one(connection, QUERIES.try_again, sending.message, lease, numbers)
        return sending.message, row["attempts"], msgspec.convert(row["content"], MessageContent)
    key = uuid4()
    content = await _write(connection, key, sending, style, now)
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
    return key, 1, content


async def _write(
    connection: Connection, key: UUID, sending: Sending, style: WritingStyle, now: datetime
) -> MessageContent:
    listed = [page.id for page in sending.pages[:MOST_LISTED]]
    facts = [facts_from(row) for row in await connection.fetch(QUERIES.facts, listed)]
    counted = await count_pages(connection, [page.id for page in sending.pages])
    style = msgspec.structs.replace(style, channel=sending.channel.kind, wording=await load_wording(connection))
    return write_content(str(key), facts, counted, style, now)


async def _save_tokens(connection: Connection, channel: Channel, tokens: TakenTokens) -> None:
    await connection.execute(
        QUERIES.save_limit, channel.kind, channel.fingerprint, list(tokens.taken), tokens.silent_until
    )


async def hasten_attempt(connection: Connection, begun: Begun) -> None:
    """Let the next channel take the pages while the attempt goes on: the pages are owed again. A second call changes
    nothing."""
    await connection.execute(QUERIES.mark_over, begun.key, begun.number, "hastened")


async def end_attempt(
    connection: Connection, begun: Begun, outcome: SendOutcome, settlement: Settlement | None, silence: float
) -> None:
    """Store the outcome of an attempt and its settlement, in the caller's transaction. `silence`: seconds for which
    nothing is sent to the address. Without `settlement`, the pages do not change. A second call changes nothing."""
    await _settle_tokens(connection, begun, silence)
    until = begun.at + timedelta(seconds=silence) if silence else None
    await connection.execute(
        QUERIES.end_attempt, begun.key, begun.number, outcome.verdict, until, outcome.why[:500] or None
    )
    news = news_of(outcome)
    if news is not None:
        channel = begun.sending.channel
        name = ChannelName(contact=begun.contact, fingerprint=channel.fingerprint, channel=channel.kind)
        await note_send(connection, name, news, datetime.now(UTC), outcome.why)
    match settlement:
        case None:
            if outcome.verdict == SendVerdict.REFUSED:
                await connection.execute(QUERIES.mark_late_refusal, begun.key, begun.number)
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
