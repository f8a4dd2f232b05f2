"""A table file as rows of text: CSV in UTF-8, or the first sheet of an XLSX workbook. Bytes in, `Sheet` out."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Final

import msgspec
from openpyxl import load_workbook

from contract.errors import RemedyError

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_UNPACKED: Final = 1024 * 1024 * 1024
MAX_ROWS: Final = 1_000_000
MAX_CELL: Final = 2000
"""Characters of a cell."""

_XLSX, _OLD_XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BAD_XLSX = "cannot be read as an XLSX workbook ({}): open it in a spreadsheet program and save it again"


class Line(msgspec.Struct, frozen=True):
    """A row that is not empty: its line number in the file (the header is on line 1) and its cells, trimmed."""

    number: int
    cells: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """A header of lower-case column names, and the rows below it."""

    columns: tuple[str, ...]
    lines: list[Line]


def read_sheet(content: bytes) -> Sheet:
    """Read a CSV or XLSX file; which of the two is seen from its first bytes. Raises RemedyError."""
    if len(content) > MAX_BYTES:
        raise RemedyError(f"the file has {len(content)} bytes, allowed are {MAX_BYTES}: split it")
    if content.startswith(_OLD_XLS):
        raise RemedyError("the file is of the old Excel format (.xls): save it as .xlsx or as CSV UTF-8")
    lines = _bounded(_xlsx_lines(content) if content.startswith(_XLSX) else _csv_lines(decode(content)))
    header = next(lines, None)
    if header is None:
        raise RemedyError("the file is empty: its first line must name the columns")
    return Sheet(_header(header), list(lines))


def decode(content: bytes) -> str:
    """UTF-8 text without its BOM. Raises RemedyError that names the encoding it probably is."""
    if content.startswith(_UTF16):
        raise RemedyError("the file is UTF-16: save it as CSV UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise RemedyError(
            f"line {line} is not UTF-8{_guess(content)}: save the file as CSV UTF-8, "
            "or convert it with `iconv -f GB18030 -t UTF-8`"
        ) from exc


def _guess(content: bytes) -> str:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return ", it looks like GBK (GB18030)"


def _bounded(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines that are not empty. Raises RemedyError past MAX_ROWS."""
    count = 0
    for line in lines:
        if not any(line.cells):
            continue
        count += 1
        if count > MAX_ROWS + 1:
            raise RemedyError(f"the file has more than {MAX_ROWS} rows: split it")
        yield line


def _header(line: Line) -> tuple[str, ...]:
    names = [cell.lower() for cell in line.cells]
    while names and not names[-1]:
        names.pop()
    if len(names) == 1:
        for sign, called in ((";", "semicolons"), ("\t", "tabs"), ("，", "Chinese commas")):
            if sign in names[0]:
                raise RemedyError(f"the columns are separated by {called}: separate them by commas")
    return tuple(names)


def _csv_lines(text: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first = 1
    try:
        for cells in reader:
            yield Line(first, tuple(cell.strip() for cell in cells))
            first = reader.line_num + 1
    except csv.Error as exc:
        raise RemedyError(f"line {first} is not CSV ({exc}): check the quotation marks there") from exc


def _xlsx_lines(content: bytes) -> Iterator[Line]:
    try:
        _refuse_bomb(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write a wrong one, and rows would be missing
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield Line(number, tuple(_cell(value) for value in row))
        book.close()
    except RemedyError:
        raise
    except Exception as exc:
        # openpyxl raises whatever its XML and zip readers raise, and a damaged workbook can trip any of them.
        raise RemedyError("the file " + _BAD_XLSX.format(f"{type(exc).__name__}: {exc}"[:200])) from exc


def _refuse_bomb(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAX_UNPACKED:
        raise RemedyError(f"the workbook unpacks to {unpacked} bytes, allowed are {MAX_UNPACKED}: split it")


def _cell(value: object) -> str:
    """A spreadsheet's value as a person would type it into CSV."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()
