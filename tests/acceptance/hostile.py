"""Senders that mean harm or are broken, each kind at a station of its own; what they send is bounded in rate.

Each is a generator: it sends through the `Wire` that it is given and yields the seconds until it goes on.
"""

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

import httpx
import paho.mqtt.client as mqtt

from agents.simulator.machine.garbage import LARGE, garbage
from contract.messages import MAX_PAYLOAD

EVERY = 10.0
Going = Iterator[float]


@dataclass
class Wire:
    """A connection to the MQTT broker, and where the API is."""

    mqtt_port: int
    http_port: int
    honest: list[str]
    random: Random
    client: mqtt.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = connected(self.mqtt_port, f"hostile-{secrets.token_hex(8)}")

    def send(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        self.client.publish(f"milepost/v1/{topic}", payload, qos=qos, retain=retain)

    def beat(self, station: str, terminal: str = "001", **fields: Any) -> None:
        body = {"v": 1, "boot": f"boot-{station}", "run": 1, "conn": 1, "n": 1, "at": now(), "every": EVERY}
        body = {name: value for name, value in (body | fields).items() if value is not None}
        self.send(f"{station}/{terminal}/heartbeat", json.dumps(body).encode())

    def records(self, station: str, box: str, *records: dict[str, Any], terminal: str = "001") -> None:
        body = {
            "v": 1,
            "boot": box,
            "run": 1,
            "at": now(),
            "up": time.monotonic(),
            "box": box,
            "records": list(records),
        }
        self.send(f"{station}/{terminal}/data", json.dumps(body).encode(), qos=1)


def connected(port: int, client_id: str) -> mqtt.Client:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id)
    client.reconnect_delay_set(1, 5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def now() -> int:
    return int(time.time() * 1000)


# -- identity and numbers --------------------------------------------------------------------------------------


def misnumbers(wire: Wire, station: str) -> Going:
    """Leaves out every other number within one connection."""
    n = 0
    while True:
        n += 2
        wire.beat(station, n=n)
        yield EVERY


def names_no_connection(wire: Wire, station: str) -> Going:
    """Says no `conn` on a line that breaks: numbers are missing, and nothing may be concluded."""
    n = 0
    while True:
        n += wire.random.choice((1, 1, 3, 7))
        wire.beat(station, n=n, conn=None)
        yield EVERY


def is_two(wire: Wire, station: str) -> Going:
    n = 0
    while True:
        n += 1
        for boot in ("one", "two"):
            wire.beat(station, boot=boot, n=n)
        yield EVERY


def is_set_back(wire: Wire, station: str) -> Going:
    """A machine that is restored from the same snapshot again and again."""
    while True:
        for n in range(1, 30):
            wire.beat(station, n=n)
            yield EVERY


def stands_still(wire: Wire, station: str) -> Going:
    while True:
        wire.beat(station, n=7)
        yield EVERY


def changes_its_promise(wire: Wire, station: str) -> Going:
    n = 0
    while True:
        n += 1
        wire.beat(station, n=n, every=wire.random.choice((1, 3600, 60)))
        yield 5


def says_goodbye_for_others(wire: Wire, station: str) -> Going:
    """Wills and goodbyes, retained too, of boots that are none of an honest neighbour."""
    while True:
        victim = wire.random.choice(wire.honest)
        for state, more in (("lost", {}), ("away", {"back_by": 2**62})):
            body = {"v": 1, "boot": "liar", "run": 0, "conn": 1, "n": 9, "at": now(), "state": state} | more
            wire.send(f"{victim}/001/status", json.dumps(body).encode(), qos=1, retain=wire.random.random() < 0.5)
        yield 10


# -- names without end -----------------------------------------------------------------------------------------


def invents_terminals(wire: Wire, station: str) -> Going:
    number = 0
    while True:
        for _ in range(10):
            number += 1
            wire.beat(station, f"{number % 10**8:08d}")
        yield 1


def invents_stations(wire: Wire, station: str) -> Going:
    number = 0
    while True:
        number += 1
        wire.beat(f"{station}-{number}", every=3600)
        yield 1


# -- messages --------------------------------------------------------------------------------------------------


def sends_garbage(wire: Wire, station: str) -> Going:
    while True:
        channel, payload = garbage(wire.random)
        wire.send(f"{station}/001/{channel}", payload)
        yield 1


def floods(wire: Wire, station: str) -> Going:
    """Five hundred broken messages in a burst, each minute."""
    while True:
        for _ in range(500):
            wire.send(f"{station}/001/heartbeat", b"{")
        yield 60


def is_large(wire: Wire, station: str) -> Going:
    """More than the bridge takes, and than the broker does, some of it retained."""
    while True:
        wire.send(f"{station}/001/data", LARGE, retain=True)
        wire.send(f"{station}/{wire.random.randrange(300):03d}/status", b"x" * (MAX_PAYLOAD + 1000), retain=True)
        yield 10


def records_edges(wire: Wire, station: str) -> Going:
    """Numbers at their edges, two inventories at once, times that run backwards."""
    number = 0
    wire.beat(station, every=3600)
    while True:
        number += 10
        big, at = 2**63 - 1, now()
        wire.records(
            station, f"edge-{number}",
            {"id": number, "kind": "usage", "at": at, "until": at - 10**6, "sessions": 5 * 10**18, "minutes": 5e18},
            {"id": number + 1, "kind": "usage", "at": at, "until": at, "sessions": big, "minutes": 1e308},
            {"id": number + 2, "kind": "inventory", "at": -(2**63), "model": "a", "agent": "1"},
            {"id": number + 3, "kind": "inventory", "at": big, "model": "b", "agent": "2"},
            {"id": number + 4, "kind": "health", "at": 0, "cpu": 1.0, "temp": 1e300, "services": {"": False}},
            {"id": number + 5, "kind": "presence", "at": big, "until": -(2**63), "usable": True},
            {"id": number + 6, "kind": "event", "at": at, "name": "e" * 200, "detail": {"x": [[[[1]]]]}},
        )  # fmt: skip
        yield 10


def reuses_ids(wire: Wire, station: str) -> Going:
    """The same record again with other content."""
    wire.beat(station, every=3600)
    while True:
        wire.records(station, "box-1", {"id": 1, "kind": "event", "at": 0, "name": f"e{wire.random.randrange(10**9)}"})
        yield 10


# -- connections -----------------------------------------------------------------------------------------------


def takes_client_ids(wire: Wire, station: str) -> Going:
    """Connects under the plain names of a bridge and of neighbours."""
    while True:
        for name in ("milepost-bridge-1", f"{wire.random.choice(wire.honest)}-001"):
            with suppress(OSError):
                client = connected(wire.mqtt_port, name)
                client.loop_stop()
                client.disconnect()
        yield 20


def says_nothing(wire: Wire, station: str) -> Going:
    """Hundreds of connections to the API that ask for nothing."""
    held: list[socket.socket] = []
    while True:
        for one in held:
            one.close()
        held.clear()
        for _ in range(300):
            with suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", wire.http_port), timeout=1))
        yield 90


def guesses_tokens(wire: Wire, station: str) -> Going:
    while True:
        for _ in range(5):
            with suppress(httpx.HTTPError):
                headers = {"Authorization": f"Bearer {secrets.token_hex(16)}"}
                httpx.get(f"http://127.0.0.1:{wire.http_port}/api/v1/stations", headers=headers, timeout=5)
        yield 5


KINDS: tuple[Callable[[Wire, str], Going], ...] = (
    misnumbers, names_no_connection, is_two, is_set_back, stands_still, changes_its_promise, says_goodbye_for_others,
    invents_terminals, invents_stations, sends_garbage, floods, is_large, records_edges, reuses_ids, takes_client_ids,
    says_nothing, guesses_tokens,
)  # fmt: skip


def station_of(kind: Callable[[Wire, str], Going]) -> str:
    return f"hostile-{kind.__name__.replace('_', '-')}"[:32]


def play(wire: Wire, seconds: float, senders: int = len(KINDS)) -> None:
    """Let so many senders act for `seconds`: one of each kind, then more of the first kinds at other stations."""
    going = [
        kind(wire, station_of(kind) if number < len(KINDS) else f"{station_of(kind)[:28]}-{number}")
        for number, kind in zip(range(senders), cycle(KINDS), strict=False)
    ]
    due = [(0.0, number) for number in range(len(going))]
    began = time.monotonic()
    while due:
        due.sort()
        at, number = due.pop(0)
        if at >= seconds:
            continue
        time.sleep(max(0.0, began + at - time.monotonic()))
        due.append((max(at, time.monotonic() - began) + next(going[number]), number))
    wire.client.loop_stop()
    wire.client.disconnect()
