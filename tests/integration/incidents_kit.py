"""What the judges would write, and services run as they are in production."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from store.pool import Pool


def now() -> datetime:
    return datetime.now(UTC)


async def add_station(pool: Pool, station: str, *, lifecycle: str = "commissioned", name: str = "红旗阅览室") -> None:
    await pool.execute("INSERT INTO station (id, name, lifecycle) VALUES ($1, $2, $3)", station, name, lifecycle)


async def write_transition(
    pool: Pool,
    station: str,
    before: str,
    after: str,
    *,
    partition: int = 0,
    terminal: str | None = None,
    at: datetime | None = None,
    usable: bool | None = None,
    decided: datetime | None = None,
) -> int:
    """One transition with the next number of its partition, and the notice that the judge gives."""
    async with pool.acquire() as connection, connection.transaction():
        seq: int = await connection.fetchval(
            "INSERT INTO transition (partition, seq, station, terminal, before, after, at, tick_at, shard, reason, "
            "usable) SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, coalesce($8, now()), 'main', "
            "'missed_heartbeats', $7 FROM transition WHERE partition = $1 RETURNING seq",
            partition, station, terminal, before, after, at or now(), usable, decided,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO station_state (partition, station, state, since, usable) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (station) DO UPDATE SET state = excluded.state, since = excluded.since, "
            "usable = excluded.usable",
            partition, station, after, at or now(), usable,
        )  # fmt: skip
        await connection.execute("SELECT pg_notify('milepost_transition', '')")
    return seq


async def write_gap(pool: Pool, began: datetime, ended: datetime, *, partition: int = 0, shard: str = "main") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason) "
            "SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, 'too_long' FROM pipeline_gap WHERE partition = $1",
            partition, shard, began, ended,
        )  # fmt: skip
        await connection.execute("SELECT pg_notify('milepost_transition', '')")


async def write_clocks(pool: Pool, partitions: range, *, blind_since: datetime | None = None) -> None:
    """The clocks of all partitions of shard main, judged now."""
    await pool.execute(
        "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, blind_since, memory) "
        "SELECT p, 'main', 0, clock_timestamp(), clock_timestamp(), $2, '{}' FROM unnest($1::int[]) AS p "
        "ON CONFLICT (partition, shard) DO UPDATE SET tick_at = excluded.tick_at, judged_at = excluded.judged_at, "
        "blind_since = excluded.blind_since",
        list(partitions), blind_since,
    )  # fmt: skip


@asynccontextmanager
async def judging(pool: Pool, partitions: range) -> AsyncIterator[None]:
    """Clocks that go on, as long as the block runs."""

    async def go_on() -> None:
        while True:
            await write_clocks(pool, partitions)
            await asyncio.sleep(0.1)

    await write_clocks(pool, partitions)
    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def running(run: Callable[..., Awaitable[None]], config: Any) -> AsyncIterator["asyncio.Task[None]"]:
    """A service in this process; what it raised is raised at the end of the block."""
    stop = asyncio.Event()

    async def main() -> None:
        await run(config, stop)

    task = asyncio.create_task(main())
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)


async def until(pool: Pool, query: str, expected: object, *arguments: object, seconds: float = 60) -> None:
    """Poll a single value until it is as expected."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = await pool.fetchval(query, *arguments)
        if found == expected:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{query} gives {found!r} and not {expected!r}")
        await asyncio.sleep(0.02)


async def end_verification(pool: Pool, *repairs: int) -> None:
    """The time for which nothing may be wrong after these repairs is over, if the fault ended three heartbeats ago."""
    await pool.execute(
        "UPDATE repair SET stable = '1 ms', at = at - interval '1 hour', verify_at = clock_timestamp() "
        "WHERE id = ANY ($1::bigint[])", repairs,
    )  # fmt: skip


async def incidents(pool: Pool) -> list[asyncpg.Record]:
    return await pool.fetch("SELECT * FROM incident ORDER BY began_at, id")


def ago(seconds: float) -> datetime:
    return now() - timedelta(seconds=seconds)
