"""Files of people's spreadsheets, as they come."""

import csv
import io
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from contract.errors import RemedyError
from registry.importing.rows import column_named
from registry.importing.sheets import lines as lines_module
from registry.importing.sheets import sheet as sheet_module
from registry.importing.sheets import workbook as workbook_module
from registry.importing.sheets.lines import Line
from registry.importing.sheets.sheet import read_sheet


def xlsx(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("code,name\n63,青海\n".encode(), id="plain"),
        pytest.param("code,name\n63,青海\n".encode("utf-8-sig"), id="with BOM"),
        pytest.param("code,name\r\n63,青海".encode(), id="Windows line ends, none at the end"),
        pytest.param("Code , NAME\n 63 , 青海\n".encode(), id="spaces and capitals in the header"),
        pytest.param("code,name,,\n63,青海,,\n".encode(), id="empty columns at the right"),
        pytest.param('"code","name"\n"63","青海"\n'.encode(), id="all quoted"),
        pytest.param(xlsx([["code", "name"], [63, "青海"]]), id="XLSX with a number"),
        pytest.param(xlsx([["code", "name", None], [63.0, "青海", None]]), id="XLSX with a float"),
    ],
)
def test_the_same_table(content: bytes) -> None:
    sheet = read_sheet(content)
    header, row = sheet.lines
    assert [column_named(cell, "areas") for cell in header.cells[:2]] == ["code", "name"]
    assert (row.number, row.cells[:2]) == (2, ("63", "青海"))


def test_line_numbers_are_those_of_an_editor() -> None:
    sheet = read_sheet(b'id,address\n1,"two\nlines"\n\n,\n2,b\n')
    assert [(line.number, line.cells[0]) for line in sheet.lines[1:]] == [(2, "1"), (6, "2")]


def test_spreadsheet_row_numbers_count_empty_rows() -> None:
    sheet = read_sheet(xlsx([["id", "name"], [None, None], ["7", "x"]]))
    assert sheet.lines[1:] == [Line(3, ("7", "x"))]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(date(2026, 10, 31), "2026-10-31", id="date"),
        pytest.param(datetime(2026, 10, 31, 8, 30), "2026-10-31T08:30:00", id="time"),
        pytest.param(36.62, "36.62", id="fraction"),
        pytest.param(630000000000, "630000000000", id="a code typed as a number"),
    ],
)
def test_spreadsheet_values(value: object, text: str) -> None:
    assert read_sheet(xlsx([["a"], [value]])).lines[1].cells == (text,)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf\n\n", "the file is empty", id="only a BOM and blank lines"),
        pytest.param(
            b"code,name\n63,\xff\xff\n", r"line 2 is neither UTF-8 nor GB18030 \(GBK\): save", id="no encoding at all"
        ),
        pytest.param("code,name".encode("utf-16"), "is UTF-16: save it as CSV UTF-8", id="UTF-16"),
        pytest.param(b"\xd0\xcf\x11\xe0rest", r"old Excel format \(\.xls\)", id="old Excel"),
        pytest.param(b"PK\x03\x04rest", "cannot be read as an XLSX workbook", id="a broken workbook"),
        pytest.param(xlsx([["a"]])[:-400], "cannot be read as an XLSX workbook", id="a workbook cut off"),
        pytest.param(b'code,name\n63,"x\n64,y\n', r"line 2 is not CSV", id="a quotation mark that never closes"),
        pytest.param(b'code,name\n63,"x"y\n', r"line 2 is not CSV", id="a stray quotation mark"),
    ],
)
def test_unreadable_file_names_its_remedy(content: bytes, problem: str) -> None:
    with pytest.raises(RemedyError, match=problem):
        read_sheet(content)


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_module, "MAX_BYTES", 20)
    with pytest.raises(RemedyError, match="the file has 21 bytes, allowed are 20: split it"):
        read_sheet(b"x" * 21)


def test_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_ROWS", 2)
    assert len(read_sheet(b"id\n1\n2\n").lines) == 3
    with pytest.raises(RemedyError, match="more than 2 rows: split it"):
        read_sheet(b"id\n1\n2\n3\n")


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_module, "MAX_UNPACKED", 1000)
    with pytest.raises(RemedyError, match="unpacks to"):
        read_sheet(xlsx([["a"], ["b"]]))


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).map(str.strip)


@given(st.lists(st.lists(cells, min_size=2, max_size=2).filter(any), max_size=8))
def test_what_csv_writes_is_read(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["a", "b"], *rows])
    assert [list(line.cells) for line in read_sheet(out.getvalue().encode()).lines[1:]] == rows


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda junk: b"PK\x03\x04" + junk))
def test_any_bytes_are_read_or_refused_with_a_remedy(content: bytes) -> None:
    try:
        read_sheet(content)
    except RemedyError as exc:
        assert len(str(exc)) < 600
