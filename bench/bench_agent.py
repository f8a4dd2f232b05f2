"""What the agent costs a small machine at rest: memory, processor, and bytes on the wire.

`python -m bench.bench_agent [--seconds N]`. Runs `milepost agent` twelve times as fast as in the field (a heartbeat
every 5 s instead of every minute, a sample every 25 s instead of every 5 minutes) for a minute, through a relay that
counts what passes; a server of the bench's own acknowledges the records. A minute of the bench is twelve in the field.
"""

import argparse
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from contract import codec
from contract.messages import Ack
from contract.topics import Topic
from tests import mqtt_clients
from tests.servers import Mosquitto

STATION, TERMINAL = "6321220007", "001"
SPEED = 12
EVERY, SAMPLE = 60 / SPEED, 300 / SPEED
SEGMENT = 52
"""Bytes of the IPv4 and TCP headers with timestamps; every segment is counted with one and its ACK with another."""
MEMORY_LIMIT, CPU_LIMIT, WIRE_LIMIT = 30.0, 0.3, 1.5


class Count(NamedTuple):
    """What has passed so far, both ways: bytes of MQTT, and segments as they were read."""

    payload: int
    segments: int

    @property
    def on_the_wire(self) -> int:
        return self.payload + self.segments * 2 * SEGMENT


class Relay:
    """A listener that passes everything on to the broker and counts it."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.count = Count(0, 0)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            near, _ = self._listener.accept()
            with near, socket.create_connection(("127.0.0.1", self._target)) as far:
                self._pass_on({near: far, far: near})

    def _pass_on(self, pairs: dict[socket.socket, socket.socket]) -> None:
        while True:
            for source in select.select(list(pairs), [], [])[0]:
                chunk = source.recv(65536)
                if not chunk:
                    return
                self.count = Count(self.count.payload + len(chunk), self.count.segments + 1)
                pairs[source].sendall(chunk)


class Acknowledger:
    """Stands for the bridge: acknowledges every record."""

    def __init__(self, port: int) -> None:
        self.records = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(str(Topic(STATION, TERMINAL, "data")), qos=1)
        self._client.loop_start()

    def _on_message(self, client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        data = codec.decode_data(bytes(message.payload))
        ids = [number for raw in data.records if (number := codec.record_id(raw)) is not None]
        self.records += len(ids)
        ack = Ack(v=1, box=data.box, ids=codec.ranges(ids))
        client.publish(str(Topic(STATION, TERMINAL, "ack")), codec.encode(ack), qos=1)

    def close(self) -> None:
        mqtt_clients.close(self._client)


class Result(NamedTuple):
    """Megabytes, percent of a core, and KB a minute at the field's pace."""

    memory: float
    cpu: float
    payload: float
    wire: float
    records: int


def measure(seconds: float) -> Result:
    with tempfile.TemporaryDirectory() as scratch:
        broker = Mosquitto(Path(scratch) / "broker")
        broker.start()
        server = Acknowledger(broker.port)
        relay = Relay(broker.port)
        agent = start_agent(relay.port, Path(scratch) / "data")
        try:
            return watch(agent, relay, server, seconds)
        finally:
            agent.terminate()
            agent.wait(timeout=20)
            server.close()
            broker.kill()


def start_agent(port: int, data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "milepost", "agent", "--station", STATION, "--terminal", TERMINAL]
    command += ["--broker", f"mqtt://127.0.0.1:{port}", "--data", str(data)]
    command += ["--every", str(EVERY), "--sample", str(SAMPLE), "--usable", "yes"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})


def watch(agent: subprocess.Popen[bytes], relay: Relay, server: Acknowledger, seconds: float) -> Result:
    """Let it settle, then look on for a while."""
    deadline = time.monotonic() + 30
    while server.records < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.records >= 2, "the agent sent no records"
    process = psutil.Process(agent.pid)
    before, used, began, records = relay.count, process.cpu_times(), time.monotonic(), server.records
    time.sleep(seconds)
    passed, now = time.monotonic() - began, process.cpu_times()
    minutes = passed / 60 * SPEED
    return Result(
        memory=process.memory_info().rss / 2**20,
        cpu=100 * (now.user + now.system - used.user - used.system) / passed,
        payload=(relay.count.payload - before.payload) / minutes / 1000,
        wire=(relay.count.on_the_wire - before.on_the_wire) / minutes / 1000,
        records=server.records - records,
    )


def table(result: Result) -> str:
    lines = [
        ("resident memory", result.memory, MEMORY_LIMIT, "MiB"),
        (f"processor, {SPEED} times the field's pace", result.cpu, CPU_LIMIT, "% of a core"),
        ("MQTT, both ways, at the field's pace", result.payload, WIRE_LIMIT, "KB/min"),
        ("with TCP/IP headers and ACKs", result.wire, WIRE_LIMIT, "KB/min"),
    ]
    rows = [f"{'what':42}{'measured':>10}{'limit':>8}  unit"]
    rows += [f"{what:42}{value:>10.2f}{limit:>8.1f}  {unit}" for what, value, limit, unit in lines]
    return "\n".join([*rows, f"{result.records} records were acknowledged meanwhile"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    print(table(measure(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
