"""What the judge takes for an entry of the log."""

from typing import Any

import msgspec
import pytest

from alerting.live_entries import _COUNTS, NotAnEntryError, read_live
from contract.codec import encode
from contract.log import Tick


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


def test_every_number_of_a_tick_is_looked_at() -> None:
    whole = {field.name for field in msgspec.structs.fields(Tick) if field.type in (int, int | None)}
    assert whole - {"at", "mono"} == set(_COUNTS)
