"""The agent of docs/contract.md, run as a reader would run it, against `milepost up`: it keeps the contract through
a kill, a restart, a broker that goes away and a goodbye."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import paho.mqtt.client as mqtt
import pytest

from contract import asyncapi, codec
from contract.messages import Heartbeat, Status
from contract.reference import EXAMPLE
from contract.topics import parse_topic
from milepost.embedded import mqtt as mqtt_server
from tests import mqtt_clients
from tests.acceptance.stack import Stack, wait_until
from tests.servers import find_free_port

STATION = "6321220007"
EVERY = "1"
DECODERS: dict[str, Callable[[bytes], Any]] = {
    "heartbeat": codec.decode_heartbeat,
    "status": codec.decode_status,
    "data": codec.decode_data,
    "ack": codec.decode_ack,
}


class Agent:
    """The example as a process of its own."""

    def __init__(self, port: int, file: Path) -> None:
        self.file = file
        self._command = [sys.executable, str(EXAMPLE), STATION, "001", "127.0.0.1", str(port), str(file), EVERY]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.file.with_suffix(".err").open("ab") as said:
            self._process = subprocess.Popen(self._command, stderr=said)

    def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(10)
        self._process = None
        return status

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def waiting(self) -> int:
        with sqlite3.connect(self.file) as disk:
            count = disk.execute("SELECT count(*) FROM outbox").fetchone()[0]
        disk.close()
        return int(count)


class Listener:
    """Everything that travels under milepost/, as (channel, payload, retained)."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.subscribed = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "listener")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("milepost/v1/#", 1)
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_message = lambda _, __, message: self.heard.append(
            (parse_topic(message.topic).channel, message.payload, message.retain)
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self.subscribed.wait(10)

    def live(self) -> list[Heartbeat | Status]:
        """Heartbeats and statuses in the order of arrival, without what lay in the broker."""
        return [
            DECODERS[channel](payload)
            for channel, payload, retained in list(self.heard)
            if channel in ("heartbeat", "status") and not retained and payload
        ]

    def close(self) -> None:
        mqtt_clients.close(self._client)


class World:
    """A `milepost up`, and the broker that it brings or one that it is given."""

    def __init__(self, place: Path, kind: mqtt_server.Kind) -> None:
        self._place, self._port = place, find_free_port()
        self._process: subprocess.Popen[bytes] | None = None
        given = {"MILEPOST_MQTT_URL": f"mqtt://127.0.0.1:{self._port}"} if kind == "iotcore" else {}
        self.stack = Stack(place / "data", **given)
        if kind == "iotcore":
            self.stack.mqtt_port = self._port
            self._serve()
        self.stack.start()

    def _serve(self) -> None:
        command = mqtt_server.command(port=self._port, directory=self._place, kind="iotcore")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def restart_broker(self) -> None:
        """As after a crash: whatever it held is gone."""
        if self._process is None:
            self.stack.kill("mqtt")
            return
        self._end_broker()
        self._serve()

    def _end_broker(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        self.stack.end()
        self._end_broker()


@pytest.fixture(params=["mosquitto", "iotcore"])
def world(request: pytest.FixtureRequest, server_dir: Path) -> Iterator[World]:
    place = server_dir / f"docs-agent-{request.param}"
    place.mkdir(mode=0o755)
    world = World(place, request.param)
    yield world
    world.end()


@pytest.fixture
def stack(world: World) -> Stack:
    return world.stack


@pytest.fixture
def agent(stack: Stack, tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(stack.mqtt_port, tmp_path / "agent.db")
    yield agent
    agent.close()


@pytest.fixture
def listener(stack: Stack) -> Iterator[Listener]:
    listener = Listener(stack.mqtt_port)
    yield listener
    listener.close()


@pytest.mark.timeout(400)
def test_the_agent_of_the_documents_keeps_the_contract(world: World, agent: Agent, listener: Listener) -> None:
    stack = world.stack

    def verdict() -> str | None:
        return stack.verdicts().get(STATION)

    def incidents(status: str) -> list[str]:
        return [each["kind"] for each in stack.items("incidents", station=STATION, status=status)]

    agent.start()
    wait_until(lambda: verdict() == "online", 30, "it is not online")
    wait_until(lambda: agent.waiting() == 0, 30, "its records are not acknowledged")

    assert agent.end(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: verdict() == "offline", 60, "its end is not noticed")
    wait_until(lambda: incidents("open") == ["station_offline"], 30, "no incident says so")

    agent.start()
    wait_until(lambda: verdict() == "online", 30, "it does not come back")
    wait_until(lambda: incidents("open") == [], 60, "the incident stays open")
    assert incidents("closed") == ["station_offline"]

    listener.subscribed.clear()
    before = max(live.conn or 0 for live in listener.live() if live.run == 2)
    world.restart_broker()
    wait_until(listener.subscribed.is_set, 60, "the broker does not come back")
    wait_until(lambda: any((live.conn or 0) > before for live in listener.live()), 60, "it does not connect again")
    wait_until(lambda: verdict() == "online", 60, "it is not online again")
    # What it sent before the bridge was back is sent again after a minute.
    wait_until(lambda: agent.waiting() == 0, 130, "what it wrote meanwhile is not acknowledged")

    assert agent.end(signal.SIGTERM) == 0
    wait_until(lambda: verdict() == "away", 30, "its goodbye is not believed")

    _require_contract(listener)
    assert stack.items("deadletters") == []
    assert {each["kind"] for each in stack.items("incidents", station=STATION)} == {"station_offline"}
    acknowledged = _acknowledged(listener)
    assert acknowledged
    # An acknowledged record is in Kafka; ingest writes it soon after.
    wait_until(lambda: _stored(stack) >= acknowledged, 30, "what was acknowledged is not in the database")


def _require_contract(listener: Listener) -> None:
    """What was heard on the broker is what the codec and the published schema take, in the order that is promised."""
    document = asyncapi.document()
    for channel, payload, _ in listener.heard:
        if payload:
            DECODERS[channel](payload)
            schema = document["components"]["messages"][channel]["payload"]
            jsonschema.Draft7Validator({**document, **schema}).validate(json.loads(payload))
    for payload in (payload for channel, payload, _ in listener.heard if channel == "data"):
        for raw in codec.decode_data(payload).records:
            codec.decode_record(raw)

    live = listener.live()
    starts = {(each.run, each.boot) for each in live}
    assert {run for run, _ in starts} == {1, 2}
    assert len(starts) == len({boot for _, boot in starts}) == 2
    for run in (1, 2):
        numbers = [each.n for each in live if each.run == run and each.n is not None]
        assert numbers == sorted(set(numbers))
        connections = [each.conn for each in live if each.run == run and each.n is not None]
        assert connections == sorted(connections, key=lambda conn: conn or 0)
    lost = [each for each in live if isinstance(each, Status) and each.state == "lost"]
    assert [(each.run, each.conn, each.n) for each in lost] == [(1, 1, None)], "the kill's Last Will and no other"
    last = live[-1]
    assert isinstance(last, Status)
    assert (last.state, last.reason) == ("away", "shutdown")


def _stored(stack: Stack) -> set[tuple[str, int]]:
    return {(record["box"], record["id"]) for record in stack.items(f"stations/{STATION}/health")}


def _acknowledged(listener: Listener) -> set[tuple[str, int]]:
    found = set()
    for channel, payload, _ in listener.heard:
        if channel == "ack":
            ack = codec.decode_ack(payload)
            found |= {(ack.box, number) for first, last in ack.ids for number in range(first, last + 1)}
    return found
