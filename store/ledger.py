"""Entries of the ledger: what a person or Milepost did, in exact bytes, in the transaction that does it."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import rfc8785

from contract.clocks import WallMs
from store.ledger_kinds import LedgerKind, WrittenText, text_hash
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
MOST_BODY: Final = 64 * 1024
"""Bytes of the body of an entry."""
_AT_ONCE: Final = 5000
"""Entries of one statement: 320 MiB at most, where PostgreSQL takes up to 1 GiB."""
_SALT: Final = 16
"""Random bytes of a salt."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class UnfitEntryError(ValueError):
    """A body that has no canonical form or is too large: an error in the code that wrote the entry."""


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. Its body names accounts by their ids, and free text and files by their SHA-256: no name, no phone
    number, no photo, no secret."""

    kind: LedgerKind
    #: What the entry is about: the type of thing and its id, such as `incident/17`.
    subject: str
    #: The id of the account that acted.
    actor: str
    #: JSON: text, lists, objects, booleans, numbers below 2^53, and on the first level what `hashed` makes; or the
    #: bytes of an object, in canonical form.
    body: Mapping[str, Any] | bytes = {}
    #: None: the time of the transaction, by the database.
    at_ms: WallMs | None = None


async def append_entries(connection: Connection, entries: Sequence[LedgerEntry]) -> None:
    """Append entries in the caller's transaction, in their order.

    Raises UnfitEntryError for a body without a canonical form or over MOST_BODY; AssertionError outside a transaction.
    """
    if not connection.is_in_transaction():
        raise AssertionError("an entry of the ledger belongs to the transaction of what it describes: begin one")
    for some in _batches(entries):
        rows: list[tuple[Any, ...]] = []
        salts: list[tuple[bytes, str, bytes]] = []
        for entry in some:
            body, own = _salted(entry.body)
            text = canonical(body)
            rows.append((entry.kind.value, entry.subject, entry.actor, entry.at_ms, text))
            salts += [(text, field, salt) for field, salt in own.items()]
        await connection.execute(QUERIES.append_entries, *_columns(rows, 5), *_columns(salts, 3))


async def has_ledger(connection: Connection) -> bool:
    """Whether the schema has a ledger; that of an old backup may have none."""
    return bool(await connection.fetchval(QUERIES.has_ledger))


async def end_log(connection: Connection) -> None:
    """End the log of a database from a backup: the sealer begins a new one, which names the last checkpoint of the old.

    Needs the owner of the tables, in a transaction.
    """
    if await connection.fetchval(QUERIES.has_seal):
        await connection.execute(QUERIES.unseal)


def canonical(body: Mapping[str, Any] | bytes) -> bytes:
    """The bytes of a body, by RFC 8785. Raises UnfitEntryError."""
    try:
        text = body if isinstance(body, bytes) else rfc8785.dumps(dict(body))
    except rfc8785.IntegerDomainError as exc:
        raise UnfitEntryError(f"{exc}: JSON keeps integers below 2^53 only, so write this one as text") from exc
    except (rfc8785.CanonicalizationError, RecursionError) as exc:
        raise UnfitEntryError(f"the body of an entry has no canonical form: {exc}") from exc
    if len(text) > MOST_BODY:
        raise UnfitEntryError(f"the body of an entry has {len(text)} bytes, of at most {MOST_BODY}: write several")
    return text


def _salted(body: Mapping[str, Any] | bytes) -> tuple[Mapping[str, Any] | bytes, dict[str, bytes]]:
    """The body with hashes instead of texts, and the salt of each by its field."""
    if isinstance(body, bytes):
        return body, {}
    salts = {field: secrets.token_bytes(_SALT) for field, value in body.items() if isinstance(value, WrittenText)}
    return {**body, **{field: text_hash(salt, body[field].text) for field, salt in salts.items()}}, salts


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[n] for row in rows] for n in range(count)]


def ms_of(at: datetime) -> WallMs:
    """A time with a zone as the whole ms since the epoch that it has reached."""
    return WallMs((at - _EPOCH) // timedelta(milliseconds=1))


def _batches(entries: Sequence[LedgerEntry]) -> Iterator[Sequence[LedgerEntry]]:
    return (entries[begin : begin + _AT_ONCE] for begin in range(0, len(entries), _AT_ONCE))
