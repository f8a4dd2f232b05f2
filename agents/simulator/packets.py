"""MQTT 3.1.1 packets as bytes: those that a terminal writes and those that it reads. Pure.

Only what the contract needs: QoS 0 and 1, clean sessions, a Last Will. The specification is OASIS mqtt-v3.1.1.
"""

from typing import Final, NamedTuple

MAX_PACKET: Final = 1024 * 1024
"""Bytes of the largest packet that is read; a larger one counts as a broken stream."""

PING: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"


class BrokenStreamError(Exception):
    """The bytes from the broker are not MQTT."""


class Connack(NamedTuple):
    """The answer to CONNECT; code 0 means accepted."""

    code: int


class Puback(NamedTuple):
    """The broker confirmed message `mid`."""

    mid: int


class Suback(NamedTuple):
    """The granted QoS of each filter, 128 for a refused one."""

    mid: int
    codes: bytes


class Message(NamedTuple):
    """A message from the broker; `mid` is 0 with QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int


class Pong(NamedTuple):
    """The answer to a ping."""


Packet = Connack | Puback | Suback | Message | Pong


def connect(
    client_id: str,
    *,
    keepalive: int,
    will: tuple[str, bytes] | None = None,
    user: str | None = None,
    password: str | None = None,
) -> bytes:
    """CONNECT with a clean session; the will is (topic, payload), QoS 1 and retained. `keepalive` in seconds."""
    flags, tail = 0x02, _text(client_id)
    if will is not None:
        flags |= 0x04 | 0x08 | 0x20
        tail += _text(will[0]) + _binary(will[1])
    if user is not None:
        flags |= 0x80
        tail += _text(user)
    if password is not None:
        flags |= 0x40
        tail += _text(password)
    return _packet(0x10, _text("MQTT") + bytes((4, flags)) + keepalive.to_bytes(2) + tail)


def publish(topic: str, payload: bytes, *, mid: int = 0, retain: bool = False) -> bytes:
    """PUBLISH; QoS 1 when it has a message id."""
    head = 0x30 | (0x02 if mid else 0) | (0x01 if retain else 0)
    return _packet(head, _text(topic) + (mid.to_bytes(2) if mid else b"") + payload)


def subscribe(mid: int, *filters: str) -> bytes:
    """SUBSCRIBE with QoS 1."""
    return _packet(0x82, mid.to_bytes(2) + b"".join(_text(one) + b"\x01" for one in filters))


def puback(mid: int) -> bytes:
    """PUBACK: confirms message `mid`."""
    return _packet(0x40, mid.to_bytes(2))


class PacketReader:
    """Takes bytes as they arrive and returns complete packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are now complete. Raises BrokenStreamError."""
        data, packets, at = self._rest + data, list[Packet](), 0
        while (head := _length(data, at + 1)) is not None:
            size, begin = head
            if len(data) < begin + size:
                break
            packet = _parse(data[at], data[begin : begin + size])
            if packet is not None:
                packets.append(packet)
            at = begin + size
        self._rest = data[at:]
        return packets


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """The remaining length that is written at `at`, and where what it counts begins; None when it is cut off."""
    size = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        byte = data[at + place]
        size |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            if size > MAX_PACKET:
                raise BrokenStreamError(f"a packet of {size} bytes; read are {MAX_PACKET}")
            return size, at + place + 1
    raise BrokenStreamError("a length of more than four bytes")


def _parse(head: int, body: bytes) -> Packet | None:
    """One packet; None for a kind that a terminal ignores. Raises BrokenStreamError."""
    kind = head >> 4
    try:
        if kind == 2:
            return Connack(body[1])
        if kind == 3:
            return _message(head, body)
        if kind == 4:
            return Puback(_number(body))
        if kind == 9:
            return Suback(_number(body), body[2:])
    except (IndexError, UnicodeDecodeError) as exc:
        raise BrokenStreamError(f"a packet of kind {kind} is cut short or not text") from exc
    return Pong() if kind == 13 else None


def _message(head: int, body: bytes) -> Message:
    size = _number(body)
    topic, at, qos = body[2 : 2 + size].decode(), 2 + size, (head >> 1) & 3
    mid = _number(body[at:]) if qos else 0
    return Message(topic, body[at + 2 :] if qos else body[at:], qos, bool(head & 1), mid)


def _number(body: bytes) -> int:
    return body[0] << 8 | body[1]


def _text(text: str) -> bytes:
    return _binary(text.encode())


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def _packet(head: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, byte = size >> 7, size & 0x7F
        length.append(byte | (0x80 if size else 0))
        if not size:
            return bytes((head,)) + bytes(length) + body
