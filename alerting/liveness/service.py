"""The judge: reads milepost.live and writes states, transitions, gaps and clocks, one transaction a batch."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from aiokafka import ConsumerRecord

from alerting.liveness.entries import NotAnEntryError, read_live
from alerting.liveness.partition import LivenessSettings, PartitionLiveness, Registration
from alerting.liveness.store import (
    QUERIES,
    Sequences,
    load_partition,
    registrations,
    save_clocks,
    save_gaps,
    save_stations,
    save_surplus,
    save_terminals,
    save_transitions,
)
from broker.consumer import ConsumerConfig, LogConsumer
from contract.entries import Refusal, not_an_entry
from contract.log import LIVE
from ingest.store import save_refusals
from registry.model import Heard
from registry.store import add_terminals, note_unregistered, register_stations
from store.aside import Aside
from store.migrate import require_current
from store.offsets import Claim
from store.pool import Connection, open_pool
from store.troubles import Thing, said

log = logging.getLogger(__name__)

CONSUMER = "judge"
_KINDS = ("terminal", "station", "clock")
_MOST_REFUSALS = 100
_FETCH_WAIT = 0.5
"""Seconds. A tick comes more often, so a longer wait saves little, and costs a part of the second for a verdict."""
"""Dead letters of entries in a batch."""


class JudgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`settle` is the longest time (s) for which states that changed nothing wait for a commit. `auto_register` stops
    at `auto_register_most` stations that nobody else registered."""

    database_url: str
    kafka_servers: str
    instance: str
    auto_register: bool = False
    auto_register_most: int = 100_000
    settle: float = 1.0
    liveness: LivenessSettings = LivenessSettings()


