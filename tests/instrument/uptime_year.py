"""Months of stations, kept by the code that keeps days, and compared with an oracle that walks every second.

`python -m tests.instrument.uptime_year [--stations N] [--days N] [--seed S]` prints every difference, and what
`milepost audit rebuild` says. It uses the database of MILEPOST_TEST_DATABASE_URL or the wheel's own. Some stations
at a time have a database of their own (`--chunk`), and some databases are filled side by side (`--at-once`). With
`--done FILE` the result of each chunk is kept there, and a second run continues after the kept results.
"""

import argparse
import asyncio
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from audit.days.keep_store import keep_days
from audit.days.rebuild_store import differences
from bench.bench_ingest import database_server, fresh_database, set_up
from bench.kit.processor import processor
from registry.hours.schedule_store import put_schedules
from registry.model import Area, Station
from registry.store import upsert_areas, upsert_stations
from store.pool import Connection, Pool, open_pool
from tests.instrument.uptime_oracle import FIGURES, oracle_areas, oracle_days
from tests.instrument.uptime_truth import (
    BEGIN,
    COUNTIES,
    DAY,
    PARTITIONS,
    StationTruth,
    UptimeTruth,
    make_truth,
    moment,
)

FIRST: Final = date(2025, 11, 1)
_LONG_BEFORE: Final = BEGIN - timedelta(days=60)

Statement = tuple[str, tuple[Any, ...]]

_JUDGED: Final = (
    "INSERT INTO transition (partition, seq, station, before, after, usable, at, tick_at, shard, reason) "
    "VALUES ($1, nextval('told'), $2, 'x', $3, $4, $5, $6, 'main', 'test')"
)
_GAP: Final = (
    "INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason) "
    "VALUES ($1, nextval('told'), 'main', $2, $3, 'b')"
)
_DOUBT: Final = (
    "INSERT INTO suspicion_member (shard, opened_at, station, heard_at, missed_at, ended_at) "
    "VALUES ('main', $1, $2, $3, $3, $4)"
)
_RAN: Final = (
    "INSERT INTO presence (ts, station, terminal, box, id, device_at, received_at, time_source, until, usable) "
    "VALUES ($1, $2, '001', 'box', nextval('told'), 0, $3, 'server', $4, $5)"
)
_CLOSURE: Final = (
    "INSERT INTO closure (station, from_at, until_at, reason, declared_by, declared_at, approved_by, approved_at) "
    "VALUES ($1, $2, $3, 'r', 'a', $4, $5, $6)"
)
_PROPOSED: Final = (
    "INSERT INTO correction (id, station, from_at, until_at, counts_as, reason, proposed_by, proposed_at) "
    "OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, 'r', 'a', $6)"
)
_APPROVED: Final = "UPDATE correction SET decision = 'approved', decided_by = 'b', decided_at = $2 WHERE id = $1"
_OFF: Final = "INSERT INTO schedule_override (station, from_day, to_day, rules) VALUES ($1, $2, $2, 'off')"
_HEARD: Final = (
    "INSERT INTO terminal_state "
    "(station, terminal, partition, shard, state, boot, run, conn, n, every, seen, deadline) "
    "VALUES ($1, '001', $2, 'main', 'online', 'b', 1, 1, 1, 30, 0, 0)"
)
_CLOCK: Final = (
    "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, memory) "
    "VALUES ($1, 'main', 0, $2, $2, '{}') ON CONFLICT (partition, shard) DO UPDATE SET tick_at = excluded.tick_at"
)
_EFFECTIVE: Final = "SELECT set_config('milepost.effective_at', $1, false)"


async def differing(pool: Pool, truth: UptimeTruth, seed: int) -> list[str]:
    """Feed the events of a truth in batches, keep the days after each batch, and return all differences from the
    oracle."""
    async with pool.acquire() as connection:
        await _prepare(connection, truth)
        waiting = sorted(_told(truth), key=lambda each: each[0])
        dice, clock, place = Random(seed), 0, 0
        end = max(truth.days * DAY + 8 * 3600, waiting[-1][0] + 1)
        while clock < end:
            clock = min(end, clock + dice.choice([DAY, DAY, 3 * DAY, 9 * DAY]))
            async with connection.transaction():
                while place < len(waiting) and waiting[place][0] < clock:
                    for statement, values in waiting[place][1]:
                        await connection.execute(statement, *values)
                    place += 1
                tick = moment(min(clock, truth.days * DAY + 8 * 3600))
                await connection.executemany(_CLOCK, [(partition, tick) for partition in range(PARTITIONS)])
            while (await keep_days(connection)).closed is not None:
                pass
        return [line async for line in _compared(connection, truth)]


