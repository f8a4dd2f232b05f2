"""One MQTT connection, from CONNECT to its end. Each connection is a new object, so that nothing is sent again."""

import logging
import ssl
import threading
import time
from typing import Any, Final, NamedTuple

from agents.config import Broker
from agents.lazy_import import import_lazily
from agents.mqtt.bounded_client import BoundedClient
from contract.errors import reason_of
from contract.refusal import RefusedError
from contract.topics import Topic, parse_topic

# paho asks it about proxies, which it only does with PySocks; it brings the mail and HTTP libraries along, over 1 MB.
with import_lazily("urllib", "request"):
    from paho.mqtt import client as paho
    from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

_log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 15.0
"""Seconds for the TCP connection; the same again for TLS, and again for the answer of the broker."""
SMALL: Final = 1024
"""Bytes up to which the time of a publish shows the latency of the link rather than its bandwidth."""


class Up(NamedTuple):
    """The broker accepted the connection."""


class Subscribed(NamedTuple):
    """The broker confirmed the subscriptions."""


class Carried(NamedTuple):
    """A QoS 1 publish of `size` bytes was acknowledged after `seconds`."""

    mid: int
    size: int
    seconds: float


class Arrived(NamedTuple):
    """A message for this terminal arrived."""

    channel: str
    payload: bytes
    retain: bool


class Lost(NamedTuple):
    """The connection is over; `why` is a text."""

    why: str


Event = Up | Subscribed | Carried | Arrived | Lost


class Will(NamedTuple):
    """The Last Will: what the broker publishes (QoS 1, retained) when the connection breaks."""

    topic: str
    payload: bytes


