"""Workbooks as people have them, and such as are made to harm."""

import io
import random
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

from contract.errors import RemedyError
from registry.importing.layout import letters
from registry.importing.rows import Kind, Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet
from registry.importing.sheets.sheet_process import read_apart

HEADER = ["编号", "名称", "区划代码"]


def workbook(make: Callable[[Worksheet], object]) -> bytes:
    book = Workbook()
    assert isinstance(book.active, Worksheet)
    make(book.active)
    return saved(book)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled(*rows: list[Any], merge: tuple[str, ...] = ()) -> bytes:
    def make(sheet: Worksheet) -> None:
        for row in rows:
            sheet.append(row)
        for cells in merge:
            sheet.merge_cells(cells)

    return workbook(make)


def read(content: bytes, kind: Kind = "stations") -> Rows:
    return parse_rows(read_sheet(content), kind)


def said(rows: Rows, language: str = "en") -> list[str]:
    return [rows.layout.shown(cell, language) for cell in rows.bad]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(filled(HEADER, ["S1", "一", "63"], ["S2", "二", "63"]), id="plain"),
        pytest.param(filled(["登记表"], HEADER, ["S1", "一", 63], ["S2", "二", 63], merge=("A1:C1",)), id="a title"),
        pytest.param(
            filled(["2026年"], [], ["填表人：李明"], HEADER, ["S1", "一", 63], [], ["S2", "二", 63]), id="blank rows"
        ),
        pytest.param(filled(HEADER, ["S1", "一", 63], ["S2", "二"], merge=("C2:C3",)), id="merged downwards"),
        pytest.param(filled(HEADER, ["S1", "一", 63], ["S2", "二"], [], merge=("C2:C9",)), id="merged beyond the end"),
        pytest.param(
            filled(["基本信息"], HEADER, [], ["S1", "一", 63], ["S2", "二", 63], merge=("A1:C1", "A2:A3", "B2:B3")),
            id="a header over two rows",
        ),
        pytest.param(filled(["编号*", "名称（必填）", "区划代码："], ["S1", "一", 63], ["S2", "二", 63]), id="marks"),
        pytest.param(
            filled(["序号", *HEADER, "备注"], [1, "S1", "一", 63, "x"], [2, "S2", "二", 63]), id="unread columns"
        ),
        pytest.param(filled(["ID", "name", "Area"], ["S1", "一", 63], ["S2", "二", 63.0]), id="English"),
    ],
)
def test_the_same_stations(content: bytes) -> None:
    rows = read(content)
    assert said(rows) == []
    assert [(row.key, row.values["name"], row.values["area"]) for row in rows.good] == [
        ("S1", "一", "630000000000"),
        ("S2", "二", "630000000000"),
    ]


@pytest.mark.parametrize(
    ("columns", "cells", "field", "value"),
    [
        pytest.param(["启用日期"], [date(2026, 5, 1)], "commissioned_at", datetime(2026, 4, 30, 16), id="a date"),
        pytest.param(["启用日期"], [46143], "commissioned_at", datetime(2026, 4, 30, 16), id="a serial number"),
        pytest.param(
            ["启用日期"], ["2026年5月1日"], "commissioned_at", datetime(2026, 4, 30, 16), id="a date in Chinese"
        ),
        pytest.param(["状态"], ["停用"], "lifecycle", "suspended", id="a state in Chinese"),
        pytest.param(["纬度", "经度"], ["３６.６２", 101.77], "lat", 36.62, id="full-width digits"),
        pytest.param(["开放时间"], ["周一至周五 9:00-17:00"], "schedule", "Mo-Fr 09:00-17:00", id="hours"),
        pytest.param(["开放时间"], [None], "schedule", "24x7", id="an empty last cell"),
    ],
)
def test_values(columns: list[str], cells: list[Any], field: str, value: Any) -> None:
    rows = read(filled([*HEADER, *columns], ["S1", "一", 63, *cells]))
    assert said(rows) == []
    found = rows.good[0].values[field]
    assert (found.replace(tzinfo=None) if isinstance(found, datetime) else found) == value


