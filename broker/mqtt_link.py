"""The bridge's connection to the MQTT broker, kept for ever.

gmqtt speaks the protocol. Its own reconnecting (every 6 seconds, with the old session) is switched off: each connection
is a new client with a clean session, and waiting follows full jitter.
"""

import asyncio
import logging
import os
import random
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import gmqtt
import msgspec
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError
from gmqtt.storage import PersistentStorage

from contract.errors import RemedyError
from contract.topics import START_BYTES, client_id

log = logging.getLogger(__name__)

# gmqtt logs whole packets, payloads and all.
logging.getLogger("gmqtt").setLevel(logging.CRITICAL + 1)

CONNECT_TIMEOUT: Final = 10.0
MAX_WAIT: Final = 5.0
"""Seconds; the longest wait between two attempts. There is one bridge, so it makes no storm."""
_KEEPALIVE: Final = 600
"""Seconds. Pulses tell sooner, and a socket that is not read for a while on purpose must not count as dead."""
_NO_AUTO_RECONNECT: Final = -2
"""Any negative number but gmqtt's -1, which means for ever."""
_BAD_CREDENTIALS: Final = frozenset({4, 5, 134, 135})
_BAD_PROTOCOL: Final = frozenset({1, 132})
_TAKEN_OVER: Final = 0x8E
"""MQTT 5, DISCONNECT: another connection came with our client id."""
SHORT_LIFE: Final = 60.0
"""Seconds; a connection that the broker accepted and that ended sooner was short."""
SHORT_LIVES: Final = 3
"""Short connections in a row after which the client id is given up: Mosquitto 2.0 does not say that it was taken."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and who we are there."""

    host: str
    port: int
    tls: bool
    username: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Take mqtt://[user@]host[:port] or mqtts://… apart; raises RemedyError."""
        shown = url.rpartition("@")[2]  # what stands before it may be a password
        wrong = RemedyError(
            f"MQTT address {shown!r} is not mqtt://HOST:PORT or mqtts://HOST:PORT: correct MILEPOST_MQTT_URL",
            f"MQTT 地址 {shown!r} 不是 mqtt://HOST:PORT 或 mqtts://HOST:PORT：请改正 MILEPOST_MQTT_URL",
        )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as exc:
            raise wrong from exc
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise wrong
        if parts.password:
            raise RemedyError(
                f"MILEPOST_MQTT_URL has the password of {shown} in it: "
                "put it into a file and name that in MILEPOST_MQTT_PASSWORD_FILE",
                f"MILEPOST_MQTT_URL 中含有 {shown} 的密码："
                "请将密码写入文件，并在 MILEPOST_MQTT_PASSWORD_FILE 中指定该文件",
            )
        tls = parts.scheme == "mqtts"
        user = unquote(parts.username) if parts.username else None
        return cls(host=parts.hostname, port=port or (8883 if tls else 1883), tls=tls, username=user)


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as exc:
        raise RemedyError(
            f"the CA certificate {ca_file} cannot be read ({exc.strerror or exc}): correct MILEPOST_MQTT_CA_FILE",
            f"CA 证书 {ca_file} 无法读取（{exc.strerror or exc}）：请改正 MILEPOST_MQTT_CA_FILE",
        ) from exc


class _Window(PersistentStorage):  # type: ignore[misc]  # gmqtt has no types
    """Counts what the broker has not confirmed yet, and says when there is room again."""

    def __init__(self, on_room: Callable[[], None]) -> None:
        super().__init__()
        self._on_room = on_room

    def remove_message_by_mid(self, mid: int) -> None:
        super().remove_message_by_mid(mid)
        self._on_room()

    def __len__(self) -> int:
        return len(self._messages)


class RefusedConnectionError(Exception):
    """The broker answered and would not have us."""

    def __init__(self, code: int) -> None:
        super().__init__(str(MQTTConnectError(code)))
        self.code = code


