"""Agents of earlier days, and connections of which only one end is left, against a real broker, log and database."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from agents.agent import AgentConfig
from agents.agent import run as run_agent
from alerting.liveness.service import JudgeConfig
from alerting.liveness.service import run as run_judge
from ingest.service import IngestConfig
from ingest.service import run as run_ingest
from store.pool import Pool
from tests.integration.bridge_kit import Terminal, heartbeat, records, running_bridge, unique
from tests.integration.incidents_kit import running, until
from tests.servers import Mosquitto, Tansu

VERDICT = "SELECT state || ' ' || coalesce(usable::text, 'not said') FROM station_state WHERE station = $1"

CONN = "SELECT coalesce(max(conn), 0)::int FROM terminal_state WHERE station = $1"
STORED = "SELECT count(*) >= $2::int FROM health WHERE station = $1"
MISSING = """
SELECT coalesce(sum(upper(range) - lower(range)), 0)::int
FROM (SELECT unnest(int8multirange(int8range(1, upper(seen))) - seen) AS range
      FROM record_box WHERE station = $1) AS gaps
"""


@pytest.fixture
async def stack(mosquitto: Mosquitto, tansu: Tansu, database: str) -> AsyncIterator[Mosquitto]:
    """The broker, with a bridge, the storage of records and the judge behind it."""
    common = {"database_url": database, "kafka_servers": tansu.servers, "instance": "test"}
    async with (
        running_bridge(mosquitto.url, tansu.servers),
        running(run_ingest, IngestConfig(**common)),
        running(run_judge, JudgeConfig(**common, auto_register=True)),
    ):
        yield mosquitto


async def test_an_agent_that_sends_only_what_is_required_is_online_and_loses_nothing(
    stack: Mosquitto, pool: Pool
) -> None:
    """Its client id has no random part, its heartbeats no `usable`, `conn`, `up` or `users`, its records no `up`."""
    station = unique()
    agent = Terminal(stack.url, client_id=f"{station}-001", subscribe=f"milepost/v1/{station}/001/ack")
    for number in (1, 2):
        agent.publish(f"milepost/v1/{station}/001/heartbeat", heartbeat(number)).wait_for_publish(20)
    await until(pool, VERDICT, "online not said", station)
    agent.publish(f"milepost/v1/{station}/001/data", records(1, 2, kind="health")).wait_for_publish(20)
    assert b'"ids":[[1,2]]' in (await agent.receive(60))[1]
    await until(pool, "SELECT count(*) FROM health WHERE station = $1", 2, station)
    goodbye = b'{"v":1,"boot":"b7","run":1,"at":1,"state":"away"}'
    agent.publish(f"milepost/v1/{station}/001/status", goodbye, retain=True).wait_for_publish(20)
    await until(pool, VERDICT, "away not said", station)
    agent.close()
    again = Terminal(stack.url, client_id=f"{station}-001")
    beat = heartbeat(1).replace(b'"b7"', b'"b8"').replace(b'"run":1', b'"run":2')
    again.publish(f"milepost/v1/{station}/001/heartbeat", beat).wait_for_publish(20)
    await until(pool, VERDICT, "online not said", station)
    again.close()
    assert await pool.fetchval("SELECT count(*) FROM dead_letter") == 0


class Line:
    """A TCP line to the broker. After `die`, the existing connections carry nothing, and neither side sees an end.
    Later connections work."""

    def __init__(self, port: int) -> None:
        self._far = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._dead = threading.Event()
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def die(self) -> None:
        dead, self._dead = self._dead, threading.Event()
        dead.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._far))
                self.pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink, self._dead), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, dead: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not dead.is_set():
                    sink.sendall(data)
            if not dead.is_set():
                sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()
        for pair in self.pairs:
            for one in pair:
                one.close()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    line = Line(port)
    try:
        yield line
    finally:
        line.close()


@asynccontextmanager
async def running_agent(config: AgentConfig) -> AsyncIterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_agent, args=(config, stop), name="agent under test")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(thread.join, 20)


async def test_a_session_of_which_only_the_broker_s_end_is_left_is_taken_over_without_loss(
    stack: Mosquitto, pool: Pool, tmp_path: Path
) -> None:
    """The agent keeps its client id, so its new connection ends the old one; nothing is lost, and nothing twice."""
    station = unique()
    with line_to(stack.port) as line:
        config = AgentConfig(
            station=station,
            broker=f"mqtt://127.0.0.1:{line.port}",
            data=tmp_path / "data",
            every=1,
            sample=1,
            resend_after=0.5,
            resend_at_most=1,
        )
        async with running_agent(config):
            await until(pool, CONN, 1, station)
            await until(pool, STORED, True, station, 3)
            line.die()
            written = await pool.fetchval("SELECT count(*) FROM health WHERE station = $1", station)
            await until(pool, CONN, 2, station)
            await until(pool, STORED, True, station, written + 5)
            await until(pool, MISSING, 0, station)
            await until(pool, "SELECT state FROM station_state WHERE station = $1", "online", station)
    assert (
        await pool.fetchval("SELECT count(*) - count(DISTINCT (box, id)) FROM health WHERE station = $1", station) == 0
    )
    connected = re.findall(rf"as ({station}-001-\w+) ", stack.log.read_text())
    assert (len(connected), len(set(connected))) == (2, 1)
    assert f"Client {connected[0]} already connected, closing old connection." in stack.log.read_text()
