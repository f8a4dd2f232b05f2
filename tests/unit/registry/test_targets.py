"""Targets in import files."""

from datetime import date

import pytest

from registry.importing.rows import parse_rows
from registry.importing.sheets.sheet import read_sheet
from registry.importing.target_plan import plan_targets
from registry.model import Target

KNOWN = {"630000000000", "632100000000"}
HEADER = "id,name,metric,areas,level,threshold,deadline,programme\n"
WHOLE = Target(
    id="towns",
    programme="border",
    name="乡镇全覆盖",
    metric="covered",
    areas=("630000000000", "632100000000"),
    level="township",
    threshold=0.5,
    deadline=date(2027, 12, 31),
)
LINE = "towns,乡镇全覆盖,covered,6321;63,township,0.5,2027-12-31,border\n"


def rows(text: str):  # type: ignore[no-untyped-def]
    return parse_rows(read_sheet((HEADER + text).encode()), "targets")


def test_a_target_with_everything() -> None:
    plan = plan_targets(rows(LINE), {}, KNOWN)
    assert (plan.new, plan.bad) == ([WHOLE], [])
    again = plan_targets(rows(LINE), {"towns": WHOLE}, KNOWN)
    assert (again.new, again.changed, again.unchanged) == ([], [], 1)
    changed = plan_targets(rows(LINE.replace("0.5", "0.75")), {"towns": WHOLE}, KNOWN)
    assert changed.changes[0].fields == {"threshold": (0.5, 0.75)}


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("30 TB", 3e13), ("1.5GB", 1.5e9), ("20 MB", 2e7), ('"1,200 gb"', 1.2e12), ("5000", 5000), ("50%", 0.5)],
)
def test_an_amount_of_content_may_have_a_unit(cell: str, amount: float) -> None:
    (read,) = rows(f"a,n,content_bytes,63,,{cell},,\n").good
    assert read.values["threshold"] == amount


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a b,n,covered,63,,,,", "line 2, column id: 'a b' is not an id: use 1 to 64 of 0-9 A-Z a-z _ -"),
        (
            "a,n,happiness,63,,,,",
            "line 2, column metric: 'happiness' is not a metric: use one of stations, in_service, covered, "
            "covered_areas, online_rate, service_rate, sessions, content_bytes, content_titles",
        ),
        ("a,n,covered,,,,,", "line 2, column areas: is empty: name the areas that it is for"),
        (
            "a,n,covered,63;64,,,,",
            "line 2, column areas: 640000000000: not an area of the database: import its areas first, or correct it",
        ),
        (
            "a,n,covered,635,,,,",
            "line 2, column areas: '635' has 3 digits; an area code has 2, 4, 6, 9 or 12: restore the digits, "
            "and in a spreadsheet format the column as text",
        ),
        ("a,n,covered,63,,half,,", "line 2, column threshold: 'half' is not a number: write it like 200 or 0.5"),
        ("a,n,covered,63,,50,,", "line 2, column threshold: 50 is not a share: write 50% as 0.5"),
    ],
)
def test_what_is_wrong_is_named(line: str, problem: str) -> None:
    plan = plan_targets(rows(line + "\n"), {}, KNOWN)
    assert [str(cell) for cell in plan.bad] == [problem]
    assert plan.writes == []
