"""From the deadline of a silent station to its transition in the database at national scale, and what a restart costs.

`python -m bench.bench_latency [--stations N] [--seconds S] [--kafka apache|tansu]`: `milepost judge` as a process of
its own, a real broker of Kafka's protocol, PostgreSQL, and the log as one bridge writes it. In turn: an hour of log is
replayed onto 700,000 known stations; the judge restarts; then everybody beats each minute and stations die at random;
at last the judge is killed under that load. Takes some ten minutes.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
import psutil

from alerting.liveness.service import JudgeHandler
from bench.bench_ingest import database_server, fresh_database
from bench.bench_judge import CHUNK, CONFIG, claim_all, homes, record, save
from bench.kit.latency_feed import PARTITIONS, heartbeat, station_id, tick
from broker.topics import ensure_topics
from store.migrate import migrate
from store.pool import open_pool
from tests.servers import ApacheKafka, Tansu, why_no_apache_kafka

EVERY = 60
K = 3
HOUR = 3600
TUNED = ("shared_buffers=1GB", "effective_cache_size=3GB", "wal_buffers=16MB", "max_wal_size=1GB")
"""As TimescaleDB's tuner sets a server of 4 GB, for which docker-compose.yml asks: in PostgreSQL's own 128 MB the rows
of 700,000 terminals do not stay."""

# Only the primary key is used: the table holds more than a million rows of the first start.
_NEW = """SELECT t.partition, t.seq, t.station, t.terminal, t.after, t.seen_at, t.written_at
FROM unnest($1::int[], $2::bigint[]) AS known (partition, seq)
JOIN transition AS t ON t.partition = known.partition AND t.seq > known.seq ORDER BY t.partition, t.seq"""
_NEWEST = "SELECT partition, max(seq) AS seq FROM transition GROUP BY partition"
_JUDGED = """SELECT count(*) FROM partition_clock
WHERE shard = 'main' AND judged_at > to_timestamp($1) AND tick_at >= to_timestamp($2)"""

Note = Callable[..., None]


class Process:
    """A child whose memory and processor time are looked at."""

    def __init__(self, *command: str, log: Path, **options: Any) -> None:
        self.began = time.time()
        with log.open("ab") as output:
            self.popen = subprocess.Popen([sys.executable, "-m", *command], stderr=output, **options)
        self._seen = psutil.Process(self.popen.pid)

    def status(self, name: str) -> float:
        """A line of /proc/PID/status in MB: VmRSS is what is resident, VmHWM the most that ever was."""
        for line in Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise LookupError(name)

    @property
    def cpu(self) -> float:
        return sum(self._seen.cpu_times()[:2])

    def end(self, number: int = signal.SIGTERM) -> None:
        self.popen.send_signal(number)
        self.popen.wait(60)


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is."""

    url: str
    kafka: str
    safe: bool
    directory: Path
    stations: int

    def judge(self) -> Process:
        environ = {
            **os.environ,
            "MILEPOST_DATABASE_URL": self.url,
            "MILEPOST_KAFKA_SERVERS": self.kafka,
            "MILEPOST_AUTO_REGISTER": "true",
            "MILEPOST_AUTO_REGISTER_MOST": "1000000",
        }
        return Process("milepost", "judge", log=self.directory / "judge.log", env=environ)

    def feed(self, mode: str, run: int, every: int, *more: str) -> Process:
        numbers = {"stations": self.stations, "every": every, "run": run, "idempotent": int(self.safe)}
        options = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
        command = ("bench.kit.latency_feed", mode, "--servers", self.kafka, *options, *more)
        return Process(*command, log=self.directory / "feed.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def note(what: str, measured: str, limit: str = "") -> None:
    print(f"  {what:62}{measured:>16}{limit:>8}", flush=True)


# --- before it begins


async def seed(url: str, stations: int, at: int) -> None:
    """Every station is registered, was heard at wall time `at` (ms) and is online."""
    async with open_pool(url, name="bench") as pool:
        handler = JudgeHandler(CONFIG)
        await claim_all(pool, handler)
        for partition, numbers in enumerate(homes(stations)):
            handler.apply(partition, [record(partition, None, tick("seed", 0, at, 1))], 0.0)
            for first in range(0, len(numbers), CHUNK):
                beats = [_seed_beat(partition, number, at) for number in numbers[first : first + CHUNK]]
                handler.apply(partition, beats, 0.0)
                await save(pool, handler, [partition])


def _seed_beat(partition: int, number: int, at: int) -> Any:
    value = heartbeat(number, start="seed", run=1, n=1, every=EVERY, received=at, mono=1)
    return record(partition, station_id(number).encode(), value)


# --- what is looked at


async def until_judged(bench: Bench, connection: Any, since: float, tick_at: float) -> float:
    """Seconds from `since` until every partition was judged by a process born then, up to wall time `tick_at`."""
    for _ in range(36_000):
        if await connection.fetchval(_JUDGED, since, tick_at) >= PARTITIONS:
            return time.time() - since
        await asyncio.sleep(0.1)
    raise TimeoutError(f"not judged: see {bench.directory}")


class Found(NamedTuple):
    """An offline: the last heartbeat, when the row was written, and when a reader had it; wall seconds."""

    seen: float
    written: float
    read: float

    @property
    def late(self) -> float:
        return self.read - (self.seen + K * EVERY)


class Watch:
    """Notes when the offline of each station was there to be read."""

    def __init__(self, connection: Any, cursors: dict[int, int]) -> None:
        self.found: dict[str, Found] = {}
        self._connection = connection
        self._cursors = cursors
        self._wake = asyncio.Event()

    async def run(self) -> None:
        await self._connection.add_listener("milepost_transition", lambda *_: self._wake.set())
        while True:
            await self._wake.wait()
            self._wake.clear()
            rows = await self._connection.fetch(_NEW, list(self._cursors), list(self._cursors.values()))
            now = time.time()
            for row in rows:
                self._cursors[row["partition"]] = row["seq"]
                if row["terminal"] is None and row["after"] == "offline":
                    found = Found(row["seen_at"].timestamp(), row["written_at"].timestamp(), now)
                    self.found.setdefault(row["station"], found)


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Watch]:
    connection = await asyncpg.connect(url)
    watch = Watch(connection, {row["partition"]: row["seq"] for row in await connection.fetch(_NEWEST)})
    task = asyncio.create_task(watch.run(), name="watch")
    try:
        yield watch
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


