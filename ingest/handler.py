"""The handlers of ingest: one for records and replies, one for dead letters.

`apply` only collects; `save` reads the entries slice by slice and writes them in the consumer's transaction, so
that the memory of a batch is its bytes and one slice of rows.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from msgspec.structs import replace

from contract.entries import DataUnit, Refusal, Unit, not_storable, read_entry, read_letter
from contract.messages import Record
from ingest.boot_cache import BootCache
from ingest.repeats import Repeats
from ingest.rows import RecordRows, keys_of, runs_of, take_units
from ingest.store import can_copy, fetch_boots, fetch_earlier, save_refusals, save_rows
from ingest.waiting import WaitingRecords
from store.aside import POISON
from store.offsets import Claim
from store.pool import Connection

log = logging.getLogger(__name__)

SLICE_ROWS: Final = 1000
"""Rows that are written at a time."""
READ_AT_ONCE: Final = 100
"""Kafka records that are decoded before the answer of the database is read."""


class Tally(msgspec.Struct):
    """Records committed since the start."""

    stored: int = 0
    repeated: int = 0
    refused: int = 0
    differing: int = 0
    """Repeated records that are not known to equal the stored record, and are kept as dead letters."""

    def add_tally(self, other: "Tally") -> None:
        """Add the numbers of a batch."""
        self.stored += other.stored
        self.repeated += other.repeated
        self.refused += other.refused
        self.differing += other.differing


class _CollectingHandler:
    """What both handlers share: they collect records, and keep the identity of the log.

    The methods are those of `broker.consumer.Handler`.
    """

    def __init__(self) -> None:
        self.waiting = WaitingRecords[ConsumerRecord[bytes, bytes]]()
        self.tally = Tally()
        self._log = ""
        self._batch = Tally()

    async def load(self, connection: Connection, held: Claim) -> None:
        """Nothing of a partition is kept in memory; only the identity of the log."""
        self._log = held.log

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        """Collect records until the next commit."""
        self.waiting.add_records(partition, records, now)

    def due_in(self, now: float) -> float:
        """Seconds until the records that wait are to be committed; 0 or less: now."""
        return self.waiting.due_in(now)

    def saved(self, partitions: Collection[int]) -> None:
        """The records of these partitions are committed."""
        self.waiting.drop_partitions(partitions)
        self.tally.add_tally(self._batch)

    def forget(self, partitions: Collection[int]) -> None:
        """The records of these partitions will be read again."""
        self.waiting.drop_partitions(partitions)


class _SliceWrite(msgspec.Struct, frozen=True):
    """A slice on its way into the database."""

    units: Sequence[Unit]
    task: asyncio.Task[Exception | None]


class RecordsHandler(_CollectingHandler):
    """Stores milepost.records: every record once, also when entries are read or sent again.

    `memory` keeps boots between batches.
    """

    def __init__(self, memory: BootCache | None = None) -> None:
        super().__init__()
        self._memory = BootCache() if memory is None else memory
        self._repeats = Repeats()
        self._copy = False

    async def load(self, connection: Connection, held: Claim) -> None:
        """Find out, too, whether the server can COPY."""
        await super().load(connection, held)
        self._copy = await can_copy(connection)

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        """Write the waiting records of these partitions: the next slice is decoded while one is being written."""
        self._batch = Tally()
        ahead: _SliceWrite | None = None
        async for units in self._slices(partitions):
            rows = self._take_from_memory(units)
            if ahead is not None and not await self._settle(connection, ahead):
                self._memory.drop_boots(keys_of(units))
                rows = None  # they were decided with boots that the database did not store
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
        """The boots in memory may differ from the database now."""
        super().forget(partitions)
        self._memory.clear()

    async def _slices(self, partitions: Collection[int]) -> AsyncIterator[list[Unit]]:
        """The units of these partitions in slices; one is decoded while the database writes the slice before."""
        units: list[Unit] = []
        rows = 0
        for number, record in enumerate(self.waiting.of_partitions(partitions)):
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
        """The rows of a slice if all its boots are in memory; the database may still be writing the slice before."""
        boots, missing = self._memory.find_boots(keys_of(units))
        if missing or runs_of(units, boots):
            return None
        try:
            return take_units(units, boots, {})
        except POISON:  # `_store` will fail in the same way, and find the culprit
            self._memory.drop_boots(keys_of(units))
            return None

    async def _take(self, connection: Connection, units: Sequence[Unit]) -> RecordRows:
        boots, missing = self._memory.find_boots(keys_of(units))
        fetched = await fetch_boots(connection, missing)
        self._memory.add_boots(fetched)
        boots |= fetched
        return take_units(units, boots, await fetch_earlier(connection, runs_of(units, boots)))

    async def _write(self, connection: Connection, rows: RecordRows) -> Exception | None:
        """Write rows; return the error when the database refuses a value of one of them."""
        try:
            async with connection.transaction():
                differing = await self._save(connection, rows)
        except POISON as exc:
            return exc
        self._stored(rows, differing)
        return None

    async def _settle(self, connection: Connection, ahead: _SliceWrite) -> bool:
        """Wait until a slice is written; False when the database refused a value and the units were divided."""
        why = await ahead.task
        if why is not None:
            await self._store_apart(connection, ahead.units, why)
        return why is None

    async def _store(self, connection: Connection, units: Sequence[Unit]) -> None:
        """Decide and write; when the database refuses a value, write all units but the culprit."""
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
        letters = await self._repeats.find_differing(connection, self._log, rows.repeats)
        if letters:
            await save_refusals(connection, letters)
        return len(letters)

    def _stored(self, rows: RecordRows, differing: int) -> None:
        self._batch.add_tally(Tally(rows.stored, rows.repeated, len(rows.refusals), differing))
        self._memory.shrink(rows.scattered)

    async def _store_apart(self, connection: Connection, units: Sequence[Unit], why: Exception) -> None:
        """Store the halves of `units` until what the database refuses is a single unit or record."""
        self._memory.drop_boots(keys_of(units))  # they hold what was rolled back
        halves = halve(units)
        if halves:
            for half in halves:
                await self._store(connection, half)
        else:
            await self._refuse(connection, units[0], why)

    async def _refuse(self, connection: Connection, unit: Unit, why: Exception) -> None:
        """Keep a culprit as a dead letter. Its ids count as stored, so that a replay adds no second letter."""
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
        """Count the ids of a unit as stored without storing its records."""
        keys = keys_of([unit])
        try:
            async with connection.transaction():
                boots = await fetch_boots(connection, keys)
                rows = take_units([unit], boots, {})
                rows.records.clear()
                await save_rows(connection, rows, copy=self._copy)
        except POISON:
            log.warning("its box cannot be stored either", extra={"station": unit.station})


def halve(units: Sequence[Unit]) -> list[Sequence[Unit]]:
    """The two halves of a list of units, or of the records of a single unit; empty when it cannot be divided."""
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
    """Stores milepost.deadletter; the database keeps the newest."""

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        """Write the waiting dead letters."""
        refusals = [read_letter(self._log, record) for record in self.waiting.of_partitions(partitions)]
        self._batch = Tally(refused=len(refusals))
        await save_refusals(connection, refusals)
