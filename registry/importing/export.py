"""Areas, stations, duties and substitutes as import files: an exported file that is imported again changes nothing.
Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from registry.duty.model import Duty, Substitute
from registry.importing.rows import COLUMNS, Kind
from registry.model import Area, Station


def write_csv(kind: Kind, entries: Iterable[Area | Station | Duty | Substitute]) -> str:
    """CSV with every column that an import of `kind` knows; UTF-8 without BOM when encoded."""
    columns = COLUMNS[kind]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(column.name for column in columns)
    # Columns that say what an import is to do, such as `remove`, are empty.
    writer.writerows([_cell(getattr(entry, column.field, None)) for column in columns] for entry in entries)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
