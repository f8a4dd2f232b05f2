"""The rows that a batch of units adds to the tables, decided in memory with the boots of the units."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from msgspec.structs import astuple, replace

from contract.clocks import WallMs
from contract.codec import encode
from contract.device_times import Source, anchor_of, corrected_end
from contract.entries import DataUnit, Refusal, ReplyUnit, Unit
from contract.messages import Health, Inventory, Presence, Record, Usage
from ingest.boots import Boot, Key

MAX_RANGES_KEPT: Final = 64
"""A box in more pieces is not kept in memory between batches, so that the number of boxes bounds the memory."""

Row = tuple[Any, ...]
Column = Sequence[Any]


class Repeat(NamedTuple):
    """A record whose id was stored already, and its row, to be compared with the stored row."""

    unit: DataUnit
    record: Record
    row: Row


Run = tuple[str, str, int]
"""(station, terminal, run): the key of a question for the last receipt of the boots before that run."""


ROLLED_UP: Final[Mapping[type[Record], str]] = {Health: "health", Usage: "usage"}
"""The records with figures by hour and day."""
_HOUR: Final = 3_600_000

Touch = tuple[type[Record], int, str | None]
"""(kind, number of the hour since the epoch, station): figures that change. Without a station: the figures of any
station whose records arrived in this same hour."""


class RecordRows:
    """Rows by table, and the boots whose state is to be written."""

    def __init__(self) -> None:
        self.records: dict[type[Record], list[Row]] = defaultdict(list)
        self.boxes: dict[Key, Boot] = {}
        # As text, fixed now: the boots go on changing while the rows are written.
        self.seen: dict[Key, str] = {}
        self.scattered: list[Key] = []
        self.anchors: dict[Key, Boot] = {}
        self.replies: list[ReplyUnit] = []
        self.refusals: list[Refusal] = []
        self.repeats: dict[type[Record], list[Repeat]] = defaultdict(list)
        self.touched: set[Touch] = set()
        self.stored = 0
        self.repeated = 0


def keys_of(units: Iterable[Unit]) -> dict[Key, None]:
    """The keys of the boots that the units name, each once, in order."""
    found: dict[Key, None] = {}
    for unit in units:
        if isinstance(unit, DataUnit):
            station, terminal, body = unit.station, unit.entry.terminal, unit.entry.body
            found[station, terminal, body.boot] = None
            if body.box != body.boot:
                found[station, terminal, body.box] = None
    return found


def runs_of(units: Iterable[Unit], boots: Mapping[Key, Boot]) -> dict[Run, None]:
    """The runs whose predecessors bound a box that is new and has no anchor."""
    found: dict[Run, None] = {}
    if all(boot.met or boot.anchor is not None for boot in boots.values()):
        return found
    for unit in units:
        if isinstance(unit, DataUnit):
            station, terminal, body = unit.station, unit.entry.terminal, unit.entry.body
            box = boots[station, terminal, body.box]
            if box.met or box.anchor is not None:
                continue
            if body.box != body.boot or anchor_of(unit.entry.received, body.up) is None:
                found[station, terminal, body.run] = None
    return found


def take_units(units: Iterable[Unit], boots: Mapping[Key, Boot], earlier: Mapping[Run, WallMs | None]) -> RecordRows:
    """Turn units into rows, in order; each (box, id) once. Changes the boots.

    `boots` holds all of `keys_of(units)`; `earlier` has for each of `runs_of(units)` the last receipt that the
    database has of the boots before that run (ms).
    """
    rows = RecordRows()
    last_before = _Predecessors(boots, earlier) if earlier else None
    for unit in units:
        if isinstance(unit, DataUnit):
            _take_data(rows, unit, boots, last_before)
        elif isinstance(unit, ReplyUnit):
            rows.replies.append(unit)
        else:
            rows.refusals.append(unit)
    rows.seen = {key: str(box.seen) for key, box in rows.boxes.items()}
    return rows


class _Predecessors:
    """The last receipts of the boots before a run, including the boots of this batch."""

    def __init__(self, boots: Mapping[Key, Boot], earlier: Mapping[Run, WallMs | None]) -> None:
        self._earlier = earlier
        self._boots: dict[tuple[str, str], list[Boot]] = defaultdict(list)
        for (station, terminal, _), boot in boots.items():
            self._boots[station, terminal].append(boot)

    def last_receipt(self, station: str, terminal: str, run: int) -> WallMs | None:
        here = (b.last_at for b in self._boots[station, terminal] if b.anchor is not None and b.run < run)
        stored = self._earlier.get((station, terminal, run))
        return max(chain(here, () if stored is None else (stored,)), default=None)


def _take_data(rows: RecordRows, unit: DataUnit, boots: Mapping[Key, Boot], before: _Predecessors | None) -> None:
    station, terminal, received, body = unit.station, unit.entry.terminal, unit.entry.received, unit.entry.body
    records, name = body.records, body.box
    key = (station, terminal, body.boot)
    carrier = box = boots[key]
    if carrier.hear(body.run, body.up, received):
        rows.anchors[key] = carrier
    if name != body.boot:
        key = (station, terminal, name)
        box = boots[key]
    fresh = box.seen.add([record.id for record in records])
    again: list[Record] = []
    if len(fresh) != len(records):
        rows.repeated += len(records) - len(fresh)
        records, again = _split(records, fresh)
    if fresh:
        _take_fresh(rows, unit, key, records, carrier, box, before)
    for record in again:
        time, source = box.time_of(record.at, record.up, received, carrier)
        row = _row(unit, record, time, source, box, _datetime(received))
        rows.repeats[type(record)].append(Repeat(unit, record, row))


def _take_fresh(
    rows: RecordRows,
    unit: DataUnit,
    key: Key,
    fresh: list[Record],
    carrier: Boot,
    box: Boot,
    before: _Predecessors | None,
) -> None:
    station, terminal, run = unit.station, unit.entry.terminal, unit.entry.body.run
    rows.stored += len(fresh)
    rows.boxes[key] = box
    if box.seen.ranges > MAX_RANGES_KEPT:
        rows.scattered.append(key)
    if not box.met:
        box.meet(carrier, before.last_receipt(station, terminal, run) if before and box.anchor is None else None)
    received = unit.entry.received
    received_at, arrived = _datetime(received), received // _HOUR
    for record in fresh:
        time, source = box.time_of(record.at, record.up, received, carrier)
        kind = type(record)
        rows.records[kind].append(_row(unit, record, time, source, box, received_at))
        if kind in ROLLED_UP:
            hour = time // _HOUR
            rows.touched.add((kind, hour, None if hour == arrived else station))


def _row(unit: DataUnit, record: Record, time: WallMs, source: Source, box: Boot, received_at: datetime) -> Row:
    entry = unit.entry
    head: Row = (_datetime(time), unit.station, entry.terminal, entry.body.box, received_at, source)
    kind = type(record)
    if kind is Usage or kind is Presence:
        head = (*head, _end(record, time, box.latest(entry.received)))
    elif type(record) is Inventory and isinstance(record.installed, int):
        record = replace(record, installed=str(record.installed))
    return head + astuple(record)


def _datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _split(records: Iterable[Record], fresh: Iterable[int]) -> tuple[list[Record], list[Record]]:
    """The first record of each of these ids, and all others."""
    left = set(fresh)
    first, again = [], []
    for record in records:
        if record.id in left:
            left.discard(record.id)
            first.append(record)
        else:
            again.append(record)
    return first, again


def _end(record: Any, time: WallMs, latest: WallMs) -> datetime | None:
    end = corrected_end(
        time=time,
        at=record.at,
        up=record.up,
        until=record.until,
        until_up=record.until_up if type(record) is Presence else None,
        latest=latest,
    )
    return None if end is None else _datetime(end)


_HEAD: Final = ("ts", "station", "terminal", "box", "received_at", "time_source")
_COLUMN: Final = {"at": "device_at", "until": "device_until"}
_JSON: Final = frozenset({"services", "by", "resources", "detail"})


def names_of(kind: type[Record]) -> tuple[str, ...]:
    """The table's columns, in the order of a row."""
    end = ("until",) if kind in (Usage, Presence) else ()
    return (*_HEAD, *end, *(_COLUMN.get(name, name) for name in kind.__struct_fields__))


def columns_of(kind: type[Record], rows: Sequence[Row]) -> list[Column]:
    """The rows column by column, with JSON as text."""
    columns: list[Column] = list(zip(*rows, strict=True))
    for place, name in enumerate(names_of(kind)):
        if name in _JSON:
            columns[place] = [None if value is None else encode(value).decode() for value in columns[place]]
    return columns
