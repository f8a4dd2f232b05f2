"""What ingest does with its partitions of the log: records and replies here, dead letters below.

`apply` only collects; `save` reads the entries slice by slice and writes them in the consumer's transaction, so
that the memory of a batch is its bytes and one slice of rows.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from msgspec.structs import replace

from contract.entries import DataUnit, Refusal, Unit, not_storable, read_entry, read_letter
from contract.messages import Record
from ingest.boot_cache import BootCache
from ingest.repeats import Repeats
from ingest.rows import RecordRows, keys_of, runs_of, take
from ingest.store import can_copy, fetch_boots, fetch_earlier, save_refusals, save_rows
from store.aside import POISON
from store.offsets import Claim
from store.pool import Connection

log = logging.getLogger(__name__)

COMMIT_AFTER: Final = 0.2
"""Seconds that a record waits for others."""
COMMIT_RECORDS: Final = 5000
"""Kafka records that are enough for a commit."""
COMMIT_BYTES: Final = 8 * 1024 * 1024
"""Bytes of them that are enough for a commit; with what one fetch brings, this bounds what waits."""
SLICE_ROWS: Final = 1000
"""Rows that are written at a time."""
READ_AT_ONCE: Final = 100
"""Kafka records that are read before the database's answer is looked for."""


class Tally(msgspec.Struct):
    """What was committed since the start."""

    stored: int = 0
    repeated: int = 0
    refused: int = 0
    differing: int = 0
    """Of the repeated, those that are not known to be what is stored, and are kept aside."""

    def add(self, other: "Tally") -> None:
        self.stored += other.stored
        self.repeated += other.repeated
        self.refused += other.refused
        self.differing += other.differing