async def rebuilt(pool: Pool) -> list[str]:
    """What `milepost audit rebuild` prints."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        return [each.said.en async for each in differences(connection, FIRST, date(2030, 1, 1))]


async def _prepare(connection: Connection, truth: UptimeTruth) -> None:
    await connection.execute("CREATE SEQUENCE told")
    await connection.execute(_EFFECTIVE, _LONG_BEFORE.isoformat())
    areas = [Area(code="63", name="63", level="province", path=("63",))]
    areas += [Area(code=code, name=code, parent="63", level="county", path=("63", code)) for code in COUNTIES]
    await upsert_areas(connection, areas, at=_LONG_BEFORE)
    await upsert_stations(
        connection, [Station(id=each.name, name=each.name, area=each.area) for each in truth.stations]
    )
    rules = {each.name: each.rules for each in truth.stations}
    await put_schedules(connection, rules, now=_LONG_BEFORE, by="a")
    offs = [(each.name, FIRST + timedelta(days=day)) for each in truth.stations for day in each.off]
    await connection.executemany(_OFF, offs)
    await connection.executemany(_HEARD, [(each.name, each.partition) for each in truth.stations])
    await connection.execute(
        "INSERT INTO suspicion (shard, opened_at, instant_from, instant_to, began_at, known_at, fell, counted, "
        "registry, ended_at, ended_by) VALUES ('main', $1, $1, $1, $1, $1, 1, 1, 'x', $1, 'person')", BEGIN,
    )  # fmt: skip


def _told(truth: UptimeTruth) -> Iterator[tuple[int, Sequence[Statement]]]:
    """The events of the truth with the time at which each event arrives."""
    for partition, gaps in enumerate(truth.gaps):
        yield from ((each.told, [(_GAP, (partition, moment(each.begin), moment(each.end)))]) for each in gaps)
    numbers = iter(range(1, 10**9))
    for station in truth.stations:
        yield from _observed(station)
        yield from _decided(station, numbers)


def _observed(station: StationTruth) -> Iterator[tuple[int, Sequence[Statement]]]:
    name = station.name
    for each in station.decisions:
        values = (station.partition, name, each.state, each.usable, moment(each.at), moment(each.told))
        yield each.told, [(_JUDGED, values)]
    for doubt in station.doubts:
        yield doubt.told, [(_DOUBT, (BEGIN, name, moment(doubt.begin), moment(doubt.end)))]
    for run in station.ran:
        usable = {"yes": True, "no": False, "": None}[run.word]
        yield run.told, [(_RAN, (moment(run.begin), name, moment(run.told), moment(run.end), usable))]


def _decided(station: StationTruth, numbers: Iterator[int]) -> Iterator[tuple[int, Sequence[Statement]]]:
    name = station.name
    for each in station.closures:
        approved = ("b", moment(each.told)) if each.word else (None, None)
        yield each.told, [(_CLOSURE, (name, moment(each.begin), moment(each.end), moment(each.begin), *approved))]
    for each in station.corrections:
        number, times = next(numbers), (moment(each.begin), moment(each.end))
        proposed = (_PROPOSED, (number, name, *times, each.word, moment(each.end)))
        yield each.told, [proposed, (_APPROVED, (number, moment(each.told)))]
    for column, changes in (("lifecycle", station.lifecycles), ("area", station.moves)):
        update = f"UPDATE station SET {column} = $2 WHERE id = $1"  # noqa: S608 -- one of two words
        for change in changes:
            effective = (_EFFECTIVE, (moment(change.at).isoformat(),))
            yield change.told, [effective, (update, (name, change.word))]


async def _compared(connection: Connection, truth: UptimeTruth) -> Any:
    for station in truth.stations:
        rows = await connection.fetch("SELECT * FROM station_day WHERE station = $1 ORDER BY day", station.name)
        kept = {(row["day"] - FIRST).days: (*(row[name] for name in FIGURES), row["path"][-1]) for row in rows}
        expected = await asyncio.to_thread(_expected, truth, station)
        for day in sorted(kept.keys() | expected.keys()):
            if kept.get(day) != expected.get(day):
                yield f"{station.name} {FIRST + timedelta(days=day)}: {kept.get(day)} is not {expected.get(day)}"


def _expected(truth: UptimeTruth, station: StationTruth) -> dict[int, tuple[Any, ...]]:
    both = zip(oracle_days(truth, station), oracle_areas(truth, station), strict=True)
    return {day: (*figures, area) for day, (figures, area) in enumerate(both)}


class YearChunk(msgspec.Struct, frozen=True):
    """Some stations of a truth, from `first` up to before `last`."""

    stations: int
    days: int
    seed: int
    first: int
    last: int


class YearResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a chunk; the lines are differences. Seconds are those of the processor."""

    chunk: YearChunk
    from_oracle: list[str]
    from_rebuild: list[str]
    revisions: int
    seconds: float


