"""The database and Kafka away: one pipeline_blind, nothing lost, nothing stuck."""

import asyncio
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer

from alerting.delivery import service as deliver
from alerting.delivery.service import DeliverConfig
from alerting.incident_process import service as incidents
from alerting.incident_process.service import IncidentsConfig
from contract.log import TRANSITIONS, TransitionEntry
from milepost.embedded import postgres
from store.migrate import migrate
from store.pool import Pool, open_pool
from tests.acceptance.stack import lives
from tests.conftest import wait_for_port
from tests.integration.incidents_kit import add_station, judging, running, until, write_transition
from tests.integration.incidents_kit import incidents as stored
from tests.servers import Tansu, find_free_port

OPEN = "SELECT count(*) FROM incident WHERE status <> 'closed'"
CLOSED = "SELECT count(*) FROM incident WHERE status = 'closed'"


class Database:
    """A PostgreSQL of this test's own, to be frozen and killed."""

    def __init__(self, directory: Path) -> None:
        directory.chmod(0o755)
        self.port = find_free_port()
        self._cluster = postgres.prepare(directory / "postgres", port=self.port, options=("fsync=off",))
        self.url = self._cluster.url
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._cluster.command, user=self._cluster.run_as, cwd="/", stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        wait_for_port(self.port, self._process)

    def signal(self, number: int) -> list[psutil.Process]:
        """To the server and all its backends, which have process groups of their own; returns these processes."""
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        server.suspend()  # it starts no other backend meanwhile
        found = [server, *server.children()]
        for process in reversed(found):
            with suppress(psutil.NoSuchProcess):  # a backend may have ended meanwhile
                process.send_signal(number)
        return found

    def kill(self) -> None:
        """A backend that is still there would keep the next server from starting, so all ends are waited for."""
        assert self._process is not None
        killed = self.signal(signal.SIGKILL)
        self._process.wait()
        while any(map(lives, killed)):
            time.sleep(0.01)


@pytest.fixture
async def own(server_dir: Path) -> AsyncIterator[Database]:
    directory = Path(tempfile.mkdtemp(prefix="incidents-", dir=server_dir))
    database = Database(directory)
    database.start()
    connection = await _connect(database.url)
    await migrate(connection)
    await connection.close()
    yield database
    database.signal(signal.SIGCONT)
    database.kill()


async def _connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    while True:
        try:
            return await asyncpg.connect(url)
        except (asyncpg.CannotConnectNowError, OSError):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_a_database_away_for_12_seconds_is_one_incident(own: Database, tmp_path: Path, how: str) -> None:
    """No judge is there to notice; the incident process measures it itself, and tells it once.

    It is away for longer than a session may say nothing, so that a thawed server ends the leader's at once.
    """
    log = tmp_path / "log"
    async with (
        open_pool(own.url, name="test") as pool,
        running(incidents.run, IncidentsConfig(database_url=own.url, poll=0.1, idle_poll=0.1, frozen_after=5)),
        running(deliver.run, DeliverConfig(database_url=own.url, log_path=log, poll=0.1)),
    ):
        await add_station(pool, "A")
        async with judging(pool, range(3)):
            await write_transition(pool, "A", "online", "offline")
            await until(pool, OPEN, 1)
        began = time.time()
        own.signal(signal.SIGSTOP) if how == "frozen" else own.kill()
        await asyncio.sleep(12)
        own.signal(signal.SIGCONT) if how == "frozen" else own.start()
        await (await _connect(own.url)).close()
        async with open_pool(own.url, name="test") as pool, judging(pool, range(3)):
            await until(pool, CLOSED, 1)
            await write_transition(pool, "A", "offline", "online")
            await until(pool, CLOSED, 2)
            found = [row for row in await stored(pool) if row["kind"] == "pipeline_blind"]
            assert len(found) == 1
            assert "database_hung" in found[0]["detail"]["causes"]
            assert abs(found[0]["began_at"].timestamp() - began) < 5
            settled = "SELECT count(*) FROM delivery WHERE status IN ('sent', 'cancelled')"
            await until(pool, settled, await _told(pool))
    phases = [
        line["phase"] for line in map(json.loads, log.read_text().splitlines()) if line["kind"] == "pipeline_blind"
    ]
    assert phases in (["passed"], ["opened", "closed"]), "what was over before it was told is told once"
    assert len(log.read_text().splitlines()) == len(set(log.read_text().splitlines()))


