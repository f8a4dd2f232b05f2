"""Sealing a mass outage, the entries of a quiet day, and verification of a month of figures without the database.

`python -m bench.history.bench_seal [--fall N ...] [--stations N] [--days N]`, with the database of
MILEPOST_TEST_DATABASE_URL or the wheel's own. A fall: the given number of stations goes offline in one second; sealing
uses one session, as in `milepost audit`. A month: counties of 100 stations; a tenth of the stations goes offline once;
days close one after the other, then the log is sealed, exported with its figures and verified.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from audit.days.keep_store import keep_days
from audit.days.sealed.figure_export_store import WantedFigures
from audit.days.sealed.tree_store import seal_day
from audit.ledger.export_files import verify_export
from audit.ledger.export_store import export_log
from audit.ledger.service import AuditConfig, Sealer
from audit.ledger.verify import Trust
from audit.sheets.proof_store import load_station_proof
from audit.sheets.sheet_check import check_sheet
from audit.sheets.station_proof import parse_station_proof
from bench.bench_ingest import database_server, fresh_database, set_up
from registry.edits import registry_edit
from registry.hours.schedule_store import put_schedules
from registry.model import Area, Station
from registry.store import upsert_areas, upsert_stations
from store.author import Author
from store.pool import Connection, open_pool

FIRST = date(2026, 11, 1)
MIDNIGHT = datetime(2026, 10, 31, 16, tzinfo=UTC)
COUNTY = 100
CHANGES = (
    "INSERT INTO transition (partition, seq, station, before, after, usable, at, tick_at, shard, reason) "
    "SELECT 0, $2 + n, 's' || lpad((n * $5)::text, 7, '0'), 'online', $3, true, $4, $4, 'main', 'bench' "
    "FROM generate_series(0, $1 - 1) AS n"
)


async def seal(connection: Connection, folder: Path) -> tuple[float, int]:
    """Seconds until everything is sealed and signed, and the number of leaves after that."""
    config = AuditConfig(database_url="", key=folder / "key", checkpoint=folder / "checkpoint")
    sealer = Sealer(config, connection)
    await sealer.begin()
    began = time.perf_counter()
    result = await sealer.seal()
    while result.more:
        result = await sealer.seal()
    return time.perf_counter() - began, result.head.edge.size


async def fall(server: str, count: int) -> None:
    """Print how long it takes to seal a fall of `count` stations, in a log with the same number of leaves."""
    async with fresh_database(server) as url:
        await set_up(url)
        with tempfile.TemporaryDirectory() as folder:
            async with open_pool(url, name="bench", size=1) as pool, pool.acquire() as connection:
                await connection.execute(CHANGES, count, 1, "online", MIDNIGHT, 1)
                await seal(connection, Path(folder))
                await connection.execute(CHANGES, count, 1 + count, "offline", MIDNIGHT + timedelta(hours=9), 1)
                seconds, size = await seal(connection, Path(folder))
    print(f"sealing a fall of {count}: {seconds:.2f} s, {count / seconds:,.0f} rows a second ({size} leaves)")


async def register(connection: Connection, count: int) -> None:
    counties = [f"63{number:04d}" for number in range(-(-count // COUNTY))]
    province = Area(code="63", name="63", level="province", path=("63",))
    areas = [Area(code=code, name=code, parent="63", level="county", path=("63", code)) for code in counties]
    names = [f"s{number:07d}" for number in range(count)]
    stations = [Station(id=name, name=name, area=counties[n // COUNTY]) for n, name in enumerate(names)]
    since = MIDNIGHT - timedelta(days=9)
    async with registry_edit(connection, Author("operator")):
        await connection.execute("SELECT set_config('milepost.effective_at', $1, true)", since.isoformat())
        await upsert_areas(connection, [province, *areas], at=since)
        await upsert_stations(connection, stations)
        await put_schedules(connection, dict.fromkeys(names, "Mo-Su 09:00-17:00"), now=since, by="bench")


async def keep(connection: Connection, until: datetime) -> None:
    await connection.execute(
        "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, memory) "
        "VALUES (0, 'main', 0, $1, $1, '{}') "
        "ON CONFLICT (partition, shard) DO UPDATE SET tick_at = excluded.tick_at",
        until,
    )
    while (await keep_days(connection)).closed is not None:
        pass


async def month(server: str, count: int, days: int) -> None:
    """Print the cost of the entries of a quiet day, and of the verification of a month."""
    async with fresh_database(server) as url:
        await set_up(url)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            async with open_pool(url, name="bench", size=1) as pool, pool.acquire() as connection:
                await register(connection, count)
                await connection.execute(CHANGES, count, 1, "online", MIDNIGHT + timedelta(hours=1), 1)
                await connection.execute(
                    CHANGES, count // 10, 1 + count, "offline", MIDNIGHT + timedelta(days=days // 2, hours=9), 10
                )
                began = time.perf_counter()
                await keep(connection, MIDNIGHT + timedelta(days=days, hours=5))
                print(f"{count} stations: {days} days closed in {time.perf_counter() - began:.1f} s")
                await quiet(connection, FIRST + timedelta(days=2))
                seconds, size = await seal(connection, folder)
                print(f"sealed in {seconds:.1f} s: {size} leaves")
                began = time.perf_counter()
                wanted = WantedFigures(first=FIRST, last=FIRST + timedelta(days=days - 1))
                await export_log(connection, folder / "export", wanted)
                size = sum(file.stat().st_size for file in (folder / "export").iterdir())
                print(f"exported in {time.perf_counter() - began:.1f} s: {size / 1e6:.1f} MB")
                await sheet(connection, days)
            began, cpu = time.perf_counter(), time.process_time()
            verdict = verify_export(folder / "export", Trust())
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
            tally = verdict.figures
            assert tally is not None and not verdict.findings and tally.computed == count * days, verdict
            print(
                f"verified in {seconds:.1f} s, {cpu:.1f} s of CPU: {tally.computed / seconds:,.0f} days of stations a "
                "second"
            )


async def sheet(connection: Connection, days: int) -> None:
    """Measure the proof of one station's month."""
    began, cpu = time.perf_counter(), time.process_time()
    proof = await load_station_proof(connection, "s0000000", "2026-11", FIRST, FIRST + timedelta(days=days - 1))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert proof is not None and not proof.unproven, proof
    text = proof.render()
    print(f"proof of a sheet in {seconds:.2f} s, {cpu:.2f} s of CPU: {len(text):,} bytes")
    began = time.process_time()
    verdict = check_sheet(parse_station_proof(text), Trust())
    assert verdict.is_complete, verdict
    print(f"verified in {time.process_time() - began:.3f} s of CPU")


async def quiet(connection: Connection, day: date) -> None:
    """Measure the entries of the ledger for a quiet day."""
    began = time.perf_counter()
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    await seal_day(connection, day)
    seconds = time.perf_counter() - began
    await transaction.rollback()
    print(f"entries of a quiet day: {seconds:.2f} s")


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fall", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--stations", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=30)
    asked = parser.parse_args()
    with database_server() as server:
        for count in asked.fall:
            await fall(server, count)
        if asked.stations:
            await month(server, asked.stations, asked.days)


if __name__ == "__main__":
    asyncio.run(main())
