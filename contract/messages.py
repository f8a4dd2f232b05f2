"""The messages of contract version 1. Shapes and limits only; `contract.codec` reads and writes them.

Times are milliseconds since the epoch by the device's clock, which may be wrong by decades: `at` is any
64-bit integer and never a reason to refuse. `up` is seconds of a clock that is monotonic within a boot.
New fields have defaults and types never change; tests/golden holds every message to that.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from contract.clocks import MonotonicSeconds, WallMs

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


def _in(unit: str) -> dict[str, str]:
    """The unit of a number, as documents show it."""
    return {"x-unit": unit}


def _is(description: str) -> Meta:
    """What a field means and what an agent must do with it; documents are written from this."""
    return Meta(description=description)


Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Moment = Annotated[WallMs, Meta(ge=-(2**63), le=2**63 - 1, extra_json_schema=_in("ms since 1970-01-01 UTC"))]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1, extra_json_schema=_in("bytes"))]
RecordId = Annotated[int, Meta(ge=0, le=MAX_ID)]
Seconds = Annotated[float, Meta(ge=0, le=1e12, extra_json_schema=_in("seconds"))]
SinceBoot = Annotated[MonotonicSeconds, Meta(ge=0, le=1e12, extra_json_schema=_in("seconds"))]
Minutes = Annotated[float, Meta(ge=0, le=1e12, extra_json_schema=_in("minutes"))]
Every = Annotated[float, Meta(ge=1, le=3600, extra_json_schema=_in("seconds"))]
Sample = Annotated[float, Meta(ge=1, le=86400, extra_json_schema=_in("seconds"))]
Fraction = Annotated[float, Meta(ge=0, le=1, extra_json_schema=_in("fraction"))]
Celsius = Annotated[float, Meta(ge=-1e15, le=1e15, extra_json_schema=_in("°C"))]
Millis = Annotated[float, Meta(ge=0, le=1e9, extra_json_schema=_in("ms"))]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=1024)]

TerminalStatus = Literal["online", "away", "lost"]
CommandStage = Literal["received", "refused", "done", "failed"]

# Fields that several messages have.
Version = Annotated[Literal[1], _is("The version of the contract: always 1.")]
Boot = Annotated[
    Name,
    _is(
        "Names one start of the agent. Draw at least 32 random bits at each start of the process (8 hex digits are "
        "enough). Keep it over reconnects, and never use it for another start. Never derive it from the machine: two "
        "copies of one disk must have different boots."
    ),
]
Run = Annotated[
    Count,
    _is(
        "Counts the starts of the agent. Keep it on disk, raise it by one at each start and write it down before the"
        " first message. A boot with a higher run replaces the one before at its first heartbeat. If the file is "
        "lost, begin with 1: the boot is believed at its second heartbeat. Never derive it from the clock."
    ),
]
Conn = Annotated[
    Count | None,
    _is(
        "Counts the MQTT connections of this run. Raise it by one before each CONNECT, and put the same value into "
        "the Last Will of that connection. Without it nothing is concluded from numbers that are missing."
    ),
]
Number = Annotated[
    Count,
    _is(
        "Counts heartbeats and statuses of this run together. Raise it by one for each message, in the order in "
        "which they are sent; never set it back within a run, also not at a reconnect. (run, n) puts the messages of"
        " a boot in order: one that is not newer is ignored."
    ),
]
StatusNumber = Annotated[
    Count | None,
    _is(
        "The same counter as in a heartbeat. Leave it out of the Last Will, which the broker publishes at a time "
        "that is not known beforehand."
    ),
]
At = Annotated[
    Moment,
    _is(
        "The clock of the device when it sent the message. It may be wrong by decades or set at any time: no value "
        "is refused, and nothing is judged by it. Time your own work by the monotonic clock."
    ),
]
Up = Annotated[
    SinceBoot | None,
    _is(
        "Seconds since this boot began, by a clock that no setting of the time moves (CLOCK_MONOTONIC, or "
        "CLOCK_BOOTTIME on devices that sleep). With it the server corrects device times, so send it if you can."
    ),
]
Box = Annotated[
    Name,
    _is(
        "The boot that wrote the records. Store it with each record: a record that was written before a restart is "
        "sent with the old box. (station, terminal, box, id) names a record for ever."
    ),
]
Promised = Annotated[
    Every,
    _is(
        "A promise: the next heartbeat comes within so many seconds. After three that did not come, the terminal is "
        "offline. Each heartbeat carries its own, so a change holds from the next one on."
    ),
]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The live sign of a terminal; `every` promises the next one within that many seconds."""

    v: Version
    boot: Boot
    run: Run
    conn: Conn = None
    n: Number
    at: At
    up: Up = None
    every: Promised
    usable: Annotated[
        bool | None,
        _is(
            "Whether a visitor can use the service on this terminal now. Leave it out if you do not know: that is "
            "neither yes nor no."
        ),
    ] = None
    users: Annotated[Count | None, _is("How many people use the terminal now. A count, never who.")] = None


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A change that the terminal announces itself, or its Last Will (`state` lost)."""

    v: Version
    boot: Boot
    run: Run
    conn: Conn = None
    n: StatusNumber = None
    state: Annotated[
        TerminalStatus,
        _is(
            "online: connected; it overwrites the retained message and brings nothing online: only a heartbeat does. "
            "away: an intended silence; send it before you end. lost: the Last Will, only ever published by the "
            "broker; it shortens the time until the terminal is offline, and only if its (run, conn) is the newest."
        ),
    ]
    at: At
    reason: Annotated[Text | None, _is("Why it is away: shutdown, update, closing, power or a word of your own.")] = (
        None
    )
    back_by: Annotated[
        Moment | None,
        _is(
            "By when it is back, by the same clock as `at`: only the difference counts, at most 24 hours. Until then"
            " the silence is no incident. Without it: 24 hours."
        ),
    ] = None


class Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records of one box. They are read one by one, so that a bad one costs none of the others."""

    v: Version
    boot: Boot
    run: Run
    at: At
    up: Up = None
    box: Box
    records: Annotated[
        list[msgspec.Raw],
        _is(
            "At most 500, and 128 KiB a message. Each is judged on its own: a refused one is acknowledged too, "
            "because it lies in the dead letters."
        ),
    ]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """How far a command has come on the terminal."""

    v: Version = 1
    id: Annotated[Name, _is("The `id` of the command.")]
    stage: Annotated[
        CommandStage,
        _is(
            "received: it will be carried out. refused: it will not, `result` says why. done, failed: how it ended. "
            "A command that comes again gets the same reply and is not carried out again."
        ),
    ]
    at: Annotated[Moment | msgspec.UnsetType, _is("The clock of the device.")] = msgspec.UNSET
    result: Annotated[
        dict[str, Any] | msgspec.UnsetType,
        _is("What came of it. Of a refused command: reason, one of unsigned, unknown_command, expired."),
    ] = msgspec.UNSET


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The closed id ranges of a box that are safe; the agent deletes exactly those."""

    v: Version
    box: Annotated[Name, _is("The box whose records are safe. It may be the box of an earlier boot.")]
    ids: Annotated[
        list[tuple[RecordId, RecordId]],
        _is("Closed ranges [first, last]: delete exactly these records, and ignore ids that you do not have."),
    ]


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order to a terminal; not carried out after `not_after`."""

    v: Version
    id: Annotated[Name, _is("Names the command. Remember the last ones with your reply: QoS 1 may bring one twice.")]
    name: Annotated[Name, _is("What is to be done. Refuse a name that you do not know.")]
    args: Annotated[dict[str, Any], _is("Depends on the name.")] = {}
    not_after: Annotated[
        Moment | None, _is("Refuse the command if your clock is later; without a clock that you trust, refuse it too.")
    ] = None
    sig: Annotated[Text | None, _is("The signature of the server. Refuse what you cannot verify.")] = None


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings a terminal is to run with; `rev` only rises."""

    v: Version
    rev: Annotated[Count, _is("The revision. Ignore one that is not higher than the last that you applied.")]
    every: Annotated[
        Every | None, _is("The interval of heartbeats from now on. What the last heartbeat promised still holds.")
    ] = None
    sample: Annotated[Sample | None, _is("How often to measure health.")] = None
    sig: Annotated[Text | None, _is("The signature of the server. Ignore what you cannot verify.")] = None


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every record has: its id within the box and its device times."""

    id: Annotated[
        RecordId,
        _is(
            "Counts the records of this boot, from 1, without gaps. Give it when the record is written; a record "
            "never changes afterwards, however often it is sent. Another content under a known (box, id) is set "
            "aside and not stored."
        ),
    ]
    at: Annotated[
        Moment, _is("The clock of the device when the record was written; it may be wrong, like `at` of a message.")
    ]
    up: Annotated[
        SinceBoot | None,
        _is("Seconds since the boot that wrote the record (its box) began. With it a wrong clock does no harm."),
    ] = None


