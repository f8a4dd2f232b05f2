"""Offset fencing: the position of a consumer in a partition, owned by one process at a time."""

from collections.abc import Mapping

import msgspec

from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


class FencedError(Exception):
    """Another process owns the partition, or an unclear commit did succeed: load the partition again."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to write for a partition, until another process claims it with a higher `owner` epoch."""

    consumer: str
    topic: str
    partition: int
    log: str
    owner: int
    next_offset: int
    #: Whether the stored offset belonged to another log, so that this one is read from its beginning.
    new_log: bool = False


async def keep_partitions(connection: Connection, topic: str, partitions: int) -> int:
    """The fixed number of partitions of a topic: the stored one; the first call stores `partitions`."""
    await connection.execute(QUERIES.keep_partitions, topic, partitions)
    return await kept_partitions(connection, topic) or partitions


async def kept_partitions(connection: Connection, topic: str) -> int | None:
    """The stored number of partitions of a topic; None before its first reader."""
    kept: int | None = await connection.fetchval(QUERIES.kept_partitions, topic)
    return kept


async def claim(connection: Connection, *, consumer: str, topic: str, partition: int, log: str, instance: str) -> Claim:
    """Take over a partition: raise the owner epoch and read the offset.

    Call it in the transaction that loads the partition's state, so that both are of one snapshot. A new log begins at
    offset 0.
    """
    previous = await connection.fetchval(QUERIES.lock_offset, consumer, topic, partition)
    row = await connection.fetchrow(QUERIES.claim_offset, consumer, topic, partition, log, instance)
    assert row is not None  # noqa: S101 -- INSERT … ON CONFLICT DO UPDATE … RETURNING always gives a row
    return Claim(
        consumer=consumer,
        topic=topic,
        partition=partition,
        log=log,
        owner=row["owner"],
        next_offset=row["next_offset"],
        new_log=previous is not None and previous != log,
    )


async def advance(connection: Connection, moves: Mapping[int, tuple[Claim, int]]) -> dict[int, Claim]:
    """Set the offsets of several partitions of one consumer and topic, {partition: (claim, new offset)}.

    Returns the claims at their new offsets. Raises FencedError when a stored offset or owner is not that of its claim;
    the transaction must then be rolled back.
    """
    if not moves:
        return {}
    claims = [held for held, _ in moves.values()]
    moved = await connection.fetch(
        QUERIES.advance_offsets,
        claims[0].consumer,
        claims[0].topic,
        [held.partition for held in claims],
        [held.owner for held in claims],
        [held.next_offset for held in claims],
        [new for _, new in moves.values()],
    )
    if len(moved) != len(claims):
        lost = sorted(set(moves) - {row["partition"] for row in moved})
        raise FencedError(f"{claims[0].consumer} no longer owns partitions {lost} of {claims[0].topic}")
    return {
        partition: msgspec.structs.replace(held, next_offset=new, new_log=False)
        for partition, (held, new) in moves.items()
    }
