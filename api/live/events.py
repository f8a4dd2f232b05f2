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
    """A transition with all its columns but `places`; `terminal` is null in a station's own."""
    return _encode({name: value for name, value in row.items() if name != "places"})


def incident_event(row: asyncpg.Record) -> bytes:
    """An incident as it is now, and what just happened to it: `action`, by `actor`, `at`."""
    return _encode({name: row[name] for name in _INCIDENT})


def places_of(row: asyncpg.Record) -> tuple[str, ...] | None:
    """The codes of the areas in which the event of a row lies; None: it is about the platform, and for everybody."""
    return None if row["places"] is None else tuple(row["places"])
