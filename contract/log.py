"""The entries on Kafka: one entry for each MQTT message, keyed by station, and ticks between the entries.

Entries are JSON, so any Kafka tool can read them. `body` is the payload as the terminal sent it. `received` is the
bridge's wall clock (ms since the epoch). `mono` is its monotonic clock (ms since the bridge's start `start`), which
measures intervals.
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
"""Receive times in ms that can be true: the years 2020 to 2099."""

_MOST: Final = 2**53
_Received = Annotated[WallMs, Meta(ge=PLAUSIBLE[0], le=PLAUSIBLE[1])]
_Mono = Annotated[MonotonicMs, Meta(ge=-_MOST, le=_MOST)]
_Counted = Annotated[int, Meta(ge=0, le=_MOST)]
_Label = Annotated[str, Meta(min_length=1, max_length=256)]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="channel", omit_defaults=True):
    """What the bridge adds to a message on `milepost.records`."""

    terminal: str
    shard: str
    start: str
    received: WallMs
    mono: MonotonicMs


class _LiveEntry(msgspec.Struct, frozen=True, kw_only=True, tag_field="channel", omit_defaults=True, gc=False):
    """Any client with write access can write to the topic, so the types check what the judge computes with."""

    terminal: str
    shard: _Label
    start: _Label
    received: _Received
    mono: _Mono


class HeartbeatEntry(_LiveEntry, frozen=True, kw_only=True, tag="heartbeat", omit_defaults=True):
    """A heartbeat on `milepost.live`. A retained heartbeat breaks the contract and changes no state."""

    retain: bool = False
    body: Heartbeat


class StatusEntry(_LiveEntry, frozen=True, kw_only=True, tag="status", omit_defaults=True):
    """A status or Last Will on `milepost.live`; `retain`: the broker had stored it and sent it at the subscription."""

    retain: bool = False
    body: Status


class Tick(msgspec.Struct, frozen=True, kw_only=True, tag_field="channel", tag="tick", omit_defaults=True):
    """A step of the pipeline clock, on every partition of `milepost.live`, behind everything received before it.

    `seq` counts the ticks of the bridge's start. The fields from `kept` on describe the whole shard.
    """

    shard: _Label
    bridge: _Label
    start: _Label
    seq: _Counted
    at: _Received
    mono: _Mono
    #: False if MQTT reconnected, a batch failed or a message was dropped since the bridge's last tick.
    whole: bool
    #: Stations within their promise that were heard since the last interval that did not count; None: not counted.
    kept: _Counted | None = None
    #: Stations that broke their promise lately.
    missed: _Counted = 0
    #: Whether so many stations miss messages that this interval does not count.
    losses: bool = False
    #: Stations that number messages wrongly (some of them if there are many); None: unchanged since the last tick.
    named: tuple[_Label, ...] | None = None


LiveEntry = HeartbeatEntry | StatusEntry | Tick


class AcceptedData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A data message without its refused records: all remaining records keep the contract."""

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
    """The reply of a terminal to a command, on `milepost.records`."""

    body: Reply


RecordsEntry = DataEntry | ReplyEntry


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One refused MQTT message, or its refused records, on `milepost.deadletter`.

    `payload` is the received text, or base64 if `encoding` says so. It is cut to `MAX_PAYLOAD` bytes; `size` is the
    full length in bytes. `refused` counts records and is 0 if the whole message was refused.
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
    """A transition on `milepost.transitions`, delivered at least once; (partition, seq) is unique. Times in ms."""

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