def share(values: Sequence[float], part: float) -> float:
    return values[min(len(values) - 1, int(part * len(values)))]


# --- the parts


async def replay(bench: Bench, connection: Any, began: int, every: int) -> None:
    """An hour of log onto stations that are known."""
    feed = bench.feed("hour", 2, every, "--began", str(began), "--seconds", str(HOUR))
    output, _ = await asyncio.to_thread(feed.popen.communicate)
    sent = json.loads(output)["sent"]
    judge = bench.judge()
    try:
        seconds = await until_judged(bench, connection, judge.began, began / 1000 + HOUR - 0.1)
        note(f"an hour of log, {sent:,} heartbeats and all ticks: replayed in, s", f"{seconds:.1f}")
        note("  entries/s", f"{(sent + HOUR * 4 * PARTITIONS) / seconds:,.0f}")
        note("  resident after it, MB", f"{judge.status('VmRSS'):.0f}", "400")
        note("  resident at most, MB", f"{judge.status('VmHWM'):.0f}", "400")
    finally:
        judge.end()


async def live(bench: Bench, connection: Any, seconds: float, deaths: float) -> None:
    """A restart, then a heartbeat per minute of every station while random stations die, at last kill -9."""
    feed = bench.feed("live", 3, EVERY, "--deaths", str(deaths))
    judge = bench.judge()
    try:
        ready = await until_judged(bench, connection, judge.began, judge.began)
        note("restarted after that hour, under load: judged up to now, s", f"{ready:.1f}", "30")
        note("  resident then, MB", f"{judge.status('VmRSS'):.0f}", "400")
        async with watching(bench.url) as watch:
            await asyncio.sleep((K + 1) * EVERY)
            await steady(bench, judge, watch, seconds)
            judge.end(signal.SIGKILL)
            judge = bench.judge()
            ready = await until_judged(bench, connection, judge.began, judge.began)
            note("killed with -9 under load: judged up to now again, s", f"{ready:.1f}", "30")
            note("  resident then, MB", f"{judge.status('VmRSS'):.0f}", "400")
            ended = time.time()
            output, _ = await asyncio.to_thread(feed.popen.communicate)
            await until_judged(bench, connection, judge.began, ended - 0.5)
            await asyncio.sleep(1)
        compare(watch, json.loads(output)["dead"], ended)
    finally:
        judge.end()


