"""Routes in import files."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importing.export import write_csv
from registry.importing.report import ImportOptions, describe
from registry.importing.routing.route_plan import plan_routes, route_notes
from registry.importing.rows import Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet
from registry.routes.checks import NO_DEFAULT_ROUTE, has_default_route, sound_route
from registry.routes.model import Route
from registry.routes.steps import parse_steps

HEADER = "id,name,area,steps,kinds,severities,programme,station_kind,tell_past,remove\n"
CODE = "632100000000"
AREAS = {CODE}
FULL = Route(
    id="east",
    name="海东",
    area=CODE,
    steps=parse_steps("technician; lead@county after 30m open; head@city after 2h most 3"),
    kinds=("blind_spot", "station_offline"),
    severities=("warning", "critical"),
    programme="border",
    station_kind="library",
    tell_past=False,
)
LINE = (
    'east,海东,6321,"technician; lead@county after 30m open; head@city after 2h most 3",'
    "station_offline;blind_spot,critical;warning,border,library,no,\n"
)
DEFAULT = Route(id="default", name="all", steps=parse_steps("technician"))


def rows(text: str) -> Rows:
    return parse_rows(read_sheet((HEADER + text).encode()), "routes")


def test_a_route_with_everything() -> None:
    plan = plan_routes(rows(LINE), {}, AREAS)
    assert (plan.new, plan.bad) == ([FULL], [])
    assert sound_route(FULL) == FULL
    again = plan_routes(rows(LINE), {"east": FULL}, AREAS)
    assert (again.new, again.changed, again.unchanged) == ([], [], 1)


def test_chinese_words() -> None:
    header = "路由编号,名称,区划代码,通知步骤,事件类型,严重程度,通知已恢复"
    text = f"{header}\neast,海东,6321,technician；lead@county after 1h,服务点离线、盲点,严重,否\n"
    plan = plan_routes(parse_rows(read_sheet(text.encode()), "routes"), {}, AREAS)
    assert plan.bad == []
    assert (plan.new[0].kinds, plan.new[0].severities, plan.new[0].tell_past) == (
        ("blind_spot", "station_offline"),
        ("critical",),
        False,
    )


def test_columns_that_a_file_lacks_stay() -> None:
    text = "id,name,area,steps\neast,海东,6321,head\n"
    plan = plan_routes(parse_rows(read_sheet(text.encode()), "routes"), {"east": FULL}, AREAS)
    assert {change.key: sorted(change.fields) for change in plan.changes} == {"east": ["steps"]}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a b,n,,head,,,,,,", "line 2, column id: 'a b' is not the id of a route: use 1 to 64 of 0-9 A-Z a-z _ . -"),
        ("a,n,,,,,,,,", "line 2, column steps: is empty: name who is told, such as technician; lead@county after 30m"),
        (
            "a,n,,head after soon,,,,,,",
            "line 2, column steps: step 1, 'head after soon', cannot be read: write it like technician, "
            "lead@county after 30m open, or head@city after 2h most 3",
        ),
        ("a,n,,head,,loud,,,,", "line 2, column severities: 'loud' is not a severity: use info, warning, critical"),
        (
            "a,n,64,head,,,,,,",
            "line 2, column area: 640000000000 is not an area of the database: import its areas first, or correct it",
        ),
    ],
)
def test_what_is_wrong_is_named(line: str, problem: str) -> None:
    plan = plan_routes(rows(line + "\n"), {}, AREAS)
    assert [str(cell) for cell in plan.bad] == [problem]
    assert plan.writes == []


def test_a_row_removes_its_route_and_the_rest_stays() -> None:
    plan = plan_routes(
        rows("east,x,99,head,,,,,,yes\ngone,x,,head,,,,,,yes\n"), {"east": FULL, "default": DEFAULT}, AREAS
    )
    assert (plan.removed, plan.writes, plan.bad) == ([FULL], [], [])


@pytest.mark.parametrize(
    ("lines", "stored", "levels", "expected"),
    [
        ("default,all,,technician,,,,,,\n", {}, {"county"}, []),
        (LINE, {}, {"county", "prefecture"}, [NO_DEFAULT_ROUTE.en]),
        (LINE, {"default": DEFAULT}, {"county", "prefecture"}, []),
        ("default,all,,technician,,,,,,yes\n", {"default": DEFAULT}, set(), [NO_DEFAULT_ROUTE.en]),
        ("default,all,,technician,health,,,,,\n", {"default": DEFAULT}, set(), [NO_DEFAULT_ROUTE.en]),
        (
            "default,all,,head@conty,,,,,,\n",
            {},
            {"county", "town"},
            [
                'route default: no area has the level conty, so its step "head@conty" reaches nobody. '
                "The areas have the levels county, town."
            ],
        ),
    ],
)
def test_what_else_the_person_should_know(
    lines: str, stored: Mapping[str, Route], levels: set[str], expected: list[str]
) -> None:
    assert [note.en for note in route_notes(plan_routes(rows(lines), stored, AREAS), stored, levels)] == expected


def test_the_report_shows_the_steps_as_they_are_written() -> None:
    plan = plan_routes(rows(LINE + "default,all,,head,,,,,,\n"), {"default": DEFAULT}, AREAS)
    text = describe(plan, "routes", ImportOptions(dry_run=True)).text
    assert "~ default steps: technician → head" in text
    assert f"+ east 海东 {CODE}: technician; lead@county after 30m open; head@city after 2h most 3" in text
    assert "routes: 1 new, 1 changed, 0 unchanged" in text


@pytest.mark.parametrize("route", [FULL, DEFAULT])
def test_an_exported_file_changes_nothing(route: Route) -> None:
    text = write_csv("routes", [route])
    plan = plan_routes(parse_rows(read_sheet(text.encode()), "routes"), {route.id: route}, AREAS)
    assert (plan.new, plan.changed, plan.bad, plan.unchanged) == ([], [], [], 1)


@given(narrowed=st.sets(st.sampled_from(["area", "kinds", "severities", "programme", "station_kind"])))
def test_the_default_route_is_one_that_nothing_narrows(narrowed: set[str]) -> None:
    values = {
        "area": CODE, "kinds": ("health",), "severities": ("info",), "programme": "border", "station_kind": "library",
    }  # fmt: skip
    some = Route(id="x", name="x", steps=DEFAULT.steps, **{name: values[name] for name in narrowed})  # type: ignore[arg-type]
    assert has_default_route([FULL, some]) is not bool(narrowed)
