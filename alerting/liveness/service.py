"""The judge: reads milepost.live and writes states, transitions, gaps and clocks, in one transaction for each batch."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from aiokafka import ConsumerRecord

from alerting.liveness.entries import NotAnEntryError, read_live
from alerting.liveness.model import LivenessSettings, Registration
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.store import (
    QUERIES,
    Sequences,
    load_partition,
    registrations,
    save_clocks,
    save_gaps,
    save_moves,
    save_stations,
    save_surplus,
    save_terminals,
    save_transitions,
)
from broker.consumer import ConsumerConfig, LogConsumer
from contract.clocks import MonotonicSeconds
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
"""Dead letters of entries in a batch."""
_FETCH_WAIT = 0.5
"""Seconds. A tick comes more often, so a longer wait saves little, and would delay every verdict."""


_REFRESH_EVERY = 10.0
"""Seconds between two refreshes of the list of unregistered stations."""


class JudgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`settle`: the longest time (s) that heartbeats which decide nothing wait for a commit. `auto_register`: put
    stations into the registry when they are heard, up to `auto_register_most` of them."""

    database_url: str
    kafka_servers: str
    instance: str
    auto_register: bool = False
    auto_register_most: int = 100_000
    settle: float = 1.0
    liveness: LivenessSettings = LivenessSettings()


