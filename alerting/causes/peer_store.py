"""Peers from the database: the heartbeats of stations that did not fall, as evidence for causes and suspicions."""

from collections.abc import Collection
from pathlib import Path

from alerting.causes.evidence import Peer
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("peer_queries.sql"))


async def load_peers(
    connection: Connection, stations: Collection[str], *, floor: float | None = None
) -> dict[str, Peer]:
    """The peers of `stations` by station id, without groups; stations without any heartbeat are left out.

    `floor` (s): a station whose last heartbeat came before a gap is overdue only when two intervals and `floor` have
    passed since the gap; None: gaps are ignored.
    """
    if not stations:
        return {}
    rows = await connection.fetch(QUERIES.read_peers, sorted(stations), floor)
    names = ("station", "began", "until", "overdue", "every")
    return {row["station"]: Peer(**{name: row[name] for name in names}) for row in rows}
