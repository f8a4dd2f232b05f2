"""Whom closures silence and excuse, and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.bounds import LATEST
from contract.errors import RemedyError
from registry.closures.rules import (
    MAX_REASON,
    Closure,
    Closures,
    ClosureStatus,
    NewClosure,
    OwnApprovalError,
    require_approvable,
    require_sound,
    scope_of,
    scopes_of_station,
    union,
)
from registry.importing.closure_plan import approvals_note, plan_closures
from registry.importing.report import ImportOptions, describe
from registry.importing.rows import Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet
from registry.model import DeclaredClosure

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hour(n: float) -> datetime:
    return BEGIN + HOUR * n


def closure(number: int = 1, begin: float = 8, end: float = 18, **more: object) -> Closure:
    scope = {} if {"area", "programme"} & set(more) else {"station": "S1"}
    return Closure(  # type: ignore[arg-type]
        **{
            **scope,
            "id": number,
            "from_at": hour(begin),
            "until_at": hour(end),
            "reason": "装修",
            "declared_by": "li",
            "declared_at": hour(0),
            **more,
        }
    )


def is_silenced(closures: Closures, at: datetime, *station: Any) -> bool:
    return any(closure.holds(at) for closure in closures.of_station(*station))


def is_excused(closures: Closures, at: datetime, *station: Any) -> bool:
    return any(closure.excuses(at) for closure in closures.of_station(*station))


APPROVED = {"approved_by": "wang", "approved_at": hour(1)}

# (what happened to a closure from 8 to 18, its status, the hours it silences, the hours it excuses)
STATES = {
    "declared": ({}, ClosureStatus.DECLARED, (8, 18), None),
    "approved": (APPROVED, ClosureStatus.APPROVED, (8, 18), (8, 18)),
    "approved afterwards": ({**APPROVED, "approved_at": hour(40)}, ClosureStatus.APPROVED, (8, 18), (8, 18)),
    "withdrawn before it began": ({"withdrawn_at": hour(2)}, ClosureStatus.WITHDRAWN, None, None),
    "withdrawn while it held": ({**APPROVED, "withdrawn_at": hour(12)}, ClosureStatus.WITHDRAWN, (8, 12), (8, 12)),
    "withdrawn when it was over": ({**APPROVED, "withdrawn_at": hour(30)}, ClosureStatus.WITHDRAWN, None, None),
}


@pytest.mark.parametrize(("happened", "status", "silent", "excused"), STATES.values(), ids=STATES)
def test_the_states_of_a_closure(
    happened: dict[str, object],
    status: ClosureStatus,
    silent: tuple[int, int] | None,
    excused: tuple[int, int] | None,
) -> None:
    one = closure(**happened)
    closures = Closures([one])
    assert one.status is status
    for n in range(24):
        assert is_silenced(closures, hour(n), "S1") == (silent is not None and silent[0] <= n < silent[1])
        assert is_excused(closures, hour(n), "S1") == (excused is not None and excused[0] <= n < excused[1])


@pytest.mark.parametrize(
    ("scope", "concerned"),
    [
        ({"station": "S1"}, {"S1"}),
        ({"area": "63"}, {"S1", "S2"}),
        ({"area": "6321"}, {"S1"}),
        ({"programme": "border"}, {"S2"}),
    ],
)
def test_a_closure_of_an_area_or_a_programme_is_one_of_its_stations(scope: dict[str, str], concerned: set[str]) -> None:
    closures = Closures([closure(**scope)])
    places = {"S1": (("63", "6321"), ()), "S2": (("63",), ("border",)), "S3": ((), ("other",))}
    assert {name for name, place in places.items() if is_silenced(closures, hour(9), name, *place)} == concerned


def test_when_anything_changes() -> None:
    first, second = closure(1, 8, 18), closure(2, 10, 18, area="63")
    closures = Closures([first, second, closure(3, 1, 2, withdrawn_at=hour(0))])
    assert closures.next_change(hour(0)) == hour(8)
    assert closures.next_change(hour(8)) == hour(10)
    assert closures.next_change(hour(10)) == hour(18)
    assert closures.next_change(hour(18)) is None
    assert closures.changed(hour(7), hour(8)) == [first]
    assert closures.changed(hour(8), hour(10)) == [second]
    assert closures.changed(hour(8), hour(18)) == [second, first]
    assert closures.changed(hour(18), hour(20)) == []


def test_closures_that_meet_are_one_interval() -> None:
    closures = [closure(1, 1, 3), closure(2, 3, 5, **APPROVED), closure(3, 4, 6), closure(4, 8, 9, **APPROVED)]
    assert union(closures) == [(hour(1), hour(6)), (hour(8), hour(9))]
    assert union(closures, excusing=True) == [(hour(3), hour(5)), (hour(8), hour(9))]


spans = st.tuples(st.integers(0, 20), st.integers(1, 6), st.booleans(), st.none() | st.integers(0, 30))


@given(st.lists(spans, max_size=6))
def test_union_next_change_and_verdicts_agree(drawn: list[tuple[int, int, bool, int | None]]) -> None:
    closures = [
        closure(
            number,
            begin,
            begin + length,
            withdrawn_at=None if withdrawn is None else hour(withdrawn),
            **(APPROVED if approved else {}),
        )
        for number, (begin, length, approved, withdrawn) in enumerate(drawn)
    ]
    known = Closures(closures)
    for n in range(32):
        at = hour(n)
        assert is_silenced(known, at, "S1") == any(begin <= at < end for begin, end in union(closures))
        assert is_excused(known, at, "S1") == any(begin <= at < end for begin, end in union(closures, excusing=True))
        if n and is_silenced(known, at, "S1") != is_silenced(known, hour(n - 1), "S1"):
            assert known.next_change(hour(n - 1)) == at
            assert known.changed(hour(n - 1), at)


# What can be declared

SOUND = {"station": "S1", "from_at": hour(8), "until_at": hour(18), "reason": "装修", "declared_by": "li"}

UNSOUND = {
    "of another kind": ({"kind": "party"}, "'party' is not a kind of closure"),
    "of a kind without end": ({"kind": "x" * 99}, f"'{'x' * 40}' is not a kind of closure"),
    "for nothing": ({"station": None}, "name exactly one"),
    "for two scopes": ({"area": "63"}, "name exactly one"),
    "from a time that nothing can be reckoned with": (
        {"from_at": LATEST + HOUR, "until_at": LATEST + 2 * HOUR},
        "^from: ",
    ),
    "until a time that nothing can be reckoned with": ({"until_at": LATEST + HOUR}, "^until: "),
    "backwards": ({"until_at": hour(7)}, "must end after it begins"),
    "of no length": ({"until_at": hour(8)}, "must end after it begins"),
    "without a reason": ({"reason": " "}, "needs a reason"),
    "with a reason that is too long": ({"reason": "x" * (MAX_REASON + 1)}, "needs a reason of up to 500"),
}


@pytest.mark.parametrize(("given", "says"), UNSOUND.values(), ids=UNSOUND)
def test_what_cannot_be_declared(given: dict[str, Any], says: str) -> None:
    with pytest.raises(RemedyError, match=says):
        require_sound(NewClosure(**{**SOUND, **given}))


@pytest.mark.parametrize(
    "given",
    [{}, {"station": None, "area": "63"}, {"kind": "maintenance"}, {"reason": "x" * MAX_REASON}],
    ids=["of a station", "of an area", "for maintenance", "with the longest reason"],
)
def test_what_can_be_declared(given: dict[str, Any]) -> None:
    require_sound(NewClosure(**{**SOUND, **given}))


def test_the_scopes_of_closures_and_of_stations_meet() -> None:
    scopes = [scope_of(closure(**{kind: "X"})) for kind in ("station", "area", "programme")]
    assert scopes == [("station", "X"), ("area", "X"), ("programme", "X")]
    assert scopes_of_station("S1", ["63", "6321"], ["border"]) == [
        ("station", "S1"),
        ("area", "63"),
        ("area", "6321"),
        ("programme", "border"),
    ]


# Import files

HEADER = "station,from,until,reason,declared_by,approved_by\n"
ROW = "S1,2026-11-02T08:00,2026-11-02T18:00,装修,li,\n"


def rows(text: str, header: str = HEADER) -> Rows:
    return parse_rows(read_sheet((header + text).encode()), "closures")


def stored(text: str) -> dict[str, DeclaredClosure]:
    return {entry.id: entry for entry in plan_closures(rows(text), {}, {"S1"}).new}


def test_rows_as_they_are_meant() -> None:
    (entry,) = plan_closures(rows("S1,2026-10-01,2026-10-07,国庆,,\n"), {}, {"S1"}).new
    assert (entry.from_at, entry.until_at) == (
        datetime(2026, 9, 30, 16, tzinfo=UTC),
        datetime(2026, 10, 7, 16, tzinfo=UTC),  # the whole of the last day
    )
    assert (entry.declared_by, entry.approved_by) == ("import", None)


def test_the_same_file_again_changes_nothing() -> None:
    plan = plan_closures(rows(ROW), stored(ROW), {"S1"})
    assert (plan.writes, plan.unchanged, plan.bad) == ([], 1, [])


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (ROW.replace("T18", "T20"), "until_at"),
        (ROW.replace("装修", "停电"), "reason"),
        (ROW.replace(",li,", ",zhao,"), "declared_by"),
    ],
)
def test_a_declared_closure_can_be_changed(text: str, field: str) -> None:
    (change,) = plan_closures(rows(text), stored(ROW), {"S1"}).changes
    assert list(change.fields) == [field]


BAD = {
    "not registered": ("S2,2026-11-02,2026-11-02,装修,,\n", "line 2, column station: S2 is not registered"),
    "ends before it begins": ("S1,2026-11-03,2026-11-02T10:00,装修,,\n", "line 2, column until: is not after"),
    "no reason": ("S1,2026-11-02,2026-11-02,,,\n", "line 2, column reason: is empty: say why"),
    "no time": ("S1,soon,2026-11-02,装修,,\n", "line 2, column from: 'soon' is not a date or time"),
    "no end": ("S1,2026-11-02,later,装修,,\n", "line 2, column until: 'later' is not a date or time"),
    "twice": (ROW * 2, "line 3, column station: S1 2026-11-02T00:00:00+00:00 is already on line 2"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_bad_rows(text: str, said: str) -> None:
    plan = plan_closures(rows(text), {}, {"S1"})
    assert [str(cell)[: len(said)] for cell in plan.bad] == [said]


def test_what_was_approved_is_not_changed_by_a_file() -> None:
    approved = {key: msgspec.structs.replace(one, approved_by="wang") for key, one in stored(ROW).items()}
    (bad,) = plan_closures(rows(ROW.replace(",li,", ",li,wang").replace("T18", "T20")), approved, {"S1"}).bad
    assert str(bad).startswith("line 2: this closure is approved as it was: withdraw it")
    without = rows("S1,2026-11-02T08:00,2026-11-02T18:00,装修\n", "station,from,until,reason\n")
    assert plan_closures(without, approved, {"S1"}).unchanged == 1


def test_a_file_approves_nothing_and_says_so() -> None:
    named = rows(ROW.replace(",li,", ",li,wang"))
    (entry,) = plan_closures(named, {}, {"S1"}).new
    assert entry.approved_by is None
    (note,) = approvals_note(named, {})
    assert note.en.startswith("1 closures name who approved them. An import approves nothing")
    assert plan_closures(named, stored(ROW), {"S1"}).unchanged == 1
    approved = {key: msgspec.structs.replace(one, approved_by="a-1") for key, one in stored(ROW).items()}
    assert (approvals_note(named, approved), approvals_note(rows(ROW), {})) == ([], [])


OWN = {
    "another account": ("a-1", "a-2", None),
    "the same account": ("a-1", "a-1", "another person must approve it"),
    "free text from before accounts": ("li", "a-1", None),
}


@pytest.mark.parametrize(("declared", "approves", "why"), OWN.values(), ids=OWN)
def test_approval_takes_a_second_account(declared: str, approves: str, why: str | None) -> None:
    one = closure(declared_by=declared, declared_remark="wang")
    if why is None:
        require_approvable(one, approves)
        return
    with pytest.raises(OwnApprovalError, match=why) as refused:
        require_approvable(one, approves)
    assert "须由另一人批准" in refused.value.said.zh


def test_the_diff_shows_times_as_they_are_written_into_files() -> None:
    text = "S1,2026-11-02 08:00,2026-11-02 18:30,装修,,\n"
    new = plan_closures(rows(text), {}, {"S1"})
    assert describe(new, "closures", ImportOptions(language="zh-CN")).text.splitlines()[0] == (
        "+ S1 2026-11-02 08:00 至 2026-11-02 18:30：装修"
    )
    before = {entry.id: entry for entry in new.new}
    changed = plan_closures(rows(text.replace("18:30", "19:00")), before, {"S1"})
    assert describe(changed, "closures", ImportOptions()).text.splitlines()[0] == (
        "~ S1 2026-11-02 08:00 until: 2026-11-02 18:30 → 2026-11-02 19:00"
    )
