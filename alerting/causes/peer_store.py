"""How stations that did not fall were heard, by what the judges wrote: what common causes and suspicions weigh."""

from collections.abc import Collection
from pathlib import Path

from alerting.causes.evidence import Peer
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("peer_queries.sql"))


async def load_peers(
    connection: Connection, stations: Collection[str], *, floor: float | None = None
) -> dict[str, Peer]:
    """Those of `stations` that were ever heard, by their ids, without their groups. `floor` (s): who was heard last
    before a gap is overdue only when two intervals and that have passed since it; None: gaps are not asked about."""
    if not stations:
        return {}
    rows = await connection.fetch(QUERIES.read_peers, sorted(stations), floor)
    names = ("station", "began", "until", "overdue", "every")
    return {row["station"]: Peer(**{name: row[name] for name in names}) for row in rows}
