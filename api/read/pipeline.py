"""What is known of the pipeline beside its clocks: recurring gaps, suspected shards, wrong message numbers."""

from collections import defaultdict
from datetime import datetime

import asyncpg

from alerting.pipeline.stability import SPAN, stability_of
from api.read.queries import QUERIES
from api.read.schemas import SuspicionDocument
from api.read.shard_documents import Doubts, Steadiness
from store.pool import Connection


async def load_steadiness(connection: Connection, now: datetime) -> Steadiness:
    """Of the ten minutes before `now`."""
    gaps: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.latest_gaps, now - SPAN):
        gaps[row["shard"]].append((row["began_at"], row["ended_at"]))
    unstable = frozenset(row["shard"] for row in await connection.fetch(QUERIES.unstable_shards))
    return Steadiness(unstable, {shard: stability_of(found, now) for shard, found in gaps.items()})


async def load_doubts(connection: Connection) -> Doubts:
    """What is doubted of stations and shards now."""
    misnumbering: dict[str, list[str]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.misnumbering):
        misnumbering[row["shard"]].append(row["station"])
    rows = await connection.fetch(QUERIES.running_suspicions)
    return Doubts(misnumbering, {row["shard"]: _suspicion(row) for row in rows})


async def newest_deadletter(connection: Connection) -> int:
    """How many messages were refused so far."""
    newest: int = await connection.fetchval(QUERIES.newest_deadletter)
    return newest


def _suspicion(row: asyncpg.Record) -> SuspicionDocument:
    return SuspicionDocument(
        began_at=row["began_at"],
        opened_at=row["opened_at"],
        fell=row["fell"],
        counted=row["counted"],
        unknown=row["unknown"],
    )
