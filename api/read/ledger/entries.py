"""Entries of the ledger within the scope of a snapshot, and the head of the log."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import msgspec

from api.http.paging import MAX_ID
from api.http.problems import Problem
from api.http.times import WindowQuery
from api.read.ledger.documents import CheckpointDocument, EntryDocument, EntryProofDocument
from audit.ledger.checkpoints import SignedCheckpoint, encode_hash, parse_checkpoint
from audit.ledger.leaves import EntryRow, leaf_bytes
from audit.ledger.proof_text import LeafProof
from audit.ledger.store import LogHead, read_head, read_proof
from audit.ledger.tiles import inclusion
from store.ledger import ms_of
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
_STEP: Final = 20_000
"""Entries that one statement goes through: in a small scope most of them are foreign."""
_MOST_STEPS: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are asked for; None: all."""

    window: WindowQuery
    subject: str | None = None
    kind: str | None = None

    @property
    def parameters(self) -> tuple[str | None, str | None, int | None, int | None]:
        """As the query takes them."""
        begin, end = self.window.begin, self.window.end
        return self.subject, self.kind, None if begin is None else ms_of(begin), None if end is None else ms_of(end)


async def load_signed_head(connection: Connection) -> tuple[LogHead, SignedCheckpoint]:
    """The log and its newest checkpoint. Raises a Problem (409) before the first one was signed."""
    head = await read_head(connection)
    if head is None or head.note is None:
        raise Problem(409, "nothing of the ledger is signed yet: start `milepost audit`, then ask again")
    return head, parse_checkpoint(head.note)


def checkpoint_document(head: LogHead, signed: SignedCheckpoint) -> CheckpointDocument:
    """The newest checkpoint."""
    checkpoint = signed.checkpoint
    return CheckpointDocument(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=encode_hash(checkpoint.root),
        note=signed.note.render(),
        unsigned=head.edge.size - checkpoint.size,
    )


async def load_entries(
    connection: Connection, asked: EntryFilter, before: int, most: int
) -> tuple[Sequence[asyncpg.Record], int]:
    """At most `most` entries with smaller ids than `before`, and the id down to which was looked: 0 at the end."""
    if asked.subject is not None:
        return await connection.fetch(QUERIES.list_entries, before, 0, *asked.parameters, most), 0
    found: list[asyncpg.Record] = []
    floor = 0
    for _ in range(_MOST_STEPS):
        floor = await connection.fetchval(QUERIES.entry_below, before, _STEP) or 0
        found += await connection.fetch(QUERIES.list_entries, before, floor, *asked.parameters, most - len(found))
        if not floor or len(found) >= most:
            break
        before = floor
    return found, floor


def entry_document(row: asyncpg.Record) -> EntryDocument:
    """An entry of a row."""
    return EntryDocument(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        actor=row["actor"],
        at=_EPOCH + timedelta(milliseconds=row["at_ms"]),
        body=_body(row["body"]),
        leaf=row["leaf"],
    )


def _body(raw: bytes) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def load_proof(connection: Connection, number: int) -> EntryProofDocument | None:
    """The proof of an entry; None: there is none in the scope. Raises a Problem (409) until a checkpoint covers it."""
    anything = EntryFilter(window=WindowQuery(None, None)).parameters
    row = await connection.fetchrow(QUERIES.list_entries, min(number + 1, MAX_ID), number, *anything, 1)
    if row is None:
        return None
    head, signed = await load_signed_head(connection)
    index, size = row["leaf"], signed.checkpoint.size
    if index is None or index >= size:
        raise Problem(409, f"entry {number} waits for its seal or for the next checkpoint: ask again in some seconds")
    steps = await read_proof(connection, head.edge, inclusion(index, size))
    leaf = leaf_bytes(EntryRow(*(row[name] for name in EntryRow.__struct_fields__)))
    return EntryProofDocument(
        id=number,
        index=index,
        leaf=leaf.decode(errors="replace"),
        proof=LeafProof(index=index, steps=tuple(steps), signed=signed).render(),
    )
