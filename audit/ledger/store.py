"""The log in the database: its head and tiles, and the transaction that seals what committed."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from audit.ledger.leaves import ROWS, STREAMS, EntryRow, LeafSource
from audit.ledger.merkle import EMPTY_ROOT
from audit.ledger.notes import VerifierKey
from audit.ledger.sealing import (
    BrokenLedgerError,
    SealedBatch,
    StreamRow,
    require_entries,
    require_gapless,
    seal_rows,
)
from audit.ledger.tiles import LogEdge, TilePlace, TileProof, edge_tiles, root_at
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
_SYSTEM: Final = "system"
"""The account of acts of Milepost itself."""


class LogHead(msgspec.Struct, frozen=True, kw_only=True):
    """The log as the database has it. `note`: the newest signed checkpoint, as text."""

    origin: str
    edge: LogEdge
    note: str | None


class SealResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass sealed; `more`: perhaps there is more at once."""

    head: LogHead
    sealed: int = 0
    more: bool = False


async def read_head(connection: Connection, *, lock: bool = False) -> LogHead | None:
    """The log; None before the first seal. `lock`: until the end of the transaction nobody else seals.

    Raises BrokenLedgerError when its root is not that of its hashes.
    """
    row = await connection.fetchrow(QUERIES.load_head if lock else QUERIES.read_head)
    if row is None:
        return None
    edge = LogEdge(size=row["size"], tails=tuple(row["tails"]))
    # The root of the edge of a log is that of the whole.
    if edge.root != row["root"]:
        raise BrokenLedgerError(
            "the head of the ledger was changed: its root is not that of its hashes; restore ledger_head from a backup",
            "账本的末端被改动：根哈希与其各项不符；请从备份恢复 ledger_head",
        )
    return LogHead(origin=row["origin"], edge=edge, note=row["note"])


async def open_log(
    connection: Connection,
    key: VerifierKey,
    now: datetime,
    *,
    actor: str = _SYSTEM,
    why: Mapping[str, Any] | None = None,
) -> None:
    """Begin a log whose first leaf says that what existed before was not protected; nothing if there is a log. `why`:
    what the entry says of a log that was here before, which then need not be looked for.

    Raises UNREACHABLE errors of the database.
    """
    async with connection.transaction():
        origin = key.name
        if await connection.execute(QUERIES.make_head, origin, EMPTY_ROOT) == "INSERT 0 0":
            return
        body: dict[str, Any] = {"key": key.text, "origin": origin, "unprotected_until_ms": ms_of(now)}
        if why is not None:
            body |= why
        elif (before := await connection.fetchval(QUERIES.last_of_another, origin)) is not None:
            body["before"] = before
        opened = LedgerEntry(kind=LedgerKind.LEDGER_OPENED, subject="ledger", actor=actor, body=body)
        await append_entries(connection, [opened])
        entries = [EntryRow(*row) for row in await connection.fetch(QUERIES.take_opening)]
        await _write(connection, LogEdge(), seal_rows(LogEdge(), entries, {}))


async def seal_committed(connection: Connection, limit: int) -> SealResult:
    """Seal what committed and is not sealed, at most `limit` entries and rows of each partition, in one transaction.

    Raises BrokenLedgerError for rows that were deleted before their seal.
    """
    async with connection.transaction():
        await connection.execute(QUERIES.durable)
        head = await read_head(connection, lock=True)
        assert head is not None  # noqa: S101 -- `open_log` ran before
        found = await connection.fetch(QUERIES.take_pending, limit)
        require_entries((row["id"], row["kind"]) for row in found)
        streams = await _tails(connection, limit)
        entries = [EntryRow(*row) for row in found]
        # Hashing a mass fall takes seconds, in which the session must answer.
        batch = await asyncio.to_thread(seal_rows, head.edge, entries, streams)
        if not batch.count:
            return SealResult(head=head)
        await _write(connection, head.edge, batch)
    more = max(len(entries), *(len(rows) for rows in streams.values())) >= limit
    return SealResult(head=msgspec.structs.replace(head, edge=batch.edge), sealed=batch.count, more=more)


async def _tails(connection: Connection, limit: int) -> dict[LeafSource, Sequence[StreamRow]]:
    ends = await connection.fetch(QUERIES.sealed_ends)
    found: dict[LeafSource, Sequence[StreamRow]] = {}
    for source in STREAMS:
        sealed = {row["partition"]: row["number"] for row in ends if row["source"] == source}
        query = getattr(QUERIES, f"tail_{source}")
        rows = _rows(source, await connection.fetch(query, list(sealed), list(sealed.values()), limit))
        require_gapless(source, sealed, rows)
        found[source] = rows
    return found


def _rows(source: LeafSource, records: Sequence[asyncpg.Record]) -> list[StreamRow]:
    make = ROWS[source]
    return [make(*record) for record in records]  # type: ignore[misc]


async def _write(connection: Connection, before: LogEdge, batch: SealedBatch) -> None:
    runs, tiles = batch.runs, batch.tiles
    columns = [[getattr(run, name) for run in runs] for name in ("begins", "count", "source", "partition", "first")]
    await connection.execute(QUERIES.add_runs, *columns)
    if tiles:
        places = [[getattr(tile, name) for tile in tiles] for name in ("level", "number", "hashes")]
        await connection.execute(QUERIES.add_tiles, *places)
    edge = batch.edge
    moved = await connection.execute(
        QUERIES.move_head, before.size, before.root, edge.size, edge.root, list(edge.tails)
    )
    if moved != "UPDATE 1":
        raise BrokenLedgerError(
            "the head of the ledger moved while rows were sealed: another process writes it; end it, and start again",
            "封存期间账本末端已变动：另有进程在写；请结束该进程后重新启动",
        )


async def read_proof(connection: Connection, edge: LogEdge, proof: TileProof) -> list[bytes]:
    """The hashes of a proof about the log. Raises BrokenLedgerError for tiles that are gone."""
    tiles = edge_tiles(edge)
    wanted = sorted(place for place in proof.places if place not in tiles)
    tiles |= await read_tiles(connection, wanted)
    try:
        return proof.hashes(tiles)
    except (KeyError, ValueError) as exc:
        raise BrokenLedgerError(
            f"tiles of the ledger are missing or cut ({exc}): restore ledger_tile from a backup",
            f"账本的哈希块缺失或不完整（{exc}）：请从备份恢复 ledger_tile",
        ) from exc


async def read_tiles(connection: Connection, places: Sequence[TilePlace]) -> dict[TilePlace, bytes]:
    """Full tiles by their places, as far as they are there."""
    levels, numbers = [place[0] for place in places], [place[1] for place in places]
    rows = await connection.fetch(QUERIES.read_tiles, levels, numbers)
    return {(row["level"], row["number"]): row["hashes"] for row in rows}


async def read_root_at(connection: Connection, edge: LogEdge, size: int) -> bytes | None:
    """The root of the first `size` leaves; None: there are fewer."""
    if size > edge.size:
        return None
    return next(iter(await read_proof(connection, edge, root_at(size))), EMPTY_ROOT)
