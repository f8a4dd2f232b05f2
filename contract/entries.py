"""Decode the records of Kafka into units of work; a record that no bridge can have written becomes a refusal."""

from functools import lru_cache
from typing import Final, Protocol

import msgspec
from msgspec.structs import asdict

from contract.clocks import WallMs
from contract.codec import decode_record, encode
from contract.log import PLAUSIBLE, AcceptedData, DataEntry, DeadLetter, ReplyEntry
from contract.messages import Record
from contract.refusal import Reason, RefusedError
from contract.topics import Topic, is_station_id, is_terminal_id, parse_topic

NOT_AN_ENTRY: Final = "not_an_entry"
"""Reason: no bridge writes such a Kafka value."""
NOT_STORABLE: Final = "not_storable"
"""Reason: the database refuses the record."""
NOT_JUDGED: Final = "not_judged"
"""Reason: the record is stored, but the health rules cannot evaluate it."""
OTHER_CONTENT: Final = "other_content"
"""Reason: another record with the same id is stored."""
NOT_COMPARED: Final = "not_compared"
"""Reason: the id counts as stored, but the stored record was not found for a comparison."""
EXCERPT: Final = 1000
"""Maximum characters that a refusal keeps of the refused payload."""
_DETAIL: Final = 500
_NUL: Final = b"\\u0000"
# Deep nesting raises a RecursionError, an integer of thousands of digits a plain ValueError.
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, ValueError)


class LogRecord(Protocol):
    """A record of Kafka: its position, its time and its bytes."""

    @property
    def topic(self) -> str:
        """The Kafka topic."""
        ...

    @property
    def partition(self) -> int:
        """The partition of the topic."""
        ...

    @property
    def offset(self) -> int:
        """The offset in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """The wall clock of the writer, in ms."""
        ...

    @property
    def key(self) -> bytes | None:
        """The station id, as the bridge writes it."""
        ...

    @property
    def value(self) -> bytes | None:
        """The entry as JSON."""
        ...


class TypedData(AcceptedData, frozen=True, kw_only=True, gc=False):
    """A data message with its records decoded too, in one step."""

    records: list[Record]  # type: ignore[assignment]  # of the same bytes


class TypedEntry(DataEntry, frozen=True, kw_only=True, gc=False, tag="data"):
    """A data message on the log, with decoded records."""

    body: TypedData


class DataUnit(msgspec.Struct, frozen=True, gc=False):
    """Records of one box that came in one message."""

    origin: LogRecord
    station: str
    entry: TypedEntry


class ReplyUnit(msgspec.Struct, frozen=True, gc=False):
    """A progress report of a command."""

    origin: LogRecord
    station: str
    entry: ReplyEntry


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A row of dead_letter: `at` in ms, `size` in bytes, `refused` records (0: the whole message)."""

    source: str
    at: WallMs
    topic: str
    station: str | None
    reason: str
    detail: str
    excerpt: str
    size: int
    refused: int = 0
    shard: str = ""


Unit = DataUnit | ReplyUnit | Refusal


_TYPED: Final = msgspec.json.Decoder(TypedEntry | ReplyEntry)
_RAW: Final = msgspec.json.Decoder(DataEntry)
_LETTER: Final = msgspec.json.Decoder(DeadLetter)


def read_entry(log: str, origin: LogRecord) -> list[Unit]:
    """The units of one Kafka record of milepost.records; `log` is the identity of the log. Never raises."""
    station, value = _station(origin.key), origin.value or b""
    if station is None:
        return [not_an_entry(log, origin, "its key is no station")]
    if _NUL in value:
        return _read_one_by_one(log, origin, station, "it has the character U+0000")
    try:
        entry = _TYPED.decode(value)
    except _UNREADABLE as exc:
        return _read_one_by_one(log, origin, station, str(exc))
    if not _can_be(entry):
        return [not_an_entry(log, origin, "its terminal or receive time cannot be")]
    # isinstance is five times slower here, because of the metaclass of these types.
    return [DataUnit(origin, station, entry) if type(entry) is TypedEntry else ReplyUnit(origin, station, entry)]


def _read_one_by_one(log: str, origin: LogRecord, station: str, why: str) -> list[Unit]:
    """Decode each record separately: a bridge of another version may have accepted one that this version refuses."""
    try:
        entry = _RAW.decode(origin.value or b"")
    except _UNREADABLE:
        return [not_an_entry(log, origin, why)]
    if not _can_be(entry) or "\0" in entry.body.box + entry.body.boot + entry.shard:
        return [not_an_entry(log, origin, "its terminal, box or receive time cannot be")]
    good: list[Record] = []
    units: list[Unit] = []
    for place, raw in enumerate(map(bytes, entry.body.records)):
        try:
            good.append(_read_record(raw))
        except RefusedError as exc:
            source = f"{_source(log, origin)}/{place}"
            units.append(_refused(source, station, entry, raw, exc.reason, exc.detail))
    body = TypedData(**{**asdict(entry.body), "records": good})
    return [*units, DataUnit(origin, station, TypedEntry(**{**asdict(entry), "body": body}))]


_is_terminal = lru_cache(maxsize=10_000)(is_terminal_id)


def _can_be(entry: DataEntry | ReplyEntry) -> bool:
    return PLAUSIBLE[0] <= entry.received <= PLAUSIBLE[1] and _is_terminal(entry.terminal)


