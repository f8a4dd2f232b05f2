"""Reads an export from its folder: the part of `milepost verify` that touches files. It needs no server and no
database."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from audit.days.sealed.exported import AreaFigures, ExportedFigures, FigureFile, FigureTally, StationRecords
from audit.days.sealed.figure_check import FigureCheck
from audit.days.sealed.leaf_sources import LeafSources, is_of_figures
from audit.ledger import export_format as form
from audit.ledger.export_format import ExportedLeaf, ExportPart, Manifest, PartKind
from audit.ledger.tiles import TILE, split_hashes
from audit.ledger.verify import LedgerFault, LogCheck, LogVerdict, Trust
from contract.said import SaidError, said_by

_T = TypeVar("_T")


def verify_export(folder: Path, trust: Trust) -> LogVerdict:
    """Verify an export against what is known from elsewhere. Raises DamagedExportError for files that are not those of
    the manifest."""
    manifest = form.read_manifest(_read(folder / form.MANIFEST))
    try:
        check = LogCheck(manifest, trust)
    except SaidError as exc:
        raise form.damaged(str(exc), said_by(exc).zh) from exc
    sources = None if manifest.figures is None else LeafSources(manifest.figures)
    begin, names_figures = 0, False
    for leaves, sealed in _parts(folder, manifest):
        check.take(leaves, sealed)
        if sources is not None:
            _read_sources(sources, begin, leaves)
        names_figures = names_figures or any(is_of_figures(leaf.data) for leaf in leaves if leaf.data is not None)
        begin += len(leaves)
    verdict = check.conclude()
    if sources is None or manifest.figures is None:
        return msgspec.structs.replace(verdict, lacks_figures=names_figures)
    tally, findings = _check_figures(folder, manifest.figures, sources)
    return msgspec.structs.replace(verdict, figures=tally, findings=(*verdict.findings, *findings))


def _read_sources(sources: LeafSources, begin: int, leaves: list[ExportedLeaf]) -> None:
    for index, leaf in enumerate(leaves, start=begin):
        if leaf.data is not None:
            sources.read(index, leaf.data)


def _check_figures(
    folder: Path, exported: ExportedFigures, sources: LeafSources
) -> tuple[FigureTally, list[LedgerFault]]:
    records = {record.station: record for part in exported.records for record in _structs(folder, part, StationRecords)}
    check = FigureCheck(exported, sources, records)
    for part in exported.figures:
        for found in _structs(folder, part, AreaFigures):
            check.take(found)
    return check.conclude()


def _structs(folder: Path, part: FigureFile, kind: type[_T]) -> Iterator[_T]:
    decoder = msgspec.json.Decoder(kind)
    for line in _lines(folder, part):
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError as exc:
            raise form.damaged(f"{part.name}: {exc}", f"{part.name}：{exc}") from exc


def _parts(folder: Path, manifest: Manifest) -> Iterator[tuple[list[ExportedLeaf], list[bytes]]]:
    leaves = [part for part in manifest.parts if part.kind is PartKind.LEAVES]
    tiles = [part for part in manifest.parts if part.kind is PartKind.TILES]
    if len(leaves) != len(tiles):
        raise form.damaged("parts are missing in its manifest", "清单中缺少部分文件")
    for place, (of_leaves, of_tiles) in enumerate(zip(leaves, tiles, strict=True)):
        found = [form.read_leaf(line) for line in _lines(folder, of_leaves)]
        sealed: list[bytes] = []
        first = place * form.PART // TILE
        for expected, line in enumerate(_lines(folder, of_tiles), start=first):
            number, hashes = form.read_tile(line)
            # A tile that is gone: what nothing is equal to, so that every leaf of it is named.
            full = hashes or bytes(32 * min(TILE, max(0, len(found) - (expected - first) * TILE)))
            if number != expected:
                raise form.damaged(f"tile {expected} is missing", f"缺少第 {expected} 块")
            sealed += split_hashes(full)
        if len(sealed) != len(found):
            raise form.damaged(
                f"{of_leaves.name} has {len(found)} leaves, {of_tiles.name} has {len(sealed)} hashes",
                f"{of_leaves.name} 有 {len(found)} 条，{of_tiles.name} 有 {len(sealed)} 个哈希",
            )
        yield found, sealed


def _lines(folder: Path, part: ExportPart | FigureFile) -> list[bytes]:
    if Path(part.name).name != part.name:
        raise form.damaged(f"{part.name!r} is no name of a part", f"{part.name!r} 不是文件名")
    raw = _read(folder / part.name)
    if form.digest(raw) != part.sha256:
        raise form.damaged(f"{part.name} is not what was exported", f"{part.name} 与导出时不同")
    return raw.split(b"\n")[:-1]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise form.damaged(f"{path.name}: {exc.strerror}", f"{path.name}：{exc.strerror}") from exc
