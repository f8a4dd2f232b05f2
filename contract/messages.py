"""The messages of contract version 1: types and limits. `contract.codec` reads and writes the messages.

Times are milliseconds since the epoch by the clock of the device. That clock may be wrong by decades, so `at` is any
64-bit integer, and no value of `at` is refused. `up` is the seconds of a clock that is monotonic within a boot. A new
field must have a default, and types never change; tests/golden checks this for every message.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from contract.clocks import MonotonicSeconds, WallMs

MAX_PAYLOAD: Final = 256 * 1024
"""Maximum bytes of an MQTT payload; the bridge refuses a larger payload."""
MAX_RECORDS: Final = 500
"""Maximum number of records that an agent puts into one data message."""
MAX_DATA_BYTES: Final = 128 * 1024
"""Maximum bytes that an agent puts into one data message."""
MOST_TERMINALS: Final = 64
"""Default of the maximum number of terminals of a station; messages of further terminals are refused."""

# The largest id leaves room for the exclusive upper bound of an int8range.
MAX_ID: Final = 2**63 - 2


def _in(unit: str) -> dict[str, str]:
    """The unit of a number, for the documents."""
    return {"x-unit": unit}


def _is(description: str) -> Meta:
    """The meaning of a field and the duties of an agent; the documents are generated from it."""
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
        "Counts the starts of the agent. Keep it on disk, raise it by one at each start and write it down "
        "before the first message. At its first heartbeat, a boot with a higher run replaces the boot "
        "before. If the file is lost, begin with 1: the server then accepts the boot at its second "
        "heartbeat. Never derive the run from the clock."
    ),
]
Conn = Annotated[
    Count | None,
    _is(
        "Counts the MQTT connections of this run. Raise it by one before each CONNECT, and put the same "
        "value into the Last Will of that connection. Without this field, the server does not detect "
        "message loss by missing numbers."
    ),
]
Number = Annotated[
    Count,
    _is(
        "Counts heartbeats and statuses of this run together. Raise it by one for each message, in the "
        "order of sending; never set it back within a run, not even at a reconnect. (run, n) puts the "
        "messages of a boot in order: the server ignores a message that is not newer than the last."
    ),
]
StatusNumber = Annotated[
    Count | None,
    _is(
        "The same counter as in a heartbeat. Leave it out of the Last Will, because the broker publishes "
        "the Last Will at an unknown time."
    ),
]
At = Annotated[
    Moment,
    _is(
        "The clock of the device when it sent the message. The clock may be wrong by decades or be set at "
        "any time: the server refuses no value and bases no decision on it. Measure your own intervals with "
        "the monotonic clock."
    ),
]
Up = Annotated[
    SinceBoot | None,
    _is(
        "Seconds since this boot began, by a clock that does not change when the time is set "
        "(CLOCK_MONOTONIC, or CLOCK_BOOTTIME on devices that sleep). The server corrects device times with "
        "it, so send it if you can."
    ),
]
Box = Annotated[
    Name,
    _is(
        "The boot that wrote the records. Store it with each record: send a record that was written before "
        "a restart with its old box. (station, terminal, box, id) identifies a record permanently."
    ),
]
Promised = Annotated[
    Every,
    _is(
        "The next heartbeat comes within this many seconds. After three missed heartbeats the terminal is "
        "offline. Each heartbeat carries its own value; a new value applies from that heartbeat on."
    ),
]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The sign of life of a terminal; the next heartbeat comes within `every` seconds."""

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
            "Whether a visitor can use the service on this terminal now. Leave the field out if you do not "
            "know: this means neither yes nor no."
        ),
    ] = None
    users: Annotated[Count | None, _is("Number of people who use the terminal now; never their identity.")] = None


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A change that the terminal announces, or its Last Will (`state` lost)."""

    v: Version
    boot: Boot
    run: Run
    conn: Conn = None
    n: StatusNumber = None
    state: Annotated[
        TerminalStatus,
        _is(
            "online: connected; this overwrites the retained message but does not make the terminal online: "
            "only a heartbeat does. away: an intended silence; send it before the agent ends. lost: the Last "
            "Will; only the broker publishes it. It shortens the time until the terminal is offline, and only "
            "if its (run, conn) is the newest."
        ),
    ]
    at: At
    reason: Annotated[
        Text | None, _is("Why the terminal is away: shutdown, update, closing, power or a word of your own.")
    ] = None
    back_by: Annotated[
        Moment | None,
        _is(
            "When the terminal will be back, by the same clock as `at`: only the difference counts, at most 24 "
            "hours. Until then the silence is no incident. Without this field: 24 hours."
        ),
    ] = None


class Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records of one box. Each record is read separately, so that a bad record does not affect the others."""

    v: Version
    boot: Boot
    run: Run
    at: At
    up: Up = None
    box: Box
    records: Annotated[
        list[msgspec.Raw],
        _is(
            "At most 500 records and 128 KiB a message. Each record is checked separately. A refused record is "
            "acknowledged too, because the server keeps it as a dead letter."
        ),
    ]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a command on the terminal."""

    v: Version = 1
    id: Annotated[Name, _is("The `id` of the command.")]
    stage: Annotated[
        CommandStage,
        _is(
            "received: the terminal will carry the command out. refused: it will not, `result` says why. done, "
            "failed: the end of the command. If a command comes again, send the same reply and do not carry it "
            "out again."
        ),
    ]
    at: Annotated[Moment | msgspec.UnsetType, _is("The clock of the device.")] = msgspec.UNSET
    result: Annotated[
        dict[str, Any] | msgspec.UnsetType,
        _is("The result of the command. For a refused command: reason, one of unsigned, unknown_command, expired."),
    ] = msgspec.UNSET


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The closed id ranges of a box that are stored; the agent deletes exactly those records."""

    v: Version
    box: Annotated[Name, _is("The box whose records are stored. It may be the box of an earlier boot.")]
    ids: Annotated[
        list[tuple[RecordId, RecordId]],
        _is("Closed ranges [first, last]: delete exactly these records, and ignore ids that you do not have."),
    ]


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command to a terminal; the terminal must not carry it out after `not_after`."""

    v: Version
    id: Annotated[
        Name,
        _is("Identifies the command. Remember the last ids with your replies: with QoS 1 a command can arrive twice."),
    ]
    name: Annotated[Name, _is("The action. Refuse a name that you do not know.")]
    args: Annotated[dict[str, Any], _is("The arguments; they depend on the name.")] = {}
    not_after: Annotated[
        Moment | None, _is("Refuse the command if your clock is later; also refuse it if you do not trust your clock.")
    ] = None
    sig: Annotated[Text | None, _is("The signature of the server. Refuse a command that you cannot verify.")] = None


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Settings for a terminal; `rev` only rises."""

    v: Version
    rev: Annotated[Count, _is("The revision. Ignore a revision that is not higher than the last one that you applied.")]
    every: Annotated[
        Every | None,
        _is(
            "The interval of heartbeats from now on. The `every` of the last heartbeat stays valid until the "
            "next heartbeat."
        ),
    ] = None
    sample: Annotated[Sample | None, _is("Interval between measurements of health.")] = None
    sig: Annotated[Text | None, _is("The signature of the server. Ignore settings that you cannot verify.")] = None


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """The fields of every record: its id within the box and its device times."""

    id: Annotated[
        RecordId,
        _is(
            "Counts the records of this boot, from 1, without gaps. Assign it when you write the record. A "
            "record never changes afterwards, even if you send it several times. If a record has other content "
            "than the stored one with the same (box, id), the server sets it aside and does not store it."
        ),
    ]
    at: Annotated[
        Moment, _is("The clock of the device when it wrote the record; it may be wrong, like `at` of a message.")
    ]
    up: Annotated[
        SinceBoot | None,
        _is(
            "Seconds since the start of the boot that wrote the record (its box). With this field the server "
            "corrects a wrong clock."
        ),
    ] = None