def test_a_percentage_is_a_share() -> None:
    header = ["编号", "名称", "指标", "区划代码", "目标值"]
    rows = read(filled(header, ["a", "一", "覆盖率", 63, "95%"], ["b", "二", "covered", 63, 0.95]), "targets")
    assert said(rows) == []
    assert [row.values["threshold"] for row in rows.good] == [0.95, 0.95]


def with_leading_zeros(sheet: Worksheet) -> None:
    sheet.append(HEADER)
    sheet.append([12, "一", 63])
    sheet.append(["0013", "二", 63])
    sheet.append([14, "三", 63])
    for cell in ("A2", "A3", "A9", "Z2"):
        sheet[cell].number_format = "0000"


def test_an_id_is_read_as_its_format_shows_it() -> None:
    """A person who sees 0012 in the cell means it, though the cell holds 12."""
    rows = read(workbook(with_leading_zeros))
    assert said(rows) == []
    assert [row.key for row in rows.good] == ["0012", "0013", "14"]


def broken(sheet: Worksheet) -> None:
    sheet.append(["表"])
    sheet.append([*HEADER, "纬度"])
    sheet.append(["S1", "\u200b\u3164", 63, None])
    sheet.append(["S2", "#N/A", 63, "N36"])
    sheet.append(["S3", "三", 63, None, "x"])
    sheet.append([1234567890123456789, "四", 63])
    sheet["B4"].data_type = "e"


def test_errors_name_cells_in_both_languages() -> None:
    rows = read(workbook(broken))
    assert said(rows) == [
        "cell B3 (名称): has no visible character: write it, or empty the cell",
        "cell B4 (名称): holds the error #N/A of the spreadsheet: correct its formula or write the value",
        "cell D4 (纬度): 'N36' is not a number: write degrees like 36.62",
        "row 5: has a value right of the last column that the header names: give the column a name, or empty the cell",
        "cell A6 (编号): has more than 15 digits, of which spreadsheets lose the last: format the cell as text and "
        "write it again",
    ]
    assert said(rows, "zh-CN") == [
        "单元格 B3（名称）：没有可见的字符：请填写，或清空单元格",
        "单元格 B4（名称）：是表格错误值 #N/A：请改正公式或直接填写值",
        "单元格 D4（纬度）：“N36”不是数字：请写十进制度数，如 36.62",
        "第 5 行：在表头最后一列的右边还有内容：请为该列加上列名，或清空该单元格",
        "单元格 A6（编号）：是超过 15 位的数字，表格软件会丢失末几位：请把单元格设为文本格式后重新填写",
    ]


def test_errors_of_formulas_are_found_in_csv_too() -> None:
    rows = parse_rows(read_sheet("编号,名称,区划代码\nS1,#REF!,63\n".encode()), "stations")
    assert said(rows) == [
        "line 2, column 名称: holds the error #REF! of a spreadsheet: correct its formula or write the value"
    ]


def test_only_the_first_visible_sheet_is_read_and_that_is_said() -> None:
    book = Workbook()
    assert isinstance(book.active, Worksheet)
    book.active.append(["hidden"])
    book.active.sheet_state = "hidden"
    for title in ("一", "二"):
        sheet = book.create_sheet(title)
        sheet.append(HEADER)
        sheet.append([title, title, 63])
    rows = read(saved(book))
    assert [row.key for row in rows.good] == []
    assert said(rows)[0].startswith("cell A2 (编号): '一' is not a station id")
    assert [note.en for note in rows.layout.notes] == ["Only the first sheet (一) was read; the workbook has 1 more."]


def far_away(sheet: Worksheet) -> None:
    sheet.append(HEADER)
    sheet["XFD1048576"] = "x"


def old_mac(sheet: Worksheet) -> None:
    assert sheet.parent is not None
    sheet.parent.epoch = datetime(1904, 1, 1)  # type: ignore[assignment]
    sheet.append(HEADER)


