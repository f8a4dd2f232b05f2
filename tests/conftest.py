"""Real servers for the tests: each starts once per run, on a free loopback port, in a directory of its own."""

import asyncio
import gc
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from broker.topics import ensure_topics
from milepost.embedded import postgres
from store.migrate import migrate
from store.pool import Pool, open_pool
from tests.kept_logging import kept_logging
from tests.memory import use_memory
from tests.servers import (
    ApacheKafka,
    IotCore,
    Mosquitto,
    Tansu,
    find_free_port,
    find_mosquitto,
    mqtt_server,
    why_no_apache_kafka,
)
from tests.skips import pytest_terminal_summary  # noqa: F401 -- a hook
from tests.timescale_server import timescale_url  # noqa: F401 -- a fixture

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("milepost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("milepost")

use_memory()

# What commands and programs print follows the locale, and tests compare it; those about languages set their own.
os.environ["LC_ALL"] = "C.UTF-8"
os.environ.pop("LANGUAGE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests come first, or at the end one worker would run them while the others have nothing to do."""
    longest: dict[Path, float] = {}
    for item in items:
        allowed = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0), allowed.args[0] if allowed is not None else 0)
    items.sort(key=lambda item: -longest[item.path])


def pytest_collection_finish() -> None:
    """What the collector has to look through is what the tests made, not the thousands of tests themselves."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """Commands that run in this process send the log to their stderr, which is closed after the test."""
    with kept_logging():
        yield


FAST = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200",
    "max_wal_size=128MB", "min_wal_size=32MB",  # the log lies in memory
)  # fmt: skip
"""Options of a PostgreSQL whose data is not needed after the tests."""


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on {port}")


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """A directory that a service user can reach, which pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="milepost-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_dir: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server: MILEPOST_TEST_DATABASE_URL, or the wheel's."""
    given = os.environ.get("MILEPOST_TEST_DATABASE_URL")
    if given:
        yield given
        return
    port = find_free_port()
    cluster = postgres.prepare(server_dir / "postgres", port=port, options=FAST)
    with (server_dir / "postgres.log").open("wb") as log:
        process = subprocess.Popen(
            cluster.command, user=cluster.run_as, cwd="/", stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for_port(port, process)
        yield cluster.url
    finally:
        process.send_signal(2)
        process.wait(timeout=20)


def database_url(server: str, name: str) -> str:
    return server.rpartition("/")[0] + "/" + name


async def _ready(server: str) -> asyncpg.Connection:
    for _ in range(100):
        try:
            return await asyncpg.connect(server)
        except (asyncpg.CannotConnectNowError, OSError):
            await asyncio.sleep(0.05)
    raise TimeoutError(server)


@pytest.fixture
async def template(postgres_server: str) -> str:
    """The name of a migrated database that each test clones; made by the first test that asks."""
    name = f"milepost_template_{os.getpid()}"
    admin = await _ready(postgres_server)
    try:
        if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return name
        await admin.execute(f"CREATE DATABASE {name}")
    finally:
        await admin.close()
    connection = await asyncpg.connect(database_url(postgres_server, name))
    try:
        await migrate(connection)
    finally:
        await connection.close()
    await _close_template(postgres_server, name)
    return name


_LEAVE = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1"


async def _close_template(server: str, name: str) -> None:
    """Only a database that nobody is in can be cloned; TimescaleDB's scheduler would come in by itself."""
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        for _ in range(200):
            if not await admin.fetchval(_LEAVE, name):
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(name)
    finally:
        await admin.close()


_counter = iter(range(1_000_000))


@pytest.fixture
async def database(postgres_server: str, template: str) -> AsyncIterator[str]:
    """The URL of a migrated database of this test's own."""
    name = f"milepost_{os.getpid()}_{next(_counter)}"
    admin = await _ready(postgres_server)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield database_url(postgres_server, name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with open_pool(database, name="test", size=4) as opened:
        yield opened


@pytest.fixture
def mqtt_broker(server_dir: Path) -> Iterator[Mosquitto | IotCore]:
    """An MQTT broker of this test's own, without retained messages: Mosquitto, or the wheel's where that is missing."""
    with mqtt_server(Path(tempfile.mkdtemp(prefix="mqtt-", dir=server_dir))).running() as broker:
        yield broker


@pytest.fixture
def mosquitto(server_dir: Path) -> Iterator[Mosquitto]:
    """A Mosquitto of this test's own."""
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is missing: install mosquitto")
    with Mosquitto(Path(tempfile.mkdtemp(prefix="mosquitto-", dir=server_dir))).running() as broker:
        yield broker


def create_topics(servers: str, partitions: int) -> None:
    """Create Milepost's topics from synchronous code, whatever event loop is about."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(ensure_topics(servers, partitions, 1))).result(timeout=60)


PARTITIONS = 4
"""Partitions of the topics in the test servers."""


@pytest.fixture(scope="session")
def kafka_servers(server_dir: Path) -> Iterator[str]:
    """The 127.0.0.1:PORT of a Kafka-protocol broker with the topics, one for all tests: tell yours by station ids."""
    with Tansu(server_dir / "tansu").running() as broker:
        create_topics(broker.servers, PARTITIONS)
        yield broker.servers


@pytest.fixture
def tansu(server_dir: Path) -> Iterator[Tansu]:
    """A Kafka-protocol broker of this test's own, to be killed and stopped, with the topics in it."""
    with Tansu(Path(tempfile.mkdtemp(prefix="tansu-", dir=server_dir))).running() as broker:
        create_topics(broker.servers, PARTITIONS)
        yield broker


@pytest.fixture(scope="session")
def _apache_kafka_server(server_dir: Path) -> Iterator[ApacheKafka]:
    if missing := why_no_apache_kafka():
        pytest.skip(missing)
    with ApacheKafka(server_dir / "kafka").running() as broker:
        create_topics(broker.servers, PARTITIONS)
        yield broker


@pytest.fixture
def apache_kafka(_apache_kafka_server: ApacheKafka) -> Iterator[ApacheKafka]:
    """Apache Kafka with the topics in it, one for all tests; a test may kill, freeze and start it."""
    broker = _apache_kafka_server
    if broker.process is None:
        broker.start()
    yield broker
    if broker.process is not None:
        broker.thaw()