class Health(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="health"):
    """The health of the machine. Each value may be absent: absent means unknown, not zero."""

    cpu: Annotated[Fraction | None, _is("Load of all processors together.")] = None
    mem: Annotated[Fraction | None, _is("Memory in use.")] = None
    disk: Annotated[Fraction | None, _is("Use of the fullest disk.")] = None
    temp: Annotated[Celsius | None, _is("Temperature of the hottest sensor.")] = None
    rtt_ms: Annotated[Millis | None, _is("Round-trip time to the broker.")] = None
    rx: Annotated[Bytes | None, _is("Bytes received since the machine started; the counter may restart at 0.")] = None
    tx: Annotated[Bytes | None, _is("Bytes sent since the machine started; the counter may restart at 0.")] = None
    wifi: Annotated[bool | None, _is("Whether the access point for visitors works.")] = None
    services: Annotated[
        Annotated[dict[Name, bool], Meta(max_length=64)] | None,
        _is("Programs that must run, and whether each of them runs."),
    ] = None


class Usage(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="usage"):
    """Counts of use from `at` to `until`; never the identity of users."""

    until: Annotated[Moment | None, _is("The end of the interval, by the same clock as `at`.")] = None
    sessions: Annotated[Count | None, _is("Sessions that began in the interval.")] = None
    minutes: Annotated[Minutes | None, _is("Minutes of use in the interval, all sessions together.")] = None
    by: Annotated[
        Annotated[dict[Name, dict[str, Count]], Meta(max_length=16)] | None,
        _is('The same sessions by a property: {"category": {"books": 5}, "language": {"bo": 3}}.'),
    ] = None
    bytes: Annotated[Bytes | None, _is("Bytes of content that were delivered.")] = None


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A content package on a terminal, and when it was applied."""

    id: Annotated[Name, _is("The id of the package.")]
    version: Annotated[Text | None, _is("The version of the package.")] = None
    applied: Annotated[Moment | None, _is("When the package was applied, by the clock of the device.")] = None
    lang: Annotated[Text | None, _is("The language of the content, for example bo or zh-CN.")] = None
    bytes: Annotated[Bytes | None, _is("The size of the package.")] = None


class Inventory(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="inventory"):
    """The hardware, software and content of the terminal. Send this record at the start and after each change."""

    model: Annotated[Text | None, _is("The model of the device.")] = None
    serial: Annotated[
        Text | None, _is("The serial number of the device; a changed number shows that the device was replaced.")
    ] = None
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
        _is("All content packages; an empty list means that there are none."),
    ] = None


class Presence(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="presence"):
    """The terminal ran from `at` to `until` while it was disconnected. This record replaces stored heartbeats."""

    until: Annotated[Moment | None, _is("The end, by the same clock as `at`.")] = None
    until_up: Annotated[SinceBoot | None, _is("The `up` of the end, as `up` is that of the beginning.")] = None
    usable: Annotated[bool | None, _is("The same as in a heartbeat. Begin a new record when the value changes.")] = None


class Event(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """Something that happened on the terminal."""

    name: Annotated[Name | None, _is("The kind of event in one word, for example outbox_dropped.")] = None
    detail: Annotated[Any, _is("Any value, at most 32 levels deep, with integers of at most 64 bits.")] = None


Record = Health | Usage | Inventory | Presence | Event
Live = Heartbeat | Status
KINDS: Final = ("health", "usage", "inventory", "presence", "event")
