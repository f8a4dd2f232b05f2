"""How long the console and the API take to answer at national scale.

`python -m bench.bench_board [--stations N] [--times N]`, with the database of MILEPOST_TEST_DATABASE_URL or the wheel's
own. The board, areas, lists, blind spots and incidents, each asked for several times, far enough apart that
the board looks anew: as on any day; when nobody keeps the counts; with a shard of the pipeline dead; and at night.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from api.config import ApiConfig
from api.service import open_app
from bench.bench_ingest import database_server, fresh_database
from store.migrate import migrate
from store.pool import Connection, open_pool
from store.sql import load_queries

WORLD = load_queries(Path(__file__).with_name("board_world.sql"))
FILL = ("areas", "calendars", "openings", "stations", "states", "terminals", "clocks", "incidents", "history")
FILL += ("blind_spots", "closures")
PROVINCE, COUNTY = "110000000000", "110001000000"
REQUESTS = {
    "board": "/",
    "metrics": "/metrics",
    "page of a province": f"/areas/{PROVINCE}",
    "areas/{province}": f"/api/v1/areas/{PROVINCE}",
    "areas/{county}": f"/api/v1/areas/{COUNTY}",
    "stations": "/api/v1/stations",
    "stations of a province that are offline": f"/api/v1/stations?verdict=offline&area={PROVINCE}",
    "stations?verdict=excused": "/api/v1/stations?verdict=excused",
    "stations?verdict=unknown": "/api/v1/stations?verdict=unknown",
    "stations?q=": "/api/v1/stations?q=书屋123456",
    "blind-spots": "/api/v1/blind-spots",
    "blind-spots of a province": f"/api/v1/blind-spots?area={PROVINCE}&kind=dark",
    "page of blind spots": "/blind-spots",
    "incidents": "/api/v1/incidents",
    "incidents that are open in a province": f"/api/v1/incidents?status=open&area={PROVINCE}",
    "page of incidents": "/incidents",
}
SLOW = 2.5
"""Seconds between two times that the same is asked for."""


class Pulse:
    """The signs of life of the judges, and while `kept` of the incident process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.kept, self.dead = True, ""

    async def beat(self) -> None:
        await self._connection.execute(WORLD.tick, self.dead)
        if self.kept:
            await self._connection.execute(WORLD.tell)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Once a second, as long as this lasts."""
        task = asyncio.create_task(self._go_on(), name="bench pulse")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _go_on(self) -> None:
        while True:
            await self.beat()
            await asyncio.sleep(1)


async def fill(connection: Connection, stations: int) -> None:
    await migrate(connection)
    await connection.execute("SET session_replication_role = replica")
    for name in FILL:
        await connection.execute(getattr(WORLD, name), *([stations] if name == "stations" else []))
    await settle(connection)
    version = await connection.fetchval("SHOW server_version")
    print(f"PostgreSQL {version}; {os.cpu_count()} cores; {stations:,} stations", flush=True)


async def settle(connection: Connection) -> None:
    """As autovacuum leaves it, with the counts that the incident process would keep."""
    await connection.execute("VACUUM ANALYZE")
    await connection.execute(WORLD.tick, "")
    await connection.execute("TRUNCATE area_count")
    await connection.execute(WORLD.keep_counts)


async def ask(client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> tuple[float, int]:
    """Seconds until the answer was there, and its status; `headers` replace those of the client."""
    began = time.perf_counter()
    answer = await client.get(path, headers=headers)
    return time.perf_counter() - began, answer.status_code


async def measure(client: httpx.AsyncClient, times: int) -> None:
    """The first answer, and median and worst of the others; those that failed are counted."""
    print(f"    {'ms':42}{'first':>8}{'median':>8}{'worst':>8}")
    rounds: dict[str, list[tuple[float, int]]] = {name: [] for name in REQUESTS}
    for _ in range(times + 1):
        next_round = time.monotonic() + SLOW
        for name, path in REQUESTS.items():
            rounds[name].append(await ask(client, path))
        await asyncio.sleep(max(next_round - time.monotonic(), 0))
    for name, answers in rounds.items():
        first, *took = (1000 * seconds for seconds, _ in answers)
        failed = sum(status != 200 for _, status in answers)
        print(
            f"    {name:42}{first:8.0f}{statistics.median(took):8.0f}{max(took):8.0f}"
            f"{f'  {failed} failed' if failed else ''}",
            flush=True,
        )


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, in this process and without a socket between them."""
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as name:
        token = Path(name) / "token"
        token.write_text("bench")
        config = ApiConfig(database_url=url, admin_token_file=token)
        async with open_app(config) as (app, _):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            headers = {"Authorization": "Bearer bench"}
            async with httpx.AsyncClient(transport=transport, base_url="http://bench.test", headers=headers) as client:
                yield client


async def case(name: str, url: str, pulse: Pulse, times: int) -> None:
    print(name, flush=True)
    await pulse.beat()
    async with serving(url) as client, pulse.beating():
        await measure(client, times)


async def run(stations: int, times: int) -> None:
    with database_server() as server:
        async with (
            fresh_database(server) as url,
            open_pool(url, name="bench", size=1) as pool,
            pool.acquire() as connection,
        ):
            await fill(connection, stations)
            await cases(connection, url, times)


async def cases(connection: Connection, url: str, times: int) -> None:
    pulse = Pulse(connection)
    await case("as on any day", url, pulse, times)
    pulse.kept = False
    await connection.execute("TRUNCATE area_count_known")
    await case("nobody keeps the counts", url, pulse, times)
    pulse.dead = "north"
    await asyncio.sleep(10)
    await case("a shard is dead", url, pulse, times)
    pulse.kept, pulse.dead = True, ""
    await connection.execute(WORLD.night)
    await connection.execute(WORLD.shut_all)
    await settle(connection)
    await case("at night", url, pulse, times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=700_000)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    asyncio.run(run(given.stations, given.times))


if __name__ == "__main__":
    main()
