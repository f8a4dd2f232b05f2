"""One connection to the MQTT broker, from CONNECT to its end.

gmqtt speaks the protocol. Its own reconnecting (every 6 seconds, with the old session) is switched off: each connection
is a new client with a clean session.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import gmqtt
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError
from gmqtt.storage import PersistentStorage

from broker.mqtt.address import MqttAddress

log = logging.getLogger(__name__)

# gmqtt logs whole packets, payloads and all.
logging.getLogger("gmqtt").setLevel(logging.CRITICAL + 1)

MQTT_5: Final = MQTTv50
MQTT_3: Final = MQTTv311
_KEEPALIVE: Final = 600
"""Seconds. The pulse notices a dead connection sooner; a socket that is not read on purpose must not count as dead."""
_NO_AUTO_RECONNECT: Final = -2
"""Any negative number but gmqtt's -1, which means for ever."""
_BAD_CREDENTIALS: Final = frozenset({4, 5, 134, 135})
_BAD_PROTOCOL: Final = frozenset({1, 132})
_TAKEN_OVER: Final = 0x8E
"""MQTT 5, DISCONNECT: another connection came with our client id."""

Subscription = tuple[str, int, bool]
"""(topic filter, QoS, whether the broker leaves out what this connection publishes)"""


class RefusedConnectionError(Exception):
    """The broker answered CONNECT with a refusal."""

    def __init__(self, code: int) -> None:
        super().__init__(str(MQTTConnectError(code)))
        self.is_login = code in _BAD_CREDENTIALS
        self.is_version = code in _BAD_PROTOCOL


class RefusedSubscriptionError(Exception):
    """The broker does not allow a subscription to `topic`."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


class _Unconfirmed(PersistentStorage):  # type: ignore[misc]  # gmqtt has no types
    """Counts the QoS 1 messages that the broker has not confirmed yet; calls `on_room` at each confirmation."""

    def __init__(self, on_room: Callable[[], None]) -> None:
        super().__init__()
        self._on_room = on_room

    def remove_message_by_mid(self, mid: int) -> None:
        super().remove_message_by_mid(mid)
        self._on_room()

    def __len__(self) -> int:
        return len(self._messages)


class MqttConnection:
    """A client with a clean session. Messages come by `on_message(topic, payload, retain)`.

    `on_room` is called when the broker confirmed a QoS 1 message, `on_taken_over` when it says that another client
    came with the same client id. While `reading` is not set the socket is not read. `closed` is set at the end.
    """

    def __init__(
        self,
        client_id: str,
        *,
        username: str | None,
        password: str | None,
        reading: asyncio.Event,
        on_message: Callable[[str, bytes, bool], None],
        on_room: Callable[[], None],
        on_taken_over: Callable[[], None],
    ) -> None:
        self._reading = reading
        self._on_message = on_message
        self._on_taken_over = on_taken_over
        self._unconfirmed = _Unconfirmed(on_room)
        self._most_unconfirmed = 20
        self._subscribed: asyncio.Future[bool] | None = None
        self.closed = asyncio.Event()
        self._client = self._new_client(client_id, username, password)

    def _new_client(self, client_id: str, username: str | None, password: str | None) -> Any:
        client = gmqtt.Client(client_id, clean_session=True, persistent_storage=self._unconfirmed)
        client.set_config({"reconnect_retries": _NO_AUTO_RECONNECT})
        if username is not None:
            client.set_auth_credentials(username, password)
        client.on_connect = self._connected
        client.on_message = self._message
        client.on_subscribe = self._suback
        client.on_disconnect = self._lost
        return client

    async def connect(self, address: MqttAddress, tls: ssl.SSLContext | bool, version: int) -> None:
        """Connect with MQTT_5 or MQTT_3. Raises OSError or RefusedConnectionError.

        gmqtt waits for ever when the broker hangs up without an answer: watch `closed` too.
        """
        try:
            await self._client.connect(address.host, address.port, ssl=tls, keepalive=_KEEPALIVE, version=version)
        except MQTTConnectError as exc:
            raise RefusedConnectionError(exc._code) from exc

    async def subscribe(self, subscriptions: Sequence[Subscription], version: int) -> None:
        """Subscribe to one after the other. Raises RefusedSubscriptionError."""
        for topic, qos, no_local in subscriptions:
            self._subscribed = asyncio.get_running_loop().create_future()
            self._client.subscribe(gmqtt.Subscription(topic, qos=qos, no_local=no_local and version == MQTT_5))
            if not await self._subscribed:
                raise RefusedSubscriptionError(topic)

    @property
    def has_room(self) -> bool:
        """Whether a QoS 1 message may be published: the broker says how many it takes unconfirmed."""
        return len(self._unconfirmed) < self._most_unconfirmed

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Hand a message to the socket."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    def pause_reading(self) -> None:
        """Read no more from the socket, so that the broker has to wait."""
        if (transport := self._transport()) is not None:
            transport.pause_reading()

    def resume_reading(self) -> None:
        """Read from the socket again."""
        if (transport := self._transport()) is not None:
            transport.resume_reading()

    def drop(self) -> None:
        """Close the connection, as if it had been lost."""
        if (transport := self._transport()) is not None:
            transport.abort()

    def _transport(self) -> Any:
        # gmqtt offers no flow control of its own; every other way to stop reading would drop messages.
        transport = self._client._connection._transport if self._client._connection is not None else None
        return transport if transport is not None and not transport.is_closing() else None

    async def close(self) -> None:
        """Say goodbye if that is possible, and close the socket. Raises nothing."""
        with suppress(Exception):
            async with asyncio.timeout(2):
                await self._client.disconnect()
        if self._client._connection is not None:
            self._client._connection._transport.abort()

    def _connected(self, client: Any, flags: int, code: int, properties: dict[str, Any]) -> None:
        # Packet ids run out one earlier than the receive maximum.
        self._most_unconfirmed = min(properties.get("receive_maximum", [2000])[0], 2000) - 2

    def _suback(self, client: Any, mid: int, qos: Sequence[int], properties: dict[str, Any]) -> None:
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_result(all(granted < 128 for granted in qos))

    def _message(self, client: Any, topic: Any, payload: bytes, qos: int, properties: dict[str, Any]) -> None:
        if isinstance(topic, bytes):  # gmqtt leaves a topic that is not UTF-8 as it is
            topic = topic.decode(errors="replace")
        try:
            self._on_message(topic, payload, bool(properties["retain"]))
        except Exception:
            # gmqtt would swallow the exception. The judges can handle a connection that begins anew.
            log.exception("a message could not be taken in")
            self.drop()
        if not self._reading.is_set():
            # gmqtt's stream reader resumes reading on its own when its buffer is empty.
            self.pause_reading()

    def _lost(self, client: Any, packet: bytes, exc: object = None) -> None:
        if packet[:1] == bytes([_TAKEN_OVER]):
            self._on_taken_over()
        self.closed.set()