async def _told(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM notification")
    return count


async def test_a_frozen_database_does_not_keep_them_from_ending(own: Database, tmp_path: Path) -> None:
    stop = asyncio.Event()
    services = [
        asyncio.create_task(
            incidents.run(IncidentsConfig(database_url=own.url, instance=name, standby_poll=0.05), stop)
        )
        for name in ("one", "two")
    ]
    services += [
        asyncio.create_task(deliver.run(DeliverConfig(database_url=own.url, log_path=tmp_path / "l", poll=0.05), stop)),
    ]
    async with open_pool(own.url, name="test") as pool:
        signs = "SELECT string_agg(role, ' ' ORDER BY role) FROM service_sign"
        await until(pool, signs, "leading standby working")
    own.signal(signal.SIGSTOP)
    stop.set()
    done, _ = await asyncio.wait(services, timeout=15)
    assert len(done) == 3
    assert [task.exception() for task in done] == [None] * 3


# ---- publishing


async def consume(servers: str, stations: set[str], count: int) -> list[TransitionEntry]:
    """The first `count` entries of these stations."""
    import msgspec

    consumer = AIOKafkaConsumer(TRANSITIONS, bootstrap_servers=servers, auto_offset_reset="earliest")
    found: list[TransitionEntry] = []
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            while len(found) < count:
                batches = await consumer.getmany(timeout_ms=200)
                for record in (record for batch in batches.values() for record in batch):
                    entry = msgspec.json.decode(record.value, type=TransitionEntry)
                    if entry.station in stations:
                        assert record.key == entry.station.encode()
                        found.append(entry)
    finally:
        await consumer.stop()
    return found


async def test_transitions_are_published_in_order(pool: Pool, database: str, kafka_servers: str) -> None:
    config = IncidentsConfig(
        database_url=database, kafka_servers=kafka_servers, kafka_idempotent=False, poll=0.1, limit=3
    )
    for before, after in (("online", "offline"), ("offline", "online")) * 5:
        for partition, station in enumerate(("pub-a", "pub-b")):
            await write_transition(pool, station, before, after, partition=partition, terminal="001")
    async with running(incidents.run, config):
        await until(pool, "SELECT sum(seq)::int FROM stream_cursor WHERE reader = 'publish'", 20)
    found = await consume(kafka_servers, {"pub-a", "pub-b"}, 20)
    for partition, station in enumerate(("pub-a", "pub-b")):
        mine = [entry for entry in found if entry.station == station]
        assert [(entry.partition, entry.seq) for entry in mine] == [(partition, seq) for seq in range(1, 11)]
        assert (mine[0].before, mine[0].after, mine[0].terminal) == ("online", "offline", "001")


async def test_kafka_away_stops_no_incident_and_loses_nothing(pool: Pool, database: str, tansu: Tansu) -> None:
    config = IncidentsConfig(
        database_url=database, kafka_servers=tansu.servers, kafka_idempotent=False, poll=0.1, max_backoff=0.5
    )
    await add_station(pool, "pub-c")
    tansu.freeze()
    async with running(incidents.run, config):
        await write_transition(pool, "pub-c", "online", "offline")
        await until(pool, OPEN, 1)
        assert await pool.fetchval("SELECT count(*) FROM stream_cursor WHERE reader = 'publish'") == 0
        tansu.thaw()
        (entry, *_) = await consume(tansu.servers, {"pub-c"}, 1)
        assert (entry.seq, entry.after) == (1, "offline")
        await until(pool, "SELECT seq FROM stream_cursor WHERE reader = 'publish'", 1)
