"""What an import would change."""

import random
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importing.cells import is_visible
from registry.importing.diff import Plan, T, plan_areas, plan_stations
from registry.importing.export import write_csv
from registry.importing.report import SHOWN, ImportOptions, describe
from registry.importing.rows import Kind, Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet
from registry.importing.tree import MAX_DEPTH
from registry.model import LIFECYCLES, Area, Station

QINGHAI, HAIDONG, MINHE = "630000000000", "632100000000", "632122000000"


def rows(kind: Kind, text: str) -> Rows:
    return parse_rows(read_sheet(text.encode()), kind)


def areas(text: str, stored: Iterable[Area] = ()) -> Plan[Area]:
    return plan_areas(rows("areas", text), {area.code: area for area in stored})


def stations(text: str, stored: Iterable[Station] = (), known: Iterable[str] = (MINHE,)) -> Plan[Station]:
    return plan_stations(rows("stations", text), {station.id: station for station in stored}, set(known))


def problems(plan: Plan[T]) -> list[str]:
    assert all(re.search("[\u4e00-\u9fff]", cell.problem.zh) for cell in plan.bad), "everything is said in Chinese too"
    return [str(cell) for cell in plan.bad]


TREE = [
    Area(code=QINGHAI, name="青海省", level="province", path=(QINGHAI,)),
    Area(code=HAIDONG, name="海东市", parent=QINGHAI, level="prefecture", path=(QINGHAI, HAIDONG)),
    Area(code=MINHE, name="民和县", parent=HAIDONG, level="county", path=(QINGHAI, HAIDONG, MINHE)),
]


def test_parents_may_come_later_or_be_stored() -> None:
    plan = areas("code,name,parent\n632122100,镇,632122\n632122,民和县,6321\n", TREE[:2])
    assert problems(plan) == []
    assert {area.code: area.path for area in plan.new} == {
        "632122100000": (QINGHAI, HAIDONG, MINHE, "632122100000"),
        MINHE: (QINGHAI, HAIDONG, MINHE),
    }
    assert [area.level for area in plan.new] == ["township", "county"]


def test_changes_are_told_field_by_field_and_absent_columns_stay() -> None:
    stored = msgspec.structs.replace(TREE[2], name_en="Minhe", name_bo="x", valid_from=date(2014, 1, 1))
    plan = areas("code,name,parent,name_bo\n632122,民和,6321,\n", [*TREE[:2], stored])
    assert [change.fields for change in plan.changes] == [{"name": ("民和县", "民和"), "name_bo": ("x", None)}]
    assert plan.changed == [msgspec.structs.replace(stored, name="民和", name_bo=None)]


def test_who_hangs_below_a_moved_area_moves_along() -> None:
    plan = areas("code,name,parent,level\nXP,兵团,,corps\n6321,海东市,XP,\n", TREE)
    assert problems(plan) == []
    assert [(area.code, area.path) for area in plan.changed] == [(HAIDONG, ("XP", HAIDONG))]
    assert [(area.code, area.path) for area in plan.moved] == [(MINHE, ("XP", HAIDONG, MINHE))]


def test_a_row_that_says_nothing_new_still_moves_with_its_parent() -> None:
    plan = areas("code,name,parent\n6321,海东市,\n632122,民和县,6321\n", TREE)
    assert [area.code for area in plan.changed] == [HAIDONG]
    assert [(area.code, area.path) for area in plan.moved] == [(MINHE, (HAIDONG, MINHE))]
    assert plan.unchanged == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("XP,兵团,,", "line 2, column level: the level of XP does not follow from its code: name it here"),
        pytest.param("XP,兵团,,corps", None, id="another tree has its own levels"),
        pytest.param("64,宁夏,,", None, id="derived"),
        pytest.param("429004,仙桃市,42,prefecture", None, id="given, against what the code says"),
        pytest.param(
            "64,宁夏,,provinz",
            "line 2, column level: 'provinz' is not a level of a 12-digit code: use one of province, prefecture, "
            "county, township, village",
        ),
    ],
)
def test_level(text: str, expected: str | None) -> None:
    hubei = Area(code="420000000000", name="湖北", level="province", path=("420000000000",))
    plan = areas(f"code,name,parent,level\n{text}\n", [hubei])
    assert problems(plan) == ([expected] if expected else [])


def test_level_stays_when_the_column_is_absent_and_is_derived_again_when_it_is_empty() -> None:
    stored = msgspec.structs.replace(TREE[0], level="county")
    assert areas("code,name,parent\n63,青海省,\n", [stored]).unchanged == 1
    assert areas("code,name,parent,level\n63,青海省,,\n", [stored]).changes[0].fields == {
        "level": ("county", "province")
    }


