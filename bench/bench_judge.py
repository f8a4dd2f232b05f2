"""The judge at national scale: heartbeats a second on one core, memory, a tick's scan, and the time to be ready again.

`python -m bench.bench_judge [--stations N]`, with the database of MILEPOST_TEST_DATABASE_URL or the wheel's own.
"""

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Sequence

import msgspec
import psutil
from aiokafka import ConsumerRecord

from alerting.liveness.model import LivenessSettings
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.service import CONSUMER, JudgeConfig, JudgeHandler
from bench.bench_ingest import database_server, fresh_database
from broker.partition import partition_of
from contract.codec import encode
from contract.log import LIVE, HeartbeatEntry, Tick
from contract.messages import Heartbeat
from store.migrate import migrate
from store.offsets import claim
from store.pool import Pool, open_pool

PARTITIONS = 24
EPOCH = 1_800_000_000_000
CHUNK = 20_000
CONFIG = JudgeConfig(
    database_url="", kafka_servers="", instance="bench", auto_register=True, auto_register_most=1_000_000
)
KafkaRecord = ConsumerRecord[bytes, bytes]


def heartbeat(number: int, n: int) -> bytes:
    body = Heartbeat(
        v=1, boot=f"{number:08x}", run=12, conn=3, n=n, at=EPOCH, up=86400.5 + n, every=60, usable=True, users=3
    )
    entry = HeartbeatEntry(
        terminal="001", shard="main", start="5eed5eed", received=EPOCH + n * 60_000, mono=n * 60_000, body=body
    )
    return encode(entry)


def tick(seq: int) -> bytes:
    return encode(
        Tick(
            shard="main", bridge="bridge-1", start="5eed5eed", seq=seq, at=EPOCH + seq * 1000, mono=seq * 1000,
            whole=True,
        )
    )  # fmt: skip


def record(partition: int, key: bytes | None, value: bytes) -> KafkaRecord:
    return ConsumerRecord(LIVE, partition, 0, 0, 0, key, value, None, 0, len(value), ())


def homes(stations: int) -> list[list[int]]:
    """The numbers of the stations of each partition."""
    result: list[list[int]] = [[] for _ in range(PARTITIONS)]
    for number in range(stations):
        result[partition_of(f"{number:010d}", PARTITIONS)].append(number)
    return result


def round_of(partition: int, numbers: Sequence[int], n: int) -> list[KafkaRecord]:
    return [record(partition, f"{number:010d}".encode(), heartbeat(number, n)) for number in numbers]


def resident() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6


async def claim_all(pool: Pool, handler: JudgeHandler) -> None:
    for partition in range(PARTITIONS):
        async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            held = await claim(
                connection, consumer=CONSUMER, topic=LIVE, partition=partition, log="bench", instance="bench"
            )
            await handler.load(connection, held)


async def save(pool: Pool, handler: JudgeHandler, partitions: Sequence[int]) -> float:
    began = time.perf_counter()
    async with pool.acquire() as connection, connection.transaction():
        await handler.save(connection, partitions)
    handler.saved(partitions)
    return time.perf_counter() - began


async def first_heartbeats(pool: Pool, handler: JudgeHandler, by_partition: list[list[int]]) -> None:
    """All stations come online for the first time and are registered."""
    for partition, numbers in enumerate(by_partition):
        handler.apply(partition, [record(partition, None, tick(1))], 0.0)
        for start in range(0, len(numbers), CHUNK):
            handler.apply(partition, round_of(partition, numbers[start : start + CHUNK], 1), 0.0)
            await save(pool, handler, [partition])
    async with pool.acquire() as connection, connection.transaction():
        await handler.save(connection, range(PARTITIONS))


async def steady(pool: Pool, handler: JudgeHandler, by_partition: list[list[int]]) -> tuple[float, float]:
    """(heartbeats per second of our processor, terminal rows saved per second of wall time)."""
    cpu = saving = 0.0
    count = 0
    for partition, numbers in enumerate(by_partition):
        records = round_of(partition, numbers, 2)
        before = time.process_time()
        handler.apply(partition, records, 0.0)
        cpu += time.process_time() - before
        count += len(records)
        saving += await save(pool, handler, [partition])
    return count / cpu, count / saving


def pure(by_partition: list[list[int]]) -> float:
    """Heartbeats already decoded, per second: the core alone."""
    live = PartitionLiveness(LivenessSettings())
    decoder = msgspec.json.Decoder(HeartbeatEntry)
    numbers = by_partition[0][:CHUNK]
    rounds = [[(f"{number:010d}", decoder.decode(heartbeat(number, n))) for number in numbers] for n in range(1, 6)]
    for station, entry in rounds[0]:
        live.apply(station, entry)
    before = time.process_time()
    for entries in rounds[1:]:
        for station, entry in entries:
            live.apply(station, entry)
    return 4 * len(numbers) / (time.process_time() - before)


def ticks(handler: JudgeHandler, count: int = 100) -> float:
    """Milliseconds for one tick in every partition, each with its scan for deadlines; a second each, so before any."""
    before = time.process_time()
    for seq in range(2, 2 + count):
        for partition in range(PARTITIONS):
            handler.apply(partition, [record(partition, None, tick(seq))], 0.0)
    return (time.process_time() - before) / count * 1000


async def in_a_fresh_process(url: str) -> tuple[float, float]:
    """(seconds from start to ready, MB resident then) of a judge that begins with what the database has."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bench_judge", "--load", url, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    return time.perf_counter() - began, float(output)


async def load_only(url: str) -> None:
    """What a judge does between its start and its first batch; prints the MB resident."""
    async with open_pool(url, name="bench") as pool:
        handler = JudgeHandler(CONFIG)
        await claim_all(pool, handler)
        print(resident())


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=700_000)
    parser.add_argument("--load", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        await load_only(given.load)
    else:
        await measure(given.stations)


async def measure(stations: int) -> None:
    by_partition = homes(stations)
    with database_server() as server:
        async with fresh_database(server) as url, open_pool(url, name="bench") as pool:
            async with pool.acquire() as connection:
                await migrate(connection)
                print(f"{await connection.fetchval('SELECT version()')}; {os.cpu_count()} cores")
            handler = JudgeHandler(CONFIG)
            await claim_all(pool, handler)
            await first_heartbeats(pool, handler, by_partition)
            rate, saved = await steady(pool, handler, by_partition)
            scan = ticks(handler)
            ready, after = await in_a_fresh_process(url)
    print(f"\n{stations:,} stations, one terminal each, {PARTITIONS} partitions")
    rows = (
        ("heartbeats/s, decoded and judged", f"{rate:,.0f}", "200,000"),
        ("heartbeats/s, judged only", f"{pure(by_partition):,.0f}", ""),
        ("terminal rows saved/s", f"{saved:,.0f}", ""),
        ("a tick in all partitions, ms", f"{scan:.2f}", ""),
        ("loaded from the database, s", f"{ready:.1f}", "30"),
        ("resident after it, MB", f"{after:.0f}", "400"),
    )
    print(f"  {'':44}{'measured':>12}{'limit':>12}")
    for name, measured, limit in rows:
        print(f"  {name:44}{measured:>12}{limit:>12}")


if __name__ == "__main__":
    asyncio.run(main())
