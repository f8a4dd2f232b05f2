"""The outside check against real parts: what is dead is told, past the database, once, and once when it is over."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerting.selfcheck import service as watch
from alerting.selfcheck.rules import REQUIRED, Pace
from alerting.selfcheck.service import WatchConfig
from api.config import ApiConfig
from api.service import run as serve_api
from store.pool import Pool
from store.signs import Signs
from tests.integration.api_world import TOKEN
from tests.integration.bridge_kit import until
from tests.integration.incidents_kit import write_clocks, write_transition
from tests.servers import Tansu, find_free_port

# A look that is broken off while it connects leaves its connection, and the stream in it, to the garbage collector, as
# aiokafka does; either of the two may be found first.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*(AIOKafkaConnection|StreamWriter).__del__:pytest.PytestUnraisableExceptionWarning"
)


class Services:
    """Leave signs of life for the services that do not run here."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.alive = set(REQUIRED)

    async def live(self) -> None:
        signs = {name: Signs(name, "test", every=0.0) for name in REQUIRED}
        while True:
            async with self._pool.acquire() as connection:
                for name in sorted(self.alive):
                    await signs[name].give(connection, "leading" if name == "incidents" else "working")
            await asyncio.sleep(0.1)


class Alerts:
    def __init__(self, path: Path) -> None:
        self._path = path

    def told(self) -> list[tuple[str, str]]:
        """(phase, parts and why) of each alert."""
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        said: list[dict[str, Any]] = [json.loads(line) for line in lines]
        assert {one["kind"] for one in said} <= {"platform"}
        return [(one["phase"], one["title"]) for one in said]

    async def until(self, holds: Callable[[list[tuple[str, str]]], bool]) -> None:
        try:
            await until(lambda: holds(self.told()))
        except AssertionError:
            raise AssertionError(self.told()) from None


@asynccontextmanager
async def together(*works: Any) -> AsyncIterator[list["asyncio.Task[None]"]]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def answered(url: str) -> AsyncIterator[None]:
    """Once the API answers: what watches from then on has not seen its start."""
    async with httpx.AsyncClient(base_url=url) as client:
        while True:
            with suppress(httpx.HTTPError):
                await client.get("/healthz", timeout=60)
                break
            await asyncio.sleep(0.05)
    yield


def opened(part: str) -> Callable[[list[tuple[str, str]]], bool]:
    return lambda told: any(phase == "opened" and part in title for phase, title in told)


def closed(part: str) -> Callable[[list[tuple[str, str]]], bool]:
    return lambda told: any(phase == "closed" and part in title for phase, title in told)


@pytest.fixture
def config(database: str, tansu: Tansu, tmp_path: Path) -> WatchConfig:
    return WatchConfig(
        database_url=database,
        kafka_servers=tansu.servers,
        api_url=f"http://127.0.0.1:{find_free_port()}",
        pace=Pace(limit=6.0, every=0.3, ask=1.0, signs=0.1),
        log_path=tmp_path / "alerts.jsonl",
        language="en",
    )


async def test_each_part_that_dies_is_told_once_and_once_when_it_is_back(
    config: WatchConfig, pool: Pool, database: str, tansu: Tansu, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    port = int(config.api_url.rpartition(":")[2])
    api = ApiConfig(database_url=database, admin_token_file=token, port=port)
    services, alerts, stop = Services(pool), Alerts(tmp_path / "alerts.jsonl"), asyncio.Event()
    await pool.execute("INSERT INTO consumer_offset VALUES ('judge', 'milepost.live', 0, 'another', 5, 1, 'x')")
    async with (
        together(serve_api(api, stop), services.live()) as (serving, _),
        answered(config.api_url),
        together(watch.run(config, asyncio.Event())),
    ):
        services.alive.discard("judge")
        await alerts.until(opened("the judge"))
        services.alive.add("judge")
        await alerts.until(closed("the judge"))
        tansu.freeze()
        stop.set()
        await serving
        await alerts.until(opened("Kafka"))
        await alerts.until(opened("console and API"))
        tansu.thaw()
        await alerts.until(closed("Kafka"))
        told = alerts.told()
    assert len(told) == len(set(told)), "nothing is told twice"
    assert await pool.fetchval("SELECT count(*) FROM log_end") == 1
    assert await pool.fetchval("SELECT role FROM service_sign WHERE service = 'watch'") == "working"


async def test_an_incident_process_that_lives_and_does_not_move_is_told(config: WatchConfig, pool: Pool) -> None:
    """Its signs of life go on; only its place in what the judges wrote shows it."""
    services, alerts = Services(pool), Alerts(config.log_path or Path())
    await write_clocks(pool, range(1))
    await write_transition(pool, "A", "online", "offline")
    async with together(services.live(), watch.run(config, asyncio.Event())):
        await alerts.until(opened("the incident process"))


async def test_without_its_database_it_still_tells(config: WatchConfig, pool: Pool, database: str) -> None:
    away = f"{database}_that_is_not_there"
    alerts = Alerts(config.log_path or Path())
    async with together(watch.run(WatchConfig(**{**_fields(config), "database_url": away}), asyncio.Event())):
        await alerts.until(opened("the database"))


def _fields(config: WatchConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__struct_fields__}


async def test_the_dead_mans_switch_hears_while_all_is_well_and_nothing_else(
    config: WatchConfig, pool: Pool, tmp_path: Path
) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):  # also when the test ends before the line has come
            heard.append(await reader.readline())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()

    services = Services(pool)
    async with await asyncio.start_server(listen, "127.0.0.1", 0) as elsewhere:
        port = elsewhere.sockets[0].getsockname()[1]
        given = {**_fields(config), "deadman_url": f"http://127.0.0.1:{port}/ping", "deadman_every": 0.0}
        well = WatchConfig(**{**given, "api_url": f"http://127.0.0.1:{port}"})
        async with together(services.live(), watch.run(well, asyncio.Event())):
            await until(lambda: sum(b"/ping" in line for line in heard) >= 2)
            services.alive.discard("deliver")
            await Alerts(tmp_path / "alerts.jsonl").until(opened("the sending of alerts"))
            pings = sum(b"/ping" in line for line in heard)
            looks = len(heard)
            await until(lambda: len(heard) >= looks + 3)
            assert sum(b"/ping" in line for line in heard) == pings