class JudgeHandler:
    """Passes the entries of a LogConsumer to the partitions, and writes what they decide."""

    def __init__(self, config: JudgeConfig) -> None:
        self._config = config
        self._partitions: dict[int, PartitionLiveness] = {}
        self._sequences: dict[int, Sequences] = {}
        self._urgent = False
        self._committed = self._refreshed = MonotonicSeconds(0.0)
        self._registry_seen: str | None = None
        self._log = ""
        self._refusals: dict[int, list[Refusal]] = {}
        # Entries of each partition that were passed over since its last commit, also those without a dead letter.
        self._passed_over: Counter[int] = Counter()
        self._aside: dict[int, Aside] = {}

    async def load(self, connection: Connection, held: Claim) -> None:
        """Read the state of a partition, in the transaction that claims it."""
        self._log = held.log
        live, sequences = await load_partition(connection, held.partition, self._config.liveness)
        self._aside[held.partition] = Aside(CONSUMER, _KINDS, f"{held.partition}/")
        self._partitions[held.partition] = live
        self._sequences[held.partition] = sequences
        if self._config.auto_register:
            live.roster.ask_again()
        # A change after this snapshot is found by the next `_follow_registry`, for every partition.
        horizon = await connection.fetchval(QUERIES.snapshot_horizon)
        if self._registry_seen is None or int(horizon) < int(self._registry_seen):
            self._registry_seen = horizon

    def apply(self, partition: int, records: Sequence[ConsumerRecord[bytes, bytes]], now: MonotonicSeconds) -> None:
        """Take in a batch of a partition's entries."""
        live = self._partitions[partition]
        take = live.apply
        for record in records:
            try:
                take(*read_live(record))
            except Exception as exc:  # whatever it is: it costs this entry, and no other
                self._pass_over(record, exc)
        if live.has_news:
            self._urgent = True

    def _pass_over(self, record: ConsumerRecord[bytes, bytes], why: Exception) -> None:
        """An entry that cannot be judged becomes a dead letter, as long as a batch has few of them; the log names the
        number of all."""
        self._passed_over[record.partition] += 1
        kept = self._refusals.setdefault(record.partition, [])
        if len(kept) < _MOST_REFUSALS:
            kept.append(not_an_entry(self._log, record, said(why)))
        if not isinstance(why, NotAnEntryError):
            where = {"partition": record.partition, "offset": record.offset}
            log.error("an entry cannot be judged", extra=where, exc_info=why)

    def due_in(self, now: MonotonicSeconds) -> float:
        """Seconds until the commit: none when something was decided, otherwise until `settle` after the last one."""
        return 0.0 if self._urgent else self._committed + self._config.settle - now

    async def save(self, connection: Connection, partitions: Collection[int]) -> None:
        """Write what changed in partitions, in the transaction that moves their offsets on."""
        mine = {partition: self._partitions[partition] for partition in partitions}
        await self._register_strangers(connection, mine)
        await save_surplus(connection, mine)
        await self._follow_registry(connection)
        decided = False
        for partition, live in mine.items():
            transitions, gaps = live.take_decided()
            sequences = self._sequences[partition]
            await self._save_refusals(connection, partition)
            await save_terminals(connection, partition, live)
            await save_stations(connection, partition, live)
            await self._aside[partition].save(connection, _named(partition, live))
            await save_transitions(connection, partition, transitions, sequences)
            await save_gaps(connection, partition, gaps, sequences)
            await save_moves(connection, partition, live.shards.take_moves(), sequences)
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
        """The transaction of `save` was committed."""
        for partition in partitions:
            self._refusals.pop(partition, None)
            self._passed_over.pop(partition, None)
        self._committed = MonotonicSeconds(time.monotonic())
        self._urgent = any(live.has_news for live in self._partitions.values())

    def forget(self, partitions: Collection[int]) -> None:
        """Drop partitions that another judge took, or whose transaction failed."""
        for partition in partitions:
            self._partitions.pop(partition, None)
            self._passed_over.pop(partition, None)
            for kept in (self._sequences, self._refusals, self._aside):
                kept.pop(partition, None)

    async def _register_strangers(self, connection: Connection, mine: dict[int, PartitionLiveness]) -> None:
        """Ask the registry about stations and terminals that were heard for the first time, and add them to it or to
        the list of unregistered ones."""
        heard = {station: terminals for live in mine.values() for station, terminals in live.roster.strangers.items()}
        if not heard:
            return
        asked = [(live, live.roster.take_strangers()) for live in mine.values()]
        at = datetime.fromtimestamp(max(live.shards.newest_tick_at() for live in mine.values()) / 1000, UTC)
        if self._config.auto_register:
            await register_stations(connection, heard, at=at, most=self._config.auto_register_most)
        else:
            await add_terminals(connection, heard)
        found = dict(registrations(await connection.fetch(QUERIES.registrations_of, sorted(heard))))
        for live, strangers in asked:
            live.roster.note_answer(strangers, found)
        others = [
            Heard(station=station, terminals=tuple(sorted(heard[station])), first_at=at, last_at=at, messages=1)
            for station in sorted(heard)
            if station not in found
        ]
        if others:
            await note_unregistered(connection, others)
        self._register(found.items())

    async def _follow_registry(self, connection: Connection) -> None:
        """Take over what changed in the registry since the last call."""
        horizon = await connection.fetchval(QUERIES.snapshot_horizon)
        if self._registry_seen is not None:
            changed = await connection.fetch(QUERIES.changed_registrations, self._registry_seen)
            known = self._register(registrations(changed))
            await add_terminals(connection, known)
        self._registry_seen = horizon
        now = MonotonicSeconds(time.monotonic())
        if now - self._refreshed > _REFRESH_EVERY:
            self._refreshed = now
            await connection.execute(QUERIES.refresh_unregistered)

    def _register(self, found: Iterable[tuple[str, Registration]]) -> dict[str, list[str]]:
        """Pass registrations to the partitions; returns the terminals of the stations that were heard before they were
        registered."""
        known: dict[str, list[str]] = {}
        for station, registration in found:
            for live in self._partitions.values():
                if station not in live.stations.index:
                    continue
                if not live.roster.is_registered(station):
                    known[station] = live.roster.terminals_of(station)
                live.register(station, registration, live.shards.newest_tick_at())
        return known


def _named(partition: int, live: PartitionLiveness) -> dict[Thing, str]:
    """What of a partition is set aside. The names begin with the partition, so that no other judge clears them."""
    return {(kind, f"{partition}/{subject}"): why for (kind, subject), why in live.troubles.all().items()}


async def run(config: JudgeConfig, stop: asyncio.Event) -> None:
    """Judge until `stop`. Raises RemedyError for what a person must fix, other errors for what a restart fixes."""
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
