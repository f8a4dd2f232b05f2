"""The open incidents of single stations: rows of the database to what the rules take."""

from alerting.station_incidents.rules import RULE_KINDS
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


async def load_open_incidents(connection: Connection) -> list[tuple[str, str]]:
    """(station, kind) of the open incidents that the station rules look after."""
    rows = await connection.fetch(QUERIES.open_station_incidents, list(RULE_KINDS))
    return [(row["station"], row["kind"]) for row in rows]
