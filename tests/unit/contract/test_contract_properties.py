"""The contract for any message and any bytes: it round-trips, or it is refused in one line, and nothing else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import codec
from contract.messages import (
    MAX_ID,
    Ack,
    Command,
    Config,
    Data,
    Event,
    Health,
    Heartbeat,
    Inventory,
    Presence,
    Reply,
    Resource,
    Status,
    Usage,
)
from contract.refusal import MAX_DETAIL, Reason, RefusedError
from contract.topics import DOWN_CHANNELS, UP_CHANNELS, Topic, parse_topic
from tests.unit.contract.test_golden import DECODERS, GOLDEN

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=64)
INT64 = st.integers(-(2**63), 2**63 - 1)
COUNT = st.integers(0, 2**63 - 1)
SECONDS = st.floats(0, 1e12)
EVERY = st.floats(1, 3600)
FRACTION = st.floats(0, 1)
JSON = st.recursive(
    st.none() | st.booleans() | INT64 | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


ORIGIN: dict[str, Any] = {"v": st.just(1), "boot": NAME, "run": COUNT, "at": INT64}
STAMP: dict[str, Any] = {"id": st.integers(0, MAX_ID), "at": INT64, "up": maybe(SECONDS)}
RESOURCE = st.builds(Resource, id=NAME, version=maybe(TEXT), applied=maybe(INT64), lang=maybe(TEXT), bytes=maybe(COUNT))
RECORDS: dict[str, st.SearchStrategy[Any]] = {
    "health": st.builds(
        Health,
        **STAMP,
        cpu=maybe(FRACTION),
        mem=maybe(FRACTION),
        disk=maybe(FRACTION),
        temp=maybe(st.floats(-1e15, 1e15)),
        rtt_ms=maybe(st.floats(0, 1e9)),
        rx=maybe(COUNT),
        tx=maybe(COUNT),
        wifi=maybe(st.booleans()),
        services=maybe(st.dictionaries(NAME, st.booleans(), max_size=5)),
    ),
    "usage": st.builds(
        Usage,
        **STAMP,
        until=maybe(INT64),
        sessions=maybe(COUNT),
        minutes=maybe(SECONDS),
        by=maybe(st.dictionaries(NAME, st.dictionaries(NAME, COUNT, max_size=3), max_size=3)),
        bytes=maybe(COUNT),
    ),
    "inventory": st.builds(
        Inventory,
        **STAMP,
        model=maybe(TEXT),
        serial=maybe(TEXT),
        os=maybe(TEXT),
        agent=maybe(TEXT),
        cpu=maybe(TEXT),
        mem_bytes=maybe(COUNT),
        disk_bytes=maybe(COUNT),
        installed=maybe(INT64 | TEXT),
        resources=maybe(st.lists(RESOURCE, max_size=3)),
    ),
    "presence": st.builds(Presence, **STAMP, until=maybe(INT64), until_up=maybe(SECONDS), usable=maybe(st.booleans())),
    "event": st.builds(Event, **STAMP, name=maybe(NAME), detail=JSON),
}
RECORD = st.one_of(*RECORDS.values())
MESSAGES: dict[str, st.SearchStrategy[Any]] = {
    "heartbeat": st.builds(
        Heartbeat,
        **ORIGIN,
        conn=COUNT,
        n=COUNT,
        up=maybe(SECONDS),
        every=EVERY,
        usable=maybe(st.booleans()),
        users=maybe(COUNT),
    ),
    "status": st.builds(
        Status,
        **ORIGIN,
        conn=COUNT,
        n=maybe(COUNT),
        state=st.sampled_from(["online", "away", "lost"]),
        reason=maybe(TEXT),
        back_by=maybe(INT64),
    ),
    "reply": st.builds(
        Reply,
        id=NAME,
        stage=st.sampled_from(["received", "refused", "done", "failed"]),
        at=INT64 | st.just(msgspec.UNSET),
        result=OBJECT | st.just(msgspec.UNSET),
    ),
    "ack": st.builds(
        Ack, v=st.just(1), box=NAME, ids=st.lists(st.tuples(st.integers(0, MAX_ID), st.integers(0, MAX_ID)))
    ),
    "command": st.builds(
        Command, v=st.just(1), id=NAME, name=NAME, args=OBJECT, not_after=maybe(INT64), sig=maybe(TEXT)
    ),
    "config": st.builds(
        Config, v=st.just(1), rev=COUNT, every=maybe(EVERY), sample=maybe(st.floats(1, 86400)), sig=maybe(TEXT)
    ),
    "record": RECORD,
}
ONE = st.sampled_from(sorted(MESSAGES)).flatmap(lambda channel: st.tuples(st.just(channel), MESSAGES[channel]))


@given(ONE)
@settings(max_examples=400, deadline=None)
def test_a_message_survives_the_way(one: tuple[str, Any]) -> None:
    channel, message = one
    assert DECODERS[channel](codec.encode(message)) == message


@given(st.builds(Data, **ORIGIN, up=maybe(SECONDS), box=NAME, records=st.just([])), st.lists(RECORD, max_size=4))
def test_records_survive_in_their_message(empty: Data, records: list[Any]) -> None:
    data = msgspec.structs.replace(empty, records=[msgspec.Raw(codec.encode(record)) for record in records])
    read = codec.decode_data(codec.encode(data))
    assert [codec.decode_record(raw) for raw in read.records] == records
    assert [codec.record_id(raw) for raw in read.records] == [record.id for record in records]
    assert msgspec.structs.replace(read, records=[]) == empty


@given(ONE, st.dictionaries(TEXT.map(lambda name: "x_" + name), JSON, min_size=1, max_size=4))
def test_unknown_fields_are_ignored_everywhere(one: tuple[str, Any], extra: dict[str, Any]) -> None:
    channel, message = one
    assert DECODERS[channel](json.dumps(extra | msgspec.to_builtins(message)).encode()) == message
    assert DECODERS[channel](json.dumps(msgspec.to_builtins(message) | extra).encode()) == message


@pytest.mark.parametrize("channel", ["heartbeat", "status", "data", "reply", "record"])
@given(at=INT64)
@settings(max_examples=50, deadline=None)
def test_no_time_is_a_reason_to_refuse(channel: str, at: int) -> None:
    for path in GOLDEN.glob(f"valid.{channel}.*.json"):
        fields = {key: value for key, value in json.loads(path.read_bytes()).items() if not key.startswith("x_")}
        assert DECODERS[channel](json.dumps(fields | {"at": at}).encode()).at == at


def read(channel: str, payload: bytes) -> str | None:
    """Read a payload and every record in it; the reason when it is refused. Anything else that is raised is a fault."""
    try:
        message = DECODERS[channel](payload)
    except RefusedError as exc:
        assert exc.detail.isprintable()
        assert 0 < len(exc.detail) <= MAX_DETAIL
        assert str(exc) == f"{exc.reason}: {exc.detail}"
        return exc.reason
    if isinstance(message, Data):
        for raw in message.records:
            codec.record_id(raw)
            read("record", bytes(raw))
    require_storable(msgspec.to_builtins(message) if not isinstance(message, Data) else [message.boot, message.box])
    return None


def require_storable(value: Any) -> None:
    """PostgreSQL takes it: no U+0000, no half surrogate pairs, no integers beyond 64 bits in what was read."""
    if isinstance(value, str):
        assert "\0" not in value
        value.encode()
    elif isinstance(value, dict):
        require_storable([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for inner in value:
            require_storable(inner)
    elif isinstance(value, int):
        assert -(2**63) <= value < 2**63


CHANNEL = st.sampled_from(sorted(DECODERS))
PAYLOADS = [path.read_bytes() for path in sorted(GOLDEN.glob("*.json"))]
PIECES = [
    b"", b"\0", b"\\u0000", b"\\\\u0000", b"\\ud800", b"\\udc00", b"\xff", b"\xed\xa0\x80", b"\n", b"\xe2\x80\xa8",
    b"null", b"true", b"-1", b"1e999", b"1.5", b"9" * 30, b"9" * 5000, b'"', b"{", b"[", b"]", b"}", b",", b":",
    b'"v":2,', b'"kind":"x",', b'"at":{},', b"[" * 2000, b"\\", b"`", b'{"' + b"k" * 400 + b'":1}',
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A golden payload with up to three pieces put in or in the place of others."""
    payload = draw(st.sampled_from(PAYLOADS))
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(payload)))
        end = draw(st.integers(begin, min(len(payload), begin + 12)))
        payload = payload[:begin] + draw(st.sampled_from(PIECES) | st.binary(max_size=6)) + payload[end:]
    return payload


