"""The whole service between a real Kafka and a real database: replayed, killed, locked out."""

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contract.errors import RemedyError
from contract.log import DEADLETTER, RECORDS, DeadLetter
from ingest.service import IngestConfig, run
from milepost.processes.renewal import find_ends
from store.pool import Pool
from tests.conftest import PARTITIONS
from tests.integration.ingest_kit import NOW, data, health
from tests.servers import ApacheKafka, Tansu

Message = tuple[str, bytes]


@pytest.fixture(params=["tansu", "apache_kafka"])
def kafka(request: pytest.FixtureRequest) -> Tansu | ApacheKafka:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def config(database: str, kafka: Tansu | ApacheKafka) -> IngestConfig:
    return IngestConfig(database_url=database, kafka_servers=kafka.servers, instance=f"test-{uuid.uuid4().hex[:6]}")


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 60, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


@asynccontextmanager
async def running(settings: IngestConfig) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


@contextmanager
def process(settings: IngestConfig, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.ingest_driver", msgspec.json.encode(settings).decode()],
            cwd=Path(__file__).parents[3],
            stdout=out,
            stderr=out,
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait(20)


async def end_offsets(kafka: Tansu | ApacheKafka) -> list[tuple[str, int, int]]:
    """(topic, partition, offset after the last entry) of all that ingest reads, without what is empty."""
    client = AIOKafkaConsumer(bootstrap_servers=kafka.servers)
    await client.start()
    try:
        parts = [TopicPartition(RECORDS, number) for number in range(PARTITIONS)] + [TopicPartition(DEADLETTER, 0)]
        found = await find_ends(client, await client.end_offsets(parts))
    finally:
        await client.stop()
    return sorted((part.topic, part.partition, end) for part, end in found.items() if end)


@asynccontextmanager
async def producer(kafka: Tansu | ApacheKafka) -> AsyncIterator[AIOKafkaProducer]:
    client = AIOKafkaProducer(bootstrap_servers=kafka.servers, acks="all")
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def send(client: AIOKafkaProducer, topic: str, messages: Sequence[Message]) -> None:
    futures = [await client.send(topic, value, key=key.encode() if key else None) for key, value in messages]
    await asyncio.gather(*futures)


def load(prefix: str, *, stations: int, messages: int, size: int = 5, padding: str = "") -> list[Message]:
    """`messages` of `size` records from each station, newest first as after an outage."""
    return [
        (
            f"{prefix}{number}",
            data([health(n, up=10.0 + n) for n in range(turn * size, turn * size + size)], box=f"box{padding}", run=2),
        )
        for turn in reversed(range(messages))
        for number in range(stations)
    ]


async def stored(pool: Pool, prefix: str) -> dict[str, list[int]]:
    """The ids of each station, in order and doubles included."""
    rows = await pool.fetch(
        "SELECT station, array_agg(id ORDER BY id) AS ids FROM health WHERE station LIKE $1 GROUP BY station",
        f"{prefix}%",
    )
    return {row["station"]: row["ids"] for row in rows}


async def count(pool: Pool, prefix: str) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM health WHERE station LIKE $1", f"{prefix}%"))


async def test_replays_and_repetitions_change_nothing(database: str, pool: Pool, kafka: Tansu | ApacheKafka) -> None:
    prefix = f"r{uuid.uuid4().hex[:6]}-"
    messages = load(prefix, stations=7, messages=20)
    refused = DeadLetter(
        topic=f"milepost/v1/{prefix}0/001/data",
        reason="bad_json",
        detail="d",
        shard="main",
        at=NOW,
        size=1,
        payload="x",
    )
    async with producer(kafka) as client:
        for _ in range(3):
            await send(client, RECORDS, messages)
        await send(client, RECORDS, [(prefix + "0", b"poison")])
        await send(client, DEADLETTER, [("", msgspec.json.encode(refused))])
        last = (prefix + "last", data([health(1)]))
        await send(client, RECORDS, [last])
    expected = {f"{prefix}{n}": list(range(100)) for n in range(7)} | {prefix + "last": [1]}

    async def all_there() -> bool:
        letters = await pool.fetchval("SELECT count(*) FROM dead_letter WHERE station = $1", prefix + "0")
        return await stored(pool, prefix) == expected and letters == 2

    places = "SELECT topic, partition, next_offset FROM consumer_offset WHERE next_offset > 0 ORDER BY topic, partition"
    ends = await end_offsets(kafka)

    async def at_the_end() -> bool:
        return [tuple(row) for row in await pool.fetch(places)] == ends

    settings = config(database, kafka)
    async with running(settings):
        await until(at_the_end, what="not all was read")
        await until(all_there, what="not all was stored, or not once")
    before = await pool.fetch("SELECT * FROM health ORDER BY station, id")
    await pool.execute("UPDATE consumer_offset SET next_offset = 0")
    async with running(settings):
        await until(at_the_end, what="the replay did not come to its end")
    assert await pool.fetch("SELECT * FROM health ORDER BY station, id") == before
    assert await all_there()


async def test_killed_in_mid_load_each_record_is_stored_once(
    database: str, pool: Pool, kafka: Tansu | ApacheKafka, tmp_path: Path
) -> None:
    prefix = f"k{uuid.uuid4().hex[:6]}-"
    messages = load(prefix, stations=40, messages=75)
    total = 40 * 75 * 5
    settings = config(database, kafka)
    sent = 0
    async with producer(kafka) as client:
        for part in range(3):
            done = await count(pool, prefix)
            with process(settings, tmp_path / "log"):
                await send(client, RECORDS, messages[sent : sent + 1000])
                sent += 1000

                async def moved(done: int = done) -> bool:
                    return await count(pool, prefix) > done

                await until(moved, what=f"nothing stored in part {part}: {(tmp_path / 'log').read_text()[-2000:]}")
    with process(settings, tmp_path / "log"):

        async def complete() -> bool:
            return await count(pool, prefix) >= total

        await until(complete, what=(tmp_path / "log").read_text()[-2000:])
    found = await stored(pool, prefix)
    assert len(found) == 40
    assert all(ids == list(range(375)) for ids in found.values())


async def test_connections_cut_in_mid_load_lose_and_double_nothing(database: str, pool: Pool, tansu: Tansu) -> None:
    prefix = "c-"
    messages = load(prefix, stations=40, messages=75)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'milepost ingest'"
    async with producer(tansu) as client, running(config(database, tansu)):
        for begin in range(0, len(messages), 600):
            done = await count(pool, prefix)
            await send(client, RECORDS, messages[begin : begin + 600])
            await until(lambda done=done: _more_than(pool, prefix, done), what="it does not go on")  # type: ignore[misc]
            await pool.execute(cut)

        async def complete() -> bool:
            return await count(pool, prefix) >= 40 * 75 * 5

        await until(complete, what="not all was stored")
    found = await stored(pool, prefix)
    assert len(found) == 40
    assert all(ids == list(range(375)) for ids in found.values())


async def _more_than(pool: Pool, prefix: str, done: int) -> bool:
    return await count(pool, prefix) > done


def resident(pid: int) -> int:
    """MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) // 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_locked_out_it_waits_within_its_memory(database: str, pool: Pool, tansu: Tansu, tmp_path: Path) -> None:
    prefix = "m-"
    many = load(prefix, stations=40, messages=10, size=100)
    total = 5 * len(many) * 100 + 1
    async with (
        producer(tansu) as client,
        pool.acquire() as connection,
    ):
        with process(config(database, tansu), tmp_path / "log") as child:
            await send(client, RECORDS, [(prefix + "first", data([health(1)]))])
            await until(lambda: stored(pool, prefix), what="it did not start")
            async with connection.transaction():
                await connection.execute("LOCK TABLE health IN ACCESS EXCLUSIVE MODE")
                await send(client, RECORDS, many)

                async def waits() -> bool:
                    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

                await until(waits, what="it does not wait for the lock")
                before = resident(child.pid)
                for turn in range(4):
                    await send(client, RECORDS, [(f"{key}-{turn}", value) for key, value in many])
                assert resident(child.pid) - before < 12, "20 MB more in the log must not come into memory"

            async def complete() -> bool:
                return await count(pool, prefix) >= total

            await until(complete, what="not all was stored afterwards")
    assert await count(pool, prefix) == total
    assert await pool.fetchval("SELECT count(DISTINCT (station, box, id)) FROM health") == total


async def test_a_schema_that_is_not_current_is_named(database: str, pool: Pool, tansu: Tansu) -> None:
    await pool.execute("DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)")
    with pytest.raises(RemedyError, match="milepost migrate"):
        await run(config(database, tansu), asyncio.Event())


async def test_a_kafka_that_is_away_is_named(database: str) -> None:
    settings = IngestConfig(database_url=database, kafka_servers="127.0.0.1:1", instance="test")
    with pytest.raises(RemedyError, match="MILEPOST_KAFKA_SERVERS"):
        await run(settings, asyncio.Event())
