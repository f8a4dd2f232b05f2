"""Who looks after terminals: reads milepost.records, evaluates the health rules and writes what changed.

A process and a consumer of its own, so that neither a backlog of records delays the judging of now nor the other way
round. What it remembers of a terminal is read and written with each batch, in the transaction of the batch's offsets.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import ConsumerRecord

from alerting.health_core import Active, Memory, hear, revise
from alerting.health_rules import RuleSet
from alerting.health_rules_file import read_rules
from alerting.health_store import Heard, Key, Told, fetch_memories, fetch_places, load_partition, save
from broker.consumer import ConsumerConfig, LogConsumer
from contract.errors import RemedyError
from contract.log import RECORDS
from ingest.entries import DataUnit, read_entry
from ingest.handler import Waiting
from store.migrate import require_current
from store.offsets import Claim
from store.pool import Connection, open_pool

log = logging.getLogger(__name__)

CONSUMER: Final = "health"
_MAX_RECORDS: Final = 5000
_PATIENCE: Final = 1.0


class HealthConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`rules` is a file over the shipped ones; `instance` names this process in the offsets it owns."""

    database_url: str
    kafka_servers: str
    instance: str
    rules: Path | None = None


def load_rules(path: Path | None) -> RuleSet:
    """The shipped rules, with those of a file over them. Raises RemedyError naming file, line and remedy."""
    texts = [("health_rules.yaml", files("alerting").joinpath("health_rules.yaml").read_text(encoding="utf-8"))]
    if path is not None:
        try:
            texts.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeError) as exc:
            raise RemedyError(f"MILEPOST_HEALTH_RULES names {path}, which cannot be read: {exc}") from exc
    return read_rules(texts)


class HealthHandler:
    """Evaluates the rules for the partitions of a LogConsumer."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._waiting = Waiting(_PATIENCE)
        self._sequences: dict[int, int] = {}
        self._counted: dict[int, int] = {}
        self._revisit: dict[int, list[Key]] = {}
        self._active: dict[int, Active] = {}
        self._log = ""
        self.poison = 0

    async def load(self, connection: Connection, held: Claim) -> None:
        self._log = held.log
        seq, gone = await load_partition(connection, held.partition, self._rules.names)
        self._sequences[held.partition], self._revisit[held.partition] = seq, gone

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        self._waiting.add(partition, records, now)

    def due(self, now: float) -> bool:
        return self._waiting.due(now)

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        units = [unit for record in self._waiting.of(partitions) for unit in read_entry(self._log, record)]
        data = [unit for unit in units if isinstance(unit, DataUnit)]
        again = [(partition, key) for partition in partitions for key in self._revisit.get(partition, ())]
        keys = {(unit.station, unit.entry.terminal): unit.origin.partition for unit in data}
        keys |= {key: partition for partition, key in again if key not in keys}
        batch = _Batch(self, keys, await fetch_memories(connection, keys))
        if self._rules.asks_for_place:
            batch.places = await fetch_places(connection, {station for station, _ in keys})
        batch.revise()
        for unit in data:
            batch.hear(unit)
        sequences = {partition: self._sequences[partition] for partition in partitions}
        self._counted = await save(connection, batch.heard, batch.told, sequences)
        self.poison += batch.poison

    def saved(self, partitions: Collection[int]) -> None:
        self._waiting.drop(partitions)
        self._sequences |= self._counted
        for partition in partitions:
            self._revisit.pop(partition, None)

    def forget(self, partitions: Collection[int]) -> None:
        self._waiting.drop(partitions)
        for partition in partitions:
            self._sequences.pop(partition, None)
            self._revisit.pop(partition, None)

    @property
    def fresh(self) -> float:
        return self._rules.fresh

    def active(self, kind: str | None, path: tuple[str, ...]) -> Active:
        """The rules for a station, ready for use."""
        rules = self._rules.of(kind, path)
        if id(rules) not in self._active:
            self._active[id(rules)] = Active(rules)
        return self._active[id(rules)]


class _Batch:
    """One batch on its way into the tables."""

    def __init__(self, handler: HealthHandler, keys: dict[Key, int], known: dict[Key, Memory]) -> None:
        self._handler = handler
        self.places: dict[str, tuple[str | None, tuple[str, ...]]] = {}
        self.heard = {key: Heard(partition, known.get(key) or Memory()) for key, partition in keys.items()}
        self.told: list[Told] = []
        self.poison = 0

    def _active(self, station: str) -> Active:
        return self._handler.active(*self.places.get(station, (None, ())))

    def revise(self) -> None:
        """Bring what was loaded to the rules of today."""
        for key, heard in self.heard.items():
            heard.heard = max((box.heard for box in heard.memory.boxes), default=0)
            decisions = revise(heard.memory, self._active(key[0]), heard.heard / 1000)
            self.told += [Told(key, heard.partition, heard.heard, decision) for decision in decisions]

    def hear(self, unit: DataUnit) -> None:
        """Take in one message; one that cannot be understood costs none of the others."""
        key = (unit.station, unit.entry.terminal)
        heard, received = self.heard[key], unit.entry.received
        try:
            outcome = hear(heard.memory, unit.entry.body, received, self._active(unit.station), self._handler.fresh)
        except (ValueError, ArithmeticError, RecursionError) as exc:
            self.poison += 1
            log.warning("health of a message passed over", extra={"station": unit.station, "error": repr(exc)})
            return
        heard.heard = max(heard.heard, received)
        heard.facts |= outcome.facts
        self.told += [Told(key, heard.partition, received, decision) for decision in outcome.decisions]


async def run(config: HealthConfig, stop: asyncio.Event) -> None:
    """Evaluate until `stop`. Raises RemedyError for what a person must mend, and what only a restart cures."""
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
