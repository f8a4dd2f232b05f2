"""The health process: reads milepost.records, evaluates the health rules and stores what changed.

It is a process and a consumer of its own, so that a backlog of records does not delay the judge, nor the judge the
records. The memory of each terminal is read and written with each batch, in the transaction of the offsets.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import ConsumerRecord

from alerting.health.active_rules import ActiveRules
from alerting.health.evaluate import drop_changed_rules, evaluate_message
from alerting.health.memory import HealthMemory
from alerting.health.rules import RuleSet
from alerting.health.rules_file import read_rules
from alerting.health.store import (
    HeardTerminal,
    Key,
    TerminalDecision,
    fetch_memories,
    fetch_places,
    load_partition,
    save_batch,
)
from broker.consumer import ConsumerConfig, LogConsumer
from contract.entries import DataUnit, Refusal, not_judged, read_entry
from contract.errors import RemedyError
from contract.log import RECORDS
from ingest.store import save_refusals
from ingest.waiting import WaitingRecords
from store.aside import Aside, is_poison
from store.migrate import require_current
from store.offsets import Claim
from store.pool import Connection, open_pool
from store.troubles import Troubles, said

log = logging.getLogger(__name__)

CONSUMER: Final = "health"
_MAX_RECORDS: Final = 5000
_PATIENCE: Final = 1.0
_SLICE: Final = 2000
_MOST_REFUSALS: Final = 10
_TERMINAL: Final = "terminal"


class HealthConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`rules`: a file whose rules go over the shipped ones. `instance`: the name of this process in its offsets."""

    database_url: str
    kafka_servers: str
    instance: str
    rules: Path | None = None


def load_rules(path: Path | None) -> RuleSet:
    """The shipped rules, with those of a file over them. Raises RemedyError with file, line and remedy."""
    packaged = files("alerting.health").joinpath("default_rules.yaml")
    texts = [("default_rules.yaml", packaged.read_text(encoding="utf-8"))]
    if path is not None:
        try:
            texts.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeError) as exc:
            raise RemedyError(
                f"MILEPOST_HEALTH_RULES names {path}, which cannot be read: {exc}",
                f"MILEPOST_HEALTH_RULES 指定的 {path} 无法读取：{exc}",
            ) from exc
    return read_rules(texts)


