"""An export of the log, from one snapshot of the database into a folder."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec

from audit.ledger import export_format as form
from audit.ledger.export_format import ExportPart, Manifest, PartKind, StrangeRow
from audit.ledger.leaves import ROWS, LeafSource, leaf_bytes
from audit.ledger.sealing import LeafRun
from audit.ledger.store import QUERIES, LogHead, read_head
from audit.ledger.tiles import TILE
from contract.errors import RemedyError
from store.pool import Connection

_MOST_STRANGERS: Final = 1000


async def export_log(connection: Connection, folder: Path) -> Manifest:
    """Write everything that was sealed into a new folder; the manifest comes last.

    Raises RemedyError when there is no signed checkpoint, or when the folder cannot be made.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await read_head(connection)
        if head is None or head.note is None:
            raise RemedyError(
                "nothing is signed yet: start `milepost audit` first",
                "尚未签署任何内容：请先启动 `milepost audit`",
            )
        try:
            await asyncio.to_thread(folder.mkdir, 0o755)
        except OSError as exc:
            raise RemedyError(
                f"{folder} cannot be made ({exc.strerror}): name a folder that is not there yet",
                f"无法建立 {folder}（{exc.strerror}）：请指定一个尚不存在的目录",
            ) from exc
        parts = [part async for part in _write_parts(connection, head, folder)]
        notes = [row["note"] for row in await connection.fetch(QUERIES.list_checkpoints, head.origin)]
        strangers = [StrangeRow(**row) for row in await connection.fetch(QUERIES.list_strangers, _MOST_STRANGERS)]
    manifest = Manifest(
        format=form.FORMAT,
        origin=head.origin,
        size=head.edge.size,
        checkpoint=head.note,
        checkpoints=tuple(notes),
        parts=tuple(parts),
        strangers=tuple(strangers),
    )
    (folder / form.MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


async def _write_parts(connection: Connection, head: LogHead, folder: Path) -> AsyncIterator[ExportPart]:
    for number, begin in enumerate(range(0, head.edge.size, form.PART)):
        end = min(begin + form.PART, head.edge.size)
        leaves = await _leaf_lines(connection, begin, end)
        tiles = await _tile_lines(connection, head, begin // TILE, -(-end // TILE))
        for kind, lines in ((PartKind.LEAVES, leaves), (PartKind.TILES, tiles)):
            raw = b"".join(line + b"\n" for line in lines)
            name = form.part_name(kind, number)
            await asyncio.to_thread((folder / name).write_bytes, raw)
            yield ExportPart(name=name, kind=kind, sha256=form.digest(raw))


async def _leaf_lines(connection: Connection, begin: int, end: int) -> list[bytes]:
    """A line for each leaf from `begin` up to `end`, by what `ledger_run` says that it is."""
    places: dict[int, tuple[LeafSource, int, int]] = {}
    for row in await connection.fetch(QUERIES.list_runs, begin, end):
        run = LeafRun(**{**row, "source": LeafSource(row["source"])})
        for n in range(max(run.begins, begin), min(run.begins + run.count, end)):
            places[n] = run.source, run.partition, run.first + n - run.begins
    rows = await _read_rows(connection, places)
    return [_line(places.get(index), rows) for index in range(begin, end)]


def _line(place: tuple[LeafSource, int, int] | None, rows: dict[tuple[LeafSource, int, int], bytes]) -> bytes:
    if place is None:
        return form.missing("a row that ledger_run no longer names")
    if place in rows:
        return form.shown(rows[place])
    source, partition, number = place
    return form.missing(f"{source} {number}" if source is LeafSource.ENTRY else f"{source} {number} of {partition}")


async def _read_rows(
    connection: Connection, places: dict[int, tuple[LeafSource, int, int]]
) -> dict[tuple[LeafSource, int, int], bytes]:
    found: dict[tuple[LeafSource, int, int], bytes] = {}
    for source, make in ROWS.items():
        wanted = [(partition, number) for of, partition, number in places.values() if of is source]
        if wanted:
            query = getattr(QUERIES, f"list_{source}")
            records = await connection.fetch(query, [one[0] for one in wanted], [one[1] for one in wanted])
            for record in records:
                part, number, *columns = record
                found[source, part, number] = leaf_bytes(make(*columns))
    return found


async def _tile_lines(connection: Connection, head: LogHead, begin: int, end: int) -> list[bytes]:
    """A line for each tile of leaves; a tile that is gone has no hashes."""
    full = {row["number"]: row["hashes"] for row in await connection.fetch(QUERIES.list_tiles, begin, end)}
    full[head.edge.size // TILE] = head.edge.tails[0] if head.edge.tails else b""
    return [form.tile_line(number, full.get(number, b"")) for number in range(begin, end)]
