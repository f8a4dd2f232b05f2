"""Tests the channels of a contact: a message through each, under the limits of the providers."""

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec

from alerting.channels.store import ChannelName, note_send
from alerting.delivery.pages.limits import LIMITS, Granted, TakenTokens, settle_token, take_token
from alerting.delivery.pages.outcomes import silence_after
from alerting.delivery.senders.answers import news_of
from alerting.delivery.senders.trial import write_trial
from alerting.delivery.sending import ChannelSender, PageEnvelope, SendOutcome, SendVerdict
from contract.errors import RemedyError
from registry.contacts.model import Address, Channel, ChannelKind, Contact
from registry.contacts.store import load_contact
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
_HOLD: Final = timedelta(seconds=20)
"""The time within which an attempt has ended."""


class TrialChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel to test; `place`: its number at the contact, from 1."""

    place: int
    channel: Channel
    address: Address


class TrialResult(msgspec.Struct, frozen=True):
    """What came of the test of one channel; `waits_until`: not sent, because its limit allows nothing before."""

    place: int
    kind: ChannelKind
    outcome: SendOutcome
    waits_until: datetime | None = None


async def load_trial(connection: Connection, contact: str, place: int | None) -> tuple[Contact, list[TrialChannel]]:
    """A contact and the channels to test: that of `place`, or all. Raises RemedyError."""
    found = await load_contact(connection, contact)
    if found is None:
        raise RemedyError(f"there is no contact {contact!r}", f"没有联系人 {contact!r}")
    rows = await connection.fetch(QUERIES.trial_channels, contact)
    channels = [
        TrialChannel(
            place=row["place"],
            channel=Channel(ChannelKind(row["kind"]), row["fingerprint"]),
            address=Address(ChannelKind(row["kind"]), row["address"]),
        )
        for row in rows
        if place in (None, row["place"])
    ]
    if not rows:
        raise RemedyError(f"the contact {contact} has no channel: import one", f"联系人 {contact} 没有通知渠道：请导入")
    if not channels:
        raise RemedyError(
            f"the contact {contact} has {len(rows)} channels, and none of the number {place}",
            f"联系人 {contact} 有 {len(rows)} 个通知渠道，没有第 {place} 个",
        )
    return found, channels


async def try_channel(
    connection: Connection,
    sender: ChannelSender,
    contact: Contact,
    tried: TrialChannel,
    *,
    link: str | None,
    by: Author,
) -> TrialResult:
    """Send the test message through one channel, once, if its limit allows that now. `link`: of the console.

    The token and the entry of the ledger are committed before the message is sent.
    """
    channel = tried.channel
    async with connection.transaction():
        tokens, now = await _lock(connection, channel)
        taken = take_token(LIMITS[channel.kind], tokens, now, hold=_HOLD, urgent=False)
        if not isinstance(taken, Granted):
            outcome = SendOutcome(verdict=SendVerdict.THROTTLED, why="not sent")
            return TrialResult(tried.place, channel.kind, outcome, taken.at)
        await _save(connection, channel, taken.tokens)
        entry = LedgerEntry(
            kind=LedgerKind.CONTACT_TESTED,
            subject=f"contact/{contact.id}",
            actor=by.account,
            body={"place": tried.place, "channel": channel.kind.value},
        )
        await append_entries(connection, [entry])
    content = write_trial(
        contact=contact.id, place=tried.place, kind=channel.kind, language=contact.language, link=link, at=now
    )
    outcome = await sender.send(tried.address, PageEnvelope(key=str(uuid4()), at=now, number=1, content=content))
    await _store(connection, contact, channel, taken, outcome)
    return TrialResult(tried.place, channel.kind, outcome)


async def _store(
    connection: Connection, contact: Contact, channel: Channel, taken: Granted, outcome: SendOutcome
) -> None:
    async with connection.transaction():
        tokens, now = await _lock(connection, channel)
        silence = silence_after(outcome, LIMITS[channel.kind])
        await _save(connection, channel, settle_token(tokens, taken.token, now, silence))
        if (news := news_of(outcome)) is not None:
            name = ChannelName(contact=contact.id, fingerprint=channel.fingerprint, channel=channel.kind)
            await note_send(connection, name, news, now, outcome.why)


async def _lock(connection: Connection, channel: Channel) -> tuple[TakenTokens, datetime]:
    """The tokens of an address, locked, and the time."""
    (row,) = await connection.fetch(QUERIES.lock_limit, channel.kind, channel.fingerprint)
    return TakenTokens(tuple(row["taken_at"]), row["silent_until"]), row["now"]


async def _save(connection: Connection, channel: Channel, tokens: TakenTokens) -> None:
    await connection.execute(
        QUERIES.save_limit, channel.kind, channel.fingerprint, list(tokens.taken), tokens.silent_until
    )
