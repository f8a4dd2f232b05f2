"""The import of stations, with the facts and the ledger's entries of them, and without.

`python -m bench.bench_import [--stations N]`, with the wheel's own database. Half of the stations have opening hours of
their own, all are in a programme. CPU is that of this process and of its database connection.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
import psutil

from bench.bench_ingest import database_server, fresh_database, set_up
from registry.importing.importer import import_file
from registry.importing.report import ImportOptions
from registry.importing.rows import Kind

COUNTIES = 2800
WATCHED = ("area", "station", "station_programme", "schedule")
OPTIONS = ImportOptions(places_as_written=True)


class Cost(msgspec.Struct, frozen=True):
    """Seconds of CPU here and in the database, and of wall time."""

    here: float
    database: float
    wall: float

    @property
    def cpu(self) -> float:
        return self.here + self.database


def write_files(place: Path, stations: int) -> dict[str, Path]:
    """Areas, stations, and the same stations with another kind."""
    files = {name: place / f"{name}.csv" for name in ("areas", "stations", "changed")}
    counties = [f"{11 + number // 100}{number % 100:02d}01" for number in range(COUNTIES)]
    provinces = sorted({code[:2] for code in counties})
    above = [f"{code},省{code}," for code in provinces]
    files["areas"].write_text("\n".join(["code,name,parent", *above, *(f"{c},县{c},{c[:2]}" for c in counties)]))
    for name, kind in (("stations", "library"), ("changed", "kiosk")):
        with files[name].open("w") as file:
            file.write("id,name,area,kind,schedule,programmes\n")
            for number in range(stations):
                county, hours = counties[number % COUNTIES], "Mo-Fr 09:00-17:30" if number % 2 else ""
                file.write(f"{county}{number // COUNTIES:04d},点{number},{county},{kind},{hours},border\n")
    return files


async def timed(connection: asyncpg.Connection, backend: psutil.Process, kind: Kind, path: Path) -> Cost:
    began, here, there = time.perf_counter(), time.process_time(), sum(backend.cpu_times()[:2])
    report = await import_file(connection, kind, path, now=datetime.now(UTC), options=OPTIONS)
    if report.refused:
        raise RuntimeError(report.text)
    return Cost(time.process_time() - here, sum(backend.cpu_times()[:2]) - there, time.perf_counter() - began)


async def measure(server: str, files: dict[str, Path], *, facts: bool) -> dict[str, Cost]:
    async with fresh_database(server) as url:
        await set_up(url)
        connection = await asyncpg.connect(url)
        try:
            for table in () if facts else WATCHED:
                for trigger in ("facts_of_new", "facts_of_changed", "facts_of_gone"):
                    await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
            backend = psutil.Process(connection.get_server_pid())
            await timed(connection, backend, "areas", files["areas"])
            costs = {
                name: await timed(connection, backend, "stations", files[path])
                for name, path in (("new", "stations"), ("the same again", "stations"), ("another kind", "changed"))
            }
            appended = await connection.fetchval("SELECT count(*) FROM registry_fact")
            print(f"{'with' if facts else 'without'} facts: {appended:,} appended")
            return costs
        finally:
            await connection.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as place, database_server() as server:
        files = write_files(Path(place), asked.stations)
        without = await measure(server, files, facts=False)
        given = await measure(server, files, facts=True)
    print(f"\n{asked.stations:,} stations       CPU without facts, s     with, s      ratio   of it in the database, s")
    for name, cost in given.items():
        before = without[name]
        print(f"  {name:20}{before.cpu:>22.1f}{cost.cpu:>12.1f}{cost.cpu / before.cpu:>11.2f}{cost.database:>27.1f}")


if __name__ == "__main__":
    asyncio.run(main())
