from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.simulator import packets
from agents.simulator.packets import BrokenStreamError, Connack, Message, PacketReader, Pong, Puback, Suback


def test_connect_is_as_the_specification_says() -> None:
    packet = packets.connect("s-001", keepalive=60, will=("t", b"w"), user="u", password="p")
    head = b"\x10" + bytes([len(packet) - 2]) + b"\x00\x04MQTT\x04" + bytes([0xEE]) + b"\x00\x3c"
    assert packet == head + b"\x00\x05s-001\x00\x01t\x00\x01w\x00\x01u\x00\x01p"


def test_subscribe_asks_for_qos_1() -> None:
    assert packets.subscribe(7, "a", "bc") == b"\x82\x0b\x00\x07\x00\x01a\x01\x00\x02bc\x01"


def test_every_answer_is_read() -> None:
    stream = b"\x20\x02\x00\x00" + b"\x40\x02\x00\x07" + b"\x90\x03\x00\x07\x80" + b"\xd0\x00"
    assert PacketReader().feed(stream) == [Connack(0), Puback(7), Suback(7, b"\x80"), Pong()]


@given(
    st.lists(st.tuples(st.text(max_size=40), st.binary(max_size=400), st.integers(0, 65_535), st.booleans())),
    st.lists(st.integers(0, 3000), max_size=20),
)
def test_a_stream_cut_anywhere_gives_the_same_messages(
    messages: list[tuple[str, bytes, int, bool]], cuts: list[int]
) -> None:
    stream = b"".join(packets.publish(t, payload, mid=mid, retain=retain) for t, payload, mid, retain in messages)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = PacketReader()
    found = [packet for begin, end in pairwise(places) for packet in reader.feed(stream[begin:end])]
    assert found == [Message(topic, payload, 1 if mid else 0, retain, mid) for topic, payload, mid, retain in messages]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(BrokenStreamError):
        PacketReader().feed(data)


def test_an_endless_length_is_refused() -> None:
    with pytest.raises(BrokenStreamError, match="four bytes"):
        PacketReader().feed(b"\x30\xff\xff\xff\xff")
    with pytest.raises(BrokenStreamError, match="a packet of"):
        PacketReader().feed(b"\x30\xff\xff\xff\x7f")