class Link:
    """A connection: being made, up, or lost. All methods belong to one thread; a second thread makes the connection."""

    def __init__(
        self,
        *,
        broker: Broker,
        tls: ssl.SSLContext | None,
        topic: Topic,
        client_id: str,
        keepalive: int,
        will: Will,
    ) -> None:
        self._broker, self._topic, self._keepalive = broker, topic, keepalive
        self._events: list[Event] = []
        self._sent: dict[int, tuple[int, float]] = {}
        self._pinged: float | None = None
        self._over = False
        self._failure: str | None = None
        self._began = time.monotonic()
        self.rtt_ms: float | None = None
        self.was_tried = False
        """Whether CONNECT went out: from then on the broker may know this connection."""
        self.heard = False
        """Whether anything came from the broker since this was last reset."""
        self._client = self._make_client(client_id, tls, will)
        self._thread = threading.Thread(target=self._connect, name="connect", daemon=True)

    def _make_client(self, client_id: str, tls: ssl.SSLContext | None, will: Will) -> BoundedClient:
        client = BoundedClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(100)  # cannot be set later, and a waiting status would leave a gap in n
        client.max_queued_messages_set(200)
        client.connect_timeout = CONNECT_SECONDS
        client.will_set(will.topic, will.payload, qos=1, retain=True)
        if self._broker.user:
            client.username_pw_set(self._broker.user, self._broker.password)
        if tls is not None:
            client.tls_set_context(tls)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_log = self._on_log
        return client

    def open(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def _connect(self) -> None:
        try:
            self._client.connect(self._broker.host, self._broker.port, self._keepalive)
            self.was_tried = True
        except Exception as exc:
            self._failure = _in_words(exc)
        if self._over:
            self._close_socket()

    def step(self, timeout: float, idle: threading.Event) -> list[Event]:
        """Let the connection work for at most `timeout` seconds (until `idle` is set, while it is being made)."""
        if self._thread.is_alive():
            idle.wait(min(timeout, 0.2))
        elif self._failure is not None:
            self._lose(self._failure)
        elif not self._over:
            self._loop(timeout)
        events, self._events = self._events, []
        return events

    def _loop(self, timeout: float) -> None:
        try:
            code = self._client.loop(timeout)
        except Exception as exc:
            # When the library cannot read what the broker sent, only this connection ends.
            code = MQTTErrorCode.MQTT_ERR_UNKNOWN
            self._lose(f"the MQTT library failed: {exc!r}")
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose(paho.error_string(code))
        elif not self._client.is_connected() and time.monotonic() - self._began > 3 * CONNECT_SECONDS:
            self._lose("the broker does not answer CONNECT")

    def _lose(self, why: str) -> None:
        if not self._over:
            self._over = True
            self._events.append(Lost(self._client.refusal or why))

    def publish(self, channel: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> int:
        """Hand a message to the connection; return its MQTT message id. Its arrival is reported as `Carried`."""
        topic = str(Topic(self._topic.station, self._topic.terminal, channel))
        now = time.monotonic()
        try:
            mid = self._client.publish(topic, payload, qos=qos, retain=retain).mid
        except Exception as exc:
            self._lose(f"the MQTT library failed: {exc!r}")
            return 0
        if qos:
            self._sent[mid] = (len(topic) + len(payload), now)
        return mid

    def subscribe(self, *channels: str) -> None:
        """Subscribe to these channels of the terminal with QoS 1."""
        topics = [(str(Topic(self._topic.station, self._topic.terminal, channel)), 1) for channel in channels]
        self._client.subscribe(topics)

    def say_goodbye(self, mid: int, seconds: float) -> bool:
        """Wait for the PUBACK of `mid`, then disconnect so that the Last Will does not fire."""
        deadline = time.monotonic() + seconds
        while mid in self._sent and not self._over and time.monotonic() < deadline:
            self._loop(0.1)
        arrived = mid not in self._sent
        self._client.disconnect()
        while not self._over and time.monotonic() < deadline:
            self._loop(0.1)
        return arrived

    def abandon(self) -> None:
        """Close the socket at once, without DISCONNECT unless `say_goodbye` sent it."""
        self._over = True
        client = self._client
        # The callbacks make a reference cycle; without them the library's sockets close at once.
        client.on_connect = client.on_disconnect = client.on_subscribe = None
        client.on_publish = client.on_message = client.on_log = None
        self._close_socket()

    def _close_socket(self) -> None:
        connection: Any = self._client.socket()
        if connection is not None:
            connection.close()

    def _on_connect(self, _client: object, _userdata: object, _flags: object, code: Any, _properties: object) -> None:
        if code.is_failure:
            self._lose(f"the broker refused us: {code}{_remedy(str(code))}")
        else:
            self.heard = True
            self._events.append(Up())

    def _on_disconnect(self, _c: object, _u: object, _flags: object, code: Any, _properties: object) -> None:
        self._lose(str(code))

    def _on_subscribe(self, _c: object, _u: object, _mid: int, codes: list[Any], _properties: object) -> None:
        if any(code.is_failure for code in codes):
            _log.warning("the broker refused a subscription: check its access rules for this user")
        self._events.append(Subscribed())

    def _on_publish(self, _c: object, _u: object, mid: int, _code: object, _properties: object) -> None:
        if mid not in self._sent:
            return
        size, began = self._sent.pop(mid)
        seconds = time.monotonic() - began
        self.heard = True
        if size <= SMALL:
            self.rtt_ms = seconds * 1000
        self._events.append(Carried(mid, size, seconds))

    def _on_message(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        self.heard = True
        try:
            channel = parse_topic(message.topic).channel
        except (RefusedError, UnicodeDecodeError):
            return
        self._events.append(Arrived(channel, bytes(message.payload), message.retain))

    def _on_log(self, _client: object, _userdata: object, _level: int, text: str) -> None:
        # The library reports its pings only in its log; without them a link without messages would look dead.
        if text == "Sending PINGREQ":
            self._pinged = time.monotonic()
        elif text == "Received PINGRESP":
            self.heard = True
            if self._pinged is not None:
                self.rtt_ms = (time.monotonic() - self._pinged) * 1000
                self._pinged = None


def _remedy(refusal: str) -> str:
    wrong = refusal.lower() in ("not authorized", "bad user name or password")
    return "; check the station's account and the password in MILEPOST_MQTT_PASSWORD_FILE" if wrong else ""


def _in_words(exc: Exception) -> str:
    text = reason_of(exc)
    return text if isinstance(exc, OSError) else f"{type(exc).__name__}: {text}"
