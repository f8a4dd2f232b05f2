"""From the text of a sheet to typed rows; an error names the place of its cell. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, Literal
from unicodedata import normalize

import msgspec

from contract.errors import RemedyError
from contract.glossary import WORDS
from contract.said import Said, SaidError, said_by
from registry.importing.columns import AREAS, CLOSURES, DAYS, OVERRIDES, SCHEDULES, STATIONS, TARGETS, Column
from registry.importing.layout import BadCell, Heading, Layout
from registry.importing.routing.contact_columns import CONTACTS
from registry.importing.routing.duty_columns import DUTY, SUBSTITUTES
from registry.importing.routing.route_columns import ROUTES
from registry.importing.sheets.lines import MAX_CELL, Line, Sheet
from registry.importing.succession_columns import SUCCESSIONS
from registry.written import plain

Kind = Literal[
    "areas",
    "stations",
    "closures",
    "targets",
    "schedules",
    "overrides",
    "days",
    "contacts",
    "duty",
    "substitutes",
    "routes",
    "successions",
]
COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    "areas": AREAS,
    "stations": STATIONS,
    "closures": CLOSURES,
    "targets": TARGETS,
    "schedules": SCHEDULES,
    "overrides": OVERRIDES,
    "days": DAYS,
    "contacts": CONTACTS,
    "duty": DUTY,
    "substitutes": SUBSTITUTES,
    "routes": ROUTES,
    "successions": SUCCESSIONS,
}
KEYS: Final[dict[Kind, tuple[str, ...]]] = {
    "areas": ("code",),
    "stations": ("id",),
    "closures": ("station", "from_at"),
    "targets": ("id",),
    "schedules": ("kind", "valid_from"),
    "overrides": ("station", "kind", "area", "first", "last"),
    "days": ("day",),
    "contacts": ("id", "name", "role", "area"),
    "duty": ("area", "role", "contact", "times", "weeks", "week", "valid_from"),
    "substitutes": ("contact", "from_at"),
    "routes": ("id",),
    "successions": ("old", "new"),
}
"""The fields that are the key of a row."""
UNREAD: Final = ("序号", "备注", "no.", "remarks")
"""Columns for people only; they are not read."""
_HEADER_WITHIN: Final = 20
"""The header is searched within so many lines: a title and remarks may stand above it."""
_ERRORS: Final = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA|FIELD!|BLOCKED!)")
_NOTE: Final = re.compile(
    r"[(\[](必填|必填项|选填|非必填|可选|可空|可不填|required|optional|wgs-?84|度|十进制度?|文本|文本格式|(格式|如|例|例如|示例)[^)\]]*)[)\]]"
    r"|[*:\s]"
)
"""Additions to the name of a column that do not change its meaning: (必填), *, a colon; not (GCJ-02)."""


class Row(msgspec.Struct, frozen=True):
    """A row without errors: its line, its key, and the values of the fields for which the file has columns.

    `blank`: the fields whose cell is empty.
    """

    line: int
    key: str
    values: dict[str, Any]
    blank: frozenset[str] = frozenset()


class Rows(msgspec.Struct, frozen=True):
    """The good rows of a sheet, each key once, and the problems of the others; `layout` names the places of cells."""

    good: list[Row]
    bad: list[BadCell]
    layout: Layout = Layout()


def parse_rows(sheet: Sheet, kind: Kind) -> Rows:
    """Read every row of a sheet. Raises RemedyError when its columns are not those of `kind`."""
    at = _find_header(sheet.lines, kind)
    header, lines = sheet.lines[at], sheet.lines[at + 1 :]
    columns = _choose_columns(header, kind, workbook=sheet.workbook)
    layout = _layout(header, columns, sheet)
    good: dict[str, Row] = {}
    bad: list[BadCell] = []
    for line in lines:
        row, wrong = _parse_line(line, columns, kind, workbook=sheet.workbook)
        bad += wrong
        if row is None:
            continue
        if row.key in good:
            bad.append(_twice(row, good[row.key], kind))
        else:
            good[row.key] = row
    return Rows(list(good.values()), bad, layout)


def column_named(text: str, kind: Kind) -> str:
    """The name of the column with this header; an unknown header in lower case."""
    exact = normalize("NFKC", text).strip().lower()
    known = {alias: column.name for column in COLUMNS[kind] for alias in (column.name, *column.called)}
    bare = _NOTE.sub("", exact)
    return known.get(exact) or known.get(bare) or (bare if bare in UNREAD else exact)


def _twice(row: Row, first: Row, kind: Kind) -> BadCell:
    return BadCell(
        row.line,
        KEYS[kind][0],
        Said(
            f"{row.key} is already on line {first.line}: keep one of them",
            f"{row.key} 与第 {first.line} 行重复：请只留一行",
        ),
    )


def _find_header(lines: Sequence[Line], kind: Kind) -> int:
    """The index of the line that names most columns; the first line if no line names two of them."""
    needed = {column.name for column in COLUMNS[kind] if column.required}
    best, most = 0, (False, 1)
    for at, line in enumerate(lines[:_HEADER_WITHIN]):
        names = {column_named(cell, kind) for cell in line.cells if cell and len(cell) <= MAX_CELL}
        known = len(names & {column.name for column in COLUMNS[kind]})
        if (rank := (needed <= names, known)) > most:
            best, most = at, rank
    return best


def _layout(header: Line, columns: Sequence[Column | None], sheet: Sheet) -> Layout:
    headings = {
        column.name: Heading(index, header.cells[index]) for index, column in enumerate(columns) if column is not None
    }
    return Layout(headings, sheet.workbook, sheet.notes)


def _key_part(value: str | int | date | None) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "-")


def _choose_columns(header: Line, kind: Kind, *, workbook: bool) -> list[Column | None]:
    """The columns in the file's order (None: not read); every problem of the header in one error."""
    names = [column_named(cell, kind) for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    _refuse_other_separators(names)
    known = {column.name: column for column in COLUMNS[kind]}
    lacking = [column for column in COLUMNS[kind] if column.required and column.name not in names]
    unknown = sorted({name or "(no name)" for name in names} - set(known) - set(UNREAD))
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if lacking or unknown or twice:
        raise _bad_header(header, kind, [column.name for column in lacking], unknown, twice, workbook=workbook)
    return [known.get(name) for name in names]


def _bad_header(
    header: Line, kind: Kind, lacking: list[str], unknown: list[str], twice: list[str], *, workbook: bool
) -> RemedyError:
    place = f"row {header.number}" if workbook else f"line {header.number}"
    en = _listed(
        ("lacks the columns", lacking), ("has the unknown columns", unknown), ("names twice the columns", twice)
    )
    headings = {column.name: column.called[0] for column in COLUMNS[kind]}
    zh = _listed(
        ("缺少列：", [headings[name] for name in lacking]),
        ("有不认识的列：", [name.replace("(no name)", "（没有列名）") for name in unknown]),
        ("列名重复：", [headings[name] for name in twice]),
        comma="、",
        space="",
    )
    required = ",".join(column.name for column in COLUMNS[kind] if column.required)
    optional = ",".join(column.name for column in COLUMNS[kind] if not column.required)
    return RemedyError(
        f"the header ({place}) {'; '.join(en)}. A file of {kind} has the columns {required} and may have {optional}",
        f"表头（第 {header.number} 行）{'；'.join(zh)}。{WORDS['file'][kind].zh}文件必须有的列："
        f"{'、'.join(c.called[0] for c in COLUMNS[kind] if c.required)}；可以有的列："
        f"{'、'.join(c.called[0] for c in COLUMNS[kind] if not c.required)}（也可用英文列名 {required},{optional}）",
    )


def _listed(*parts: tuple[str, list[str]], comma: str = ", ", space: str = " ") -> list[str]:
    return [f"{what}{space}{comma.join(name[:40] for name in names[:20])}" for what, names in parts if names]


def _refuse_other_separators(names: list[str]) -> None:
    if len(names) != 1:
        return
    for sign, called in (
        (";", Said("semicolons", "分号")),
        ("\t", Said("tabs", "制表符")),
        (",", Said("Chinese commas", "中文逗号")),
    ):
        if sign in names[0]:
            raise RemedyError(
                f"the columns are separated by {called.en}: separate them by commas",
                f"各列用{called.zh}分隔：请改用英文逗号",
            )


def _parse_line(
    line: Line, columns: Sequence[Column | None], kind: Kind, *, workbook: bool
) -> tuple[Row | None, list[BadCell]]:
    if wrong := _wrong_width(line, len(columns), workbook=workbook):
        return None, [BadCell(line.number, None, wrong)]
    values: dict[str, Any] = {}
    blank: set[str] = set()
    bad: list[BadCell] = []
    for column, cell, broken in _cells(line, columns):
        try:
            values[column.field] = _read_cell(column, cell, broken)
        except ValueError as exc:
            bad.append(BadCell(line.number, column.name, said_by(exc)))
        if not cell:
            blank.add(column.field)
    if bad:
        return None, bad
    key = " ".join(_key_part(values.get(field)) for field in KEYS[kind])
    return Row(line.number, key, values, frozenset(blank)), []


def _cells(line: Line, columns: Sequence[Column | None]) -> Iterator[tuple[Column, str, Said | None]]:
    """Each column that is read, with its cell and the problem of that. Cells after a workbook's last one are empty."""
    for index, column in enumerate(columns):
        if column is not None:
            yield column, line.cells[index] if index < len(line.cells) else "", line.broken.get(index)


def _wrong_width(line: Line, width: int, *, workbook: bool) -> Said | None:
    """The problem of a row with more or fewer cells than the header.

    In a CSV row all cells may be shifted, so none is read. In a workbook only a cell without a header is a problem.
    """
    if any(line.cells[width:]) and workbook:
        return Said(
            "has a value right of the last column that the header names: give the column a name, or empty the cell",
            "在表头最后一列的右边还有内容：请为该列加上列名，或清空该单元格",
        )
    if not workbook and (len(line.cells) < width or any(line.cells[width:])):
        return Said(
            f"has {len(line.cells)} cells, the header has {width}: check commas and quotation marks",
            f"有 {len(line.cells)} 列，而表头有 {width} 列：请检查逗号和引号",
        )
    return None


def _read_cell(column: Column, cell: str, broken: Said | None) -> Any:
    if broken is not None:
        raise SaidError(broken.en, broken.zh)
    cell = cell if column.words else plain(cell)
    if not cell:
        if column.needed is not None:
            raise SaidError(f"is empty: {column.needed.en}", f"是空的：{column.needed.zh}")
        return column.empty
    if len(cell) > MAX_CELL:
        raise SaidError(
            f"has {len(cell)} characters, allowed are {MAX_CELL}: shorten it",
            f"有 {len(cell)} 个字，最多 {MAX_CELL} 个：请缩短",
        )
    if _ERRORS.fullmatch(cell):
        raise SaidError(
            f"holds the error {cell} of a spreadsheet: correct its formula or write the value",
            f"是表格错误值 {cell}：请改正公式或直接填写值",
        )
    return column.read(cell)
