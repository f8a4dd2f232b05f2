"""paho's client with a bound on the memory that the broker can make it use.

The library has none: it reads a packet of any announced size (up to 256 MiB) into memory, and keeps messages of
QoS 2, which the agent never asks for, until the broker releases them.
"""

from typing import Final

from agents.lazy_import import import_lazily
from contract.messages import MAX_PAYLOAD

# paho asks it about proxies, which it only does with PySocks; it brings the mail and HTTP libraries along, over 1 MB.
with import_lazily("urllib", "request"):
    from paho.mqtt import client as paho
    from paho.mqtt.enums import MQTTErrorCode

MAX_PACKET: Final = MAX_PAYLOAD + 1024
"""Bytes of a packet: the largest payload of the contract, and its topic."""
_PUBLISH: Final = 0x30
_QOS_2: Final = 0x04


class BoundedClient(paho.Client):
    """Ends a connection on which the broker announces too large a packet or QoS 2; `refusal` then has the reason."""

    refusal: str | None = None

    def _sock_recv(self, bufsize: int) -> bytes:
        # The library asks for all that is missing of a packet at once, so its size is known before its body is read.
        if bufsize > MAX_PACKET:
            self.refusal = f"the broker sends a packet of {bufsize} bytes; {MAX_PACKET} are allowed"
            raise OSError(self.refusal)
        return super()._sock_recv(bufsize)

    def _packet_handle(self) -> MQTTErrorCode:
        command = self._in_packet["command"]
        if command & 0xF0 == _PUBLISH and command & _QOS_2:
            self.refusal = "the broker sends a message of QoS 2; the agent subscribes with QoS 1"
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return super()._packet_handle()
