"""Stores what attempts say about channels, and loads the dead ones."""

from datetime import datetime

import msgspec

from alerting.channels.model import ChannelState, DeadChannel, SendNews
from alerting.channels.rules import state_after
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


class ChannelName(msgspec.Struct, frozen=True, kw_only=True):
    """A channel without its address; `channel`: its kind."""

    contact: str
    fingerprint: str
    channel: str


async def note_send(connection: Connection, name: ChannelName, news: SendNews, now: datetime, why: str = "") -> None:
    """Store what an attempt says about its channel, in the caller's transaction. `why`: without secrets."""
    if news != SendNews.WORKS:
        await connection.execute(QUERIES.add_state, name.contact, name.fingerprint, name.channel)
    row = await connection.fetchrow(QUERIES.lock_state, name.contact, name.fingerprint)
    if row is None:
        return
    known = msgspec.convert(dict(row), ChannelState)
    after = state_after(known, news, now, why)
    if after == known:
        return
    await connection.execute(
        QUERIES.save_state,
        name.contact,
        name.fingerprint,
        after.failing_since,
        after.failures,
        after.texts_refused,
        after.dead_at,
        after.reason,
        after.why,
    )


async def load_dead_channels(connection: Connection) -> dict[str, DeadChannel]:
    """The dead channels, by the keys of their incidents."""
    found = [DeadChannel(**dict(row)) for row in await connection.fetch(QUERIES.dead_channels)]
    return {channel.key: channel for channel in found}
