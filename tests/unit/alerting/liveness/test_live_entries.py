"""What the judge takes for an entry of the log."""

from typing import Any

import msgspec
import pytest

from alerting.liveness.entries import NotAnEntryError, read_live
from contract.codec import encode
from contract.log import PLAUSIBLE, HeartbeatEntry, StatusEntry, Tick
from contract.messages import Heartbeat


class Record(msgspec.Struct):
    """As much of a Kafka record as is read."""

    value: bytes
    key: bytes | None = None


TICK = Tick(shard="main", bridge="b-1", start="f568d9b9", seq=29, at=1_795_768_105_732, mono=10_013, whole=True)


def read(**more: Any) -> Any:
    return read_live(Record(encode(msgspec.structs.replace(TICK, **more))))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="of a bridge that counts nothing"),
        pytest.param({"kept": 2, "missed": 1, "losses": True}, id="of one that counts"),
        pytest.param({"named": ()}, id="that names nobody any more"),
        pytest.param({"named": ("S1", "S2")}, id="that names stations"),
    ],
)
def test_a_tick_of_a_bridge_is_an_entry(more: dict[str, Any]) -> None:
    assert read(**more) == ("", msgspec.structs.replace(TICK, **more))


@pytest.mark.parametrize(
    "more",
    [{"seq": -1}, {"kept": 2**60}, {"named": ("",)}, {"named": ("x" * 300,)}, {"at": 10**18}, {"bridge": ""}],
)
def test_a_tick_that_cannot_be_is_none(more: dict[str, Any]) -> None:
    with pytest.raises(NotAnEntryError):
        read(**more)


HEARTBEAT = HeartbeatEntry(
    terminal="001", shard="main", start="f568d9b9", received=1_795_768_105_732, mono=10_013,
    body=Heartbeat(v=1, boot="b7f3c1e2", run=1, n=1, at=0, every=60),
)  # fmt: skip


def heard(key: bytes | None = b"S1", **more: Any) -> Any:
    return read_live(Record(encode(msgspec.structs.replace(HEARTBEAT, **more)), key))  # type: ignore[arg-type]


def test_a_heartbeat_of_a_bridge_is_an_entry() -> None:
    assert heard() == ("S1", HEARTBEAT)


@pytest.mark.parametrize(
    "more",
    [
        {"terminal": ""},
        {"terminal": "123456789"},
        {"terminal": "0-1"},
        {"shard": ""},
        {"start": "x" * 257},
        {"received": PLAUSIBLE[0] - 1},
        {"received": PLAUSIBLE[1] + 1},
        {"mono": 2**53 + 1},
        {"mono": -(2**53) - 1},
        {"key": None},
        {"key": b"S 1"},
        {"key": b"x" * 33},
        {"key": "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()},
        {"shard": "a\0b"},
    ],
)
def test_a_heartbeat_that_cannot_be_is_none(more: dict[str, Any]) -> None:
    with pytest.raises(NotAnEntryError):
        heard(**more)


@pytest.mark.parametrize("entry", [HeartbeatEntry, StatusEntry, Tick])
def test_every_text_and_number_of_an_envelope_is_bounded(entry: type[msgspec.Struct]) -> None:
    """But for the terminal's name, which has a shape of its own."""
    kinds = (msgspec.inspect.IntType, msgspec.inspect.StrType)
    shape = msgspec.inspect.type_info(entry)
    assert isinstance(shape, msgspec.inspect.StructType)
    free = {field.name for field in shape.fields for one in _parts(field.type) if isinstance(one, kinds) and _free(one)}
    assert free <= {"terminal"}


def _parts(shape: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, ...]:
    if isinstance(shape, msgspec.inspect.UnionType):
        return shape.types
    return (shape.item_type,) if isinstance(shape, msgspec.inspect.VarTupleType) else (shape,)


def _free(shape: msgspec.inspect.Type) -> bool:
    """Whether it lacks a bound at either end."""
    if isinstance(shape, msgspec.inspect.StrType):
        return not (shape.min_length and shape.max_length)
    return isinstance(shape, msgspec.inspect.IntType) and (shape.ge is None or shape.le is None)
