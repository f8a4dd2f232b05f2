"""An export of the log: parts of newline-delimited JSON with a manifest, complete without the database. Pure.

`leaves-N.ndjson` has the bytes of one leaf a line; where a row is not shown or not there, an object says so. Such an
object never looks like a leaf, because no leaf begins with its key. `tiles-N.ndjson` has the hashes that were sealed.
"""

import base64
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import msgspec

from audit.days.sealed.exported import ExportedFigures
from audit.ledger.merkle import HASH, leaf_hash
from contract.errors import RemedyError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
PART: Final = 65_536
"""Leaves of a part: 256 tiles."""
_FOREIGN: Final = b'{"foreign":'
_BYTES: Final = b'{"bytes":'
_MISSING: Final = b'{"missing":'


class PartKind(StrEnum):
    """What a part has, one a line."""

    LEAVES = "leaves"
    TILES = "tiles"


class ExportPart(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an export."""

    name: str
    kind: PartKind
    sha256: str


class StrangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is neither sealed nor waits for its seal."""

    source: str
    partition: int
    number: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of an export. `checkpoint`: the newest checkpoint; `checkpoints`: the stored checkpoints, the oldest
    first. `scope`: the areas whose rows the export shows; it has only the hashes of all other rows; None: it shows all
    rows. `figures`: its figures of days."""

    format: int
    origin: str
    size: int
    checkpoint: str
    checkpoints: tuple[str, ...]
    parts: tuple[ExportPart, ...]
    strangers: tuple[StrangeRow, ...] = ()
    scope: tuple[str, ...] | None = None
    figures: ExportedFigures | None = None


class ExportedLeaf(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf: its hash, and its bytes if it is shown. Neither: its row is gone, and `place` says which it was."""

    hash: bytes | None
    data: bytes | None = None
    place: str = ""


class DamagedExportError(RemedyError):
    """The files are not those of an export, or not complete."""


def shown(data: bytes) -> bytes:
    """The line of a leaf that is shown."""
    return data if _is_plain(data) else _BYTES + b'"' + base64.b64encode(data) + b'"}'


def foreign(value: bytes) -> bytes:
    """The line of a leaf of which only the hash is shown."""
    return _FOREIGN + b'"' + base64.b64encode(value) + b'"}'


def missing(place: str) -> bytes:
    """The line of a leaf whose row is gone."""
    return _MISSING + msgspec.json.encode(place) + b"}"


def tile_line(number: int, hashes: bytes) -> bytes:
    """The line of a tile."""
    return msgspec.json.encode({"tile": number, "hashes": base64.b64encode(hashes).decode()})


def read_leaf(line: bytes) -> ExportedLeaf:
    """One line of leaves. Raises DamagedExportError."""
    if line.startswith(_MISSING):
        return ExportedLeaf(hash=None, place=str(_value(line, "missing")))
    if line.startswith(_FOREIGN):
        value = _decoded(_value(line, "foreign"))
        if len(value) != HASH:
            raise damaged("a hash has not 32 bytes", "哈希不是 32 字节")
        return ExportedLeaf(hash=value)
    data = _decoded(_value(line, "bytes")) if line.startswith(_BYTES) else line
    return ExportedLeaf(hash=leaf_hash(data), data=data)


def read_tile(line: bytes) -> tuple[int, bytes]:
    """One line of tiles: (number, hashes). Raises DamagedExportError."""
    return int(_value(line, "tile")), _decoded(_value(line, "hashes"))


def read_manifest(raw: bytes) -> Manifest:
    """The manifest of an export. Raises DamagedExportError."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as exc:
        raise damaged(f"{MANIFEST}: {exc}", f"{MANIFEST}：{exc}") from exc
    if manifest.format != FORMAT:
        raise damaged(f"its format is {manifest.format}, not {FORMAT}", f"格式版本为 {manifest.format}，应为 {FORMAT}")
    return manifest


def part_name(kind: PartKind, number: int) -> str:
    """The name of a file."""
    return f"{kind}-{number:06d}.ndjson"


def digest(pieces: bytes) -> str:
    """The SHA-256 of a file, in hex."""
    return sha256(pieces).hexdigest()


def damaged(why: str, why_zh: str) -> DamagedExportError:
    """The error for files that are no export."""
    return DamagedExportError(
        f"this is no complete export of a ledger ({why}): take it again, or copy all of its files",
        f"这不是完整的账本导出（{why_zh}）：请重新导出，或复制其全部文件",
    )


def _is_plain(data: bytes) -> bool:
    if b"\n" in data or data.startswith((_FOREIGN, _BYTES, _MISSING)):
        return False
    try:
        return isinstance(msgspec.json.decode(data), dict)
    except (msgspec.MsgspecError, RecursionError):
        return False


def _value(line: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(line)[name]
    except (msgspec.MsgspecError, KeyError, TypeError) as exc:
        raise damaged(f"a line is not what it should be: {exc}", f"某行内容不符：{exc}") from exc


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as exc:
        raise damaged(f"a line is not in base64: {exc}", f"某行不是 base64：{exc}") from exc
