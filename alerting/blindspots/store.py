"""What blind spots read from the database and store: incidents, memory, counts, targets, unknown time, records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from alerting.blindspots.area_counts import COLUMNS
from alerting.blindspots.by_records import ReportingQuestion, StationRecords
from alerting.blindspots.remembered import RememberedMoment
from alerting.blindspots.spot import SpotKind
from alerting.blindspots.tracker import StoredSpot
from alerting.blindspots.unknown_time import UnknownTime
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)

Counts = Mapping[str, Sequence[int]]
"""Numbers in the order of COLUMNS, by area."""


async def load_memory(connection: Connection) -> list[RememberedMoment]:
    """All stored moments."""
    return [RememberedMoment(*row) for row in await connection.fetch(QUERIES.read_memory)]


async def store_memory(connection: Connection, changed: Sequence[RememberedMoment]) -> None:
    """Store the moments that changed; one without a time is deleted."""
    kept = [row for row in changed if row.at is not None]
    gone = [row for row in changed if row.at is None]
    if kept:
        await connection.execute(QUERIES.put_memory, *(list(column) for column in zip(*kept, strict=True)))
    if gone:
        await connection.execute(QUERIES.drop_memory, [row.rule for row in gone], [row.subject for row in gone])


async def load_spots(connection: Connection) -> list[StoredSpot]:
    """The incidents of blind spots that are open or shelved."""
    return [StoredSpot(**dict(row)) for row in await connection.fetch(QUERIES.read_open_spots)]


async def load_targets(connection: Connection) -> dict[str, Sequence[str]]:
    """Every area that a target names, with the ids of its targets."""
    return {row["area"]: row["targets"] for row in await connection.fetch(QUERIES.read_targeted_areas)}


async def load_counts(connection: Connection) -> dict[str, tuple[int, ...]]:
    """The stored numbers of each area, in the order of COLUMNS."""
    return {row[0]: tuple(row)[1:] for row in await connection.fetch(QUERIES.read_counts)}


async def store_counts(connection: Connection, counts: Counts) -> None:
    """Store the numbers of some areas."""
    if counts:
        columns = [[cells[n] for cells in counts.values()] for n in range(len(COLUMNS))]
        await connection.execute(QUERIES.put_counts, list(counts), *columns)


async def store_counts_known(connection: Connection, known: datetime, decided: datetime) -> None:
    """Store up to which moment of the pipeline the counts are known, and when that was decided."""
    await connection.execute(QUERIES.put_counts_known, known, decided)


async def load_gaps(connection: Connection, since: datetime) -> list[UnknownTime]:
    """The unknown time of all clocks that ended after a moment, intervals up to one second left out."""
    return _gaps(await connection.fetch(QUERIES.read_all_gaps, since))


async def load_newer_gaps(connection: Connection, cursors: Mapping[int, int]) -> list[UnknownTime]:
    """The unknown time of each partition after its newest known number, {partition: seq}."""
    return _gaps(await connection.fetch(QUERIES.read_newer_gaps, list(cursors), list(cursors.values())))


def _gaps(rows: Iterable[Any]) -> list[UnknownTime]:
    return [UnknownTime(*row) for row in rows]


async def load_records(connection: Connection, since: int) -> tuple[list[StationRecords], int]:
    """The newest records of the stations where they changed since a mark, and the mark for the next call."""
    mark: int = await connection.fetchval(QUERIES.read_snapshot)
    rows = await connection.fetch(QUERIES.read_records, since)
    return [StationRecords(**dict(row)) for row in rows], mark


async def load_reporting(connection: Connection, questions: Sequence[ReportingQuestion]) -> list[ReportingQuestion]:
    """The questions to which the answer is yes."""
    found: list[ReportingQuestion] = []
    for kind, query in (
        (SpotKind.IDLE, QUERIES.read_reporting_usage),
        (SpotKind.STALE, QUERIES.read_reporting_resources),
    ):
        asked = [question.station for question in questions if question.kind is kind]
        if asked:
            found += [ReportingQuestion(kind, row["station"]) for row in await connection.fetch(query, asked)]
    return found