class JudgeHandler:
    """Feeds the partitions of a LogConsumer to their pure judges and writes down what they decide."""

    def __init__(self, config: JudgeConfig) -> None:
        self._config = config
        self._partitions: dict[int, PartitionLiveness] = {}
        self._sequences: dict[int, Sequences] = {}
        self._urgent = False
        self._committed = 0.0
        self._refreshed = 0.0
        self._registry_seen: str | None = None
        self._log = ""
        self._refusals: dict[int, list[Refusal]] = {}
        # Entries of each partition that were passed over since its last commit, also those that are no dead letters.
        self._passed_over: Counter[int] = Counter()
        self._aside: dict[int, Aside] = {}

    async def load(self, connection: Connection, held: Claim) -> None:
        self._log = held.log
        live, sequences = await load_partition(connection, held.partition, self._config.liveness)
        self._aside[held.partition] = Aside(CONSUMER, _KINDS, f"{held.partition}/")
        self._partitions[held.partition] = live
        self._sequences[held.partition] = sequences
        if self._config.auto_register:
            live.estrange_unregistered()
        # Whatever changes from this snapshot on is found by the next poll, for every partition.
        horizon = await connection.fetchval(QUERIES.snapshot_horizon)
        if self._registry_seen is None or int(horizon) < int(self._registry_seen):
            self._registry_seen = horizon

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: float) -> None:
        live = self._partitions[partition]
        take = live.apply
        for record in records:
            try:
                take(*read_live(record))
            except Exception as exc:  # whatever it is: it costs this entry, and no other
                self._pass_over(record, exc)
        if live.transitions or live.gaps or live.strangers:
            self._urgent = True

    def _pass_over(self, record: ConsumerRecord[bytes, bytes], why: Exception) -> None:
        """An entry that cannot be judged becomes a dead letter; of very many only some do, and the log counts all."""
        self._passed_over[record.partition] += 1
        kept = self._refusals.setdefault(record.partition, [])
        if len(kept) < _MOST_REFUSALS:
            kept.append(not_an_entry(self._log, record, said(why)))
        if not isinstance(why, NotAnEntryError):
            where = {"partition": record.partition, "offset": record.offset}
            log.error("an entry cannot be judged", extra=where, exc_info=why)

    def due(self, now: float) -> bool:
        return self._urgent or now - self._committed >= self._config.settle

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        mine = {partition: self._partitions[partition] for partition in partitions}
        await self._meet_strangers(connection, mine)
        await save_surplus(connection, mine)
        await self._follow_registry(connection)
        decided = False
        for partition, live in mine.items():
            transitions, gaps = live.take()
            sequences = self._sequences[partition]
            await self._save_refusals(connection, partition)
            await save_terminals(connection, partition, live)
            await save_stations(connection, partition, live)
            await self._aside[partition].save(connection, _named(partition, live))
            await save_transitions(connection, partition, transitions, sequences)
            await save_gaps(connection, partition, gaps, sequences)
            decided = decided or bool(transitions or gaps)
        await save_clocks(connection, mine)
        if decided:
            await connection.execute(QUERIES.notify_transitions)

    async def _save_refusals(self, connection: Connection, partition: int) -> None:
        refusals = self._refusals.get(partition)
        if refusals:
            log.warning("entries passed over", extra={"partition": partition, "entries": self._passed_over[partition]})
            await save_refusals(connection, refusals)

    def saved(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self._refusals.pop(partition, None)
            self._passed_over.pop(partition, None)
        self._committed = time.monotonic()
        self._urgent = any(live.transitions or live.gaps or live.strangers for live in self._partitions.values())

    def forget(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self._partitions.pop(partition, None)
            self._passed_over.pop(partition, None)
            for kept in (self._sequences, self._refusals, self._aside):
                kept.pop(partition, None)

    async def _meet_strangers(self, connection: Connection, mine: dict[int, PartitionLiveness]) -> None:
        """Ask the registry about stations and terminals heard for the first time; register or list them."""
        heard = {station: terminals for live in mine.values() for station, terminals in live.strangers.items()}
        if not heard:
            return
        asked = [(live, live.take_strangers()) for live in mine.values()]
        at = datetime.fromtimestamp(max(live.newest_tick_at() for live in mine.values()) / 1000, UTC)
        if self._config.auto_register:
            await register_stations(connection, heard, at=at, most=self._config.auto_register_most)
        else:
            await add_terminals(connection, heard)
        found = dict(registrations(await connection.fetch(QUERIES.registrations_of, sorted(heard))))
        for live, strangers in asked:
            live.note_answer(strangers, found)
        others = [
            Heard(station=station, terminals=tuple(sorted(heard[station])), first_at=at, last_at=at, messages=1)
            for station in sorted(heard)
            if station not in found
        ]
        if others:
            await note_unregistered(connection, others)
        self._register(found.items())

    async def _follow_registry(self, connection: Connection) -> None:
        """Take over what people changed in the registry since the last look."""
        horizon = await connection.fetchval(QUERIES.snapshot_horizon)
        if self._registry_seen is not None:
            changed = await connection.fetch(QUERIES.changed_registrations, self._registry_seen)
            known = self._register(registrations(changed))
            await add_terminals(connection, known)
        self._registry_seen = horizon
        if time.monotonic() - self._refreshed > 10:
            self._refreshed = time.monotonic()
            await connection.execute(QUERIES.refresh_unregistered)

    def _register(self, found: Iterable[tuple[str, Registration]]) -> dict[str, list[str]]:
        """Tell the judges; returns the terminals of the stations that were heard before they were registered."""
        known: dict[str, list[str]] = {}
        for station, registration in found:
            for live in self._partitions.values():
                if station not in live.stations.index:
                    continue
                if not live.is_registered(station):
                    known[station] = live.terminals_of(station)
                live.register(station, registration, live.newest_tick_at())
        return known


def _named(partition: int, live: PartitionLiveness) -> dict[Thing, str]:
    """What of a partition is set aside, by names that no other partition's judge takes for its own."""
    return {(kind, f"{partition}/{subject}"): why for (kind, subject), why in live.troubles.all().items()}


async def run(config: JudgeConfig, stop: asyncio.Event) -> None:
    """Judge until `stop`. Raises what only a restart cures; RemedyError when something is set up wrongly."""
    async with open_pool(config.database_url, name="judge", size=2) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        consumer = LogConsumer(
            ConsumerConfig(
                name=CONSUMER,
                topic=LIVE,
                servers=config.kafka_servers,
                instance=config.instance,
                fetch_wait=_FETCH_WAIT,
            ),
            pool,
            JudgeHandler(config),
        )
        await consumer.run(stop)
