"""Reads gaps, clocks and announced restarts from the database, and stores announcements."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import asyncpg

from alerting.pipeline.blind_incidents import PipelineGap, WatchedClock
from alerting.pipeline.restarts import LONGEST_RESTART, Announced, refusal
from alerting.stations.verdict import Clock
from contract.said import BilingualError
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


class AnnouncementRefusedError(BilingualError):
    """The restart cannot be announced; the message is the reason."""


def to_gap(row: asyncpg.Record) -> PipelineGap:
    """A row of `pipeline_gap` as a PipelineGap."""
    return PipelineGap(
        shard=row["shard"],
        partition=row["partition"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        reason=row["reason"],
    )


async def load_clocks(connection: Connection) -> list[Clock]:
    """The pipeline clocks of all partitions and shards."""
    return [Clock(**dict(row)) for row in await connection.fetch(QUERIES.read_clocks)]


def watched(clocks: Iterable[Clock]) -> list[WatchedClock]:
    """The clocks in the form that the watchdog takes."""
    names = WatchedClock.__struct_fields__
    return [WatchedClock(**{name: getattr(clock, name) for name in names}) for clock in clocks]


async def load_announced(connection: Connection, now: datetime) -> list[Announced]:
    """The announced restarts that may still explain an outage, newest first."""
    rows = await connection.fetch(QUERIES.recent_restarts, now - 2 * LONGEST_RESTART)
    return [Announced(**dict(row)) for row in rows]


async def announce(connection: Connection, length: timedelta, by: Author, reason: str) -> Announced:
    """Announce a restart of the platform from now on, for `length`. Raises AnnouncementRefusedError."""
    reason = reason.strip()
    async with connection.transaction():
        await connection.execute(QUERIES.one_at_a_time)
        now: datetime = await connection.fetchval(QUERIES.restart_now)
        known = await load_announced(connection, now)
        why = refusal(known[0] if known else None, now, length, reason)
        if why is not None:
            raise AnnouncementRefusedError(why.en, why.zh)
        until = now + length
        number = await connection.fetchval(QUERIES.announce_restart, now, until, by.account, reason, by.remark)
        body = {"from_ms": ms_of(now), "until_ms": ms_of(until), **hashed(reason=reason), **by.remarked}
        entry = LedgerEntry(kind=LedgerKind.RESTART_ANNOUNCED, subject=f"restart/{number}", actor=by.account, body=body)
        await append_entries(connection, [entry])
    return Announced(from_at=now, until_at=until, actor=by.account, remark=by.remark, reason=reason)