class HealthHandler:
    """Evaluates the rules for the partitions of a LogConsumer; its methods are those of `broker.consumer.Handler`."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._waiting = WaitingRecords[ConsumerRecord[bytes, bytes]](_PATIENCE)
        self._sequences: dict[int, int] = {}
        self._counted: dict[int, int] = {}
        self._revisit: dict[int, list[Key]] = {}
        self._active: dict[int, ActiveRules] = {}
        self._log = ""
        self._troubles: dict[int, Troubles] = {}
        self._aside: dict[int, Aside] = {}

    @property
    def log(self) -> str:
        """The identity of the Kafka log."""
        return self._log

    async def load(self, connection: Connection, held: Claim) -> None:
        """Load the state of a partition that was assigned."""
        self._log = held.log
        seq, gone = await load_partition(connection, held.partition, self._rules.names)
        self._sequences[held.partition], self._revisit[held.partition] = seq, gone
        self._troubles[held.partition] = Troubles()
        self._aside[held.partition] = Aside(CONSUMER, [_TERMINAL], f"{held.partition}/")

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        """Keep records until they are saved."""
        self._waiting.add_records(partition, records, now)

    def due_in(self, now: float) -> float:
        """Seconds until the records that wait should be saved; 0 or less: now."""
        return self._waiting.due_in(now)

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        """Evaluate the records that wait, and store the results, in the transaction of their offsets."""
        self._counted = {partition: self._sequences[partition] for partition in partitions}
        await self._evaluate(connection, partitions, None)
        for partition in partitions:
            await self._aside[partition].save(connection, self._troubles[partition].all())

    async def _evaluate(self, connection: Connection, partitions: Collection[int], only: frozenset[Key] | None) -> None:
        """Evaluate the records that wait, of all terminals or `only` some.

        When the database refuses a result, the terminals are split in halves and evaluated again, because the
        transaction with the memories of all of them is lost: so only one terminal is left out in the end.
        """
        batch = _HealthBatch(self, connection)
        try:
            async with connection.transaction():
                await self._evaluate_waiting(batch, partitions, only)
                counted = await save_batch(connection, batch.heard, batch.decisions, self._counted)
                if batch.refusals:
                    await save_refusals(connection, batch.refusals)
        except Exception as exc:
            if not is_poison(exc):
                raise
            await self._evaluate_apart(connection, partitions, sorted(batch.heard), exc)
        else:
            self._counted = counted
            for key, heard in batch.heard.items():
                self._troubles[heard.partition].drop(_TERMINAL, _subject(heard.partition, key))

    async def _evaluate_apart(
        self, connection: Connection, partitions: Collection[int], keys: Sequence[Key], why: Exception
    ) -> None:
        if len(keys) > 1:
            middle = len(keys) // 2
            for half in (keys[:middle], keys[middle:]):
                await self._evaluate(connection, partitions, frozenset(half))
        for key in keys if len(keys) == 1 else ():
            await self._refuse(connection, partitions, key, why)

    async def _refuse(self, connection: Connection, partitions: Collection[int], key: Key, why: Exception) -> None:
        """Record that the messages of a terminal cannot be stored, and keep the first of them as dead letters."""
        log.error("the health of a terminal cannot be judged", extra={"terminal": key, "error": repr(why)})
        async for units in self._slices(partitions, frozenset([key])):
            await save_refusals(connection, [not_judged(self._log, unit, said(why)) for unit in units[:_MOST_REFUSALS]])
            for unit in units[:1]:
                partition = unit.origin.partition
                self._troubles[partition].put(_TERMINAL, _subject(partition, key), why)

    async def _evaluate_waiting(
        self, batch: "_HealthBatch", partitions: Collection[int], only: frozenset[Key] | None
    ) -> None:
        for partition in partitions:
            again = [key for key in self._revisit.get(partition, ()) if only is None or key in only]
            await batch.load_memories(dict.fromkeys(again, partition))
        async for units in self._slices(partitions, only):
            await batch.load_memories({_key(unit): unit.origin.partition for unit in units})
            for unit in units:
                batch.evaluate_unit(unit)

    async def _slices(
        self, partitions: Collection[int], only: frozenset[Key] | None = None
    ) -> AsyncIterator[list[DataUnit]]:
        """The messages that wait, some records at a time: memory holds one slice, and between two slices the consumer
        can send its heartbeat to the group."""
        units: list[DataUnit] = []
        rows = 0
        for record in self._waiting.of_partitions(partitions):
            found = [unit for unit in read_entry(self._log, record) if isinstance(unit, DataUnit)]
            found = [unit for unit in found if only is None or _key(unit) in only]
            units += found
            rows += 1 + sum(len(unit.entry.body.records) for unit in found)
            if rows >= _SLICE:
                yield units
                units, rows = [], 0
                await asyncio.sleep(0)
        yield units

    def saved(self, partitions: Collection[int]) -> None:
        """The transaction of `save` was committed."""
        self._waiting.drop_partitions(partitions)
        self._sequences |= self._counted
        for partition in partitions:
            self._revisit.pop(partition, None)

    def forget(self, partitions: Collection[int]) -> None:
        """Drop the state of partitions that were revoked, or whose transaction failed."""
        self._waiting.drop_partitions(partitions)
        for partition in partitions:
            for kept in (self._sequences, self._revisit, self._troubles, self._aside):
                kept.pop(partition, None)

    @property
    def fresh(self) -> float:
        """Seconds: a record that is older on receipt raises nothing."""
        return self._rules.fresh

    @property
    def asks_for_place(self) -> bool:
        """Whether kind and area of a station are needed to find its rules."""
        return self._rules.asks_for_place

    def rules_for(self, kind: str | None, path: tuple[str, ...]) -> ActiveRules:
        """The rules for a station, prepared for use."""
        rules = self._rules.rules_for(kind, path)
        if id(rules) not in self._active:
            self._active[id(rules)] = ActiveRules(rules)
        return self._active[id(rules)]


def _key(unit: DataUnit) -> Key:
    return unit.station, unit.entry.terminal


def _subject(partition: int, key: Key) -> str:
    return f"{partition}/{key[0]}/{key[1]}"


class _HealthBatch:
    """One batch before it is stored: the memories of its terminals, and the decisions."""

    def __init__(self, handler: HealthHandler, connection: Connection) -> None:
        self._handler = handler
        self._connection = connection
        self._places: dict[str, tuple[str | None, tuple[str, ...]]] = {}
        self.heard: dict[Key, HeardTerminal] = {}
        self.decisions: list[TerminalDecision] = []
        self.refusals: list[Refusal] = []

    async def load_memories(self, keys: Mapping[Key, int]) -> None:
        """Load the memories of terminals, {key: partition}, and drop from them what belongs to changed rules."""
        new = {key: partition for key, partition in keys.items() if key not in self.heard}
        if not new:
            return
        known = await fetch_memories(self._connection, new)
        if self._handler.asks_for_place:
            self._places |= await fetch_places(self._connection, {station for station, _ in new})
        for key, partition in new.items():
            memory = known.get(key) or HealthMemory()
            heard = HeardTerminal(partition, memory, max((box.heard for box in memory.boxes), default=0))
            self.heard[key] = heard
            decisions = drop_changed_rules(memory, self._active(key[0]), heard.heard / 1000)
            self.decisions += [TerminalDecision(key, partition, heard.heard, decision) for decision in decisions]

    def _active(self, station: str) -> ActiveRules:
        return self._handler.rules_for(*self._places.get(station, (None, ())))

    def evaluate_unit(self, unit: DataUnit) -> None:
        """Evaluate one message; a message that fails becomes a dead letter and costs no other message."""
        key = _key(unit)
        heard, received = self.heard[key], unit.entry.received
        try:
            outcome = evaluate_message(
                heard.memory, unit.entry.body, received, self._active(unit.station), self._handler.fresh
            )
        except Exception as exc:  # any error must cost only this message
            log.exception("the health records of a message cannot be evaluated", extra={"station": unit.station})
            self.refusals.append(not_judged(self._handler.log, unit, said(exc)))
            return
        heard.heard = max(heard.heard, received)
        heard.facts |= outcome.facts
        self.decisions += [TerminalDecision(key, heard.partition, received, decision) for decision in outcome.decisions]


async def run(config: HealthConfig, stop: asyncio.Event) -> None:
    """Evaluate until `stop`. Raises RemedyError for what a person must fix, other errors for what a restart fixes."""
    rules = load_rules(config.rules)
    async with open_pool(config.database_url, name="health", size=2) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        consumer = LogConsumer(
            ConsumerConfig(
                name=CONSUMER,
                topic=RECORDS,
                servers=config.kafka_servers,
                instance=config.instance,
                max_records=_MAX_RECORDS,
            ),
            pool,
            HealthHandler(rules),
        )
        await consumer.run(stop)
