"""Days of records of many stations that arrive at once: what they cost verdicts and incidents, and their figures.

`python -m bench.history.bench_flood [--stations N] [--days N] [--live N] [--seconds S]`, with the database of
MILEPOST_TEST_DATABASE_URL or the wheel's own. The judge's code takes heartbeats and ticks at their times, `milepost
incidents` runs beside it, and stations die at random. Ingest stores the flood in a process of its own, with messages of
100 records, in the order in which outboxes send: all stations at once, each from its oldest record on. Phases without
and with a flood take turns. Kafka is left out, so all of them share the processors and the database only.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator

import asyncpg
from aiokafka import ConsumerRecord

from alerting.liveness.service import JudgeConfig, JudgeHandler
from bench.bench_ingest import NO_CLAIM, NOW, database_server, fresh_database, health, kafka_record, set_up, usage
from bench.bench_judge import PARTITIONS, claim_all, homes, record, save
from bench.kit.latency_feed import heartbeat, station_id, tick
from bench.kit.processor import processor
from bench.kit.records import roll_up
from ingest.handler import RecordsHandler
from store.pool import Connection, Pool, open_pool

EVERY = 4
MESSAGE = 100
SAMPLE = 300
ROUND = 0.25
DEATHS = 2
SETTLE = 40
FIGURES = {
    "health": (
        "ts",
        "time_source <> 'unknown'",
        "count(*), count(cpu), sum(cpu::numeric), max(cpu), sum(rtt_ms::numeric)",
    ),
    "usage": ("ts", "true", "count(*), sum(sessions), sum(minutes::numeric), sum(bytes)"),
}
KEPT = {"health": "samples, cpu_count, cpu_sum, cpu_max, rtt_ms_sum", "usage": "samples, sessions, minutes, bytes"}
LATE = """
SELECT extract(epoch FROM t.written_at - t.deadline_at)::float AS judged,
       extract(epoch FROM (SELECT min(e.at) FROM incident i JOIN incident_entry e ON e.incident = i.id
           WHERE i.kind = 'station_offline' AND i.station = t.station) - t.deadline_at)::float AS opened
FROM transition t
WHERE t.terminal IS NULL AND t.after = 'offline' AND t.deadline_at BETWEEN to_timestamp($1) AND to_timestamp($2)
"""


def flood(stations: int, days: int, part: int) -> Iterator[ConsumerRecord[bytes, bytes]]:
    """The outboxes of all stations, each message from the next station; `part` makes other stations."""
    rng = random.Random(part)
    for message in range(days * 86_400 // SAMPLE // MESSAGE):
        for who in range(stations):
            numbers = range(message * MESSAGE, (message + 1) * MESSAGE)
            made = [(usage if n % 12 == 0 else health)(n, rng, float(SAMPLE * n)) for n in numbers]
            yield kafka_record(who, f"9{part}{who:08d}", f"b{who}", NOW + days * 86_400_000, days * 86_400.0, made)


async def pour(url: str, stations: int, days: int, part: int) -> None:
    """Store a flood; print the records, and the seconds of the processor that they took."""
    handler, stored = RecordsHandler(), 0
    async with open_pool(url, name="ingest", size=1) as pool, pool.acquire() as connection:
        await handler.load(connection, NO_CLAIM)
        session, began, spent = await connection.fetchval("SELECT pg_backend_pid()"), time.time(), 0.0
        batch: list[ConsumerRecord[bytes, bytes]] = []
        for entry in flood(stations, days, part):
            batch.append(entry)
            if len(batch) == 50:
                before = processor(session)
                stored += await _store(connection, handler, batch)
                spent, batch = spent + processor(session) - before, []
        stored += await _store(connection, handler, batch)
    print(f"{stored} records in {time.time() - began:.0f} s, {spent:.1f} s of a core", flush=True)


async def _store(connection: Connection, handler: RecordsHandler, batch: list[ConsumerRecord[bytes, bytes]]) -> int:
    handler.apply(0, batch, 0.0)
    async with connection.transaction():
        await handler.save(connection, (0,))
    handler.saved((0,))
    return MESSAGE * len(batch)


class LiveFleet:
    """Heartbeats of a fleet and ticks, given to the judge's code as they become due; stations die at random."""

    def __init__(self, pool: Pool, stations: int) -> None:
        self._pool, self._stations = pool, stations
        self._handler = JudgeHandler(
            JudgeConfig(database_url="", kafka_servers="", instance="bench", auto_register=True)
        )
        self._homes = {n: partition for partition, numbers in enumerate(homes(stations)) for n in numbers}
        self._dead: set[int] = set()
        self._alive = deque(random.Random(1).sample(range(stations), stations))
        self._began = time.time()
        self._beaten = 0

    async def run(self, stop: asyncio.Event) -> None:
        await claim_all(self._pool, self._handler)
        self._began, seq = time.time(), 0
        while not stop.is_set():
            began = time.time()
            self._round(round(began * 1000), seq)
            await save(self._pool, self._handler, range(PARTITIONS))
            seq += 1
            await asyncio.sleep(max(0.0, ROUND - (time.time() - began)))

    def _round(self, wall: int, seq: int) -> None:
        mono = wall - round(self._began * 1000)
        until = self._stations * mono // (1000 * EVERY)
        batches: dict[int, list[ConsumerRecord[bytes, bytes]]] = {partition: [] for partition in range(PARTITIONS)}
        for turn in range(self._beaten, until):
            n, number = divmod(turn, self._stations)
            if number not in self._dead:
                value = heartbeat(number, start="s", run=1, n=n, every=EVERY, received=wall, mono=mono)
                partition = self._homes[number]
                batches[partition].append(record(partition, station_id(number).encode(), value))
        self._beaten = until
        for partition, batch in batches.items():
            batch.append(record(partition, None, tick("s", seq, wall, mono)))
            self._handler.apply(partition, batch, 0.0)
        while self._alive and len(self._dead) < (mono / 1000 - SETTLE / 2) * DEATHS:
            self._dead.add(self._alive.popleft())


