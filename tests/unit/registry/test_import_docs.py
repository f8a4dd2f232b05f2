"""docs/import.md names every column, and its examples can be imported."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from registry.importing.cells import moment, rules
from registry.importing.diff import plan_areas, plan_stations
from registry.importing.rows import COLUMNS, UNREAD, Kind, parse_rows
from registry.importing.sheets.sheet import read_sheet

PAGE = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")


def section(kind: Kind) -> str:
    return PAGE.split(f"## {kind.capitalize()}\n")[1].split("\n## ")[0]


def example(kind: Kind) -> bytes:
    found = re.search(r"```csv\n(.*?)```", section(kind), re.DOTALL)
    assert found is not None
    return found[1].encode()


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_column_is_described(kind: Kind) -> None:
    rows = re.findall(r"^\| (`.*?) \| (.*?) \| (required)? ?\|", section(kind), re.MULTILINE)
    described = [
        (name, tuple(called.split("、")), required == "required")
        for names, all_called, required in rows
        for name, called in zip(re.findall(r"`(\w+)`", names), all_called.split("; "), strict=True)
    ]
    assert sorted(described) == sorted((column.name, column.called, column.required) for column in COLUMNS[kind])


@pytest.mark.parametrize("kind", COLUMNS)
def test_no_two_columns_are_called_the_same(kind: Kind) -> None:
    called = [name for column in COLUMNS[kind] for name in (column.name, *column.called)]
    assert len(called) == len({*called, *UNREAD}) - len(UNREAD)


def as_it_is(content: bytes, _: Kind) -> bytes:
    return content


def in_chinese(content: bytes, kind: Kind) -> bytes:
    """The same file with Chinese names of columns, in GB18030."""
    header, rest = content.decode().split("\n", 1)
    called = {column.name: column.called[0] for column in COLUMNS[kind]}
    return (",".join(called[name] for name in header.split(",")) + "\n" + rest).encode("gb18030")


def typed(cell: str) -> str | int | float | None:
    """What a spreadsheet program makes of a text that is typed into a cell."""
    if not cell:
        return None
    if re.fullmatch(r"0|[1-9][0-9]*", cell):
        return int(cell)
    return float(cell) if re.fullmatch(r"[0-9]+\.[0-9]+", cell) else cell


def in_a_workbook(content: bytes, _: Kind) -> bytes:
    """The same table typed into a spreadsheet program: empty cells are not there at all."""
    book = Workbook()
    assert book.active is not None
    for cells in csv.reader(io.StringIO(content.decode())):
        book.active.append([typed(cell) for cell in cells])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


FORMS = pytest.mark.parametrize("form", [as_it_is, in_chinese, in_a_workbook])


@FORMS
def test_examples_can_be_imported(form: Callable[[bytes, Kind], bytes]) -> None:
    areas = plan_areas(parse_rows(read_sheet(form(example("areas"), "areas")), "areas"), {})
    assert areas.bad == []
    known = {area.code for area in areas.new}
    stations = plan_stations(parse_rows(read_sheet(form(example("stations"), "stations")), "stations"), {}, known)
    assert stations.bad == []
    assert len(stations.new) == 2


@FORMS
@pytest.mark.parametrize("kind", COLUMNS)
def test_every_row_of_an_example_can_be_read(kind: Kind, form: Callable[[bytes, Kind], bytes]) -> None:
    rows = parse_rows(read_sheet(form(example(kind), kind)), kind)
    assert rows.bad == []
    assert [row.values for row in rows.good] == [row.values for row in parse_rows(read_sheet(example(kind)), kind).good]


@pytest.mark.parametrize("written", re.findall(r"`([^`]+)`", PAGE.split("| days and times |")[1].split("|\n")[0]))
def test_every_way_to_write_a_time_is_read(written: str) -> None:
    assert moment(written).year == 2026


@pytest.mark.parametrize("written", re.findall(r"`([^`]+)`", PAGE.split("or in Chinese:")[1].split("They are")[0]))
def test_every_way_to_write_hours_is_read(written: str) -> None:
    assert rules(written)