class WaitingRecords:
    """Kafka records that were taken in and are not committed yet, by partition; `patience` in seconds."""

    def __init__(self, patience: float = COMMIT_AFTER) -> None:
        self._patience = patience
        self._records: dict[int, list[ConsumerRecord[bytes, bytes]]] = {}
        self._since: float | None = None
        self._count = self._bytes = 0

    def add(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        self._records.setdefault(partition, []).extend(records)
        self._count += len(records)
        self._bytes += sum(len(record.value or b"") for record in records)
        if self._since is None:
            self._since = now

    def due(self, now: float) -> bool:
        if self._since is None:
            return False
        return now - self._since >= self._patience or self._count >= COMMIT_RECORDS or self._bytes >= COMMIT_BYTES

    def of(self, partitions: Collection[int]) -> Iterator[ConsumerRecord[bytes, bytes]]:
        for partition in sorted(partitions):
            yield from self._records.get(partition, ())

    def drop(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self._records.pop(partition, None)
        if not self._records:
            self._since = None
            self._count = self._bytes = 0


class _CollectingHandler:
    """What both handlers share: collecting, and knowing which log it is."""

    def __init__(self) -> None:
        self.waiting = WaitingRecords()
        self.tally = Tally()
        self._log = ""
        self._batch = Tally()

    async def load(self, connection: Connection, held: Claim) -> None:
        self._log = held.log

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        self.waiting.add(partition, records, now)

    def due(self, now: float) -> bool:
        return self.waiting.due(now)

    def saved(self, partitions: Collection[int]) -> None:
        self.waiting.drop(partitions)
        self.tally.add(self._batch)

    def forget(self, partitions: Collection[int]) -> None:
        self.waiting.drop(partitions)


class _SliceWrite(msgspec.Struct, frozen=True):
    """A slice on its way into the database."""

    units: Sequence[Unit]
    task: asyncio.Task[Exception | None]


class RecordsHandler(_CollectingHandler):
    """Stores milepost.records: every record once, whatever was replayed or sent again."""

    def __init__(self, memory: BootCache | None = None) -> None:
        super().__init__()
        self._memory = BootCache() if memory is None else memory
        self._repeats = Repeats()
        self._copy = False

    async def load(self, connection: Connection, held: Claim) -> None:
        await super().load(connection, held)
        self._copy = await can_copy(connection)

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        self._batch = Tally()
        ahead: _SliceWrite | None = None
        async for units in self._slices(partitions):
            rows = self._take_from_memory(units)
            if ahead is not None and not await self._settle(connection, ahead):
                self._memory.drop(keys_of(units))
                rows = None  # decided on what the database then did not take
            ahead = None if rows is None else _SliceWrite(units, asyncio.create_task(self._write(connection, rows)))
            if ahead is None:
                await self._store(connection, units)
        if ahead is not None:
            await self._settle(connection, ahead)
        if self._batch.refused:
            log.warning("records refused", extra={"refused": self._batch.refused})
        if self._batch.differing:
            log.warning("records kept aside: their ids are taken", extra={"records": self._batch.differing})

    def forget(self, partitions: Collection[int]) -> None:
        super().forget(partitions)
        self._memory.clear()

    async def _slices(self, partitions: Collection[int]) -> AsyncIterator[list[Unit]]:
        """The units of these partitions, some at a time; they are read while the database writes those before."""
        units: list[Unit] = []
        rows = 0
        for number, record in enumerate(self.waiting.of(partitions)):
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)
            for unit in read_entry(self._log, record):
                units.append(unit)
                rows += len(unit.entry.body.records) if isinstance(unit, DataUnit) else 1
            if rows >= SLICE_ROWS:
                yield units
                units, rows = [], 0
        if units:
            yield units

    def _take_from_memory(self, units: Sequence[Unit]) -> RecordRows | None:
        """The rows of a slice if they need nothing of the database; so they are made while it writes the last ones."""
        boots, missing = self._memory.find(keys_of(units))
        if missing or runs_of(units, boots):
            return None
        try:
            return take(units, boots, {})
        except POISON:  # the same will come of it in `_store`, which finds the culprit
            self._memory.drop(keys_of(units))
            return None

    async def _take(self, connection: Connection, units: Sequence[Unit]) -> RecordRows:
        boots, missing = self._memory.find(keys_of(units))
        fetched = await fetch_boots(connection, missing)
        self._memory.add(fetched)
        boots |= fetched
        return take(units, boots, await fetch_earlier(connection, runs_of(units, boots)))

    async def _write(self, connection: Connection, rows: RecordRows) -> Exception | None:
        """Write rows, or give back why the database refuses one of them."""
        try:
            async with connection.transaction():
                differing = await self._save(connection, rows)
        except POISON as exc:
            return exc
        self._stored(rows, differing)
        return None

    async def _settle(self, connection: Connection, ahead: _SliceWrite) -> bool:
        """Wait for a slice's end; True when it went in as it was."""
        why = await ahead.task
        if why is not None:
            await self._store_apart(connection, ahead.units, why)
        return why is None

    async def _store(self, connection: Connection, units: Sequence[Unit]) -> None:
        """Decide and write; when the database refuses a value, all but the culprit."""
        try:
            async with connection.transaction():
                rows = await self._take(connection, units)
                differing = await self._save(connection, rows)
        except POISON as exc:
            await self._store_apart(connection, units, exc)
        else:
            self._stored(rows, differing)

    async def _save(self, connection: Connection, rows: RecordRows) -> int:
        """Write rows; return how many repeated records were kept aside."""
        await save_rows(connection, rows, copy=self._copy)
        if not rows.repeats:
            return 0
        letters = await self._repeats.judge(connection, self._log, rows.repeats)
        if letters:
            await save_refusals(connection, letters)
        return len(letters)

    def _stored(self, rows: RecordRows, differing: int) -> None:
        self._batch.add(Tally(rows.stored, rows.repeated, len(rows.refusals), differing))
        self._memory.shrink(rows.scattered)

    async def _store_apart(self, connection: Connection, units: Sequence[Unit], why: Exception) -> None:
        self._memory.drop(keys_of(units))  # they hold what was rolled back
        halves = halve(units)
        if halves:
            for half in halves:
                await self._store(connection, half)
        else:
            await self._refuse(connection, units[0], why)

    async def _refuse(self, connection: Connection, unit: Unit, why: Exception) -> None:
        """Keep a culprit as a dead letter; it counts as seen, so that a replay adds none."""
        if isinstance(unit, Refusal):
            log.error("a dead letter cannot be stored", extra={"source": unit.source, "error": repr(why)})
            return
        self._batch.refused += 1
        refusal = not_storable(self._log, unit, str(why))
        log.warning("record refused by the database", extra={"topic": refusal.topic, "error": refusal.detail})
        await save_refusals(connection, [refusal])
        if isinstance(unit, DataUnit) and unit.entry.body.records:
            await self._mark(connection, unit)

    async def _mark(self, connection: Connection, unit: DataUnit) -> None:
        keys = keys_of([unit])
        try:
            async with connection.transaction():
                boots = await fetch_boots(connection, keys)
                rows = take([unit], boots, {})
                rows.records.clear()
                await save_rows(connection, rows, copy=self._copy)
        except POISON:
            log.warning("its box cannot be stored either", extra={"station": unit.station})


def halve(units: Sequence[Unit]) -> list[Sequence[Unit]]:
    """The two halves of a list of units, or of the records of a single one; nothing when it is a single thing."""
    if len(units) > 1:
        return [units[: len(units) // 2], units[len(units) // 2 :]]
    unit = units[0]
    if not isinstance(unit, DataUnit) or len(unit.entry.body.records) < 2:
        return []
    records = unit.entry.body.records
    middle = len(records) // 2
    return [[_with_records(unit, part)] for part in (records[:middle], records[middle:])]


def _with_records(unit: DataUnit, records: list[Record]) -> DataUnit:
    return replace(unit, entry=replace(unit.entry, body=replace(unit.entry.body, records=records)))


class DeadLettersHandler(_CollectingHandler):
    """Keeps the newest of milepost.deadletter."""

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        refusals = [read_letter(self._log, record) for record in self.waiting.of(partitions)]
        self._batch = Tally(refused=len(refusals))
        await save_refusals(connection, refusals)