def show(name: str, rows: list[asyncpg.Record]) -> None:
    """Print medians and the 99th percentiles of seconds after the deadline."""
    for what in ("judged", "opened"):
        late = sorted(row[what] for row in rows if row[what] is not None)
        if late:
            most = late[int(0.99 * len(late))], late[-1]
            print(f"  {name:17}{what:10}{len(late):6}{statistics.median(late):9.3f}{most[0]:9.3f}{most[1]:9.3f}")


async def wrong_figures(connection: Connection, unit: str) -> int:
    """How many figures of an hour or day differ from what the records give."""
    wrong = 0
    for kind, (moment, which, figures) in FIGURES.items():
        kept = f"SELECT began_at, station, terminal, {KEPT[kind]} FROM {kind}_{unit}"  # noqa: S608 -- words of our own
        fresh = (
            f"SELECT date_trunc('{unit}', {moment}, 'UTC'), station, terminal, {figures} FROM {kind} "  # noqa: S608
            f"WHERE {which} GROUP BY 1, 2, 3"
        )
        differing = f"(({kept} EXCEPT {fresh}) UNION ALL ({fresh} EXCEPT {kept}))"
        wrong += await connection.fetchval(f"SELECT count(*) FROM {differing} AS d")  # noqa: S608
    return wrong


async def measure(url: str, given: argparse.Namespace) -> None:
    incidents = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "milepost", "incidents"),
        env={**os.environ, "MILEPOST_DATABASE_URL": url, "MILEPOST_KAFKA_SERVERS": "127.0.0.1:1"},
        stderr=subprocess.DEVNULL,
    )
    stop = asyncio.Event()
    phases: list[tuple[str, float, float]] = []
    async with open_pool(url, name="bench", size=3) as pool:
        fleet = asyncio.create_task(LiveFleet(pool, given.live).run(stop), name="fleet")
        await asyncio.sleep(SETTLE)
        for part in (1, 2):
            began = time.time()
            await asyncio.sleep(given.seconds)
            phases.append(("without a flood", began, time.time()))
            began = time.time()
            command = ["--pour", url, str(part), "--stations", str(given.stations // 2), "--days", str(given.days)]
            child = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.history.bench_flood", *command)
            await child.wait()
            phases.append(("with a flood", began, time.time()))
        await asyncio.sleep(2)
        stop.set()
        await fleet
        print(f"\n  seconds after the deadline {'':2}{'n':>6}{'median':>9}{'99%':>9}{'most':>9}")
        for name in ("without a flood", "with a flood"):
            show(name, [row for n, a, b in phases if n == name for row in await pool.fetch(LATE, a, b)])
        async with pool.acquire() as connection:
            await roll_up(connection)
            for unit in ("hour", "day"):
                many = await connection.fetchval(f"SELECT count(*) FROM health_{unit}")  # noqa: S608
                print(f"  figures by {unit}: {many} of health, {await wrong_figures(connection, unit)} wrong")
    incidents.terminate()
    await incidents.wait()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=10_000, help="stations with a full outbox")
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--live", type=int, default=2000, help="stations that are heard meanwhile")
    parser.add_argument("--seconds", type=int, default=40, help="length of a phase without a flood")
    parser.add_argument("--pour", nargs=2, metavar=("URL", "PART"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.pour:
        await pour(given.pour[0], given.stations, given.days, int(given.pour[1]))
        return
    with database_server() as server:
        async with fresh_database(server) as url:
            await set_up(url)
            await measure(url, given)


if __name__ == "__main__":
    asyncio.run(main())
