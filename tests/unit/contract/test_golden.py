"""The golden payloads: what version 1 takes and refuses, for ever.

A file is one payload as it travels: valid.CHANNEL.NAME.json or refused.CHANNEL.REASON.NAME.json, where the channel
`record` is one record of a data message. New ones may come; SHA256SUMS holds the old ones still.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract import codec
from contract.messages import KINDS, MAX_PAYLOAD
from contract.refusal import Reason, RefusedError
from contract.topics import DOWN_CHANNELS, UP_CHANNELS, Topic, parse_topic

GOLDEN = Path(__file__).parents[2] / "golden"
VALID = sorted(GOLDEN.glob("valid.*.json"))
REFUSED = sorted(GOLDEN.glob("refused.*.json"))
TOPICS = json.loads((GOLDEN / "topics.json").read_text())

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "heartbeat": codec.decode_heartbeat,
    "status": codec.decode_status,
    "data": codec.decode_data,
    "reply": codec.decode_reply,
    "ack": codec.decode_ack,
    "command": codec.decode_command,
    "config": codec.decode_config,
    "record": codec.decode_record,
}


def channel_of(path: Path) -> str:
    return path.name.split(".")[1]


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


@pytest.mark.parametrize("path", VALID, ids=names(VALID))
def test_a_valid_payload_is_read_whole(path: Path) -> None:
    payload = path.read_bytes()
    message = DECODERS[channel_of(path)](payload)
    sent = {key: value for key, value in json.loads(payload).items() if not key.startswith("x_") and value is not None}
    read = json.loads(codec.encode(message))
    # What is empty is left out when it is written again, and nothing is added that was not sent.
    assert {key: read.get(key, {}) for key in sent} == sent
    assert read.keys() <= sent.keys()
    assert DECODERS[channel_of(path)](codec.encode(message)) == message


@pytest.mark.parametrize("path", REFUSED, ids=names(REFUSED))
def test_a_refused_payload_is_refused_for_its_reason(path: Path) -> None:
    with pytest.raises(RefusedError) as refusal:
        DECODERS[channel_of(path)](path.read_bytes())
    assert refusal.value.reason == path.name.split(".")[2]
    assert refusal.value.detail.isprintable()
    assert 0 < len(refusal.value.detail) <= 300


def test_every_channel_kind_and_reason_has_its_golden_payload() -> None:
    assert {channel_of(path) for path in VALID} == UP_CHANNELS | DOWN_CHANNELS | {"record"}
    assert {json.loads(path.read_bytes())["kind"] for path in VALID if channel_of(path) == "record"} == set(KINDS)
    shown = {path.name.split(".")[2] for path in REFUSED} | {reason for _, reason in TOPICS["refused"]}
    # A payload that is too large is made below, not kept; of too many terminals no single payload is an example.
    assert shown == set(Reason) - {Reason.TOO_LARGE, Reason.TOO_MANY_TERMINALS}


def test_the_golden_files_have_never_changed() -> None:
    kept = dict(reversed(line.split("  ")) for line in (GOLDEN / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(GOLDEN.glob("*.json"))}
    assert found == kept


@pytest.mark.parametrize("channel", sorted(UP_CHANNELS))
def test_a_payload_over_the_limit_is_refused_whatever_it_says(channel: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        DECODERS[channel](b" " * (MAX_PAYLOAD + 1))
    assert refusal.value.reason == Reason.TOO_LARGE
    assert str(MAX_PAYLOAD) in refusal.value.detail


def test_a_payload_at_the_limit_is_read() -> None:
    payload = (GOLDEN / "valid.heartbeat.minimal.json").read_bytes()
    assert codec.decode_heartbeat(payload + b" " * (MAX_PAYLOAD - len(payload))).n == 4211


def test_a_bad_record_costs_none_of_the_others() -> None:
    data = codec.decode_data((GOLDEN / "valid.data.bad_record_among_good.json").read_bytes())
    outcome = []
    for raw in data.records:
        try:
            outcome.append((codec.record_id(raw), codec.decode_record(raw).id))
        except RefusedError as exc:
            outcome.append((codec.record_id(raw), exc.reason))
    assert outcome == [(1, 1), (2, Reason.UNKNOWN_KIND), (3, Reason.NUL_CHARACTER)]


@pytest.mark.parametrize(("text", "parts"), TOPICS["valid"])
def test_topic(text: str, parts: list[str]) -> None:
    topic = parse_topic(text)
    assert topic == Topic(*parts)
    assert str(topic) == text


@pytest.mark.parametrize(("text", "reason"), TOPICS["refused"])
def test_bad_topic(text: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        parse_topic(text)
    assert refusal.value.reason == reason
    assert refusal.value.detail.isprintable()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"id":7,"kind":"horoscope"}', 7),
        (b'{"id":-7}', -7),
        (b'{"id":"7"}', None),
        (b"{}", None),
        (b"[]", None),
        (b'{"id":' + b"7" * 5000 + b"}", None),
    ],
)
def test_the_id_of_a_refused_record(raw: bytes, expected: int | None) -> None:
    assert codec.record_id(msgspec.Raw(raw)) == expected


def test_ids_become_closed_ranges() -> None:
    assert codec.ranges([150, 101, 103, 102, 102]) == [(101, 103), (150, 150)]
    assert codec.ranges([]) == []
