"""The bridge's link to the MQTT broker: connection after connection until it is cancelled.

The waits between two attempts follow full jitter.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final

from broker.mqtt.address import MqttAddress, refused_subscription, refused_user, untrusted_certificate
from broker.mqtt.client_ids import BridgeClientId
from broker.mqtt.connection import (
    MQTT_3,
    MQTT_5,
    MqttConnection,
    RefusedConnectionError,
    RefusedSubscriptionError,
    Subscription,
)
from contract.errors import RemedyError
from store.tasks import Backoff

log = logging.getLogger(__name__)

CONNECT_TIMEOUT: Final = 10.0
MAX_WAIT: Final = 5.0
"""Seconds; the longest wait between two attempts. There is one bridge, so all bridges together make no storm."""


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as exc:
        raise RemedyError(
            f"the CA certificate {ca_file} cannot be read ({exc.strerror or exc}): correct MILEPOST_MQTT_CA_FILE",
            f"CA 证书 {ca_file} 无法读取（{exc.strerror or exc}）：请改正 MILEPOST_MQTT_CA_FILE",
        ) from exc


class MqttLink:
    """Connects, subscribes, reconnects. Messages come by `on_message(topic, payload, retain)`.

    `on_up` is called when subscribed, `on_down` when the connection is gone, `on_room` when the broker confirmed a
    QoS 1 message of ours, `on_taken_over` when another client used our client id, or seems to. The client id begins
    with `name` and stays the same over reconnects, so that a new connection ends a half-open one.
    """

    def __init__(
        self,
        address: MqttAddress,
        *,
        password: str | None,
        name: str,
        subscriptions: Sequence[Subscription],
        on_message: Callable[[str, bytes, bool], None],
        on_up: Callable[[], None],
        on_down: Callable[[], None],
        on_room: Callable[[], None],
        on_taken_over: Callable[[], None],
        ca_file: str | None = None,
    ) -> None:
        self._address = address
        self._password = password
        self._client_id = BridgeClientId(name)
        self._subscriptions = subscriptions
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._on_room = on_room
        self._on_taken_over = on_taken_over
        self._tls = _tls(ca_file) if address.tls else False
        self._version = MQTT_5
        self._connection: MqttConnection | None = None
        self._reading = asyncio.Event()
        self._reading.set()
        # Whether the broker ever let the bridge in: from then on a refusal may pass by itself.
        self._was_accepted = False

    @property
    def connected(self) -> bool:
        """Whether there is a connection that the broker accepted."""
        return self._connection is not None

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> bool:
        """Publish; false when that cannot be now: no connection, or too many QoS 1 messages not confirmed yet."""
        connection = self._connection
        if connection is None or connection.closed.is_set() or (qos and not connection.has_room):
            return False
        connection.publish(topic, payload, qos, retain=retain)
        return True

    def pause(self) -> None:
        """Read no more from the socket until `resume`, so that the broker has to wait."""
        self._reading.clear()
        if self._connection is not None:
            self._connection.pause_reading()

    def resume(self) -> None:
        """Read from the socket again."""
        self._reading.set()
        if self._connection is not None:
            self._connection.resume_reading()

    def drop(self) -> None:
        """Close the connection, as if it had been lost: another one follows."""
        if self._connection is not None:
            self._connection.drop()

    async def run(self) -> None:
        """Keep the connection until cancelled. Raises RemedyError when refused before it was ever accepted."""
        backoff = Backoff(longest=MAX_WAIT, spread=True)
        while True:
            await self._reading.wait()  # else the broker's answer would not be read either
            try:
                connection = await self._connect_once()
                backoff.reset()
                began = time.monotonic()
                await connection.closed.wait()
                log.warning("the MQTT connection is gone", extra=self._where)
                self._check_lifetime(time.monotonic() - began)
            except ssl.SSLCertVerificationError as exc:
                self._distrust(exc)
            except (OSError, TimeoutError) as exc:
                log.warning("the MQTT broker cannot be reached, trying on", extra={**self._where, "error": repr(exc)})
            except RefusedConnectionError as exc:
                self._handle_refusal(exc)
            finally:
                await self._disconnect()
            await backoff.pause()

    @property
    def _where(self) -> dict[str, object]:
        return {"host": self._address.host, "port": self._address.port}

    def _distrust(self, exc: ssl.SSLCertVerificationError) -> None:
        if not self._was_accepted:
            raise untrusted_certificate(self._address, exc.verify_message) from exc
        log.warning("the MQTT broker's certificate is not trusted, trying on", extra=self._where)

    def _handle_refusal(self, exc: RefusedConnectionError) -> None:
        if exc.is_login and not self._was_accepted:
            raise refused_user(self._address) from exc
        if exc.is_version:
            self._use_other_version()
        log.warning("the MQTT broker refuses us, trying on", extra={**self._where, "error": str(exc)})

    def _use_other_version(self) -> None:
        self._version = MQTT_3 if self._version == MQTT_5 else MQTT_5

    async def _connect_once(self) -> MqttConnection:
        connection = MqttConnection(
            self._client_id.value,
            username=self._address.username,
            password=self._password,
            reading=self._reading,
            on_message=self._on_message,
            on_room=self._on_room,
            on_taken_over=self._note_taken_over,
        )
        connecting = asyncio.create_task(self._connect(connection), name="mqtt connect")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._wait_for_answer(connection, connecting)
        except BaseException:
            await connection.close()
            raise
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
        self._was_accepted = True
        return connection

    async def _wait_for_answer(self, connection: MqttConnection, connecting: asyncio.Task[None]) -> None:
        """Wait for `connecting`, which waits for ever when the broker hangs up without an answer."""
        closed = asyncio.create_task(connection.closed.wait(), name="mqtt closed")
        try:
            await asyncio.wait({connecting, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        if not connecting.done():
            # A refusal and the end of the connection may arrive together.
            await asyncio.wait({connecting}, timeout=0.5)
        if connecting.done():
            return connecting.result()
        if not self._was_accepted:
            self._use_other_version()  # a broker that does not know MQTT 5 hangs up on it
        raise ConnectionResetError("closed before it answered")

    async def _connect(self, connection: MqttConnection) -> None:
        await connection.connect(self._address, self._tls, self._version)
        self._connection = connection
        try:
            await connection.subscribe(self._subscriptions, self._version)
        except RefusedSubscriptionError as exc:
            raise self._refused_subscription(exc.topic) from exc
        log.info("connected to the MQTT broker", extra={**self._where, "mqtt": int(self._version)})
        self._on_up()

    def _refused_subscription(self, topic: str) -> Exception:
        if self._was_accepted:  # it was allowed before: the access rules are being changed
            return ConnectionResetError(f"user {self._address.username!r} may not subscribe to {topic}")
        return refused_subscription(self._address, topic)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._on_down()
            await connection.close()

    def _check_lifetime(self, lived: float) -> None:
        """Suspect another client of our id when connection after connection ends after a few seconds."""
        if self._client_id.is_suspect(lived):
            self._change_client_id(
                "the MQTT broker ends connection after connection: another client may use this bridge's client id, "
                "so it takes a new one; else look into the broker's log"
            )

    def _note_taken_over(self) -> None:
        self._change_client_id("another client used this bridge's client id: it takes a new one")

    def _change_client_id(self, reason: str) -> None:
        log.error(reason, extra=self._where)
        self._client_id.replace()
        self._on_taken_over()