@given(CHANNEL, st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(channel: str, payload: bytes) -> None:
    read(channel, payload)


@given(CHANNEL, mutated())
@settings(max_examples=1500, deadline=None)
def test_any_mutation_is_read_or_refused(channel: str, payload: bytes) -> None:
    read(channel, payload)


@given(CHANNEL, OBJECT)
@settings(max_examples=300, deadline=None)
def test_any_object_is_read_or_refused(channel: str, fields: dict[str, Any]) -> None:
    read(channel, codec.encode(fields))


@given(MESSAGES["heartbeat"], JSON, st.sampled_from(Heartbeat.__struct_fields__))
@settings(max_examples=300, deadline=None)
def test_any_value_of_a_field_is_read_or_refused(message: Heartbeat, value: Any, field: str) -> None:
    read("heartbeat", json.dumps(msgspec.to_builtins(message) | {field: value}).encode())


@given(st.text(max_size=3000))
def test_a_refusal_is_one_bounded_line(detail: str) -> None:
    refusal = RefusedError(Reason.WRONG_TYPE, detail)
    assert refusal.detail.isprintable()
    assert 0 < len(refusal.detail) <= MAX_DETAIL


STATION = st.from_regex(r"[0-9A-Za-z_-]{1,32}", fullmatch=True)
TERMINAL = st.from_regex(r"[0-9A-Za-z]{1,8}", fullmatch=True)


@given(STATION, TERMINAL, st.sampled_from(sorted(UP_CHANNELS | DOWN_CHANNELS)))
def test_a_topic_survives_the_way(station: str, terminal: str, channel: str) -> None:
    topic = Topic(station, terminal, channel)
    assert parse_topic(str(topic)) == topic


@given(st.text() | st.lists(st.text(max_size=40), max_size=6).map(lambda parts: "/".join(["milepost", "v1", *parts])))
@settings(max_examples=300, deadline=None)
def test_any_topic_is_taken_apart_or_refused(text: str) -> None:
    try:
        topic = parse_topic(text)
    except RefusedError as exc:
        assert exc.reason in (Reason.BAD_TOPIC, Reason.UNKNOWN_CHANNEL)
        assert exc.detail.isprintable()
    else:
        assert str(topic) == text
