"""What is remembered of common causes beside their incidents, in the database."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from alerting.causes.common_cause import Outage
from alerting.causes.tracker import Causes
from alerting.incidents import store
from alerting.incidents.book import Book
from alerting.stations.table import Field
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("queries.sql"))


async def load_outages(connection: Connection, field: Field, kind: str) -> dict[int, Outage]:
    """The causes of a kind, by the ids of their incidents, without their children."""
    outages = {}
    for row in await connection.fetch(QUERIES.load_outages, kind):
        try:
            outage = msgspec.convert(row["memory"], Outage)
        except msgspec.ValidationError as exc:
            field.troubles.put("outage", str(row["id"]), exc)
            continue
        outages[row["id"]] = outage
    for row in await connection.fetch(QUERIES.stations_ever, list(outages)):
        outages[row["parent"]].ever[row["station"]] = field.every_of(row["station"])
    return outages


async def save_outages(connection: Connection, causes: Causes) -> None:
    """Write what changed of the causes' memory."""
    kept = [*causes.outages.values(), *causes.late]
    changed = [outage for outage in kept if outage.key in causes.touched]
    if changed:
        await connection.execute(
            QUERIES.save_outages,
            [outage.key for outage in changed],
            [outage.began for outage in changed],
            [_memory(outage) for outage in changed],
        )
    # One that is over may have left another in its place, which began with the same stations.
    gone = set(causes.gone) - {(outage.key, outage.began) for outage in kept}
    causes.gone = []
    if gone:
        await connection.execute(QUERIES.forget_outages, [key for key, _ in gone], [began for _, began in gone])
    causes.touched.clear()


def _memory(outage: Outage) -> str:
    """Without its stations: they are in their incidents."""
    return msgspec.json.encode(msgspec.structs.replace(outage, children={}, areas={}, ever={})).decode()


async def learn(connection: Connection, book: Book, keys: Iterable[str]) -> None:
    """Let the book know the newest incident of each key."""
    wanted = list(keys)
    if wanted:
        book.learn(await store.load_newest(connection, wanted))
