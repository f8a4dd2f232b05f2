"""The bridge on one core: heartbeats a second that Kafka acknowledged, and what each part of the way costs.

`python -m bench.bench_bridge [--messages N] [--stations N] [--kafka apache|tansu]`. The bridge runs in a process of its
own, pinned to one core; Mosquitto, Kafka and the senders, who are processes too, share the others. A heartbeat's cost
is CPU time of the bridge's process, which other load on the machine hardly changes; messages a second is wall time.
"""

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gmqtt
import psutil
import uvloop

from broker.bridge import BridgeConfig, open_producer, run
from broker.metrics import Counters
from broker.relay import Relay
from broker.topics import ensure_topics
from broker.translate import Translator
from contract.codec import encode
from contract.messages import Heartbeat
from tests.servers import ApacheKafka, Mosquitto, Tansu, find_free_port, find_mosquitto, why_no_apache_kafka

PARTITIONS = 24
TARGET = 25_000
NATIONAL = 11_700
"""Messages a second of 700,000 points at a heartbeat a minute."""
SENDERS = 2


def topic(station: int) -> str:
    return f"milepost/v1/63{station:08d}/001/heartbeat"


def heartbeat(n: int) -> bytes:
    beat = Heartbeat(
        v=1, boot="b7f3c1e2", run=12, conn=3, n=n, at=1_795_412_345_678, up=86400.5, every=60, usable=True, users=3
    )
    return encode(beat)


