"""A report as an XLSX workbook: a sheet of facts, then a sheet for each table. Pure.

Rates and times are numbers with a format, so a spreadsheet can sort and sum them. Texts are written as texts, never as
formulas or links. Each row becomes XML at once, so memory grows with the size
of the file, not with a cell object for each value.
"""

import io
from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from audit.days.figures import hundredths_of_percent
from audit.reports.document import CellValue, ColumnKind, Report, ReportColumn, ReportTable

_UNITS: Final = {ColumnKind.TIME: 86_400_000, ColumnKind.POINTS: 100}
"""Of one day, and of one point."""
_FORMATS: Final = {
    ColumnKind.TEXT: {"text_wrap": True, "valign": "top"},
    ColumnKind.DAY: {"num_format": "yyyy-mm-dd", "valign": "top"},
    ColumnKind.COUNT: {"num_format": "#,##0", "valign": "top"},
    ColumnKind.TIME: {"num_format": "[h]:mm:ss", "valign": "top"},
    ColumnKind.RATE: {"num_format": "0.00%", "valign": "top"},
    ColumnKind.POINTS: {"num_format": "0.00", "valign": "top"},
}
_MOST_ROWS: Final = 1_048_576
_OPTIONS: Final = {
    "in_memory": True,
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Formats = dict[ColumnKind, Any]


def xlsx_bytes(report: Report) -> bytes:
    """The workbook. Raises ValueError if a table has more rows than a sheet can have."""
    out = io.BytesIO()
    with Workbook(out, _OPTIONS) as book:
        book.set_properties({"title": report.title, "created": datetime(*report.dated.timetuple()[:3])})
        formats: Formats = {kind: book.add_format(options) for kind, options in _FORMATS.items()}
        head = book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"})
        _write_facts(book.add_worksheet(report.subtitle[:31]), report, head, formats[ColumnKind.TEXT])
        for table in report.tables:
            _write_table(book.add_worksheet(table.name), table, head, formats)
    return out.getvalue()


def _write_facts(sheet: Worksheet, report: Report, head: Any, text: Any) -> None:
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 70)
    lines: list[tuple[str, str]] = [(report.title, ""), *report.facts, *(("", note) for note in report.notes)]
    lines.append((report.text.verify_title, ""))
    lines += [("", line) for line in (report.checkpoint or report.text.no_checkpoint).splitlines()]
    lines += [("", line) for line in report.text.verify]
    for place, (label, value) in enumerate(lines):
        sheet.write_string(place, 0, label, head if label else text)
        sheet.write_string(place, 1, value, text)


def _write_table(sheet: Worksheet, table: ReportTable, head: Any, formats: Formats) -> None:
    if len(table.rows) >= _MOST_ROWS:
        raise ValueError(f"{len(table.rows)} rows are more than a sheet can have")
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, 8 * column.share)
        sheet.write_string(0, place, column.heading, head)
    for line, row in enumerate(table.rows, 1):
        _write_row(sheet, line, row, table.columns, formats)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _write_row(
    sheet: Worksheet, line: int, row: Sequence[CellValue], columns: Sequence[ReportColumn], formats: Formats
) -> None:
    for place, (value, column) in enumerate(zip(row, columns, strict=True)):
        style = formats[column.kind]
        match value:
            case None:
                sheet.write_blank(line, place, None, style)
            case str():
                sheet.write_string(line, place, value, style)
            case Fraction():
                sheet.write_number(line, place, hundredths_of_percent(value) / 10_000, formats[ColumnKind.RATE])
            case date():
                sheet.write_datetime(line, place, value, style)
            case _:
                sheet.write_number(line, place, value / _UNITS.get(column.kind, 1), style)
