"""An XLSX workbook as lines of text: the first visible sheet. Pure.

`python_calamine` reads the values. It returns cells with an error (#N/A) as empty and allocates every cell up to the
last one, so the sheet is scanned before for errors and for its size.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from contract.errors import RemedyError
from contract.said import Said
from registry.importing.layout import letters
from registry.importing.sheets.lines import Line, Sheet, bounded
from registry.importing.sheets.workbook_scan import Scan, scan_sheet

MAX_UNPACKED: Final = 1024 * 1024 * 1024
MAX_CELLS: Final = 50_000_000
"""The most cells of a sheet up to its last row and column, including empty ones."""
_EXACT: Final = 10**15
"""Spreadsheet programs keep 15 digits of a number."""


def read_workbook(content: bytes) -> Sheet:
    """The rows of the first visible sheet that are not empty. Raises RemedyError."""
    try:
        scan = _scan(content)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        name, notes = _choose_sheet(book)
        sheet = book.get_sheet_by_name(name)
        return Sheet(list(bounded(_lines(sheet, scan))), workbook=True, notes=notes)
    except (RemedyError, MemoryError):
        raise
    except Exception as exc:
        # A damaged file can cause errors of a dozen kinds in the readers of archives, XML and workbooks.
        what = f"{type(exc).__name__}: {exc}"[:200]
        raise RemedyError(
            f"the file cannot be read as an XLSX workbook ({what}): open it in a spreadsheet program and save it again",
            f"文件不能作为 XLSX 工作簿读取（{what}）：请用表格软件打开后重新保存",
        ) from exc


def _scan(content: bytes) -> Scan:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise RemedyError(
                f"the workbook unpacks to {unpacked} bytes, allowed are {MAX_UNPACKED}: split it",
                f"工作簿解压后有 {unpacked} 字节，最多 {MAX_UNPACKED}：请拆分",
            )
        scan = scan_sheet(archive)
    if scan.days_from_1904:
        raise RemedyError(
            "the workbook counts days from 1904 (an option of old Macs), so dates are in doubt: save it as CSV UTF-8",
            "工作簿使用 1904 日期系统（旧版 Mac 的选项），日期不可靠：请另存为 CSV UTF-8",
        )
    if scan.rows * scan.columns > MAX_CELLS:
        last = f"{letters(scan.columns - 1)}{scan.rows}"
        raise RemedyError(
            f"the sheet reaches to {last}, which is more than {MAX_CELLS} cells: delete what stands far outside the "
            "table, rows and columns, and save it",
            f"工作表一直延伸到 {last}，超过 {MAX_CELLS} 个单元格：请删除表格之外的行和列后保存",
        )
    return scan


def _choose_sheet(book: CalamineWorkbook) -> tuple[str, tuple[Said, ...]]:
    names = [
        one.name
        for one in book.sheets_metadata
        if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
    ]
    if not names:
        raise RemedyError(
            "the workbook has no visible sheet: show the sheet to import", "工作簿没有可见的工作表：请取消隐藏"
        )
    if len(names) == 1:
        return names[0], ()
    shown, others = names[0][:40], len(names) - 1
    note = Said(
        f"Only the first sheet ({shown}) was read; the workbook has {others} more.",
        f"只读取了第一张工作表（{shown}）；另有 {others} 张没有读取。",
    )
    return names[0], (note,)


def _lines(sheet: CalamineSheet, scan: Scan) -> Iterator[Line]:
    broken: dict[int, dict[int, Said]] = {}
    for (row, column), error in scan.errors.items():
        broken.setdefault(row, {})[column] = _error(error)
    padded: dict[int, list[tuple[int, int]]] = {}
    for (row, column), digits in scan.padded.items():
        padded.setdefault(row, []).append((column, digits))
    spread = _Spread(sheet)
    for row, values in enumerate(sheet.to_python(skip_empty_area=False)):
        cells = [_cell(value) for value in values]
        for column, digits in padded.get(row, ()):
            if column < len(values) and isinstance(values[column], float | int):
                cells[column] = cells[column].zfill(digits)
        inexact = {index: _INEXACT for index, value in enumerate(values) if _is_inexact(value)}
        wrong = broken.get(row, {}) | inexact
        spread.fill(row, cells)
        yield Line(row + 1, tuple(cells), wrong)


class _Spread:
    """Copies the value of a cell that is merged over several rows to each of these rows, in its first column."""

    def __init__(self, sheet: CalamineSheet) -> None:
        self._last: dict[tuple[int, int], int] = {
            first: last[0] for first, last in sheet.merged_cell_ranges or () if last[0] > first[0]
        }
        self._columns = sorted({column for _, column in self._last})
        self._open: dict[int, tuple[int, str]] = {}

    def fill(self, row: int, cells: list[str]) -> None:
        """Copy the values of merged cells above into a row; one without a value of its own stays empty. Call it row by
        row."""
        own = any(cells)
        for column in self._columns:
            last, value = self._open.get(column, (-1, ""))
            if row <= last and own and column < len(cells) and not cells[column]:
                cells[column] = value
            if (row, column) in self._last and column < len(cells):
                self._open[column] = (self._last[row, column], cells[column])


def _error(error: str) -> Said:
    return Said(
        f"holds the error {error} of the spreadsheet: correct its formula or write the value",
        f"是表格错误值 {error}：请改正公式或直接填写值",
    )


_INEXACT: Final = Said(
    "has more than 15 digits, of which spreadsheets lose the last: format the cell as text and write it again",
    "是超过 15 位的数字，表格软件会丢失末几位：请把单元格设为文本格式后重新填写",
)


def _is_inexact(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) >= _EXACT


def _cell(value: object) -> str:
    """A value of a spreadsheet as a person would write it in CSV."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return str(value).strip()
