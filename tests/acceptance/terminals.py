"""Terminals written from the wire contract alone: paho-mqtt and json, no module of Milepost."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterable
from typing import Any

import paho.mqtt.client as mqtt

from tests import mqtt_clients


class Terminal:
    """A terminal that beats every `every` seconds and keeps its records until an ack names them."""

    def __init__(self, port: int, station: str, terminal: str = "001", *, every: float = 2.0, run: int = 1) -> None:
        self.station, self.terminal, self.every, self.run = station, terminal, every, run
        self.boot = f"{random.getrandbits(32):08x}"
        self.client_id = f"{station}-{terminal}-{random.getrandbits(64):016x}"
        self.conn = self.n = 0
        self.began = time.monotonic()
        self.last_sent_at = 0.0
        self.usable = True
        self.outbox: dict[int, dict[str, Any]] = {}
        self.sent_ids: set[int] = set()
        self.acked_ids: set[int] = set()
        self._sent_at: dict[int, float] = {}
        self._next_id = 1
        self._lock = threading.Lock()
        self._port = port
        self._stop = threading.Event()
        self._client: mqtt.Client | None = None
        self._thread = threading.Thread(target=self._live, name=f"{station}-{terminal}", daemon=True)

    # -- what a test does with it ------------------------------------------------------------------------------

    def start(self) -> "Terminal":
        self._thread.start()
        return self

    def power_off(self) -> float:
        """Like a power cut: the socket dies without a DISCONNECT. Returns when it last beat (time.time)."""
        self._stop.set()
        self._thread.join()
        if self._client is not None and (sock := self._client.socket()) is not None:
            sock.close()
        return self.last_sent_at

    def move_to(self, port: int) -> None:
        """From now on it connects to the broker on another port; the connection that it has ends."""
        self._port = port
        if self._client is not None:
            self._client.disconnect()

    def record(self, kind: str = "health", *, numbered: str | None = None, **fields: Any) -> int:
        """Put a record into the outbox; returns its id, which the field `numbered` bears too."""
        with self._lock:
            number, self._next_id = self._next_id, self._next_id + 1
            if numbered is not None:
                fields[numbered] = number
            self.outbox[number] = {"id": number, "kind": kind, "at": now_ms(), "up": self.up(), **fields}
        return number

    def up(self) -> float:
        return round(time.monotonic() - self.began, 3)

    def topic(self, channel: str) -> str:
        return f"milepost/v1/{self.station}/{self.terminal}/{channel}"

    # -- its life ----------------------------------------------------------------------------------------------

    def _live(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError):
                self._connected()
            self._stop.wait(random.uniform(0, min(60.0, self.every)))

    def _connected(self) -> None:
        """One connection, until it breaks."""
        self.conn += 1
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=self.client_id)
        client.will_set(self.topic("status"), self._status("lost"), qos=1, retain=True)
        client.on_message = self._on_message
        client.connect("127.0.0.1", self._port, keepalive=30)
        self._client = client
        client.subscribe(self.topic("ack"), qos=1)
        beat_at = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            if client.is_connected() and now >= beat_at:
                self._beat(client)
                beat_at = max(beat_at + self.every, now)
            if client.is_connected():
                self._send_records(client, now)
            if client.loop(timeout=0.02) != mqtt.MQTT_ERR_SUCCESS:
                return

    def _beat(self, client: mqtt.Client) -> None:
        self.n += 1
        body = {
            "v": 1, "boot": self.boot, "run": self.run, "conn": self.conn, "n": self.n, "at": now_ms(),
            "up": self.up(), "every": self.every, "usable": self.usable,
        }  # fmt: skip
        client.publish(self.topic("heartbeat"), json.dumps(body), qos=0)
        self.last_sent_at = time.time()

    def _status(self, state: str) -> str:
        return json.dumps(
            {"v": 1, "boot": self.boot, "run": self.run, "conn": self.conn, "n": self.n, "state": state, "at": now_ms()}
        )

    def _send_records(self, client: mqtt.Client, now: float) -> None:
        with self._lock:
            due = [number for number in self.outbox if now - self._sent_at.get(number, -1e9) > 3.0][:50]
            if not due:
                return
            body = {
                "v": 1, "boot": self.boot, "run": self.run, "at": now_ms(), "up": self.up(), "box": self.boot,
                "records": [self.outbox[number] for number in due],
            }  # fmt: skip
            for number in due:
                self._sent_at[number] = now
                self.sent_ids.add(number)
        client.publish(self.topic("data"), json.dumps(body), qos=1)

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        ack = json.loads(message.payload)
        if ack["box"] != self.boot:
            return
        with self._lock:
            for low, high in ack["ids"]:
                for number in range(low, high + 1):
                    if self.outbox.pop(number, None) is not None:
                        self.acked_ids.add(number)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def start_fleet(port: int, count: int, *, every: float = 2.0, prefix: str = "63212200") -> list[Terminal]:
    return [Terminal(port, f"{prefix}{number:02d}", every=every).start() for number in range(count)]


def power_off(terminals: Iterable[Terminal]) -> None:
    for terminal in terminals:
        terminal.power_off()


def publish(port: int, topic: str, payload: bytes, *, retain: bool = False) -> None:
    """Publish one message as any MQTT client could, and wait until the broker has it."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)
    mqtt_clients.close(client)
