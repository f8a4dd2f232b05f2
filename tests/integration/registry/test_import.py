"""Importing files into a real database."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from openpyxl import Workbook

from contract.errors import RemedyError
from registry.importing.export import write_csv
from registry.importing.importer import import_file
from registry.importing.report import ImportOptions, ImportReport
from registry.importing.rows import Kind
from registry.model import Heard, Station
from registry.store import list_areas, list_stations, load_area, load_stations, note_unregistered, register_stations
from store.pool import Connection, Pool

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AREAS = "code,name,parent\n632122,民和县,6321\n63,青海省,\n6321,海东市,63\n"
STATIONS = "id,name,area,isp\n6321220001,一,632122,移动\n6321220002,二,632122,\n"


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        yield connection


async def bring(connection: Connection, folder: Path, kind: Kind, content: str | bytes, **asked: bool) -> ImportReport:
    path = folder / f"{kind}.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return await import_file(connection, kind, path, now=NOW, options=ImportOptions(**asked))


async def test_areas_then_stations_then_nothing_new(connection: Connection, tmp_path: Path) -> None:
    first = await bring(connection, tmp_path, "areas", AREAS)
    assert (first.applied, first.new, first.refused) == (True, 3, False)
    stations = await bring(connection, tmp_path, "stations", STATIONS)
    assert (stations.applied, stations.new) == (True, 2)
    county = await load_area(connection, "632122000000")
    assert county is not None
    assert county.path == ("630000000000", "632100000000", "632122000000")
    assert (await load_stations(connection, ["6321220001"])).get("6321220001") == Station(
        id="6321220001", name="一", area="632122000000", isp="移动"
    )
    for kind, content in (("areas", AREAS), ("stations", STATIONS)):
        again = await bring(connection, tmp_path, kind, content)  # type: ignore[arg-type]
        assert (again.new, again.changed, again.moved) == (0, 0, 0)


async def test_a_dry_run_shows_the_diff_and_changes_nothing(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    before = await list_areas(connection)
    report = await bring(connection, tmp_path, "areas", "code,name,parent\n63,青海,\n64,宁夏,\n", dry_run=True)
    assert report.text.splitlines() == [
        "~ 630000000000 name: 青海省 → 青海",
        "+ 640000000000 宁夏",
        "areas: 1 new, 1 changed, 0 unchanged, 0 bad rows",
        "Dry run: nothing is applied.",
    ]
    assert (report.applied, report.refused) == (False, False)
    assert await list_areas(connection) == before


async def test_one_bad_row_stops_the_file_unless_it_is_skipped(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    content = STATIONS + "6321220003,三,649999,\n"
    report = await bring(connection, tmp_path, "stations", content)
    assert (report.applied, report.refused) == (False, True)
    assert report.text.splitlines()[0].startswith("line 4, column area: 649999000000 is not an area of the database")
    assert await list_stations(connection) == []
    report = await bring(connection, tmp_path, "stations", content, skip_bad=True)
    assert (report.applied, report.refused) == (True, False)
    assert [station.id for station in await list_stations(connection)] == ["6321220001", "6321220002"]


async def test_a_moved_area_takes_along_everything_below_it(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    await bring(connection, tmp_path, "stations", STATIONS)
    report = await bring(connection, tmp_path, "areas", "code,name,parent\n64,宁夏,\n6321,海东市,64\n")
    assert (report.new, report.changed, report.moved) == (1, 1, 1)
    assert await list_stations(connection, area="630000000000") == []
    assert len(await list_stations(connection, area="640000000000")) == 2


async def test_what_the_file_does_not_say_stays(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    await bring(connection, tmp_path, "stations", STATIONS)
    await connection.execute("UPDATE station SET quorum = 2, languages = '{bo,zh}' WHERE id = '6321220001'")
    await register_stations(connection, {"6321220001": ["001"]})
    await bring(connection, tmp_path, "stations", "id,name,area\n6321220001,新,632122\n")
    row = await connection.fetchrow("SELECT name, isp, quorum, languages FROM station WHERE id = '6321220001'")
    assert tuple(row or ()) == ("新", "移动", 2, ["bo", "zh"])
    assert await connection.fetchval("SELECT count(*) FROM terminal") == 1


async def test_what_an_empty_cell_would_clear_is_shown_before_it_is_cleared(
    connection: Connection, tmp_path: Path
) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    await bring(connection, tmp_path, "stations", STATIONS)
    empty = "id,name,area,isp\n6321220001,新,632122,\n6321220003,三,632122,\n"
    report = await bring(connection, tmp_path, "stations", empty)
    assert report.text.splitlines() == [
        "- 6321220001 isp: 移动 → (empty)",
        "~ 6321220001 name: 一 → 新",
        "+ 6321220003 三",
        "stations: 1 new, 1 changed, 0 unchanged, 1 values cleared, 0 bad rows",
        "Nothing is applied: empty cells would clear 1 stored values (lines with -). Fill the cells or take out the "
        "column, or clear them with --clear-blank.",
    ]
    assert (report.applied, report.refused, report.cleared) == (False, True, 1)
    assert await connection.fetchval("SELECT isp FROM station WHERE id = '6321220001'") == "移动"
    report = await bring(connection, tmp_path, "stations", empty, clear_blank=True)
    assert (report.applied, report.refused) == (True, False)
    assert await connection.fetchval("SELECT isp FROM station WHERE id = '6321220001'") is None


async def test_an_id_that_lost_its_zeros_is_asked_about(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    await register_stations(connection, {"0012": ["001"]})
    heard = [Heard(station="0013", terminals=("001",), first_at=NOW, last_at=NOW)]
    await note_unregistered(connection, heard)
    await bring(connection, tmp_path, "stations", "id,name,area\n0001,a,632122\n", ids_as_written=True)
    content = "id,name,area\n12,b,632122\n13,c,632122\n14,d,632122\n15,e,63\n6321220001,f,632122\n"
    report = await bring(connection, tmp_path, "stations", content, skip_bad=True)
    assert [(cell.line, str(cell).partition(" (")[2].partition(")")[0]) for cell in report.bad] == [
        (2, "0012 is known"),
        (3, "0013 is known"),
        (4, "others have 4 digits, such as 0001"),
    ]
    assert report.new == 2
    report = await bring(connection, tmp_path, "stations", content, ids_as_written=True)
    assert (report.applied, report.new) == (True, 3)
    closure = "station,from,until,reason\n013,2026-11-02,2026-11-03,x\n1,2026-11-02,2026-11-03,x\n"
    report = await bring(connection, tmp_path, "closures", closure)
    assert [str(cell) for cell in report.bad] == [
        "line 2, column station: 013 is not registered: import the station first, or correct it",
        "line 3, column station: 1 is not registered, but 0001 is: format the column as text and write the zeros again",
    ]


async def test_places_in_doubt_are_left_off_the_map_until_they_are_confirmed(
    connection: Connection, tmp_path: Path
) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    good = "".join(f"g{n},n,632122,36.3{n},102.8\n" for n in range(5))
    await bring(connection, tmp_path, "stations", f"id,name,area,lat,lon\n{good}")
    content = "id,name,area,lat,lon\nfar,n,632122,33.5,95.1\nzero,n,632122,0,0\ng0,n,632122,30.0,120.0\n"
    report = await bring(connection, tmp_path, "stations", content)
    assert report.text.splitlines() == [
        "? line 2, column lat: 33.5, 95.1 lies 769 km from the other stations of area 632122000000: left off the map",
        "? line 3, column lat: 0, 0 is no place in China but the zero of the map: left off the map",
        "? line 4, column lat: 30, 120 lies outside the province of area 632122000000: the place stays as it is stored",
        "+ far n",
        "+ zero n",
        "stations: 2 new, 0 changed, 1 unchanged, 3 coordinates in doubt, 0 bad rows",
        "Coordinates in doubt are left off the map: correct them, or confirm them with --places-as-written.",
        "Applied.",
    ]
    assert (report.applied, report.refused) == (True, False)
    places = "SELECT lat FROM station WHERE id IN ('far', 'zero', 'g0') ORDER BY id"
    assert [row["lat"] for row in await connection.fetch(places)] == [None, 36.3, None]
    report = await bring(connection, tmp_path, "stations", content, places_as_written=True)
    assert [row["lat"] for row in await connection.fetch(places)] == [33.5, 30.0, 0.0]
    assert (await bring(connection, tmp_path, "stations", content)).doubts == []


async def test_a_station_known_by_hearsay_loses_nothing_that_a_person_wrote(
    connection: Connection, tmp_path: Path
) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    await register_stations(connection, {"6321220001": ["001"]}, at=NOW)
    content = "id,name,area,commissioned\n6321220001,一,632122,\n"
    report = await bring(connection, tmp_path, "stations", content)
    assert (report.applied, report.cleared) == (True, 0)


async def test_an_import_wakes_those_who_follow_the_registry(connection: Connection, tmp_path: Path) -> None:
    """The mark that pollers compare rises for what changed, and only for that."""
    await bring(connection, tmp_path, "areas", AREAS)
    await bring(connection, tmp_path, "stations", STATIONS)
    mark = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())")
    await bring(connection, tmp_path, "stations", STATIONS.replace("一", "壹"))
    changed = await connection.fetch("SELECT id FROM station WHERE changed_xid >= $1::xid8", mark)
    assert [row["id"] for row in changed] == ["6321220001"]


async def test_a_workbook_is_read_as_well(connection: Connection, tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (["code", "name", "parent", "valid_from"], [63, "青海省", None, NOW.replace(tzinfo=None)]):
        book.active.append(row)
    book.save(tmp_path / "areas.xlsx")
    report = await import_file(connection, "areas", tmp_path / "areas.xlsx", now=NOW)
    assert report.applied
    area = await load_area(connection, "630000000000")
    assert area is not None
    assert area.valid_from == NOW.date()


async def test_an_export_imported_again_changes_nothing(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    content = "id,name,area,lat,lon,commissioned,programmes\ns1,一,632122,36.621,101.7,2026-10-31,b;a\ns2,二,63,,,,\n"
    await bring(connection, tmp_path, "stations", content)
    areas = write_csv("areas", (await list_areas(connection)).values())
    stations = write_csv("stations", await list_stations(connection))
    for kind, text, count in (("areas", areas, 3), ("stations", stations, 2)):
        report = await bring(connection, tmp_path, kind, text)  # type: ignore[arg-type]
        assert (report.new, report.changed, report.moved, report.unchanged) == (0, 0, 0, count)


async def test_imports_at_once_run_one_after_another(pool: Pool, tmp_path: Path) -> None:
    """Each sees what the other did: two files that would only make a ring together are not both applied."""
    path = tmp_path / "first.csv"
    path.write_text("code,name,parent\n63,a,\n64,b,\n")
    async with pool.acquire() as connection:
        await import_file(connection, "areas", path, now=NOW)
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    files[0].write_text("code,name,parent\n63,a,64\n")
    files[1].write_text("code,name,parent\n64,b,63\n")

    async def one(file: Path) -> ImportReport:
        async with pool.acquire() as connection:
            return await import_file(connection, "areas", file, now=NOW)

    reports = await asyncio.gather(*map(one, files))
    assert sorted(report.applied for report in reports) == [False, True]


async def test_nothing_is_left_when_the_database_refuses(connection: Connection, tmp_path: Path) -> None:
    await bring(connection, tmp_path, "areas", AREAS)
    await connection.execute("ALTER TABLE station ADD CONSTRAINT for_test CHECK (id <> '6321220002')")
    with pytest.raises(asyncpg.CheckViolationError):
        await bring(connection, tmp_path, "stations", STATIONS)
    assert await list_stations(connection) == []


async def test_many_rows_at_once(connection: Connection, tmp_path: Path) -> None:
    """More rows than go into one statement, children before parents."""
    towns = [f"6321{county:02}{town:03}" for county in range(1, 36) for town in range(1, 1000)]
    counties = [f"6321{county:02}" for county in range(1, 36)]
    rows = [f"{town},n,{town[:6]}" for town in towns] + [f"{county},n,6321" for county in counties]
    report = await bring(connection, tmp_path, "areas", AREAS.replace("632122,民和县,6321\n", "") + "\n".join(rows))
    assert (report.applied, report.new) == (True, len(rows) + 2)
    wrong = await connection.fetchval(
        "SELECT count(*) FROM area LEFT JOIN area AS up ON up.code = area.parent "
        "WHERE area.path IS DISTINCT FROM coalesce(up.path, '{}') || area.code"
    )
    assert wrong == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"code,name\n\xff\xff,\n", r"areas\.csv: line 2 is neither UTF-8 nor GB18030", id="no text"),
        pytest.param("code,name\n", r"areas\.csv: the header \(line 1\) lacks the columns parent", id="columns"),
        pytest.param("", r"areas\.csv: the file is empty", id="empty"),
    ],
)
async def test_a_file_that_cannot_be_read_is_named(
    connection: Connection, tmp_path: Path, content: str | bytes, problem: str
) -> None:
    with pytest.raises(RemedyError, match=problem):
        await bring(connection, tmp_path, "areas", content)


async def test_a_missing_file_is_named(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match=r"none\.csv: cannot be read \(No such file or directory\): check the name"):
        await import_file(connection, "areas", tmp_path / "none.csv", now=NOW)
    with pytest.raises(RemedyError, match="cannot be read"):
        await import_file(connection, "areas", tmp_path, now=NOW)


async def milepost(database: str, *arguments: str, locale: str = "C.UTF-8") -> tuple[int | None, str, str]:
    """Run the command line: its status, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "milepost", *arguments),
        env={**os.environ, "MILEPOST_DATABASE_URL": database, "LC_ALL": locale},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def test_the_command_line_shows_the_diff_and_ends_with_2_when_bad_rows_stop_it(
    database: str, tmp_path: Path
) -> None:
    path = tmp_path / "areas.csv"
    path.write_text("code,name,parent\n63,青海省,\n64,,\n")
    status, out, _ = await milepost(database, "import", "areas", str(path))
    assert (status, out.splitlines()) == (
        2,
        [
            "line 3, column name: is empty: give the area's name",
            "+ 630000000000 青海省",
            "areas: 1 new, 0 changed, 0 unchanged, 1 bad rows",
            "Nothing is applied: mend the bad rows, or leave them out with --skip-bad.",
        ],
    )
    status, out, _ = await milepost(database, "import", "areas", str(path), "--skip-bad")
    assert (status, out.splitlines()[-1]) == (0, "Applied, without the bad rows.")
    status, out, _ = await milepost(database, "import", "areas", str(path), "--skip-bad", "--dry-run")
    assert (status, out.splitlines()[-2]) == (0, "areas: 0 new, 0 changed, 1 unchanged, 1 bad rows")