def messages(number: int, stations: int) -> list[tuple[str, bytes]]:
    return [(topic(i % stations), heartbeat(i // stations)) for i in range(number)]


# --- senders: raw packets, built before the clock starts


def _text(value: str) -> bytes:
    return struct.pack("!H", len(value)) + value.encode()


def _packet(kind: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (128 if rest else 0))
        if not rest:
            return bytes([kind]) + bytes(length) + body


def send(port: int, number: int, stations: int, rate: int, name: str) -> None:
    """One sender: prints that it is ready, waits for a line, sends, and waits for the broker; rate 0: at full speed."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(_packet(0x10, _text("MQTT") + b"\x04\x02\x00\x3c" + _text(name)))
        sock.recv(4)
        packets = [_packet(0x30, _text(where) + what) for where, what in messages(number, stations)]
        step = max(1, rate // 100) if rate else number
        blocks = [b"".join(packets[first : first + step]) for first in range(0, number, step)]
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.monotonic()
        for turn, block in enumerate(blocks):
            time.sleep(max(0.0, began + turn * 0.01 - time.monotonic()))
            sock.sendall(block)
        sock.sendall(b"\xc0\x00")  # a PINGREQ is answered when everything before it was read
        sock.recv(2)


class Senders:
    """Processes that together send `number` heartbeats at `rate` a second once they are started; 0: at full speed."""

    def __init__(self, port: int, number: int, stations: int, rate: int = 0) -> None:
        share = (str(number // SENDERS), str(stations), str(rate // SENDERS))
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.bench_bridge", "--send", str(port), *share, f"sender-{i}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for i in range(SENDERS)
        ]
        for process in self._processes:
            assert process.stdout is not None
            process.stdout.readline()

    def go(self) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()

    def close(self) -> None:
        for process in self._processes:
            process.communicate(timeout=120)


# --- the whole bridge


def read_counter(port: int, name: str) -> int:
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"milepost_bridge_{name}") and not line.startswith("#"):
                return int(float(line.split()[-1]))
    raise LookupError(name)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the bridge did not carry everything")
        time.sleep(0.05)


@contextmanager
def bridge_process(mqtt: str, kafka: str, idempotent: bool) -> Iterator[tuple[psutil.Process, int]]:
    """A bridge that is connected, on the first core; gives its process and metrics port."""
    port = find_free_port()
    command = [sys.executable, "-m", "bench.bench_bridge", "--serve", mqtt, kafka, str(port), str(int(idempotent))]
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: answers(port) and read_counter(port, "ticks_total") > 2, 30)
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        process.wait(20)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def serve(mqtt: str, kafka: str, port: int, idempotent: bool) -> None:
    import signal

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(BridgeConfig(mqtt_url=mqtt, kafka_servers=kafka, metrics_port=port, idempotent=idempotent), stop)


def pin(core: int) -> None:
    available = sorted(os.sched_getaffinity(0))
    if len(available) > 1:
        os.sched_setaffinity(0, {available[core % len(available)]})


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def whole(
    mqtt: Mosquitto, kafka: str, number: int, stations: int, idempotent: bool, rate: int = 0
) -> tuple[float, float]:
    """CPU µs a heartbeat and heartbeats a second, from the first sent to the last acknowledged by Kafka."""
    with bridge_process(mqtt.url, kafka, idempotent) as (process, port):
        senders = Senders(mqtt.port, number, stations, rate)
        wait_for(lambda: read_counter(port, "waiting_messages") == 0)
        received, used, began = read_counter(port, "received_total"), cpu(process), time.monotonic()
        senders.go()
        wait_for(
            lambda: (
                read_counter(port, "received_total") - received >= number // SENDERS * SENDERS
                and read_counter(port, "waiting_messages") == 0
            )
        )
        seconds, used = time.monotonic() - began, cpu(process) - used
        senders.close()
    return used / number * 1e6, number / seconds


# --- the parts, fed with messages that are already here


def translating(feed: Sequence[tuple[str, bytes]]) -> float:
    """CPU µs a heartbeat of reading and splicing only."""
    translator = Translator(shard="main", start="s", partitions=PARTITIONS)
    began = time.process_time()
    for number, (where, what) in enumerate(feed):
        translator.translate(where, what, retain=False, received=1_795_412_345_678 + number // 100, mono=number // 100)
    return (time.process_time() - began) / len(feed) * 1e6


async def pipeline(kafka: str, feed: Sequence[tuple[str, bytes]], idempotent: bool) -> float:
    """CPU µs a heartbeat from `Relay.take` to Kafka's acknowledgement, without MQTT."""
    config = BridgeConfig(mqtt_url="mqtt://none", kafka_servers=kafka, idempotent=idempotent)
    counters = Counters()
    producer = open_producer(config)
    await producer.start()
    try:
        relay = Relay(config, producer, PARTITIONS, counters)
        began = time.process_time()
        for first in range(0, len(feed), 250):  # as many as come in one read from a socket
            for where, what in feed[first : first + 250]:
                relay.take(where, what, False)
            await asyncio.sleep(0)
        await relay.outbox.drain()
        used = time.process_time() - began
        await relay.outbox.close()
    finally:
        await producer.stop()
    return used / len(feed) * 1e6


async def receiving(mqtt: Mosquitto, number: int, stations: int) -> float:
    """CPU µs a heartbeat of gmqtt with a handler that only counts."""
    got, number = 0, number // SENDERS * SENDERS
    complete = asyncio.Event()

    def count(*_: Any) -> None:
        nonlocal got
        got += 1
        if got == number:
            complete.set()

    client = gmqtt.Client("bench-receiver")
    client.on_message = count
    await client.connect(mqtt.host, mqtt.port)
    client.subscribe("milepost/#", qos=1)
    senders = await asyncio.to_thread(Senders, mqtt.port, number, stations)
    began = time.process_time()
    senders.go()
    await asyncio.wait_for(complete.wait(), 120)
    used = time.process_time() - began
    await client.disconnect()
    await asyncio.to_thread(senders.close)
    return used / number * 1e6


def in_a_process(part: str, *arguments: object) -> float:
    """A part measured in a process of its own, pinned like the bridge."""
    command = [sys.executable, "-m", "bench.bench_bridge", "--part", part, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return float(done.stdout.decode().split()[-1])


def run_part(name: str, where: str, number: int, stations: int, idempotent: bool) -> float:
    pin(0)
    if name == "translate":
        return translating(messages(number, stations))
    if name == "pipeline":
        return uvloop.run(pipeline(where, messages(number, stations), idempotent))
    receiver = Mosquitto.__new__(Mosquitto)  # one that already runs
    receiver.host, receiver.port = "127.0.0.1", int(where)
    return uvloop.run(receiving(receiver, number, stations))


# --- the table


@contextmanager
def servers(kind: str | None) -> Iterator[tuple[Mosquitto, Tansu | ApacheKafka]]:
    directory = Path(tempfile.mkdtemp(prefix="bench-bridge-"))
    unlimited = ("allow_anonymous true", "max_queued_messages 0", "max_queued_bytes 0")
    mosquitto = Mosquitto(directory / "mosquitto", unlimited)
    missing = why_no_apache_kafka() if kind != "tansu" else "not asked for"
    kafka = Tansu(directory / "tansu") if missing else ApacheKafka(directory / "kafka", heap="768m")
    try:
        mosquitto.start()
        kafka.start()
        asyncio.run(ensure_topics(kafka.servers, PARTITIONS, 1))
        yield mosquitto, kafka
    finally:
        mosquitto.kill()
        kafka.kill()
        shutil.rmtree(directory, ignore_errors=True)


def measure(number: int, stations: int, rounds: int, kind: str | None) -> None:
    with servers(kind) as (mosquitto, kafka):
        safe = isinstance(kafka, ApacheKafka)
        rest = (number, stations, int(safe))
        parts = [
            ("translate: read, judge, splice", in_a_process("translate", "-", *rest)),
            ("+ batches and Kafka, no MQTT", in_a_process("pipeline", kafka.servers, *rest)),
            ("gmqtt alone", in_a_process("receive", mosquitto.port, *rest)),
        ]
        national, _ = whole(mosquitto, kafka.servers, NATIONAL * 8, stations, safe, NATIONAL)
        results = [whole(mosquitto, kafka.servers, number, stations, safe) for _ in range(rounds)]
    cost = statistics.median(used for used, _ in results)
    rate = statistics.median(speed for _, speed in results)
    broker = "Apache Kafka, idempotent" if safe else "Tansu"
    load = f"{number:,} heartbeats of {stations:,} stations, {PARTITIONS} partitions"
    print(f"bridge: {load}, {broker}, {os.cpu_count()} cores")
    print(f"{'part':<44}{'µs CPU':>8}{'messages/s':>14}")
    for name, used in parts:
        print(f"{name:<44}{used:>8.1f}{1e6 / used:>14,.0f}")
    print(f"{'the whole bridge, one core by its CPU':<44}{cost:>8.1f}{1e6 / cost:>14,.0f}")
    print(f"{'the whole bridge, sent to acknowledged':<44}{'':>8}{rate:>14,.0f}")
    share = national * NATIONAL / 1e6
    print(f"{f'at a steady {NATIONAL:,} messages/s':<44}{national:>8.1f}{share:>13.0%} of a core")
    verdict = "reached" if 1e6 / cost >= TARGET else "MISSED"
    print(f"{'target, one core':<44}{'':>8}{TARGET:>14,.0f}  {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--stations", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kafka", choices=("apache", "tansu"), help="default: Apache Kafka where Java and Maven are")
    for hidden in ("--serve", "--send", "--part"):
        parser.add_argument(hidden, nargs="+", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.serve:
        pin(0)
        mqtt, kafka, port, idempotent = told.serve
        uvloop.run(serve(mqtt, kafka, int(port), idempotent == "1"))
    elif told.send:
        *numbers, name = told.send
        pin(1)
        port, number, stations, rate = map(int, numbers)
        send(port, number, stations, rate, name)
    elif told.part:
        name, where, number, stations, idempotent = told.part
        print(run_part(name, where, int(number), int(stations), idempotent == "1"))
    elif find_mosquitto() is None:
        print("bridge: skipped, Mosquitto is missing: install mosquitto")
    else:
        measure(told.messages, told.stations, told.rounds, told.kafka)


if __name__ == "__main__":
    main()