async def steady(bench: Bench, judge: Process, watch: Watch, seconds: float) -> None:
    used, began, before = judge.cpu, time.monotonic(), set(watch.found)
    await asyncio.sleep(seconds)
    share_of_core = (judge.cpu - used) / (time.monotonic() - began)
    found = [found for station, found in watch.found.items() if station not in before]
    late = sorted(one.late for one in found)
    rows = sorted(one.late - (one.read - one.written) for one in found)
    note(f"live: {bench.stations / EVERY:,.0f} heartbeats/s for {seconds:.0f} s; found offline", f"{len(found):,}")
    note("  deadline to transition, read from the database, s: p50", f"{share(late, 0.5):.3f}")
    for name, part, limit in (("p90", 0.9, ""), ("p99", 0.99, "1"), ("p99.9", 0.999, ""), ("most", 1.0, "")):
        note(f"  {name:>57}", f"{share(late, part):.3f}", limit)
    note("  of it until the row was written: p50 / p99", f"{share(rows, 0.5):.3f} / {share(rows, 0.99):.3f}")
    note("  the judge, % of a core", f"{share_of_core * 100:.0f}")
    note("  resident, MB", f"{judge.status('VmRSS'):.0f}", "400")
    note("  load of the machine (1 min, two cores)", f"{os.getloadavg()[0]:.1f}")


def compare(watch: Watch, dead: dict[str, int], ended: float) -> None:
    """Compare the stations that were called offline with those that died, also across the kill."""
    due = {station for station, last in dead.items() if last / 1000 + K * EVERY < ended - 1}
    note("  died long enough ago, with the kill", f"{len(due):,}")
    note("  false / missed", f"{len(watch.found.keys() - dead.keys())} / {len(due - watch.found.keys())}", "0 / 0")


# --- the whole


@contextmanager
def kafka_server(kind: str | None) -> Iterator[tuple[Tansu | ApacheKafka, Path]]:
    directory = Path(tempfile.mkdtemp(prefix="bench-latency-"))
    missing = why_no_apache_kafka() if kind != "tansu" else "not asked for"
    kafka = Tansu(directory / "tansu") if missing else ApacheKafka(directory / "kafka", heap="768m")
    try:
        kafka.start()
        yield kafka, directory
    finally:
        kafka.kill()
        shutil.rmtree(directory, ignore_errors=True)


async def measure(given: argparse.Namespace) -> None:
    with database_server(TUNED) as server, kafka_server(given.kafka) as (kafka, directory):
        async with fresh_database(server) as url:
            connection = await asyncpg.connect(url)
            await migrate(connection)
            safe = isinstance(kafka, ApacheKafka)
            print(f"{await connection.fetchval('SELECT version()')}; {'Apache Kafka' if safe else 'Tansu'}")
            print(f"{given.stations:,} stations, one terminal each, {PARTITIONS} partitions; limits at the right")
            await ensure_topics(kafka.servers, PARTITIONS, 1)
            bench = Bench(url=url, kafka=kafka.servers, safe=safe, directory=directory, stations=given.stations)
            began = round((time.time() - HOUR - 60) * 1000)
            seeding = Process("bench.bench_latency", "--seed", url, "--stations", str(given.stations), "--at",
                              str(began), log=directory / "seed.log")  # fmt: skip
            await asyncio.to_thread(seeding.popen.wait)
            await replay(bench, connection, began, given.hour_every)
            await live(bench, connection, given.seconds, given.deaths)
            await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=700_000)
    parser.add_argument("--seconds", type=float, default=300, help="of looking at deaths")
    parser.add_argument("--deaths", type=float, default=20, help="a second")
    parser.add_argument("--hour-every", type=int, default=600, help="seconds between heartbeats in the replayed hour")
    parser.add_argument("--kafka", choices=("apache", "tansu"), help="default: Apache Kafka where Java and Maven are")
    parser.add_argument("--seed", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--at", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    asyncio.run(seed(given.seed, given.stations, given.at) if given.seed else measure(given))


if __name__ == "__main__":
    main()
