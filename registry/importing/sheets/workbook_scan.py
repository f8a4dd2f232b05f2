"""Scans a sheet of a workbook before it is read: its size, and which cells have errors. Pure."""

import re
import zipfile
from collections.abc import Callable
from typing import Final
from xml.parsers import expat

import msgspec

MAX_ERRORS: Final = 1000
"""The most cells with errors that are kept."""
_MAX_SHEETS: Final = 1000
_CHUNK: Final = 1024 * 1024
_MAIN: Final = "xl/workbook.xml"
_STYLES: Final = "xl/styles.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_WANTED: Final = frozenset({"workbookPr", "sheet", "Relationship", "numFmt", "cellXfs", "xf", "row", "c"})
_ZEROS: Final = re.compile("0{2,32}")
_PLACE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class Scan(msgspec.Struct, frozen=True):
    """`rows` and `columns` up to the last cell; `errors` {(row, column) from 0: #N/A and the like}.

    `padded`: {(row, column): digits} of cells whose format shows numbers with leading zeros, such as 0000.
    """

    rows: int
    columns: int
    errors: dict[tuple[int, int], str]
    padded: dict[tuple[int, int], int]
    days_from_1904: bool = False


def scan_sheet(archive: zipfile.ZipFile) -> Scan:
    """Scan the first visible sheet. Raises ValueError, LookupError or BadZipFile for a file that is no workbook."""
    old: list[bool] = []
    sheets: list[str] = []

    def found(tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr":
            old.append(attributes.get("date1904") in ("1", "true"))
        if tag == "sheet" and attributes.get("state", "visible") == "visible" and len(sheets) < _MAX_SHEETS:
            sheets.append(attributes.get("id", ""))

    _read(archive, _MAIN, found)
    cells = _Cells(archive, _path(archive, sheets), _padding_styles(archive))
    return Scan(cells.rows, cells.columns, cells.errors, cells.padded, any(old))


def _path(archive: zipfile.ZipFile, sheets: list[str]) -> str:
    """The path in the archive of the first sheet that is a worksheet."""
    targets: dict[str, str] = {}

    def found(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _read(archive, _RELATIONS, found)
    for sheet in sheets:
        if target := targets.get(sheet):
            return target[1:] if target.startswith("/") else f"xl/{target}"
    raise LookupError("no visible sheet")


def _padding_styles(archive: zipfile.ZipFile) -> dict[str, int]:
    """{number of a style: digits} of the styles that show leading zeros."""
    digits: dict[str, int] = {}
    formats: list[str] = []
    in_cells = [False]

    def found(tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt" and _ZEROS.fullmatch(attributes.get("formatCode", "")):
            digits[attributes.get("numFmtId", "")] = len(attributes["formatCode"])
        elif tag == "cellXfs":
            in_cells[0] = True
        elif tag == "xf" and in_cells[0]:
            formats.append(attributes.get("numFmtId", ""))

    if _STYLES in archive.namelist():
        _read(archive, _STYLES, found)
    return {str(style): digits[name] for style, name in enumerate(formats) if name in digits}


class _Cells:
    """Collects what `Scan` needs from the cells of a sheet."""

    def __init__(self, archive: zipfile.ZipFile, name: str, padding: dict[str, int]) -> None:
        self.rows = self.columns = 0
        self.padded: dict[tuple[int, int], int] = {}
        self._padding = padding
        self.errors: dict[tuple[int, int], str] = {}
        self._row = self._column = -1
        self._in_error = False
        _read(archive, name, self._begin, self._text)

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif tag == "c":
            self._cell(attributes.get("r"))
            if digits := self._padding.get(attributes.get("s", "")):
                self.padded[self._row, self._column] = digits
            self._in_error = attributes.get("t") == "e"
            if self._in_error and len(self.errors) < MAX_ERRORS:
                self.errors[self._row, self._column] = ""

    def _cell(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
        elif place := _PLACE.fullmatch(reference):
            self._row, self._column = int(place[2]) - 1, _number(place[1])
        else:
            raise ValueError(f"{reference[:20]!r} is not a cell")
        self.rows, self.columns = max(self.rows, self._row + 1), max(self.columns, self._column + 1)

    def _text(self, text: str) -> None:
        here = (self._row, self._column)
        # The formula of the cell comes before its error.
        if self._in_error and here in self.errors and text.startswith("#"):
            self.errors[here] = text[:20]


def _number(text: str) -> int:
    column = 0
    for sign in text:
        column = column * 26 + ord(sign) - 64
    return column - 1


def _read(
    archive: zipfile.ZipFile,
    name: str,
    begin: Callable[[str, dict[str, str]], None],
    text: Callable[[str], None] | None = None,
) -> None:
    """Call `begin` for each wanted element of a part; the names of tags and attributes come without their prefixes."""

    def element(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name in _WANTED:
            begin(name, {key.rpartition(":")[2]: value for key, value in attributes.items()})

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = element
    parser.StartDoctypeDeclHandler = _no_doctype
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as exc:
        raise ValueError(f"{name}: {exc}") from exc


def _no_doctype(*_: object) -> None:
    raise ValueError("spreadsheet programs write no document types")
