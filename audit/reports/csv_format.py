"""A report as CSV: the table of its places or days, for programs and for spreadsheets. Pure.

The file is UTF-8 with a BOM, because spreadsheets read a file without a BOM in the encoding of the machine. Times are
whole milliseconds and rates are in percent, so all values are plain numbers. A text that a spreadsheet would evaluate
as a formula begins with an apostrophe, as OWASP advises ("CSV Injection").
"""

import csv
import io
from datetime import date
from fractions import Fraction
from typing import Final

from audit.days.figures import hundredths_of_percent
from audit.reports.cell_text import points_text
from audit.reports.document import CellValue, ColumnKind, Report

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_bytes(report: Report) -> bytes:
    """The listed table with a header of column keys."""
    table = report.tables[report.listed]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.key for column in table.columns])
    kinds = [column.kind for column in table.columns]
    writer.writerows([csv_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in table.rows)
    return out.getvalue().encode("utf-8-sig")


def csv_cell(value: CellValue, kind: ColumnKind) -> str:
    """A value of a column as the text of a cell."""
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case Fraction():
            hundredths = hundredths_of_percent(value)
            return f"{hundredths // 100}.{hundredths % 100:02}"
        case date():
            return value.isoformat()
        case int() if kind is ColumnKind.POINTS:
            return points_text(value)
        case _:
            return str(value)
