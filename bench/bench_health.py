"""How fast the health rules are: alone, and with the database that remembers for them.

`python -m bench.bench_health [--terminals N] [--rounds N]`, with the database of MILEPOST_TEST_DATABASE_URL or the
wheel's own. Every terminal sends one health record each round, as in normal running (a national fleet of 700,000
terminals at one in 300 s sends 2,333/s); then every hundredth sends what waited during an outage of three days, newest
first and 100 a message. Own CPU is our process's share, the database is the other one.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Iterator, Sequence

from aiokafka import ConsumerRecord

from alerting.health.active_rules import ActiveRules
from alerting.health.evaluate import evaluate_message
from alerting.health.memory import HealthMemory
from alerting.health.service import HealthHandler, load_rules
from bench.bench_ingest import NO_CLAIM, database_server, fresh_database, health, kafka_record, set_up
from contract.entries import DataUnit, read_entry
from contract.messages import Record
from store.pool import Connection, open_pool

BATCH = 5_000
NOW = 1_780_000_000_000
EVERY = 300
DAYS = 3
KafkaRecord = ConsumerRecord[bytes, bytes]


def message(who: int, number: int, records: Sequence[Record], up: float) -> KafkaRecord:
    return kafka_record(number, f"63212{who:05d}", f"b{who:07d}", NOW + round(up * 1000), up, records)


def sample(number: int, rng: random.Random, up: float, *, sick: bool) -> Record:
    record = health(number, rng, up)
    return type(record)(**{name: getattr(record, name) for name in record.__struct_fields__} | {
        "disk": 0.97 if sick else 0.4, "at": NOW + round(up * 1000), "services": {"reader": True, "proxy": not sick},
    })  # fmt: skip


def live(terminals: int, turn: int) -> Iterator[KafkaRecord]:
    """A round of all terminals; one in a hundred is sick for good, one in a thousand for a round."""
    rng = random.Random(turn)
    for who in range(terminals):
        up = 1000.0 + EVERY * turn
        sick = who % 100 == 0 or (who + turn) % 1000 == 0
        yield message(who, turn, [sample(turn, rng, up, sick=sick)], up)


def backlog(terminals: int, first: int) -> Iterator[KafkaRecord]:
    """What every hundredth terminal has from three days, from the newest back."""
    rng = random.Random(7)
    last = first + DAYS * 86_400 // EVERY
    for who in range(0, terminals, 100):
        up = 1000.0 + EVERY * last
        for high in range(last, first, -100):
            numbers = range(max(first, high - 100), high)
            records = [sample(n, rng, 1000.0 + EVERY * n, sick=n % 50 == 0) for n in numbers]
            yield message(who, high, records, up + (last - high) / 20)


Times = tuple[float, float]
"""Seconds by the clock, and of our own processor."""


def since(began: Times) -> Times:
    return time.perf_counter() - began[0], time.process_time() - began[1]


def alone(records: Sequence[KafkaRecord], memories: dict[str, HealthMemory], active: ActiveRules) -> Times:
    """The rules themselves, entries read beforehand."""
    units = [unit for record in records for unit in read_entry("bench", record) if isinstance(unit, DataUnit)]
    began = since((0, 0))
    for unit in units:
        memory = memories.setdefault(unit.station, HealthMemory())
        evaluate_message(memory, unit.entry.body, unit.entry.received, active, 600)
    return since(began)


async def stored(connection: Connection, handler: HealthHandler, records: Sequence[KafkaRecord]) -> Times:
    began = since((0, 0))
    for at in range(0, len(records), BATCH):
        handler.apply(0, records[at : at + BATCH], 0.0)
        async with connection.transaction():
            await handler.save(connection, (0,))
        handler.saved((0,))
    return since(began)


def show(name: str, records: int, seconds: Sequence[Times]) -> None:
    wall, cpu = (statistics.median(each) for each in zip(*seconds, strict=True))
    print(f"  {name:40}{records / wall:>12,.0f}{records / cpu:>16,.0f}{1e6 * cpu / records:>10.1f}")


def count(messages: Sequence[KafkaRecord]) -> int:
    return sum(record.value.count(b'"kind"') for record in messages if record.value)


async def run(url: str, terminals: int, rounds: int) -> None:
    active = ActiveRules(load_rules(None).rules_for())
    memories: dict[str, HealthMemory] = {}
    turns = [list(live(terminals, turn)) for turn in range(rounds)]
    print(f"{terminals:,} terminals, {rounds} rounds, {len(active.rules) - 1} rules\n")
    print(f"  {'':40}{'records/s':>12}{'per own CPU s':>16}{'µs each':>10}")
    show("rules alone, a record a message", terminals, [alone(t, memories, active) for t in turns])
    old = list(backlog(terminals, rounds))
    show("rules alone, backlog of 100 a message", count(old), [alone(old, memories, active)])
    async with open_pool(url, name="bench", size=1) as pool, pool.acquire() as connection:
        handler = HealthHandler(load_rules(None))
        await handler.load(connection, NO_CLAIM)
        times = [await stored(connection, handler, turn) for turn in turns]
        show("with the database, first round", terminals, times[:1])
        show("with the database, then", terminals, times[1:])
        firing = await connection.fetchval("SELECT count(*) FROM health_state")
        show("with the database, backlog", count(old), [await stored(connection, handler, old)])
        size = await connection.fetchval("SELECT avg(octet_length(memory))::int FROM health_memory")
        changes = await connection.fetchval("SELECT count(*) FROM health_change")
    print(f"\n  {size} bytes remembered of a terminal; {firing:,} fired after the rounds, {changes:,} changes in all")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with database_server() as server:
        async with fresh_database(server) as url:
            await set_up(url)
            await run(url, given.terminals, given.rounds)


if __name__ == "__main__":
    asyncio.run(main())
