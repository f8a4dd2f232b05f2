"""From the text of a sheet to typed rows; whatever is wrong is named by line and column. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal

import msgspec

from contract.errors import RemedyError
from registry.columns import AREAS, CLOSURES, DAYS, OVERRIDES, SCHEDULES, STATIONS, TARGETS, Column
from registry.sheet import MAX_CELL, Line, Sheet

Kind = Literal["areas", "stations", "closures", "targets", "schedules", "overrides", "days"]
COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    "areas": AREAS,
    "stations": STATIONS,
    "closures": CLOSURES,
    "targets": TARGETS,
    "schedules": SCHEDULES,
    "overrides": OVERRIDES,
    "days": DAYS,
}
KEYS: Final[dict[Kind, tuple[str, ...]]] = {
    "areas": ("code",),
    "stations": ("id",),
    "closures": ("station", "from_at"),
    "targets": ("id",),
    "schedules": ("kind", "valid_from"),
    "overrides": ("station", "kind", "area", "first", "last"),
    "days": ("day",),
}
"""The fields that tell rows apart."""


class BadCell(msgspec.Struct, frozen=True):
    """What is wrong on a line of the file, in which column (None: the row as a whole)."""

    line: int
    column: str | None
    problem: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.column is None else f"line {self.line}, column {self.column}"
        return f"{where}: {self.problem}"


class Row(msgspec.Struct, frozen=True):
    """A row that could be read: its line and the fields that the file has columns for."""

    line: int
    key: str
    values: dict[str, Any]


class Rows(msgspec.Struct, frozen=True):
    """A sheet's good rows, each key once, and what is wrong with the others."""

    good: list[Row]
    bad: list[BadCell]


def parse_rows(sheet: Sheet, kind: Kind) -> Rows:
    """Read every row of a sheet. Raises RemedyError when its columns are not those of `kind`."""
    columns = _choose_columns(sheet.columns, kind)
    good: dict[str, Row] = {}
    bad: list[BadCell] = []
    for line in sheet.lines:
        values, wrong = _parse_line(line, columns)
        bad += wrong
        if wrong:
            continue
        key = " ".join(_key_part(values.get(field)) for field in KEYS[kind])
        if key in good:
            bad.append(
                BadCell(line.number, KEYS[kind][0], f"{key} is already on line {good[key].line}: keep one of them")
            )
        else:
            good[key] = Row(line.number, key, values)
    return Rows(list(good.values()), bad)


def _key_part(value: str | date | None) -> str:
    return value.isoformat() if isinstance(value, date) else value or "-"


def _choose_columns(names: Sequence[str], kind: Kind) -> list[Column]:
    """The columns in the file's order; every problem of the header in one error."""
    known = {column.name: column for column in COLUMNS[kind]}
    problems = [
        *_listed("lacks the columns", [c.name for c in COLUMNS[kind] if c.required and c.name not in names]),
        *_listed("has the unknown columns", sorted({name or "(no name)" for name in names} - set(known))),
        *_listed("names twice the columns", sorted({name for name in names if names.count(name) > 1})),
    ]
    if problems:
        raise RemedyError(
            f"the header (line 1) {'; '.join(problems)}. A file of {kind} has the columns {_described(kind)}"
        )
    return [known[name] for name in names]


def _listed(what: str, names: list[str]) -> list[str]:
    shown = ", ".join(name[:40] for name in names[:20])
    return [f"{what} {shown}"] if names else []


def _described(kind: Kind) -> str:
    required = ",".join(column.name for column in COLUMNS[kind] if column.required)
    optional = ",".join(column.name for column in COLUMNS[kind] if not column.required)
    return f"{required} and may have {optional}"


def _parse_line(line: Line, columns: Sequence[Column]) -> tuple[dict[str, Any], list[BadCell]]:
    values: dict[str, Any] = {}
    bad: list[BadCell] = []
    if wrong := _wrong_width(line, len(columns)):
        return values, [BadCell(line.number, None, wrong)]
    for column, cell in zip(columns, line.cells, strict=False):  # cells beyond the header are empty
        try:
            values[column.field] = _read_cell(column, cell)
        except ValueError as exc:
            bad.append(BadCell(line.number, column.name, str(exc)))
    return values, bad


def _wrong_width(line: Line, width: int) -> str | None:
    """A row of another width than the header's has shifted cells: nothing in it can be trusted."""
    if len(line.cells) < width or any(line.cells[width:]):
        return f"has {len(line.cells)} cells, the header has {width}: check commas and quotation marks"
    return None


def _read_cell(column: Column, cell: str) -> Any:
    if not cell:
        if column.needed is not None:
            raise ValueError(f"is empty: {column.needed}")
        return column.empty
    if len(cell) > MAX_CELL:
        raise ValueError(f"has {len(cell)} characters, allowed are {MAX_CELL}: shorten it")
    return column.read(cell)
