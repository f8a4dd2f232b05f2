"""What the stream says of a transition and of an incident."""

from typing import Final

import asyncpg
import msgspec

_encode: Final = msgspec.json.Encoder().encode
_INCIDENT: Final = (
    "id",
    "kind",
    "station",
    "area",
    "shard",
    "status",
    "began_at",
    "opened_at",
    "closed_at",
    "parent",
    "action",
    "actor",
    "remark",
    "text",
    "at",
)


def transition_event(row: asyncpg.Record) -> bytes:
    """A transition with all its columns; `terminal` is null in a station's own."""
    return _encode(dict(row))


def incident_event(row: asyncpg.Record) -> bytes:
    """An incident as it is now, and what just happened to it: `action`, by `actor`, `at`."""
    return _encode({name: row[name] for name in _INCIDENT})
