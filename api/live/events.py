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


Share = tuple[bytes, tuple[str, ...]]
"""What is sent to the scopes with a share of an incident, and the codes of the areas in which the shares lie."""
_OF_ALL_SHARES: Final = {
    "opened": "opened",
    "reopened": "reopened",
    "closed": "closed",
    "shelved": "closed",
    "resolved": "closed",
}
"""What is said to all counties with a share, by the action on the incident."""


def transition_event(row: asyncpg.Record) -> bytes:
    """A transition with all its columns but `places`; `terminal` is null in a station's own."""
    return _encode({name: value for name, value in row.items() if name != "places"})


def incident_event(row: asyncpg.Record) -> bytes:
    """An incident as it is now, and what just happened to it: `action`, by `actor`, `at`."""
    return _encode({name: row[name] for name in _INCIDENT})


def share_event(row: asyncpg.Record) -> Share | None:
    """What the counties with a share of an incident learn of an entry, and the codes of the areas that learn it.

    They learn that the incident opened or closed, or that something was done to the share; not who did it, nor the
    text. None: they learn nothing.
    """
    action = row["action"] if row["share"] is not None else _OF_ALL_SHARES.get(row["action"])
    if action is None or not row["share_places"]:
        return None
    known = {"id": row["id"], "kind": row["kind"], "area": row["area"], "share": row["share"]}
    return _encode({**known, "action": action, "at": row["at"]}), tuple(set(row["share_places"]))


def places_of(row: asyncpg.Record) -> tuple[str, ...] | None:
    """The codes of the areas in which the event of a row lies; None: it is about the platform, and for every scope."""
    return None if row["places"] is None else tuple(row["places"])
