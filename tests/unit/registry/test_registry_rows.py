"""What is wrong in a file is named by line and column, with the remedy."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contract.errors import RemedyError
from registry.importing.rows import Kind, parse_rows
from registry.importing.sheets.sheet import read_sheet


def parse(kind: Kind, text: str) -> tuple[list[dict[str, Any]], list[str]]:
    rows = parse_rows(read_sheet(text.encode()), kind)
    assert all(re.search("[\u4e00-\u9fff]", cell.problem.zh) for cell in rows.bad), "everything is said in Chinese too"
    return [row.values for row in rows.good], [str(cell) for cell in rows.bad]


def test_area_with_everything() -> None:
    good, bad = parse(
        "areas",
        "code,name,parent,name_en,name_bo,level,valid_from,valid_to,successor\n"
        "632122,民和县,63,Minhe,མིན་ཧོ་རྫོང་།,county,2014-01-01,2026-12-31,632199\n",
    )
    assert bad == []
    assert good == [
        {
            "code": "632122000000",
            "name": "民和县",
            "parent": "630000000000",
            "name_en": "Minhe",
            "name_bo": "མིན་ཧོ་རྫོང་།",
            "level": "county",
            "valid_from": date(2014, 1, 1),
            "valid_to": date(2026, 12, 31),
            "successor": "632199000000",
        }
    ]


def test_station_with_everything_and_columns_in_any_order() -> None:
    good, bad = parse(
        "stations",
        "programmes,id,name,area,name_en,name_bo,kind,lat,lon,lifecycle,commissioned,isp,feeder,address,schedule\n"
        "边疆;a;边疆,6321220007,站,632122,S,བོད།,reading_room,36.62,-101.77,suspended,2026-10-31,"
        "移动,F7,街 1,Mo-Fr 08:00-17:00\n",
    )
    assert bad == []
    assert good == [
        {
            "id": "6321220007",
            "name": "站",
            "area": "632122000000",
            "name_en": "S",
            "name_bo": "བོད།",
            "kind": "reading_room",
            "lat": 36.62,
            "lon": -101.77,
            "lifecycle": "suspended",
            "commissioned_at": datetime(2026, 10, 30, 16, tzinfo=UTC),
            "isp": "移动",
            "feeder": "F7",
            "address": "街 1",
            "schedule": "Mo-Fr 08:00-17:00",
            "programmes": ("a", "边疆"),
        }
    ]


def test_absent_columns_are_not_in_the_row_and_empty_cells_are() -> None:
    good, _ = parse("stations", "id,name,area,isp,lifecycle,schedule,programmes\ns1,n,63,,,,\n")
    assert good == [
        {
            "id": "s1",
            "name": "n",
            "area": "630000000000",
            "isp": None,
            "lifecycle": "commissioned",
            "schedule": "24x7",
            "programmes": (),
        }
    ]


@pytest.mark.parametrize(
    "above",
    [
        pytest.param("", id="nothing"),
        pytest.param("青海省服务点登记表,,\n", id="a title"),
        pytest.param("登记表\n\n填表人：李明,2026年11月\n", id="a title, a blank line, remarks"),
    ],
)
def test_lines_above_the_header_are_passed_over(above: str) -> None:
    good, bad = parse("stations", f"{above}编号,名称,区划代码\nS1,一,63\n")
    assert bad == []
    assert [row["id"] for row in good] == ["S1"]


@pytest.mark.parametrize(
    ("kind", "header", "problem"),
    [
        pytest.param("areas", "code,name", "lacks the columns parent.", id="missing"),
        pytest.param(
            "areas", "name,parent,kode", "lacks the columns code; has the unknown columns kode", id="misspelt"
        ),
        pytest.param("areas", "code,name,parent,,level", r"unknown columns \(no name\)", id="no name"),
        pytest.param("areas", "code,name,name,parent", "names twice the columns name", id="twice"),
        pytest.param(
            "stations", "code,name,parent", "A file of stations has the columns id,name,area", id="other kind"
        ),
        pytest.param(
            "stations",
            "编号,名称,区划代码,纬度(GCJ-02),经度（高德）",
            r"unknown columns 纬度\(gcj-02\), 经度\(高德\)",
            id="coordinates of a map service",
        ),
        pytest.param("areas", "code;name;parent", "separated by semicolons: separate them by commas", id="semicolons"),
        pytest.param("areas", "code\tname", "separated by tabs", id="tabs"),
        pytest.param("areas", "代码，名称", "separated by Chinese commas", id="Chinese commas"),
    ],
)
def test_wrong_header_is_named_whole(kind: Kind, header: str, problem: str) -> None:
    with pytest.raises(RemedyError, match=problem):
        parse(kind, header + "\n")


@pytest.mark.parametrize(
    ("kind", "columns", "row", "problems"),
    [
        ("areas", "", ",n,", ["line 2, column code: is empty: give the area's code"]),
        ("areas", "", "63,,", ["line 2, column name: is empty: give the area's name"]),
        (
            "areas",
            "",
            "635,,x y",
            [
                "line 2, column code: '635' has 3 digits; an area code has 2, 4, 6, 9 or 12: restore the digits, "
                "and in a spreadsheet format the column as text",
                "line 2, column name: is empty: give the area's name",
                "line 2, column parent: 'x y' is not an area code: use 1 to 32 digits or Latin letters",
            ],
        ),
        (
            "areas",
            ",level",
            "63,n,,第三级",
            ["line 2, column level: '第三级' is not a level: use small Latin letters, such as county"],
        ),
        (
            "areas",
            ",valid_from",
            "63,n,,31/10/2026",
            ["line 2, column valid_from: '31/10/2026' is not a date: write it like 2026-10-31"],
        ),
        ("areas", "", "63,n", ["line 2: has 2 cells, the header has 3: check commas and quotation marks"]),
        ("areas", "", "63,n,,x", ["line 2: has 4 cells, the header has 3: check commas and quotation marks"]),
        ("areas", "", f"63,{'n' * 201},", ["line 2, column name: has 201 characters, allowed are 200: shorten it"]),
        ("areas", "", f"63,{'n' * 2001},", ["line 2, column name: has 2001 characters, allowed are 2000: shorten it"]),
        ("areas", "", "63,a\0b,", ["line 2, column name: has the control character U+0000: remove it"]),
        ("areas", "", '63,"a\nb",', ["line 2, column name: has the control character U+000A: remove it"]),
        (
            "stations",
            "",
            "a b,n,63",
            [r"line 2, column id: 'a b' is not a station id: it must match [0-9A-Za-z_-]{1,32}"],
        ),
        (
            "stations",
            "",
            "s1,n,",
            ["line 2, column area: is empty: give the code of the area that the station lies in"],
        ),
        (
            "stations",
            ",lat,lon",
            "s1,n,63,101.77,36.62",
            ["line 2, column lat: '101.77' is not between -90 and 90: are lat and lon exchanged?"],
        ),
        (
            "stations",
            ",lat,lon",
            "s1,n,63,36°37',180.1",
            [
                'line 2, column lat: "36°37\'" is not a number: write degrees like 36.62',
                "line 2, column lon: '180.1' is not between -180 and 180: write degrees of WGS-84",
            ],
        ),
        ("stations", ",lat", "s1,n,63,nan", ["line 2, column lat: 'nan' is not a number: write degrees like 36.62"]),
        (
            "stations",
            ",lifecycle",
            "s1,n,63,open",
            [
                "line 2, column lifecycle: 'open' is not a lifecycle: use one of planned, commissioned, suspended, "
                "retired"
            ],
        ),
        (
            "stations",
            ",commissioned",
            "s1,n,63,0001-01-01",
            [
                "line 2, column commissioned: '0001-01-01' is not a date or time: write it like 2026-10-31 or "
                "2026-10-31T08:00:00+08:00"
            ],
        ),
        (
            "stations",
            ",commissioned",
            "s1,n,63,0001-01-02",
            [
                "line 2, column commissioned: 0001-01-01T16:00:00Z lies outside 1900-01-01T00:00:00Z to "
                "2200-01-01T00:00:00Z: correct the year"
            ],
        ),
        (
            "stations",
            ",programmes",
            "s1,n,63," + ";".join(map(str, range(33))),
            ["line 2, column programmes: names 33 programmes, allowed are 32: shorten the list"],
        ),
    ],
)
def test_bad_row_is_named(kind: Kind, columns: str, row: str, problems: list[str]) -> None:
    required = {"areas": "code,name,parent", "stations": "id,name,area"}[kind]
    good, bad = parse(kind, f"{required}{columns}\n{row}\n")
    assert bad == problems
    assert good == []


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        pytest.param("2026-10-31", "2026-10-30T16:00:00", id="a day begins in China"),
        pytest.param("2026-10-31T08:00", "2026-10-31T00:00:00", id="no zone is China's"),
        pytest.param("2026-10-31T08:00:00Z", "2026-10-31T08:00:00", id="UTC"),
        pytest.param("2026-10-31 08:00:00+06:00", "2026-10-31T02:00:00", id="another zone, a space"),
    ],
)
def test_moments(cell: str, at: str) -> None:
    good, bad = parse("stations", f"id,name,area,commissioned\ns1,n,63,{cell}\n")
    assert bad == []
    assert good[0]["commissioned_at"] == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ᠠ᠋\u180eᠨ\u202fᠤ", id="Mongolian with its separators"),
        pytest.param("བཀྲ་ཤིས།", id="Tibetan"),
        pytest.param("一村\u3000二组", id="full-width space"),
    ],
)
def test_local_scripts_are_kept_as_they_are(name: str) -> None:
    good, bad = parse("areas", f"code,name,parent\n63,{name},\n")
    assert bad == []
    assert good[0]["name"] == name


def test_second_row_of_a_key_is_named_with_the_line_of_the_first() -> None:
    good, bad = parse("areas", "code,name,parent\n63,a,\n64,b,\n630000,c,\n")
    assert bad == ["line 4, column code: 630000000000 is already on line 2: keep one of them"]
    assert [row["name"] for row in good] == ["a", "b"]
