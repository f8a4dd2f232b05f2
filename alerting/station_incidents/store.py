"""Reads the open incidents of single stations from the database."""

from alerting.station_incidents.rules import RULE_KINDS
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


async def load_open_incidents(connection: Connection) -> list[tuple[str, str]]:
    """(station, kind) of the incidents that go on, of the kinds that the station rules open and close."""
    rows = await connection.fetch(QUERIES.open_station_incidents, list(RULE_KINDS))
    return [(row["station"], row["kind"]) for row in rows]
