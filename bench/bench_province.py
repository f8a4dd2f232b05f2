"""A province goes offline and comes back: the time until each responsible level has its page, both ways, one page each.

`python -m bench.bench_province [--stations N]`, with the database of MILEPOST_TEST_DATABASE_URL or the wheel's own. The
transitions of a judge are written for all stations at once; the incident process and the delivery process, each a
process of its own, do the rest up to a receiver on loopback. Each of 100 counties, 14 prefectures and the province has
a technician with a webhook; a second province, twice as large, stays up. One route: `technician; lead after 30m`.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import msgspec

from alerting.delivery.service import DeliverConfig
from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.stages import PartSettings
from alerting.station_incidents.cause_settings import CauseSettings
from bench.bench_ingest import database_server, fresh_database, set_up

PROVINCE: Final = "63"
PARTITIONS: Final = 8
LIMIT: Final = 400.0
HOLD: Final = 20.0
"""Seconds without a return after which the cause is over; MILEPOST_CAUSE_HOLD, shorter than usual."""

WORLD = """
INSERT INTO area (code, name, level, path) SELECT p, p, 'province', ARRAY[p] FROM unnest(ARRAY['63', '64']) AS p;
INSERT INTO area (code, name, parent, level, path)
SELECT '63' || n, '63' || n, '63', 'prefecture', ARRAY['63', '63' || n]
FROM generate_series(10, 9 + {prefectures}) AS n;
INSERT INTO area (code, name, parent, level, path)
SELECT up || n, up || n, up, 'county', ARRAY['63', up, up || n]
FROM (SELECT 10 + n / {prefectures} AS n, '63' || 10 + n % {prefectures} AS up
      FROM generate_series(0, {counties} - 1) AS n) AS made;
INSERT INTO station (id, name, area, commissioned_at)
SELECT area || lpad((n / {counties})::text, 4, '0'), 'station', area, now() - interval '300 days'
FROM (SELECT n, '63' || 10 + n % {counties} % {prefectures} || 10 + n % {counties} / {prefectures} AS area
      FROM generate_series(0, {stations} - 1) AS n) AS made;
INSERT INTO station (id, name, area, commissioned_at)
SELECT '640000' || lpad(n::text, 6, '0'), 'station', '64', now() - interval '300 days'
FROM generate_series(0, {others} - 1) AS n;
INSERT INTO station_state (partition, station, state, since, usable, shard)
SELECT abs(hashtext(id)) % {partitions}, id, 'online', now() - interval '1 day', true, 'main' FROM station;
INSERT INTO terminal_state (station, terminal, partition, shard, state, since, seen_at, boot, run, conn, n, every, seen,
                            deadline, usable)
SELECT station, '001', partition, 'main', state, since, now(), md5(station), 1, 1, 1, 60, 1000, 1180, true
FROM station_state;
INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, memory)
SELECT p, 'main', 1000, clock_timestamp(), clock_timestamp(), '{{}}' FROM generate_series(0, {partitions} - 1) AS p;
INSERT INTO contact (id, name, role, area, edited_by) SELECT 'at-' || code, code, 'technician', code, 'bench' FROM area;
INSERT INTO contact_channel (contact, place, kind, address, fingerprint)
SELECT id, 1, 'webhook', '{receiver}/' || area, md5(id) FROM contact;
INSERT INTO route (id, name, steps, edited_by) VALUES ('default', 'default', '{steps}', 'bench');
ANALYZE;
"""

CHANGE = """
WITH changed AS (
    UPDATE station_state st SET state = '{after}', since = now() - interval '{ago}', usable = {usable}
    FROM station s WHERE s.id = st.station AND s.area LIKE '63%' RETURNING st.station, st.partition
), heard AS (
    UPDATE terminal_state t SET state = '{after}', seen = {seen} FROM changed WHERE changed.station = t.station
)
INSERT INTO transition (partition, seq, station, before, after, at, tick_at, seen_at, shard, reason, usable)
SELECT c.partition, coalesce(m.seq, 0) + row_number() OVER (PARTITION BY c.partition ORDER BY c.station), c.station,
       '{before}', '{after}', now() - interval '{ago}', date_trunc('second', now()), now() - interval '{heard}', 'main',
       'missed_heartbeats', {usable}