def with_part(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = old.read(entry)
            new.writestr(entry.filename, change(part) if entry.filename == name else part)
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0"
SHEET = "xl/worksheets/sheet1.xml"
PLAIN = filled(HEADER, ["S1", "一", 63])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(workbook(far_away), "reaches to XFD1048576, which is more than 50000000 cells", id="a far cell"),
        pytest.param(workbook(old_mac), "counts days from 1904", id="days from 1904"),
        pytest.param(saved(Workbook()), "the file is empty", id="no cell"),
        pytest.param(PLAIN[:-300], "cannot be read as an XLSX workbook", id="cut off"),
        pytest.param(
            with_part(PLAIN, SHEET, lambda part: part[:200]), "cannot be read as an XLSX workbook", id="half a sheet"
        ),
        pytest.param(
            with_part(PLAIN, SHEET, lambda part: b'<!DOCTYPE x [<!ENTITY a "b">]>' + part),
            "cannot be read as an XLSX workbook",
            id="entities",
        ),
        pytest.param(
            with_part(PLAIN, SHEET, lambda part: part.replace(b'r="A2"', b'r="A0"')),
            "cannot be read as an XLSX workbook",
            id="a cell of row 0",
        ),
        pytest.param(
            b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "encrypted with a password", id="encrypted"
        ),
        pytest.param(OLE + b"\0" * 100, r"old Excel format \(\.xls\)", id="old"),
        pytest.param(b"PK\x03\x04", "cannot be read as an XLSX workbook", id="another archive"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, problem: str) -> None:
    with pytest.raises(RemedyError, match=problem) as caught:
        read_apart(content)
    assert re.search("[\u4e00-\u9fff]", caught.value.said.zh)


def sharing(text: str, rows: int) -> bytes:
    """A workbook as Excel writes it: texts stand in a part of their own, and cells name them by number."""
    plain = filled(HEADER, *(["S1", "shared", 63] for _ in range(rows)))
    cell = b't="inlineStr"><is><t>shared</t></is></c>'
    numbered = with_part(plain, SHEET, lambda part: part.replace(cell, b't="s"><v>0</v></c>'))
    out = io.BytesIO(numbered)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/sharedStrings.xml",
            f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{text}</t></si></sst>',
        )
    return out.getvalue()


def test_shared_texts_are_read() -> None:
    rows = read(sharing("阅览室", 1))
    assert [row.values["name"] for row in rows.good] == ["阅览室"]


def test_a_workbook_that_takes_too_much_memory_ends_only_its_own_process() -> None:
    """One text of 4 MiB that a thousand cells share: a few KB in the archive, 4 GiB once it is read."""
    bomb = sharing("x" * 4 * 1024 * 1024, 1000)
    assert len(bomb) < 40_000
    with pytest.raises(RemedyError, match="takes more memory or time than an import may"):
        read_apart(bomb, memory=1024 * 1024 * 1024)


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_workbook_is_read_or_refused_with_a_remedy(seed: int) -> None:
    rng = random.Random(seed)
    signs = [b"", b"<", b'"', b"9999999", b"\xff", b'<c r="XFE1"/>', b't="s"']

    def overwritten(content: bytes) -> bytes:
        at = rng.randrange(len(content) - 3)
        return content[:at] + rng.randbytes(3) + content[at + 3 :]

    def damaged(part: bytes) -> bytes:
        at = rng.randrange(len(part))
        return part[:at] + rng.choice(signs) + part[at + 3 :]

    part = rng.choice([SHEET, "xl/workbook.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels"])
    content = overwritten(PLAIN) if seed % 2 else with_part(PLAIN, part, damaged)
    try:
        read_sheet(content)
    except RemedyError as exc:
        assert len(str(exc)) < 600


def test_a_workbook_is_read_in_a_process_of_its_own() -> None:
    assert read_apart(PLAIN) == read_sheet(PLAIN)


@pytest.mark.parametrize("column", [0, 25, 26, 701, 702, 16383])
def test_letters(column: int) -> None:
    assert range_boundaries(f"{letters(column)}1")[0] == column + 1
