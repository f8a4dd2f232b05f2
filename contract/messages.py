"""The messages of contract version 1. Shapes and limits only; `contract.codec` reads and writes them.

Times are milliseconds since the epoch by the device's clock, which may be wrong by decades: `at` is any
64-bit integer and never a reason to refuse. `up` is seconds of a clock that is monotonic within a boot.
New fields have defaults and types never change; tests/golden holds every message to that.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

MAX_PAYLOAD: Final = 256 * 1024
"""Bytes of an MQTT payload that the bridge reads; a larger one is refused."""
MAX_RECORDS: Final = 500
"""Records an agent puts into one data message."""
MAX_DATA_BYTES: Final = 128 * 1024
"""Bytes an agent puts into one data message."""
MOST_TERMINALS: Final = 64
"""Terminals of a station, unless a setting says otherwise; what it sends under further names is refused."""

# The largest id leaves room for the exclusive upper bound of an int8range.
MAX_ID: Final = 2**63 - 2

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
RecordId = Annotated[int, Meta(ge=0, le=MAX_ID)]
Seconds = Annotated[float, Meta(ge=0, le=1e12)]
Every = Annotated[float, Meta(ge=1, le=3600)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Measure = Annotated[float, Meta(ge=-1e15, le=1e15)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=1024)]

TerminalStatus = Literal["online", "away", "lost"]
CommandStage = Literal["received", "refused", "done", "failed"]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The live sign of a terminal; `every` promises the next one within that many seconds."""

    v: Literal[1]
    boot: Name
    run: Count
    conn: Count | None = None
    n: Count
    at: Int64
    up: Seconds | None = None
    every: Every
    usable: bool | None = None
    users: Count | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A change that the terminal announces itself, or its Last Will (`state` lost)."""

    v: Literal[1]
    boot: Name
    run: Count
    conn: Count | None = None
    n: Count | None = None
    state: TerminalStatus
    at: Int64
    reason: Text | None = None
    back_by: Int64 | None = None


class Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records of one box. They are read one by one, so that a bad one costs none of the others."""

    v: Literal[1]
    boot: Name
    run: Count
    at: Int64
    up: Seconds | None = None
    box: Name
    records: list[msgspec.Raw]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """How far a command has come on the terminal."""

    v: Literal[1] = 1
    id: Name
    stage: CommandStage
    at: Int64 | msgspec.UnsetType = msgspec.UNSET
    result: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The closed id ranges of a box that are safe; the agent deletes exactly those."""

    v: Literal[1]
    box: Name
    ids: list[tuple[RecordId, RecordId]]


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order to a terminal; not carried out after `not_after`."""

    v: Literal[1]
    id: Name
    name: Name
    args: dict[str, Any] = {}
    not_after: Int64 | None = None
    sig: Text | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings a terminal is to run with; `rev` only rises."""

    v: Literal[1]
    rev: Count
    every: Every | None = None
    sample: Annotated[float, Meta(ge=1, le=86400)] | None = None
    sig: Text | None = None


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every record has: its id within the box and its device times."""

    id: RecordId
    at: Int64
    up: Seconds | None = None


class Health(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="health"):
    """Fractions 0..1, °C, milliseconds, bytes since boot; wifi true = the access point works."""

    cpu: Fraction | None = None
    mem: Fraction | None = None
    disk: Fraction | None = None
    temp: Measure | None = None
    rtt_ms: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    rx: Count | None = None
    tx: Count | None = None
    wifi: bool | None = None
    services: Annotated[dict[Name, bool], Meta(max_length=64)] | None = None


class Usage(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="usage"):
    """Counts of use from `at` to `until`; never who."""

    until: Int64 | None = None
    sessions: Count | None = None
    minutes: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    by: Annotated[dict[Name, dict[str, Count]], Meta(max_length=16)] | None = None
    bytes: Count | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A content package on a terminal and when it was applied."""

    id: Name
    version: Text | None = None
    applied: Int64 | None = None
    lang: Text | None = None
    bytes: Count | None = None


class Inventory(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="inventory"):
    """What the terminal is and carries."""

    model: Text | None = None
    serial: Text | None = None
    os: Text | None = None
    agent: Text | None = None
    cpu: Text | None = None
    mem_bytes: Count | None = None
    disk_bytes: Count | None = None
    installed: Int64 | Text | None = None
    resources: Annotated[list[Resource], Meta(max_length=1000)] | None = None


class Presence(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="presence"):
    """The terminal ran from `at` to `until` while the link was down."""

    until: Int64 | None = None
    until_up: Seconds | None = None
    usable: bool | None = None


class Event(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """Something that happened on the terminal."""

    name: Name | None = None
    detail: Any = None


Record = Health | Usage | Inventory | Presence | Event
Live = Heartbeat | Status
KINDS: Final = ("health", "usage", "inventory", "presence", "event")
