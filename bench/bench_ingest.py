"""Ingest against a bare loop of inserts into the same tables on the same database, in one run.

`python -m bench.bench_ingest [--rows N] [--rounds N]`, with the database of MILEPOST_TEST_DATABASE_URL or the
wheel's own. Every round takes all ways in turn on emptied tables; the table shows each way's median. Seconds of the
processor are those of our process and of its session of the database.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiokafka import ConsumerRecord

from bench.kit.processor import processor
from contract.codec import encode
from contract.entries import read_entry
from contract.log import RECORDS, AcceptedData, DataEntry
from contract.messages import Health, Record, Usage
from ingest.handler import RecordsHandler
from ingest.rows import RecordRows, columns_of, keys_of, take_units
from ingest.store import copy_records, fetch_boots, insert_of, save_rows
from ingest.waiting import COMMIT_RECORDS
from milepost.embedded import postgres
from store.migrate import migrate
from store.offsets import Claim
from store.pool import Connection, open_pool

NOW = 1_780_000_000_000
TABLES = (
    "health",
    "usage",
    "inventory",
    "presence",
    "event",
    "record_box",
    "boot_anchor",
    "dead_letter",
    "rollup_touch",
)
NO_CLAIM = Claim(consumer="bench", topic=RECORDS, partition=0, log="bench", owner=1, next_offset=0)
KafkaRecord = ConsumerRecord[bytes, bytes]


def health(number: int, rng: random.Random, up: float) -> Record:
    return Health(
        id=number, at=NOW, up=up, cpu=round(rng.random(), 3), mem=round(rng.random(), 3), disk=0.41, temp=51.5,
        rtt_ms=round(rng.random() * 700, 1), rx=rng.randrange(10**9), tx=rng.randrange(10**8), wifi=True,
        services={"reader": True, "proxy": True, "tv": False},
    )  # fmt: skip


def usage(number: int, rng: random.Random, up: float) -> Record:
    return Usage(
        id=number, at=NOW, up=up, until=NOW + 3_600_000, sessions=rng.randrange(20), minutes=37.5,
        by={"category": {"books": 3, "video": 2}}, bytes=rng.randrange(10**9),
    )  # fmt: skip


def kafka_record(
    offset: int, station: str, boot: str, received: int, up: float, records: Sequence[Record]
) -> KafkaRecord:
    """One message as the bridge writes it."""
    body = AcceptedData(
        boot=boot, run=3, at=NOW, up=up, box=boot, records=[msgspec.Raw(encode(record)) for record in records]
    )
    value = encode(DataEntry(terminal="001", shard="main", start="s", received=received, mono=offset, body=body))
    return ConsumerRecord(RECORDS, 0, offset, NOW, 0, station.encode(), value, None, len(station), len(value), ())


def live(rows: int, terminals: int) -> Iterator[KafkaRecord]:
    """One health record a message, from one terminal after another, as in normal running."""
    rng = random.Random(1)
    for offset in range(rows):
        turn, who = divmod(offset, terminals)
        up = 1000.0 + 300 * turn
        yield kafka_record(
            offset, f"63212{who:05d}", f"b{who:07d}", NOW + 300_000 * turn + who, up, [health(turn, rng, up)]
        )


def backlog(rows: int, terminals: int, size: int = 100) -> Iterator[KafkaRecord]:
    """Messages of 100 records, one in ten of them usage, as after an outage."""
    rng = random.Random(2)
    for offset in range(rows // size):
        turn, who = divmod(offset, terminals)
        first = turn * size
        records = [
            (usage if number % 10 == 0 else health)(number, rng, 300.0 * number)
            for number in range(first, first + size)
        ]
        yield kafka_record(offset, f"63212{who:05d}", f"b{who:07d}", NOW + 1000 * turn, 300.0 * (first + size), records)


Prepared = list[RecordRows]


async def prepare(connection: Connection, batches: list[list[KafkaRecord]]) -> Prepared:
    """What the handler would write for each batch; made beforehand for the bare loops."""
    boots: dict[Any, Any] = {}
    prepared = []
    for batch in batches:
        units = [unit for record in batch for unit in read_entry("bench", record)]
        keys = keys_of(units)
        boots.update(await fetch_boots(connection, [key for key in keys if key not in boots]))
        prepared.append(take_units(units, boots, {}))
    return prepared


async def by_unnest(connection: Connection, prepared: list[list[tuple[str, list[Any]]]]) -> None:
    """The bare loop: the same rows into the same tables and nothing else, a transaction a batch."""
    for batch in prepared:
        async with connection.transaction():
            for query, columns in batch:
                await connection.execute(query, *columns)


async def by_copy(connection: Connection, prepared: Prepared) -> None:
    """The same by COPY."""
    for batch in prepared:
        async with connection.transaction():
            for kind, rows in batch.records.items():
                await copy_records(connection, kind, rows)


async def with_boxes(connection: Connection, prepared: Prepared, *, copy: bool) -> None:
    """The same with boxes and anchors, by which repeated records are recognised: the least cost of storing once."""
    for batch in prepared:
        for box in batch.boxes.values():
            box.has_row = False
    for batch in prepared:
        async with connection.transaction():
            await save_rows(connection, batch, copy=copy)


async def by_handler(connection: Connection, batches: list[list[KafkaRecord]]) -> None:
    handler = RecordsHandler()
    await handler.load(connection, NO_CLAIM)
    for batch in batches:
        handler.apply(0, batch, 0.0)
        async with connection.transaction():
            await handler.save(connection, (0,))
        handler.saved((0,))
    assert handler.tally.refused == 0


async def empty(connection: Connection) -> None:
    await connection.execute(f"TRUNCATE {', '.join(TABLES)}")
    await connection.execute("CHECKPOINT")


Times = tuple[float, float, float]
"""Seconds by the clock, of the processor for our process, and of the processor for the session of the database."""


async def timed(connection: Connection, work: Callable[[], Awaitable[None]]) -> Times:
    await empty(connection)
    session = await connection.fetchval("SELECT pg_backend_pid()")
    both, own, clock = processor(session), time.process_time(), time.perf_counter()
    await work()
    clock, own, both = time.perf_counter() - clock, time.process_time() - own, processor(session) - both
    return clock, own, both - own


COMPARED = ("bare unnest", "bare unnest, all tables", "bare COPY, all tables")


class Ratios(msgspec.Struct):
    """How fast the handler is, as a share of the bare loops."""

    name: str
    of_records: float
    of_all: float
    of_copy: float


def ratio(times: list[Times], base: list[Times]) -> float:
    """Speed against a base: the median over the rounds, so that a busy moment of the machine falls on both."""
    return statistics.median(there[0] / here[0] for here, there in zip(times, base, strict=True))


MIXTURES: dict[str, Callable[[int], Iterator[KafkaRecord]]] = {
    "one record a message": lambda rows: live(rows, 5000),
    "backlog of 100 a message": lambda rows: backlog(rows, 50),
}
WAYS = ("bare unnest", "bare unnest, all tables", "bare COPY", "bare COPY, all tables", "handler")


async def work_of(connection: Connection, way: str, batches: list[list[KafkaRecord]]) -> Callable[[], Awaitable[None]]:
    if way == "handler":
        return lambda: by_handler(connection, batches)
    prepared = await prepare(connection, batches)
    if way == "bare COPY":
        return lambda: by_copy(connection, prepared)
    if way == "bare unnest":
        columns = [[(insert_of(kind), columns_of(kind, rows)) for kind, rows in b.records.items()] for b in prepared]
        return lambda: by_unnest(connection, columns)
    return lambda: with_boxes(connection, prepared, copy=way == "bare COPY, all tables")


async def run_way(pipe: Pipe, url: str, mixture: str, way: str, rows: int) -> None:
    records = list(MIXTURES[mixture](rows))
    batches = [records[at : at + COMMIT_RECORDS] for at in range(0, len(records), COMMIT_RECORDS)]
    async with open_pool(url, name="bench") as pool, pool.acquire() as connection:
        work = await work_of(connection, way, batches)
        gc.collect()
        gc.freeze()  # what the benchmark holds is not to be searched through on ingest's account
        pipe.send(len(batches))
        while pipe.recv():
            pipe.send(await timed(connection, work))


def child(pipe: Pipe, *given: Any) -> None:
    asyncio.run(run_way(pipe, *given))


def compare(url: str, mixture: str, rows: int, rounds: int) -> Ratios:
    """Every way in a process of its own, so that none suffers from what another one keeps in memory."""
    spawn = multiprocessing.get_context("spawn")
    seen: dict[str, list[Times]] = {way: [] for way in WAYS}
    pipes, children = {}, []
    for way in WAYS:
        pipes[way], theirs = spawn.Pipe()
        children.append(spawn.Process(target=child, args=(theirs, url, mixture, way, rows), daemon=True))
        children[-1].start()
        batches = pipes[way].recv()
    for _ in range(rounds):
        for way, pipe in pipes.items():
            pipe.send(True)
            seen[way].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send(False)
    for process in children:
        process.join(20)
    print(f"\n{mixture}: {rows:,} rows in {batches} transactions, median of {rounds}")
    print(f"  {'way':28}{'rows/s':>10}{'of unnest':>11}{'own CPU s':>11}{'database':>11}")
    for way, times in seen.items():
        wall, own, database = (statistics.median(each) for each in zip(*times, strict=True))
        compared = ratio(times, seen["bare unnest"])
        print(f"  {way:28}{rows / wall:>10,.0f}{compared:>11.2f}{own:>11.2f}{database:>11.2f}", flush=True)
    return Ratios(mixture, *(ratio(seen["handler"], seen[way]) for way in WAYS if way in COMPARED))


@contextmanager
def database_server(options: tuple[str, ...] = ()) -> Iterator[str]:
    """The server given in MILEPOST_TEST_DATABASE_URL, or one of the wheel's for this run, with settings `options`."""
    given = os.environ.get("MILEPOST_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as name:
        Path(name).chmod(0o755)
        cluster = postgres.prepare(Path(name) / "postgres", port=find_free_port(), options=options)
        process = subprocess.Popen(
            cluster.command, user=cluster.run_as, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield cluster.url
        finally:
            process.send_signal(2)
            process.wait(timeout=20)


def find_free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def fresh_database(server: str) -> AsyncIterator[str]:
    name = f"milepost_bench_{os.getpid()}"
    admin = await connect(server)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield server.rpartition("/")[0] + "/" + name
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    deadline = time.monotonic() + 20
    while True:
        try:
            return await asyncpg.connect(url)
        except (OSError, asyncpg.CannotConnectNowError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


async def set_up(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await migrate(connection)
        settings = [f"{name} {await connection.fetchval(f'SHOW {name}')}" for name in ("fsync", "synchronous_commit")]
        print(f"{await connection.fetchval('SELECT version()')}; {os.cpu_count()} cores; {', '.join(settings)}")
    finally:
        await connection.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of each mixture")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with database_server() as server:
        async with fresh_database(server) as url:
            await set_up(url)
            ratios = [compare(url, mixture, given.rows, given.rounds) for mixture in MIXTURES]
    print("\nhandler as a share of a bare loop (wanted: 0.80)")
    print(f"  {'mixture':28}{'unnest, records':>17}{'unnest, all':>13}{'COPY, all':>11}")
    for each in ratios:
        print(f"  {each.name:28}{each.of_records:>17.2f}{each.of_all:>13.2f}{each.of_copy:>11.2f}")


if __name__ == "__main__":
    asyncio.run(main())