async def test_the_command_line_reads_gbk_and_says_so(database: str, tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_bytes("code,name,parent\n63,青海省,\n".encode("gbk"))
    status, out, err = await milepost(database, "import", "areas", str(path))
    assert (status, err, out.splitlines()) == (
        0,
        "",
        [
            "The file was read as GB18030 (GBK).",
            "+ 630000000000 青海省",
            "areas: 1 new, 0 changed, 0 unchanged, 0 bad rows",
            "Applied.",
        ],
    )


async def test_a_chinese_workbook_through_the_command_line_in_chinese(database: str, tmp_path: Path) -> None:
    """As an office has it: a title, Chinese headers, merged cells, blank rows, dates and hours as people write them."""
    areas = tmp_path / "区划.csv"
    areas.write_bytes("区划代码,名称,上级代码\n63,青海省,\n6322,海北州,63\n632221,门源县,6322\n".encode("gb18030"))
    status, out, _ = await milepost(database, "import", "areas", str(areas), locale="zh_CN.UTF-8")
    assert (status, out.splitlines()[0], out.splitlines()[-1]) == (
        0,
        "文件按 GB18030（GBK）编码读取。",
        "已导入。",
    )
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["门源县数字阅览室登记表"])
    sheet.merge_cells("A1:F1")
    sheet.append([])
    sheet.append(["序号", "编号*", "名称", "区划代码", "启用日期", "开放时间", "纬度", "经度", "备注"])
    sheet.append([1, "６３２２２１０００１", "浩门镇阅览室", 632221, NOW.replace(tzinfo=None), "周一至周五 9:00-17:00"])
    sheet.append([])
    sheet.append([2, "6322210002", "泉口镇阅览室", None, "2026年5月1日", "24小时"])
    sheet.append([3, "6322210003", None, None, "2026/5/1"])
    sheet.merge_cells("D4:D7")
    path = tmp_path / "阅览室.xlsx"
    book.save(path)
    status, out, err = await milepost(database, "import", "stations", str(path), locale="zh_CN.UTF-8")
    assert (status, err, out.splitlines()) == (
        2,
        "",
        [
            "单元格 C7（名称）：是空的：请填写服务点名称",
            "+ 6322210001 浩门镇阅览室",
            "+ 6322210002 泉口镇阅览室",
            "服务点：新增 2，更改 0，不变 0，错误行 1",
            "没有导入任何内容：请改正错误行，或加 --skip-bad 跳过它们。",
        ],
    )
    status, out, _ = await milepost(database, "import", "stations", str(path), "--skip-bad", locale="zh_CN.UTF-8")
    assert (status, out.splitlines()[-1]) == (0, "已导入，错误行除外。")
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT id, area, schedule, commissioned_at FROM station ORDER BY id")
    finally:
        await connection.close()
    assert [tuple(row)[:3] for row in rows] == [
        ("6322210001", "632221000000", "Mo-Fr 09:00-17:00"),
        ("6322210002", "632221000000", "24x7"),
    ]
    assert rows[1]["commissioned_at"] == datetime(2026, 4, 30, 16, tzinfo=UTC)
    path.write_text("编号,名称\n1,x\n", encoding="utf-8")
    status, out, err = await milepost(database, "import", "stations", str(path), locale="zh_CN.UTF-8")
    assert (status, out) == (2, "")
    assert "表头（第 1 行）缺少列：区划代码。服务点文件必须有的列：编号、名称、区划代码；" in err
