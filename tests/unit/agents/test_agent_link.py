"""What a broker can make one connection of the agent hold."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from agents.config import Broker
from agents.mqtt.bounded_client import MAX_PACKET
from agents.mqtt.link import Arrived, Event, Link, Lost, Will
from contract.messages import MAX_PAYLOAD
from contract.topics import Topic

WELCOME = b"\x20\x02\x00\x00"
TOPIC = b"milepost/v1/6321220007/001/ack"


def publish(payload: bytes, *, qos: int = 0) -> bytes:
    body = len(TOPIC).to_bytes(2, "big") + TOPIC + (b"\x00\x01" if qos else b"") + payload
    return bytes([0x30 | qos << 1]) + length(len(body)) + body


def length(size: int) -> bytes:
    digits = []
    while size >= 128:
        digits.append(size % 128 | 128)
        size //= 128
    return bytes([*digits, size])


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


def answer(listener: socket.socket, said: bytes) -> None:
    """A broker that sends `said` to its first client and nothing more, until that client hangs up."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(said)
        while connection.recv(1024):
            pass


def hear(listener: socket.socket, said: bytes) -> list[Event]:
    """The events of a connection to such a broker, up to the first message or its end."""
    broker = threading.Thread(target=answer, args=(listener, said), daemon=True)
    broker.start()
    port = listener.getsockname()[1]
    link = Link(
        broker=Broker(host="127.0.0.1", port=port, tls=False, user=None, password=None),
        tls=None,
        topic=Topic("6321220007", "001", "heartbeat"),
        client_id="test",
        keepalive=60,
        will=Will("milepost/v1/6321220007/001/status", b"{}"),
    )
    link.open()
    events: list[Event] = []
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and not any(isinstance(event, Lost | Arrived) for event in events):
        events += link.step(0.1, threading.Event())
    link.abandon()
    broker.join(5)
    return events


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(b"\x30" + length(250_000_000), "250000000 bytes", id="250 MB are announced"),
        pytest.param(b"\x30" + length(MAX_PACKET + 1), f"{MAX_PACKET + 1} bytes", id="a byte too many is announced"),
        pytest.param(b"\x90" + length(1_000_000), "1000000 bytes", id="in a packet that is no message"),
        pytest.param(publish(b"{}", qos=2), "QoS 2", id="what only the broker could release"),
    ],
)
def test_too_much_costs_the_connection_before_it_is_read(listener: socket.socket, said: bytes, why: str) -> None:
    last = hear(listener, WELCOME + said)[-1]
    assert isinstance(last, Lost)
    assert why in last.why


def test_the_largest_payload_of_the_contract_arrives(listener: socket.socket) -> None:
    last = hear(listener, WELCOME + publish(b"x" * MAX_PAYLOAD))[-1]
    assert isinstance(last, Arrived)
    assert len(last.payload) == MAX_PAYLOAD
