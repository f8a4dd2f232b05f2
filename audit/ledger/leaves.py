"""The exact bytes of a leaf: RFC 8785 of named columns of a row, times as whole ms. Pure.

Never what the database rounds or adds: `written_at` is no part of a leaf. The field `row` is the table. docs/ledger.md
lists the fields, so that others can make the same bytes.
"""

import math
from enum import StrEnum
from typing import Any, Final

import msgspec
import rfc8785

_ENCODER: Final = msgspec.json.Encoder()


class LeafSource(StrEnum):
    """The table whose rows are leaves; the values are stored."""

    ENTRY = "ledger_entry"
    TRANSITION = "transition"
    GAP = "pipeline_gap"
    HEALTH = "health_change"


STREAMS: Final = (LeafSource.GAP, LeafSource.TRANSITION, LeafSource.HEALTH)
"""The tables whose rows are numbered without gaps for each partition."""


class EntryRow(msgspec.Struct, frozen=True):
    """A row of `ledger_entry`, in the order of its columns in the query."""

    id: int
    kind: str
    subject: str
    actor: str
    at_ms: int
    body: bytes


class TransitionRow(msgspec.Struct, frozen=True):
    """A row of `transition`. The fields are in the order of RFC 8785, and the query has the same order."""

    after: str
    at_ms: int
    before: str
    deadline_at_ms: int | None
    partition: int
    reason: str
    row: str
    seen_at_ms: int | None
    seq: int
    shard: str
    station: str
    terminal: str | None
    tick_at_ms: int
    usable: bool | None


class GapRow(msgspec.Struct, frozen=True):
    """A row of `pipeline_gap`; the order of the fields is as in TransitionRow."""

    began_at_ms: int
    ended_at_ms: int
    partition: int
    reason: str
    row: str
    seq: int
    shard: str


class HealthRow(msgspec.Struct, frozen=True):
    """A row of `health_change`; the order of the fields is as in TransitionRow."""

    as_of_ms: int
    at_ms: int
    field: str | None
    firing: bool
    partition: int
    reason: str
    row: str
    rule: str
    seq: int
    severity: str | None
    since_ms: int
    station: str
    subject: str
    terminal: str
    threshold: float | None
    value: float | None


LeafRow = EntryRow | TransitionRow | GapRow | HealthRow
ROWS: Final[dict[LeafSource, type[EntryRow | TransitionRow | GapRow | HealthRow]]] = {
    LeafSource.ENTRY: EntryRow,
    LeafSource.TRANSITION: TransitionRow,
    LeafSource.GAP: GapRow,
    LeafSource.HEALTH: HealthRow,
}


def leaf_bytes(row: LeafRow) -> bytes:
    """The bytes of the leaf of a row."""
    if isinstance(row, EntryRow):
        return _entry_bytes(row)
    if isinstance(row, HealthRow):
        # Numbers with a fraction have a form of their own in RFC 8785.
        return rfc8785.dumps({name: _fit(value) for name, value in msgspec.structs.asdict(row).items()})
    return _ENCODER.encode(row)


def _entry_bytes(row: EntryRow) -> bytes:
    # The body is canonical already (store/ledger.py), and its bytes are what counts.
    return b'{"actor":%b,"at_ms":%d,"body":%b,"id":%d,"kind":%b,"row":"ledger_entry","subject":%b}' % (
        _ENCODER.encode(row.actor),
        row.at_ms,
        row.body,
        row.id,
        _ENCODER.encode(row.kind),
        _ENCODER.encode(row.subject),
    )


def _fit(value: Any) -> Any:
    """JSON has no NaN and no infinity: their names as text."""
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