FROM changed c LEFT JOIN (SELECT partition, max(seq) AS seq FROM transition GROUP BY partition) m USING (partition)
"""
FALL: Final = {
    "before": "online", "after": "offline", "usable": "NULL::boolean", "ago": "2 min", "heard": "3 min", "seen": "820",
}  # fmt: skip
RETURN: Final = {
    "before": "offline", "after": "online", "usable": "true", "ago": "0 s", "heard": "0 s", "seen": "1000",
}  # fmt: skip


class Receiver:
    """Takes every message, and stores which path got which events and when."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[float, str, list[str]]] = []
        self.url = ""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Receiver"]:
        """Listen on loopback while the block runs."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
                body: Any = json.loads(await reader.readexactly(length))
                events = [event["type"].rpartition(".")[2] for event in body["data"]["events"]]
                self.arrivals.append((time.monotonic(), head.split(b" ", 2)[1].decode()[1:], events))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def told(self, phase: str) -> list[str]:
        """The areas whose people got a page of a phase, once for each page."""
        return sorted(path for _, path, events in self.arrivals for event in events if event == phase)


async def add_world(
    connection: asyncpg.Connection, receiver: str, *, stations: int, counties: int, prefectures: int
) -> None:
    """The two provinces, with all stations online."""
    steps = json.dumps([{"role": "technician"}, {"role": "lead", "after": 1800}])
    text = WORLD.format(
        stations=stations, counties=counties, prefectures=prefectures, others=2 * stations,
        partitions=PARTITIONS, receiver=receiver, steps=steps,
    )  # fmt: skip
    for statement in text.strip().split(";\n"):
        await connection.execute(statement)


async def cut(connection: asyncpg.Connection) -> None:
    """All stations of the province go offline."""
    await connection.execute(CHANGE.format(**FALL))
    await connection.execute("SELECT pg_notify('milepost_transition', '')")


async def restore(connection: asyncpg.Connection) -> None:
    """All stations of the province come back."""
    await connection.execute(CHANGE.format(**RETURN))
    await connection.execute("SELECT pg_notify('milepost_transition', '')")


async def tick(connection: asyncpg.Connection) -> None:
    """The clocks of the judges go on."""
    while True:
        await connection.execute(
            "UPDATE partition_clock SET tick_at = clock_timestamp(), judged_at = clock_timestamp()"
        )
        await asyncio.sleep(0.2)


@asynccontextmanager
async def service(name: str, config: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of its own."""
    command = ["-m", "tests.integration.incidents_driver", name, msgspec.json.encode(config).decode()]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def until_told(receiver: Receiver, phase: str, expected: list[str], began: float) -> None:
    """Wait until all have the page of a phase, and a little longer for surplus pages; print the times."""
    while len(receiver.told(phase)) < len(expected) and time.monotonic() - began < LIMIT:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    told, times = receiver.told(phase), [at - began for at, _, events in receiver.arrivals if phase in events]
    print(f"{phase}: {len(told)} pages to {len(set(told))} of {len(expected)} levels; as expected: {told == expected}")
    print(f"  first after {min(times, default=0.0):.1f} s, last after {max(times, default=0.0):.1f} s", flush=True)


async def main(asked: argparse.Namespace) -> None:
    """Cut, wait for the last page, restore, wait for the last page."""
    with database_server() as server:
        async with fresh_database(server) as url, Receiver().serve() as receiver:
            await set_up(url)
            connection, ticking = await asyncpg.connect(url), await asyncpg.connect(url)
            await add_world(
                connection,
                receiver.url,
                stations=asked.stations,
                counties=asked.counties,
                prefectures=asked.prefectures,
            )
            rows = await connection.fetch("SELECT code FROM area WHERE code LIKE '63%'")
            expected = sorted(row["code"] for row in rows)
            task = asyncio.create_task(tick(ticking))
            parts = PartSettings(causes=CauseSettings(hold=HOLD))
            async with (
                service("incidents", IncidentsConfig(database_url=url, parts=parts)),
                service("deliver", DeliverConfig(database_url=url)),
            ):
                await asyncio.sleep(asked.settle)
                print(f"{asked.stations} stations, {len(expected)} levels; load {os.getloadavg()[0]:.0f}", flush=True)
                for change, phase in ((cut, "opened"), (restore, "closed")):
                    began = time.monotonic()
                    await change(connection)
                    print(f"{phase}: transitions written in {time.monotonic() - began:.1f} s", flush=True)
                    await until_told(receiver, phase, expected, began)
                    print(f"  {dict(await counts(connection))}", flush=True)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await connection.close()
            await ticking.close()


async def counts(connection: asyncpg.Connection) -> asyncpg.Record:
    """Counts of rows in the database."""
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM incident) AS incidents, "
        "(SELECT count(*) FROM incident WHERE parent IS NULL) AS causes, count(*) AS pages, "
        "count(*) FILTER (WHERE status = 'paid') AS paid FROM page"
    )
    assert row is not None
    return row


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=50_000)
    parser.add_argument("--counties", type=int, default=100)
    parser.add_argument("--prefectures", type=int, default=14)
    parser.add_argument("--settle", type=float, default=15)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
