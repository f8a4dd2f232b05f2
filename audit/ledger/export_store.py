"""An export of the log, from one snapshot of the database into a folder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import asyncpg
import msgspec

from audit.days.sealed.figure_export_store import WantedFigures, export_figures
from audit.ledger import export_format as form
from audit.ledger.export_format import ExportPart, Manifest, PartKind, StrangeRow
from audit.ledger.leaves import ROWS, LeafSource, leaf_bytes
from audit.ledger.merkle import HASH
from audit.ledger.sealing import LeafRun
from audit.ledger.store import QUERIES, LogHead, read_head
from audit.ledger.tiles import TILE
from contract.errors import RemedyError
from store.pool import Connection

_MOST_STRANGERS: Final = 1000


async def export_log(connection: Connection, folder: Path, wanted: WantedFigures | None = None) -> Manifest:
    """Write everything that was sealed into a new folder, with the figures of `wanted`; the manifest comes last.

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
        figures = None if wanted is None else await export_figures(connection, wanted, _writer(folder))
        strangers = [StrangeRow(**row) for row in await connection.fetch(QUERIES.list_strangers, _MOST_STRANGERS)]
    manifest = Manifest(
        format=form.FORMAT,
        origin=head.origin,
        size=head.edge.size,
        checkpoint=head.note,
        checkpoints=tuple(notes),
        parts=tuple(parts),
        strangers=tuple(strangers),
        figures=figures,
    )
    (folder / form.MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def _writer(folder: Path) -> Callable[[str, bytes], None]:
    def write(name: str, raw: bytes) -> None:
        (folder / name).write_bytes(raw)

    return write


async def _write_parts(connection: Connection, head: LogHead, folder: Path) -> AsyncIterator[ExportPart]:
    for number, begin in enumerate(range(0, head.edge.size, form.PART)):
        piece = await load_piece(connection, head, begin, min(begin + form.PART, head.edge.size))
        for kind in PartKind:
            raw = await asyncio.to_thread(part_bytes, [piece], kind)
            name = form.part_name(kind, number)
            await asyncio.to_thread((folder / name).write_bytes, raw)
            yield ExportPart(name=name, kind=kind, sha256=form.digest(raw))


RowPlace: TypeAlias = tuple[LeafSource, int, int]
"""A row that is a leaf: its table, its partition (0 for entries) and its number."""


class LeafPiece(msgspec.Struct, frozen=True, kw_only=True):
    """Leaves from `begin` (a multiple of TILE) up to `end` as they were read: which rows they are, those that were
    found, and the hashes that were sealed. `hides`: a row that was not found lies outside the scope, and only its hash
    is shown."""

    begin: int
    end: int
    places: Mapping[int, RowPlace]
    rows: Mapping[LeafSource, Sequence[asyncpg.Record]]
    tiles: Mapping[int, bytes]
    hides: bool = False

    def lines(self, kind: PartKind) -> list[bytes]:
        """The lines of an export; takes a while."""
        return self._leaf_lines() if kind is PartKind.LEAVES else self._tile_lines()

    def _leaf_lines(self) -> list[bytes]:
        found: dict[RowPlace, bytes] = {}
        for source, records in self.rows.items():
            make = ROWS[source]
            for part, number, *columns in records:
                found[source, part, number] = leaf_bytes(make(*columns))
        return [self._line(index, found) for index in range(self.begin, self.end)]

    def _line(self, index: int, found: Mapping[RowPlace, bytes]) -> bytes:
        place = self.places.get(index)
        if place is not None and place in found:
            return form.shown(found[place])
        if self.hides:
            number, inner = divmod(index, TILE)
            return form.foreign(self.tiles.get(number, b"")[inner * HASH : (inner + 1) * HASH].ljust(HASH, b"\0"))
        if place is None:
            return form.missing("a row that ledger_run no longer names")
        source, partition, number = place
        return form.missing(f"{source} {number}" if source is LeafSource.ENTRY else f"{source} {number} of {partition}")

    def _tile_lines(self) -> list[bytes]:
        """A line for each tile of leaves; a tile that is gone has no hashes."""
        numbers = range(self.begin // TILE, -(-self.end // TILE))
        return [form.tile_line(number, self.tiles.get(number, b"")) for number in numbers]


def part_bytes(pieces: Sequence[LeafPiece], kind: PartKind) -> bytes:
    """A file of an export from the pieces of its leaves; takes a while."""
    return b"".join(line + b"\n" for piece in pieces for line in piece.lines(kind))


async def load_piece(connection: Connection, head: LogHead, begin: int, end: int, *, hides: bool = False) -> LeafPiece:
    """Leaves of the log from `begin`, a multiple of TILE, up to `end`, as the snapshot shows them. `head` may be older
    than the snapshot."""
    places = await _places(connection, begin, end)
    rows = {source: await _records(connection, source, places) for source in ROWS}
    first, last = begin // TILE, -(-end // TILE)
    tiles = {row["number"]: row["hashes"] for row in await connection.fetch(QUERIES.list_tiles, first, last)}
    edge = head.edge.size // TILE
    if first <= edge < last:
        tiles[edge] = head.edge.tails[0] if head.edge.tails else b""
    return LeafPiece(begin=begin, end=end, places=places, rows=rows, tiles=tiles, hides=hides)


async def _places(connection: Connection, begin: int, end: int) -> dict[int, RowPlace]:
    """Which rows the leaves are, by what `ledger_run` says."""
    places: dict[int, RowPlace] = {}
    for row in await connection.fetch(QUERIES.list_runs, begin, end):
        run = LeafRun(**{**row, "source": LeafSource(row["source"])})
        for n in range(max(run.begins, begin), min(run.begins + run.count, end)):
            places[n] = run.source, run.partition, run.first + n - run.begins
    return places


async def _records(
    connection: Connection, source: LeafSource, places: Mapping[int, RowPlace]
) -> Sequence[asyncpg.Record]:
    wanted = [(partition, number) for of, partition, number in places.values() if of is source]
    if not wanted:
        return ()
    query = getattr(QUERIES, f"list_{source}")
    return await connection.fetch(query, [one[0] for one in wanted], [one[1] for one in wanted])