def test_interval_must_not_be_empty() -> None:
    plan = areas("code,name,parent,valid_from,valid_to\n64,宁夏,,2026-02-01,2026-01-01\n")
    assert problems(plan) == ["line 2, column valid_to: 2026-01-01 is before valid_from 2026-02-01: exchange them"]


def test_unknown_parent_and_who_hangs_below_it_are_named() -> None:
    plan = areas("code,name,parent\n632122,民和县,6321\n632122100,镇,632122\n64,宁夏,\n")
    tail = "which neither the database nor a good row of the file has: add it, or correct it"
    assert problems(plan) == [
        f"line 2, column parent: {HAIDONG}, {tail}",
        f"line 3, column parent: {MINHE} lies below {HAIDONG}, {tail}",
    ]
    assert [area.name for area in plan.new] == ["宁夏"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("64,a,65\n65,b,64\n", {2, 3}, id="each other's"),
        pytest.param("63,青海省,632122\n", {2}, id="below its stored descendant"),
        pytest.param("64,a,65\n65,b,64\n66,c,65\n", {2, 3, 4}, id="who hangs below the ring"),
    ],
)
def test_rings_are_refused(text: str, lines: set[int]) -> None:
    plan = areas("code,name,parent\n" + text, TREE)
    assert {cell.line for cell in plan.bad} == lines
    assert "each other's parents" in problems(plan)[0]
    assert plan.writes == []


def test_an_area_is_not_its_own_parent() -> None:
    assert problems(areas("code,name,parent\n63,a,63\n")) == [
        "line 2, column parent: 630000000000 is its own parent: correct it"
    ]


def test_a_ring_that_only_a_dropped_row_would_have_prevented_is_refused() -> None:
    plan = areas("code,name,parent\n6321,海东市,\n63,青海省,6321\n6321,海东市,64\n", TREE)
    assert {cell.line for cell in plan.bad} == {4}
    plan = areas("code,name,parent,valid_from\n6321,海东市,,x\n63,青海省,6321,\n", TREE)
    assert {cell.line for cell in plan.bad} == {2, 3}
    assert plan.writes == []


def test_endless_chains_are_refused() -> None:
    chain = "".join(f"A{number},n,A{number - 1},x\n" for number in range(1, 100))
    plan = areas("code,name,parent,level\nA0,n,,x\n" + chain)
    assert len(plan.new) == MAX_DEPTH
    assert "levels below a root" in problems(plan)[0]


def test_station_is_new_changed_or_unchanged() -> None:
    stored = [
        Station(id="s1", name="一", area=MINHE, isp="x", auto_registered=True, quorum=2),
        Station(id="s2", name="二", area=MINHE),
    ]
    plan = stations("id,name,area,isp,lat,lon\ns1,一,632122,,36.5,101\ns2,二,632122,,,\ns3,三,632122,,,\n", stored)
    assert problems(plan) == []
    assert [change.fields for change in plan.changes] == [
        {"lat": (None, 36.5), "lon": (None, 101.0), "isp": ("x", None)}
    ]
    assert plan.changed == [Station(id="s1", name="一", area=MINHE, lat=36.5, lon=101.0, quorum=2)]
    assert plan.new == [Station(id="s3", name="三", area=MINHE)]
    assert plan.unchanged == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "id,name,area\ns1,n,64\n",
            "line 2, column area: 640000000000 is not an area of the database: import its areas first, or correct it",
        ),
        pytest.param(
            "id,name,area,lat,lon\ns1,n,632122,36.5,\n",
            "line 2, column lon: is missing while lat is given: give both or neither",
        ),
        pytest.param(
            "id,name,area,lon\ns1,n,632122,101\n",
            "line 2, column lat: is missing while lon is given: give both or neither",
        ),
    ],
)
def test_station_that_does_not_fit(text: str, problem: str) -> None:
    assert problems(stations(text)) == [problem]


def test_report_is_bounded_and_says_what_was_done() -> None:
    text = "id,name,area\n" + "".join(f"s{number},n,632122\n" for number in range(120))
    report = describe(stations(text), "stations", ImportOptions())
    lines = report.text.splitlines()
    assert len(lines) == SHOWN + 3
    assert lines[0] == "+ s0 n"
    assert lines[-3:] == [
        "… and 70 more lines",
        "stations: 120 new, 0 changed, 0 unchanged, 0 bad rows",
        "Applied.",
    ]


@pytest.mark.parametrize(
    ("dry_run", "skip_bad", "applied", "refused", "verdict"),
    [
        (False, False, False, True, "Nothing is applied: mend the bad rows, or leave them out with --skip-bad."),
        (False, True, True, False, "Applied, without the bad rows."),
        (True, True, False, False, "Dry run: nothing is applied."),
        (True, False, False, True, "Nothing is applied: mend the bad rows, or leave them out with --skip-bad."),
    ],
)
def test_bad_rows_stop_all_others_unless_skipped(
    dry_run: bool, skip_bad: bool, applied: bool, refused: bool, verdict: str
) -> None:
    plan = stations("id,name,area\ns1,n,632122\ns2,n,64\n")
    report = describe(plan, "stations", ImportOptions(dry_run=dry_run, skip_bad=skip_bad))
    assert (report.applied, report.refused) == (applied, refused)
    assert report.text.splitlines()[-2:] == ["stations: 1 new, 0 changed, 0 unchanged, 1 bad rows", verdict]


