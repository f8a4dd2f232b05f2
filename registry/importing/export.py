"""Areas, stations, contacts, duties and substitutes as import files: an exported file that is imported again changes
nothing. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from registry.contacts.model import Contact
from registry.duty.model import Duty, Substitute
from registry.importing.columns import Column
from registry.importing.rows import COLUMNS, Kind
from registry.model import Area, AreaSuccession, Station
from registry.routes.model import Route


def write_csv(
    kind: Kind, entries: Iterable[Area | Station | Contact | Duty | Substitute | Route | AreaSuccession]
) -> str:
    """CSV with every column that an import of `kind` knows, but secret ones; UTF-8 without BOM when encoded."""
    columns = [column for column in COLUMNS[kind] if not column.secret]
    secret = [column for column in COLUMNS[kind] if column.secret]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    # An import keeps what a file has no column for, and does not read remarks.
    writer.writerow([*(column.name for column in columns), *(["remarks"] if secret else [])])
    # Columns that say what an import is to do, such as `remove`, are empty.
    writer.writerows([_text_of(entry, column) for column in (*columns, *secret)] for entry in entries)
    return out.getvalue()


def _text_of(entry: Any, column: Column) -> str:
    value = getattr(entry, column.field, None)
    return "no" if value is False and column.empty is True else _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
