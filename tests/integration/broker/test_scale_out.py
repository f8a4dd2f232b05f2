"""Several judges share the log: whoever comes, hangs or dies, nobody falls falsely and nobody's fall is missed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from broker.log_identity import open_admin, read_identity
from broker.partition import partition_of
from contract.codec import encode
from contract.log import LIVE, HeartbeatEntry, Tick
from contract.messages import Heartbeat
from store.pool import Pool
from tests.conftest import PARTITIONS
from tests.integration.incidents_kit import until
from tests.servers import why_no_apache_kafka

STATIONS = [f"scale-{number}" for number in range(12)]


class Field:
    """Twelve stations that beat each second, and the ticks of their bridge, written into the log as a bridge does."""

    def __init__(self, servers: str) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=0)
        self._began = time.monotonic()
        self._start = f"{time.monotonic_ns():x}"
        self._seq = self._beats = 0
        self.alive = set(STATIONS)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        await self._producer.start()
        task = asyncio.create_task(self._go_on(), name="field")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._producer.stop()

    async def _go_on(self) -> None:
        heard = self._mono()
        while True:
            # After a halt of this process the heartbeats come first, as a broker hands over what waited.
            if self._seq % 4 == 0 or self._mono() - heard > 1000:
                heard, self._beats = self._mono(), self._beats + 1
                for station in sorted(self.alive):
                    await self._send(partition_of(station, PARTITIONS), station.encode(), self._heartbeat())
            for partition in range(PARTITIONS):
                await self._send(partition, None, self._tick())
            self._seq += 1
            await asyncio.sleep(0.25)

    async def _send(self, partition: int, key: bytes | None, entry: HeartbeatEntry | Tick) -> None:
        await self._producer.send(LIVE, encode(entry), key=key, partition=partition)

    def _heartbeat(self) -> HeartbeatEntry:
        body = Heartbeat(v=1, boot="b", run=1, conn=1, n=self._beats, at=0, every=1, usable=True)
        return HeartbeatEntry(
            terminal="001", shard="scale", start=self._start, received=_now(), mono=self._mono(), body=body
        )

    def _tick(self) -> Tick:
        return Tick(
            shard="scale", bridge="b", start=self._start, seq=self._seq, at=_now(), mono=self._mono(), whole=True
        )

    def _mono(self) -> int:
        return int((time.monotonic() - self._began) * 1000)


def _now() -> int:
    return time.time_ns() // 1_000_000


class Judge:
    """`milepost judge` as a process."""

    def __init__(self, name: str, database: str, servers: str, log: Path) -> None:
        environ = {
            "MILEPOST_DATABASE_URL": database,
            "MILEPOST_KAFKA_SERVERS": servers,
            "MILEPOST_AUTO_REGISTER": "true",
            "MILEPOST_INSTANCE": name,
        }
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "milepost", "judge"],
                env={**os.environ, **environ}, stdout=output, stderr=output,
            )  # fmt: skip

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        self._process.kill()
        self._process.wait(20)


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> str:
    """Apache Kafka, whose groups are the real ones, where it can be had."""
    if why_no_apache_kafka():
        return str(request.getfixturevalue("kafka_servers"))
    return str(request.getfixturevalue("apache_kafka").servers)


@pytest.fixture
def judges(database: str, servers: str, tmp_path: Path) -> Iterator[Callable[[str], Judge]]:
    running: list[Judge] = []

    def start(name: str) -> Judge:
        running.append(Judge(name, database, servers, tmp_path / f"{name}.log"))
        return running[-1]

    yield start
    for judge in running:
        judge.end()


async def begin_at_the_end(pool: Pool, servers: str) -> None:
    """What other tests left in the log is none of ours."""
    where = [TopicPartition(LIVE, partition) for partition in range(PARTITIONS)]
    async with open_admin(servers) as admin:
        log = await read_identity(admin)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers)
    await consumer.start()
    ends = await consumer.end_offsets(where)
    await consumer.stop()
    for at, end in ends.items():
        await pool.execute(
            "INSERT INTO consumer_offset VALUES ('judge', $1, $2, $3, $4, 0, '')", LIVE, at.partition, log, end
        )


OWNERS = "SELECT string_agg(DISTINCT instance, ' ' ORDER BY instance) FROM consumer_offset WHERE consumer = 'judge'"
STATES = "SELECT count(*) FROM station_state WHERE state = $1"


async def ended(judge: Judge, pool: Pool) -> bool:
    """Wait for a thawed judge to end, or to own something again."""
    deadline = time.monotonic() + 40
    while not judge.has_ended and await pool.fetchval(OWNERS) != "a b":
        assert time.monotonic() < deadline, "a thawed judge neither ends nor comes back"
        await asyncio.sleep(0.05)
    return judge.has_ended


async def history(pool: Pool) -> list[asyncpg.Record]:
    return await pool.fetch(
        "SELECT partition, seq, station, after FROM transition WHERE terminal IS NULL ORDER BY partition, seq"
    )


async def test_judges_come_hang_and_die_and_nobody_notices(
    pool: Pool, servers: str, judges: Callable[[str], Judge]
) -> None:
    await begin_at_the_end(pool, servers)
    field = Field(servers)
    async with field.going_on():
        first = judges("a")
        await until(pool, STATES, len(STATIONS), "online")
        second = judges("b")
        await until(pool, OWNERS, "a b", seconds=40)
        field.alive.discard(STATIONS[0])
        await until(pool, STATES, 1, "offline")

        first.signal(signal.SIGSTOP)
        await until(pool, OWNERS, "b", seconds=40)
        field.alive.discard(STATIONS[1])
        await until(pool, STATES, 2, "offline")
        first.signal(signal.SIGCONT)
        # It is fenced and ends, to be started again by its supervisor, or it is told in time and comes back.
        if await ended(first, pool):
            judges("a")
            await until(pool, OWNERS, "a b", seconds=40)

        second.signal(signal.SIGKILL)
        field.alive.discard(STATIONS[2])
        await until(pool, OWNERS, "a", seconds=40)
        await until(pool, STATES, 3, "offline", seconds=40)
    rows = await history(pool)
    assert sorted(row["station"] for row in rows if row["after"] == "offline") == STATIONS[:3], "each once, no other"
    assert sum(row["after"] == "online" for row in rows) == len(STATIONS)
    numbers = await pool.fetch("SELECT partition, array_agg(seq ORDER BY seq) AS seqs FROM transition GROUP BY 1")
    assert all(row["seqs"] == list(range(1, len(row["seqs"]) + 1)) for row in numbers)
    assert await pool.fetchval("SELECT count(*) FROM pipeline_gap") == 0
    signs = dict(await pool.fetch("SELECT instance, role FROM service_sign WHERE service = 'judge'"))
    assert set(signs) == {"a", "b"}