def _read_record(raw: bytes) -> Record:
    if _NUL in raw:
        raise RefusedError(Reason.NUL_CHARACTER, "the record has the character U+0000, which cannot be stored")
    return decode_record(raw)


@lru_cache(maxsize=100_000)
def _station(key: bytes | None) -> str | None:
    text = (key or b"").decode("ascii", "replace")
    return text if is_station_id(text) else None


def _source(log: str, origin: LogRecord) -> str:
    """The position in the log, which makes a dead letter unique: a replay adds no second one."""
    return f"{log}/{origin.topic}/{origin.partition}/{origin.offset}"


def not_an_entry(log: str, origin: LogRecord, why: str) -> Refusal:
    """The dead letter for a Kafka record that no bridge wrote."""
    value = origin.value or b""
    return Refusal(
        source=_source(log, origin),
        at=WallMs(max(PLAUSIBLE[0], min(origin.timestamp, PLAUSIBLE[1]))),
        topic=origin.topic,
        station=_station(origin.key),
        reason=NOT_AN_ENTRY,
        detail=clean(f"partition {origin.partition}, offset {origin.offset}: {why}")[:_DETAIL],
        excerpt=excerpt(value),
        size=len(value),
    )


def not_storable(log: str, unit: DataUnit | ReplyUnit, why: str) -> Refusal:
    """The dead letter for a record or a reply that the database refuses."""
    source = _source(log, unit.origin)
    if isinstance(unit, ReplyUnit):
        return _refused(source, unit.station, unit.entry, encode(unit.entry.body), NOT_STORABLE, why)
    records = unit.entry.body.records
    place = records[0].id if records else ""
    return _refused(f"{source}/id/{place}", unit.station, unit.entry, encode(records), NOT_STORABLE, why)


def not_judged(log: str, unit: DataUnit, why: str) -> Refusal:
    """The dead letter for a stored data message that the health rules cannot evaluate."""
    source, records = f"{_source(log, unit.origin)}/health", unit.entry.body.records
    return _refused(source, unit.station, unit.entry, encode(records), NOT_JUDGED, why)


def other_content(log: str, unit: DataUnit, record: Record) -> Refusal:
    """The dead letter for an acknowledged record whose id belongs to another stored record."""
    detail = f"box {unit.entry.body.box}, id {record.id}: another record is stored under it; a box is new at each start"
    return _repeated(log, unit, record, OTHER_CONTENT, detail)


def not_compared(log: str, unit: DataUnit, record: Record) -> Refusal:
    """The dead letter for a record whose id counts as stored, but no stored record was found to compare."""
    detail = f"box {unit.entry.body.box}, id {record.id}: it counts as stored, and is not where its time would put it"
    return _repeated(log, unit, record, NOT_COMPARED, detail)


def _repeated(log: str, unit: DataUnit, record: Record, reason: str, detail: str) -> Refusal:
    # The same source as in `not_storable`, so that a replay adds no second dead letter.
    source = f"{_source(log, unit.origin)}/id/{record.id}"
    return _refused(source, unit.station, unit.entry, encode(record), reason, detail)


def _refused(source: str, station: str, entry: DataEntry | ReplyEntry, raw: bytes, reason: str, detail: str) -> Refusal:
    data = isinstance(entry, DataEntry)
    return Refusal(
        source=source,
        at=entry.received,
        topic=str(Topic(station, entry.terminal, "data" if data else "reply")),
        station=station,
        reason=reason,
        detail=clean(detail)[:_DETAIL],
        excerpt=excerpt(raw),
        size=len(raw),
        refused=1 if data else 0,
        shard=clean(entry.shard)[:_DETAIL],
    )


def read_letter(log: str, origin: LogRecord) -> Refusal:
    """The row for one Kafka record of milepost.deadletter; never raises."""
    try:
        letter = _LETTER.decode(origin.value or b"")
    except _UNREADABLE as exc:
        return not_an_entry(log, origin, str(exc))
    if not PLAUSIBLE[0] <= letter.at <= PLAUSIBLE[1]:
        return not_an_entry(log, origin, "its time cannot be")
    return Refusal(
        source=_source(log, origin),
        at=letter.at,
        topic=clean(letter.topic)[:EXCERPT],
        station=_station_of(letter.topic),
        reason=clean(letter.reason)[:_DETAIL],
        detail=clean(letter.detail)[:_DETAIL],
        excerpt=clean(letter.payload[: 2 * EXCERPT])[:EXCERPT],
        size=_held(letter.size),
        refused=_held(letter.refused),
        shard=clean(letter.shard)[:_DETAIL],
    )


def _station_of(topic: str) -> str | None:
    """The station that an MQTT topic names, also under an unknown channel."""
    parts = topic.split("/")
    if len(parts) == 5:
        parts[4] = "data"
    try:
        return parse_topic("/".join(parts)).station
    except RefusedError:
        return None


def _held(number: int) -> int:
    return max(0, min(number, 2**31 - 1))


def clean(text: str) -> str:
    """The text without characters that PostgreSQL cannot store: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def excerpt(raw: bytes) -> str:
    """The beginning of a refused payload, as text."""
    return clean(raw[: 4 * EXCERPT].decode(errors="replace"))[:EXCERPT]
