"""The memory of common causes and of flapping stations in the database, apart from their incidents."""

from collections.abc import Collection

import msgspec

from alerting.causes.common_cause import CommonCause
from alerting.causes.flapping import Flapping
from alerting.causes.membership import Membership
from alerting.stations.table import Field
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


async def load_outages(connection: Connection, field: Field, kind: str) -> dict[int, CommonCause]:
    """The causes of a kind, by the ids of their incidents, without children. Sets aside a row that cannot be read."""
    outages = {}
    for row in await connection.fetch(QUERIES.load_outages, kind):
        try:
            outage = msgspec.convert(row["memory"], CommonCause)
        except msgspec.ValidationError as exc:
            field.troubles.put("outage", str(row["id"]), exc)
            continue
        outages[row["id"]] = outage
    for row in await connection.fetch(QUERIES.stations_ever, list(outages)):
        outages[row["parent"]].ever[row["station"]] = field.every_of(row["station"])
    return outages


async def save_outages(connection: Connection, members: Membership) -> None:
    """Store the causes that changed, and delete those that are over."""
    changed, gone = members.take_unsaved()
    if changed:
        await connection.execute(
            QUERIES.save_outages,
            [outage.key for outage in changed],
            [outage.began for outage in changed],
            [msgspec.json.encode(outage.to_store()).decode() for outage in changed],
        )
    if gone:
        await connection.execute(QUERIES.forget_outages, [key for key, _ in gone], [began for _, began in gone])


async def load_flapping(connection: Connection, flapping: Flapping) -> None:
    """Restore the memory of stations that flap, or that changed their state lately."""
    for row in await connection.fetch(QUERIES.load_flapping):
        flapping.restore(row["station"], row["changes"], flaps=row["flaps"], slot=row["slot"])


async def save_flapping(connection: Connection, flapping: Flapping, touched: Collection[str]) -> None:
    """Store the memory of the stations `touched`, and delete the stations whose memory was deleted."""
    gone = flapping.take_gone()
    kept = sorted(set(touched) - gone)
    if kept:
        await connection.execute(
            QUERIES.save_flapping,
            kept,
            [" ".join(str(change.timestamp()) for change in flapping.changes_of(station)) for station in kept],
            [station in flapping for station in kept],
            [flapping.slot_of(station) for station in kept],
        )
    if gone:
        await connection.execute(QUERIES.forget_flapping, sorted(gone))