def test_change_is_shown_readably() -> None:
    stored = [Station(id="s1", name="一", area=MINHE, programmes=("a", "b"), address="x" * 100)]
    text = "id,name,area,programmes,address,commissioned\ns1,一,632122,b,,2026-10-31\n"
    blank = {"s1": frozenset({"address"})}
    report = describe(stations(text, stored), "stations", ImportOptions(dry_run=True, clear_blank=True), blank=blank)
    assert report.text.splitlines()[:3] == [
        f"- s1 address: {'x' * 60}… → (empty)",
        "~ s1 commissioned: (empty) → 2026-10-31 00:00",
        "~ s1 programmes: a;b → b",
    ]


def test_a_change_in_chinese_has_no_word_of_the_database() -> None:
    stored = [Station(id="s1", name="一", area=MINHE, lifecycle="suspended", isp="移动")]
    text = "编号,名称,区划代码,状态,运营商\ns1,一,632122,在用,\n"
    blank = {"s1": frozenset({"isp"})}
    report = describe(stations(text, stored), "stations", ImportOptions(language="zh-CN"), blank=blank)
    assert report.text.splitlines() == [
        "- s1 运营商: 移动 → （空）",
        "~ s1 状态: 停用 → 在用",
        "服务点：新增 0，更改 1，不变 0，清空 1 项，错误行 0",
        "没有导入任何内容：空白单元格会清空已存的 1 项（以 - 开头的行）。"
        "请填写或删去该列，或加 --clear-blank 确认清空。",
    ]


names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=10).map(str.strip)
names = names.filter(is_visible)
codes = st.sampled_from(["63", "6321", "632122", "632122100", "64", "XP", "XP1", "XP2"])


@st.composite
def area_rows(draw: st.DrawFn) -> list[str]:
    """Lines of an area file that may be wrong in any way that concerns the tree."""
    chosen = draw(st.lists(codes, unique=True))
    return [f"{code},n{code},{draw(st.just('') | codes)},{draw(st.sampled_from(['', 'corps']))}" for code in chosen]


HEADER = "code,name,parent,level\n"


@given(area_rows(), st.randoms())
def test_row_order_never_matters_and_paths_are_consistent(lines: list[str], rng: random.Random) -> None:
    plan = areas(HEADER + "\n".join(lines), TREE)
    shuffled = list(lines)
    rng.shuffle(shuffled)
    other = areas(HEADER + "\n".join(shuffled), TREE)
    after = {area.code: area for area in [*TREE, *plan.writes]}
    assert after == {area.code: area for area in [*TREE, *other.writes]}
    for area in after.values():
        assert area.path == ((*after[area.parent].path, area.code) if area.parent else (area.code,))


@given(area_rows())
def test_import_of_an_export_of_areas_changes_nothing(lines: list[str]) -> None:
    first = areas(HEADER + "\n".join(lines), TREE)
    after = {area.code: area for area in [*TREE, *first.writes]}
    again = areas(write_csv("areas", after.values()), after.values())
    assert (again.writes, again.bad, again.unchanged) == ([], [], len(after))


station_values = st.builds(
    Station,
    id=st.from_regex(r"[0-9A-Za-z_-]{1,32}", fullmatch=True),
    name=names,
    name_bo=st.none() | names,
    kind=st.none() | names,
    area=st.just(MINHE),
    lifecycle=st.sampled_from(LIFECYCLES),
    commissioned_at=st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    address=st.none() | names,
    schedule=st.sampled_from(
        ["24x7", "kind", "Mo-Fr 09:00-17:30; HD off", "[Asia/Urumqi] WD 10:00-12:00，14:00-18:00"]
    ),
    quorum=st.integers(1, 3),
    programmes=st.sets(st.sampled_from(["a", "b", "边疆"])).map(lambda some: tuple(sorted(some))),
)
places = st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(
    lambda place: (round(place[0], 9), round(place[1], 9))
)


@given(st.lists(st.tuples(station_values, places), unique_by=lambda pair: pair[0].id))
def test_import_of_an_export_of_stations_changes_nothing(
    entries: list[tuple[Station, tuple[float, float] | None]],
) -> None:
    stored = [
        station if place is None else msgspec.structs.replace(station, lat=place[0], lon=place[1])
        for station, place in entries
    ]
    plan = stations(write_csv("stations", stored), stored)
    assert (plan.writes, plan.bad, plan.unchanged) == ([], [], len(stored))