async def _examine(server: str, chunk: YearChunk) -> YearResult:
    truth = make_truth(chunk.stations, chunk.days, chunk.seed)
    truth = msgspec.structs.replace(truth, stations=truth.stations[chunk.first : chunk.last])
    async with fresh_database(server) as url:
        await set_up(url)
        async with open_pool(url, name="year", size=1) as pool:
            session = await pool.fetchval("SELECT pg_backend_pid()")
            return YearResult(
                chunk=chunk,
                from_oracle=await differing(pool, truth, chunk.seed),
                from_rebuild=await rebuilt(pool),
                revisions=await pool.fetchval("SELECT count(*) FROM day_figure WHERE revision > 1"),
                seconds=processor(session),
            )


def examine(server: str, chunk: YearChunk) -> YearResult:
    """Fill a database with a chunk and compare it; runs in a process of its own."""
    return asyncio.run(_examine(server, chunk))


def _chunks(given: argparse.Namespace) -> Iterator[YearChunk]:
    for first in range(0, given.stations, given.chunk):
        last = min(first + given.chunk, given.stations)
        yield YearChunk(given.stations, given.days, given.seed, first, last)


def _kept(done: Path | None) -> list[YearResult]:
    lines = done.read_bytes().splitlines() if done is not None and done.exists() else []
    return [msgspec.json.decode(line, type=YearResult) for line in lines]


def _results(given: argparse.Namespace) -> Iterator[YearResult]:
    """The result of each chunk, first those that are kept."""
    chunks = list(_chunks(given))
    kept = [each for each in _kept(given.done) if each.chunk in chunks]
    yield from kept
    waiting = [chunk for chunk in chunks if chunk not in [each.chunk for each in kept]]
    spawn = multiprocessing.get_context("spawn")
    # Each chunk in a new process, so that seconds of a processor are those of one chunk.
    workers = ProcessPoolExecutor(given.at_once, mp_context=spawn, max_tasks_per_child=1)
    with database_server() as server, workers:
        for work in as_completed([workers.submit(examine, server, chunk) for chunk in waiting]):
            if given.done is not None:
                with given.done.open("ab") as file:
                    file.write(msgspec.json.encode(work.result()) + b"\n")
            yield work.result()


def main(given: argparse.Namespace) -> int:
    """Examine all chunks and print each result and the sum."""
    results = []
    for each in _results(given):
        results.append(each)
        for line in (*each.from_oracle[:40], *each.from_rebuild[:40]):
            print(line)
        print(f"stations {each.chunk.first} to {each.chunk.last - 1}: {_told_of([each])}", flush=True)
    print(f"all: {_told_of(results)}")
    return 1 if any(each.from_oracle or each.from_rebuild for each in results) else 0


def _told_of(results: Sequence[YearResult]) -> str:
    days = sum((each.chunk.last - each.chunk.first) * each.chunk.days for each in results)
    oracle = sum(len(each.from_oracle) for each in results)
    rebuild = sum(len(each.from_rebuild) for each in results)
    revisions, seconds = sum(each.revisions for each in results), sum(each.seconds for each in results)
    found = f"{oracle} differ from the oracle, rebuild prints {rebuild}"
    return f"{days} days, {found}, {revisions} revisions, {seconds:.0f} s of a core"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=50, help="stations of one database")
    parser.add_argument("--at-once", type=int, default=2, help="databases that are filled side by side")
    parser.add_argument("--done", type=Path, help="a file that keeps the results of the chunks")
    sys.exit(main(parser.parse_args()))
