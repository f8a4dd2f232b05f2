"""What travels on Kafka: one entry per MQTT message, keyed by station, and the ticks between them.

Entries are JSON, so that any Kafka tool can read them; `body` is the payload as the terminal sent it.
`received` is the bridge's wall clock (ms since the epoch), `mono` its monotonic clock (ms since the bridge's
start `start`), by which intervals are measured.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.clocks import MonotonicMs, MonotonicSeconds, WallMs
from contract.messages import Heartbeat, Reply, Status

LIVE: Final = "milepost.live"
RECORDS: Final = "milepost.records"
DEADLETTER: Final = "milepost.deadletter"
TRANSITIONS: Final = "milepost.transitions"


PLAUSIBLE: Final = (1_577_836_800_000, 4_102_444_799_999)
"""Receive times, ms: the years 2020 to 2099."""

_MOST: Final = 2**53
_Received = Annotated[WallMs, Meta(ge=PLAUSIBLE[0], le=PLAUSIBLE[1])]
_Mono = Annotated[MonotonicMs, Meta(ge=-_MOST, le=_MOST)]
_Counted = Annotated[int, Meta(ge=0, le=_MOST)]
_Label = Annotated[str, Meta(min_length=1, max_length=256)]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="channel", omit_defaults=True):
    terminal: str
    shard: str
    start: str
    received: WallMs
    mono: MonotonicMs


class _LiveEntry(msgspec.Struct, frozen=True, kw_only=True, tag_field="channel", omit_defaults=True, gc=False):
    """Kafka takes anything from who may write to the topic, so the reader checks what the judge reckons with."""

    terminal: str
    shard: _Label
    start: _Label
    received: _Received
    mono: _Mono


class HeartbeatEntry(_LiveEntry, frozen=True, kw_only=True, tag="heartbeat", omit_defaults=True):
    """A heartbeat on `milepost.live`. A retained one, against the contract, marks nobody."""

    retain: bool = False
    body: Heartbeat


class StatusEntry(_LiveEntry, frozen=True, kw_only=True, tag="status", omit_defaults=True):
    """A status or Last Will on `milepost.live`; `retain`: it lay in the broker and was sent on subscribing."""

    retain: bool = False
    body: Status


class Tick(msgspec.Struct, frozen=True, kw_only=True, tag_field="channel", tag="tick", omit_defaults=True):
    """The pipeline's clock on every partition of `milepost.live`; stands behind everything received before it.

    `whole` is false when since the bridge's last tick MQTT reconnected, a batch failed or anything was dropped.
    The rest is of the whole shard, whatever partition this stands in, and in stations: how many are within their
    promise and were heard since the bridge's last tick that does not count (`kept`; None: the bridge does not count
    them); how many broke their promise lately (`missed`); whether so many miss messages that this time does not count
    (`losses`). `named`: which stations number wrongly, some of them if there are many; None: as it was said before.
    """

    shard: _Label
    bridge: _Label
    start: _Label
    seq: _Counted
    at: _Received
    mono: _Mono
    whole: bool
    kept: _Counted | None = None
    missed: _Counted = 0
    losses: bool = False
    named: tuple[_Label, ...] | None = None


LiveEntry = HeartbeatEntry | StatusEntry | Tick


class AcceptedData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A data message whose remaining records all keep the contract."""

    boot: str
    run: int
    at: WallMs
    up: MonotonicSeconds | None = None
    box: str
    records: list[msgspec.Raw]


class DataEntry(_Entry, frozen=True, kw_only=True, tag="data", omit_defaults=True):
    """A data message on `milepost.records`."""

    body: AcceptedData


class ReplyEntry(_Entry, frozen=True, kw_only=True, tag="reply", omit_defaults=True):
    """A command's stage on `milepost.records`."""

    body: Reply


RecordsEntry = DataEntry | ReplyEntry


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One refused MQTT message (or the refused records of one), on `milepost.deadletter`.

    `payload` is the text as it came, base64 when `encoding` says so; it is cut to `MAX_PAYLOAD` bytes, while
    `size` is the true length. `refused` counts records, 0 when the whole message was refused.
    """

    topic: str
    reason: str
    detail: str
    shard: str
    at: WallMs
    size: int
    payload: str
    encoding: str = "text"
    refused: int = 0


class TransitionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A transition on `milepost.transitions`: at least once, told apart by (partition, seq). Times in ms."""

    partition: int
    seq: int
    station: str
    terminal: str | None
    before: str
    after: str
    usable: bool | None
    at: WallMs
    decided: WallMs
    reason: str