class MqttLink:
    """Connects, subscribes, reconnects. Messages come by `on_message(topic, payload, retain)`.

    `on_up` is called when subscribed, `on_down` when the connection is gone, `on_room` when the broker confirmed a
    QoS 1 message of ours, `on_taken_over` when another client used our client id, or seems to.
    The client id is `name` and random bytes: the same over reconnects, so that a new connection ends a half-open one,
    until another client uses it.
    """

    def __init__(
        self,
        address: Address,
        *,
        password: str | None,
        name: str,
        subscriptions: Sequence[tuple[str, int, bool]],
        on_message: Callable[[str, bytes, bool], None],
        on_up: Callable[[], None],
        on_down: Callable[[], None],
        on_room: Callable[[], None],
        on_taken_over: Callable[[], None],
        ca_file: str | None = None,
    ) -> None:
        self._address = address
        self._password = password
        self._name = name
        self._client_id = self._new_client_id()
        self._subscriptions = subscriptions
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._on_taken_over = on_taken_over
        self._tls = _tls(ca_file) if address.tls else False
        self._window = _Window(on_room)
        self._window_size = 20
        self._version = MQTTv50
        self._client: Any = None
        self._closed = asyncio.Event()
        self._subscribed: asyncio.Future[bool] | None = None
        self._reading = asyncio.Event()
        self._reading.set()
        self._ever = False
        self._short_lives = 0

    @property
    def connected(self) -> bool:
        return self._client is not None

    @property
    def has_room(self) -> bool:
        """Whether a QoS 1 message may be published: the broker says how many it takes unconfirmed."""
        return self._client is not None and len(self._window) < self._window_size

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> bool:
        """Publish; false when that cannot be now."""
        if self._client is None or self._closed.is_set() or (qos and not self.has_room):
            return False
        self._client.publish(topic, payload, qos=qos, retain=retain)
        return True

    def pause(self) -> None:
        """Read no more from the socket until `resume`; the broker feels it."""
        self._reading.clear()
        if (transport := self._transport()) is not None:
            transport.pause_reading()

    def resume(self) -> None:
        self._reading.set()
        if (transport := self._transport()) is not None:
            transport.resume_reading()

    def drop(self) -> None:
        """Close the connection, as if it had been lost: another one follows."""
        if (transport := self._transport()) is not None:
            transport.abort()

    def _transport(self) -> Any:
        # gmqtt offers no flow control of its own; every other way to stop reading would drop messages.
        transport = self._client._connection._transport if self._client is not None else None
        return transport if transport is not None and not transport.is_closing() else None

    async def run(self) -> None:
        """Keep the connection until cancelled. Raises RemedyError when refused before it was ever accepted."""
        attempt = 0
        while True:
            await self._reading.wait()  # else the broker's answer would not be read either
            try:
                await self._connect_once()
                attempt, began = 0, time.monotonic()
                await self._closed.wait()
                log.warning("the MQTT connection is gone", extra=self._where)
                self._suspect(time.monotonic() - began)
            except ssl.SSLCertVerificationError as exc:
                self._distrusted(exc)
            except (OSError, TimeoutError) as exc:
                log.warning("the MQTT broker cannot be reached, trying on", extra={**self._where, "error": repr(exc)})
            except RefusedConnectionError as exc:
                self._refused(exc)
            finally:
                await self._disconnect()
            attempt += 1
            # Full jitter; S311 does not apply, nothing secret hangs on it.
            await asyncio.sleep(random.uniform(0, min(MAX_WAIT, 0.1 * 2 ** min(attempt, 10))))  # noqa: S311

    @property
    def _where(self) -> dict[str, object]:
        return {"host": self._address.host, "port": self._address.port}

    def _distrusted(self, exc: ssl.SSLCertVerificationError) -> None:
        where = f"{self._address.host}:{self._address.port}"
        if not self._ever:
            raise RemedyError(
                f"the certificate of the MQTT broker at {where} is not trusted ({exc.verify_message}): "
                "set MILEPOST_MQTT_CA_FILE to the CA that signed it",
                f"{where} 的 MQTT 代理证书不受信任（{exc.verify_message}）：请将 MILEPOST_MQTT_CA_FILE 设为签发它的 CA",
            ) from exc
        log.warning("the MQTT broker's certificate is not trusted, trying on", extra=self._where)

    def _refused(self, exc: RefusedConnectionError) -> None:
        if exc.code in _BAD_CREDENTIALS and not self._ever:
            raise RemedyError(
                f"the MQTT broker at {self._address.host}:{self._address.port} refuses user "
                f"{self._address.username!r}: correct the user in MILEPOST_MQTT_URL and MILEPOST_MQTT_PASSWORD_FILE",
                f"{self._address.host}:{self._address.port} 的 MQTT 代理拒绝用户 {self._address.username!r}："
                "请改正 MILEPOST_MQTT_URL 中的用户和 MILEPOST_MQTT_PASSWORD_FILE",
            ) from exc
        if exc.code in _BAD_PROTOCOL:
            self._other_version()
        log.warning("the MQTT broker refuses us, trying on", extra={**self._where, "error": str(exc)})

    def _other_version(self) -> None:
        self._version = MQTTv311 if self._version == MQTTv50 else MQTTv50

    async def _connect_once(self) -> None:
        client = self._new_client()
        self._closed = asyncio.Event()
        connect = asyncio.create_task(self._connect(client), name="mqtt connect")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._answered(connect)
        except BaseException:
            await self._close(client)
            raise
        finally:
            connect.cancel()
            await asyncio.gather(connect, return_exceptions=True)
        self._ever = True

    async def _answered(self, connect: asyncio.Task[None]) -> None:
        """Wait for `connect`; gmqtt waits for ever when the broker hangs up without an answer."""
        closed = asyncio.create_task(self._closed.wait(), name="mqtt closed")
        try:
            await asyncio.wait({connect, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        if not connect.done():
            # A refusal and the end of the connection may arrive together.
            await asyncio.wait({connect}, timeout=0.5)
        if connect.done():
            return connect.result()
        if not self._ever:
            self._other_version()  # brokers that know no MQTT 5 hang up on it
        raise ConnectionResetError("closed before it answered")

    async def _connect(self, client: Any) -> None:
        try:
            await client.connect(
                self._address.host, self._address.port, ssl=self._tls, keepalive=_KEEPALIVE, version=self._version
            )
        except MQTTConnectError as exc:
            raise RefusedConnectionError(exc._code) from exc
        self._client = client
        await self._subscribe(client)
        log.info("connected to the MQTT broker", extra={**self._where, "mqtt": int(self._version)})
        self._on_up()

    async def _subscribe(self, client: Any) -> None:
        for topic, qos, no_local in self._subscriptions:
            self._subscribed = asyncio.get_running_loop().create_future()
            client.subscribe(gmqtt.Subscription(topic, qos=qos, no_local=no_local and self._version == MQTTv50))
            if not await self._subscribed:
                raise self._forbidden(topic)

    def _forbidden(self, topic: str) -> Exception:
        user = self._address.username
        if self._ever:  # it was allowed: somebody is at work on the broker
            return ConnectionResetError(f"user {user!r} may not subscribe to {topic}")
        return RemedyError(
            f"the MQTT broker does not let user {user!r} subscribe to {topic}: "
            "allow it in the broker's access rules, as broker/acl does",
            f"MQTT 代理不允许用户 {user!r} 订阅 {topic}：请在代理的访问规则中放行，参见 broker/acl",
        )

    def _new_client(self) -> Any:
        self._window.clear()
        client = gmqtt.Client(self._client_id, clean_session=True, persistent_storage=self._window)
        client.set_config({"reconnect_retries": _NO_AUTO_RECONNECT})
        if self._address.username is not None:
            client.set_auth_credentials(self._address.username, self._password)
        client.on_connect = self._connected
        client.on_message = self._message
        client.on_subscribe = self._suback
        client.on_disconnect = self._lost
        return client

    def _connected(self, client: Any, flags: int, code: int, properties: dict[str, Any]) -> None:
        # Packet ids run out one earlier than the window.
        self._window_size = min(properties.get("receive_maximum", [2000])[0], 2000) - 2

    def _suback(self, client: Any, mid: int, qos: Sequence[int], properties: dict[str, Any]) -> None:
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_result(all(granted < 128 for granted in qos))

    def _message(self, client: Any, topic: Any, payload: bytes, qos: int, properties: dict[str, Any]) -> None:
        if isinstance(topic, bytes):  # gmqtt hands on what is not UTF-8 as it is
            topic = topic.decode(errors="replace")
        try:
            self._on_message(topic, payload, bool(properties["retain"]))
        except Exception:
            # gmqtt would swallow it; a connection that begins anew is what the judges know how to read.
            log.exception("a message could not be taken in")
            self.drop()
        if not self._reading.is_set():
            # gmqtt's stream reader resumes reading on its own when its buffer is empty.
            self.pause()

    def _lost(self, client: Any, packet: bytes, exc: object = None) -> None:
        if self._client is client or self._client is None:
            if packet[:1] == bytes([_TAKEN_OVER]):
                self._taken_over("another client used this bridge's client id: it takes a new one")
            self._closed.set()

    def _suspect(self, lived: float) -> None:
        """Look at a connection that ended after `lived` seconds without a word."""
        self._short_lives = self._short_lives + 1 if lived < SHORT_LIFE else 0
        if self._short_lives == SHORT_LIVES:
            self._taken_over(
                "the MQTT broker ends connection after connection: another client may use this bridge's client id, "
                "so it takes a new one; else look into the broker's log"
            )

    def _taken_over(self, what: str) -> None:
        """Who knows the client id cannot know the next one."""
        log.error(what, extra=self._where)
        self._short_lives = 0
        self._client_id = self._new_client_id()
        self._on_taken_over()

    def _new_client_id(self) -> str:
        return client_id(self._name, os.urandom(START_BYTES))

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._on_down()
            await self._close(client)

    async def _close(self, client: Any) -> None:
        with suppress(Exception):
            async with asyncio.timeout(2):
                await client.disconnect()
        if client._connection is not None:
            client._connection._transport.abort()
