"""The incident process at national scale: loading, memory, an idle pass, a county and the whole country falling.

`python -m bench.bench_incidents [--stations N]`, with the database of MILEPOST_TEST_DATABASE_URL or the wheel's own.
"""

import argparse
import asyncio
import os
import time

from alerting.incident_process.decide_pass import Decider, PassConfig
from bench.bench_ingest import database_server, fresh_database
from bench.bench_judge import PARTITIONS, resident
from store.migrate import migrate
from store.pool import Connection, open_pool

COUNTY = "area = '100101000000'"

FILL = """
SET session_replication_role = replica;
INSERT INTO area (code, name, level, path) SELECT p || '0000000000', 'province', 'province', ARRAY[p || '0000000000']
FROM generate_series(10, 43) AS p;
INSERT INTO area (code, name, parent, level, path)
SELECT c || '000000', 'county', left(c, 2) || '0000000000', 'county', ARRAY[left(c, 2) || '0000000000', c || '000000']
FROM (SELECT (100001 + n * 100)::text AS c FROM generate_series(1, 2856) AS n) AS counties;
INSERT INTO station (id, name, area, isp, feeder, commissioned_at)
SELECT county || lpad((n / 2856)::text, 4, '0'), 'station', county || '000000', (ARRAY['a', 'b', 'c'])[n % 3 + 1],
       county || n % 4, now() - interval '300 days'
FROM (SELECT n, (100001 + (n % 2856 + 1) * 100)::text AS county FROM generate_series(0, {stations} - 1) AS n) AS made;
INSERT INTO station_state (partition, station, state, since, usable, shard)
SELECT abs(hashtext(id)) % {partitions}, id, 'online', now() - interval '1 day', true, 'main' FROM station;
INSERT INTO terminal_state (station, terminal, partition, shard, state, since, seen_at, boot, run, conn, n, every, seen,
                            deadline, usable)
SELECT station, '001', partition, 'main', state, since, now(), md5(station), 1, 1, 1, 60, 0, 0, true FROM station_state;
INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, memory)
SELECT p, 'main', 1000, clock_timestamp(), clock_timestamp(), '{{}}' FROM generate_series(0, {partitions} - 1) AS p;
INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason)
SELECT partition, row_number() OVER (PARTITION BY partition ORDER BY station), station, 'never_seen', state, since,
       since, shard, 'heartbeat' FROM station_state;
INSERT INTO stream_cursor (reader, partition, seq)
SELECT 'incidents', partition, max(seq) FROM transition GROUP BY partition;
SET session_replication_role = origin;
VACUUM ANALYZE;
"""

CHANGE = """
WITH changed AS (
    UPDATE station_state st SET state = '{after}', since = now() - interval '2 minutes', usable = {usable}
    FROM station s WHERE s.id = st.station AND {which} RETURNING st.station, st.partition
), heard AS (
    UPDATE terminal_state t SET state = '{after}', seen = -120 FROM changed WHERE changed.station = t.station
)
INSERT INTO transition (partition, seq, station, before, after, at, tick_at, seen_at, shard, reason, usable)
SELECT c.partition, m.seq + row_number() OVER (PARTITION BY c.partition ORDER BY c.station), c.station, '{before}',
       '{after}', now() - interval '2 minutes', date_trunc('second', clock_timestamp()),
       now() - interval '3 minutes', 'main', 'missed_heartbeats', {usable}
FROM changed c JOIN (SELECT partition, max(seq) AS seq FROM transition GROUP BY partition) m USING (partition)
"""
FALL = {"before": "online", "after": "offline", "usable": "NULL::boolean"}
RETURN = {"before": "offline", "after": "online", "usable": "true"}


async def tick(connection: Connection) -> None:
    """Move the clock of every partition to now, as judges do that are not behind."""
    await connection.execute("UPDATE partition_clock SET tick_at = clock_timestamp(), judged_at = clock_timestamp()")


async def pass_through(decider: Decider, other: Connection, name: str) -> None:
    """Pass after pass until there is no more to be read; how many, how long, the longest, and memory."""
    took, more, decided = [], True, 0
    while more:
        await tick(other)
        began = time.perf_counter()
        passed = await decider.decide(None)
        took.append(time.perf_counter() - began)
        more, decided = passed.more, decided + sum(d.incident is not None for d in passed.decisions)
    print(
        f"{name:34} {len(took):4} passes {sum(took):7.1f} s  longest {max(took):6.2f} s  {decided:8} decisions  "
        f"{resident():6.0f} MB",
        flush=True,
    )


async def measure(stations: int) -> None:
    with database_server() as server:
        async with (
            fresh_database(server) as url,
            open_pool(url, name="bench", size=2) as pool,
            pool.acquire() as leader,
            pool.acquire() as other,
        ):
            await fill(other, stations)
            await run(leader, other)


async def fill(other: Connection, stations: int) -> None:
    await migrate(other)
    for statement in FILL.format(stations=stations, partitions=PARTITIONS).strip().split(";\n"):
        await other.execute(statement)
    print(f"{await other.fetchval('SELECT version()')}; {os.cpu_count()} cores; {stations:,} stations")
    print(f"{resident():.0f} MB before", flush=True)


async def run(leader: Connection, other: Connection) -> None:
    decider = Decider(PassConfig(), leader)
    await pass_through(decider, other, "load, first pass")
    await pass_through(decider, other, "nothing new")
    for name, which in (("a county", COUNTY), ("the country", "true")):
        await other.execute(CHANGE.format(which=which, **FALL))
        await pass_through(decider, other, f"{name} falls")
        if which == "true":
            decider = Decider(PassConfig(), leader)
            await pass_through(decider, other, "load while it is down")
        await other.execute(CHANGE.format(which=which, **RETURN))
        await pass_through(decider, other, f"{name} returns")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=700_000)
    asyncio.run(measure(parser.parse_args().stations))


if __name__ == "__main__":
    main()