class Health(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="health"):
    """How the machine is. Each value may be absent: absent means not known, not zero."""

    cpu: Annotated[Fraction | None, _is("Load of the processors, all together.")] = None
    mem: Annotated[Fraction | None, _is("Memory in use.")] = None
    disk: Annotated[Fraction | None, _is("Use of the fullest disk.")] = None
    temp: Annotated[Celsius | None, _is("Temperature of the hottest sensor.")] = None
    rtt_ms: Annotated[Millis | None, _is("Round trip to the broker.")] = None
    rx: Annotated[Bytes | None, _is("Received since the machine started; it may begin anew.")] = None
    tx: Annotated[Bytes | None, _is("Sent since the machine started; it may begin anew.")] = None
    wifi: Annotated[bool | None, _is("Whether the access point for visitors works.")] = None
    services: Annotated[
        Annotated[dict[Name, bool], Meta(max_length=64)] | None, _is("Programs that must run, and whether each does.")
    ] = None


class Usage(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="usage"):
    """Counts of use from `at` to `until`; never who."""

    until: Annotated[Moment | None, _is("The end of the interval, by the same clock as `at`.")] = None
    sessions: Annotated[Count | None, _is("Sessions that began in the interval.")] = None
    minutes: Annotated[Minutes | None, _is("Time of use in the interval, all sessions together.")] = None
    by: Annotated[
        Annotated[dict[Name, dict[str, Count]], Meta(max_length=16)] | None,
        _is('The same sessions by a property: {"category": {"books": 5}, "language": {"bo": 3}}.'),
    ] = None
    bytes: Annotated[Bytes | None, _is("Content that was delivered.")] = None


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A content package on a terminal and when it was applied."""

    id: Annotated[Name, _is("The package.")]
    version: Annotated[Text | None, _is("Its version.")] = None
    applied: Annotated[Moment | None, _is("When it was applied, by the clock of the device.")] = None
    lang: Annotated[Text | None, _is("The language of its content, such as bo or zh-CN.")] = None
    bytes: Annotated[Bytes | None, _is("Its size.")] = None


class Inventory(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="inventory"):
    """What the terminal is and carries. Send it at the start, and when it changes."""

    model: Annotated[Text | None, _is("The model of the device.")] = None
    serial: Annotated[Text | None, _is("Its serial number: a replaced device shows by it.")] = None
    os: Annotated[Text | None, _is("Operating system and version.")] = None
    agent: Annotated[Text | None, _is("The name and version of the agent.")] = None
    cpu: Annotated[Text | None, _is("The processor.")] = None
    mem_bytes: Annotated[Bytes | None, _is("Memory.")] = None
    disk_bytes: Annotated[Bytes | None, _is("Size of the disk.")] = None
    installed: Annotated[
        Int64 | Text | None, _is("When the device was installed: ms since 1970-01-01 UTC, or a date as text.")
    ] = None
    resources: Annotated[
        Annotated[list[Resource], Meta(max_length=1000)] | None,
        _is("All content packages; an empty list means there are none."),
    ] = None


class Presence(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="presence"):
    """The terminal ran from `at` to `until` while the link was down. It needs no stored heartbeats."""

    until: Annotated[Moment | None, _is("The end, by the same clock as `at`.")] = None
    until_up: Annotated[SinceBoot | None, _is("The `up` of the end, as `up` is that of the beginning.")] = None
    usable: Annotated[bool | None, _is("The same as in a heartbeat. Begin a new record when it changes.")] = None


class Event(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """Something that happened on the terminal."""

    name: Annotated[Name | None, _is("What happened, in one word such as outbox_dropped.")] = None
    detail: Annotated[Any, _is("Anything, at most 32 levels deep, and numbers within 64 bits.")] = None


Record = Health | Usage | Inventory | Presence | Event
Live = Heartbeat | Status
KINDS: Final = ("health", "usage", "inventory", "presence", "event")
