"""Closures in the database: declared, approved, withdrawn, listed, imported."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest

from contract.errors import RemedyError
from registry.closures.rules import Closure, Closures, ClosureStatus, NewClosure, OwnApprovalError
from registry.closures.store import (
    approve,
    declare,
    import_closures,
    list_closures,
    load_closures,
    stored_closures,
    withdraw,
)
from registry.importing.importer import import_file
from registry.importing.report import ImportOptions, ImportReport
from registry.model import Area, Station
from registry.store import upsert_areas, upsert_stations
from store.author import Author
from store.pool import Connection, Pool
from tests.integration.registry.test_registry_store import announcements

NOW = datetime.now(UTC)
QINGHAI, MINHE = "630000000000", "632122000000"
FIRST, SECOND = Author("admin", "li"), Author("operator", "wang")
AREAS = [
    Area(code=QINGHAI, name="青海省", level="province", path=(QINGHAI,)),
    Area(code=MINHE, name="民和县", parent=QINGHAI, level="county", path=(QINGHAI, MINHE)),
]


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        async with connection.transaction():
            await upsert_areas(connection, AREAS, at=NOW)
            await upsert_stations(
                connection,
                [
                    Station(id="S1", name="一", area=MINHE),
                    Station(id="S2", name="二", area=QINGHAI, programmes=("border",)),
                ],
            )
        yield connection


def new(**more: object) -> NewClosure:
    scope = {} if {"area", "programme", "station"} & set(more) else {"station": "S1"}
    times = {"from_at": NOW - timedelta(hours=1), "until_at": NOW + timedelta(hours=1)}
    return NewClosure(**{**scope, **times, "reason": "装修", "declared_by": "admin", **more})  # type: ignore[arg-type]


async def test_declared_then_approved_with_evidence_then_withdrawn(pool: Pool, connection: Connection) -> None:
    async with announcements(pool) as heard:
        declared = await declare(connection, new())
        assert declared.status is ClosureStatus.DECLARED
        approved = await approve(connection, declared.id, by=SECOND, evidence="文号 12")
        assert approved is not None
        assert (approved.status, approved.approved_by, approved.evidence) == ("approved", "operator", "文号 12")
        assert await approve(connection, declared.id, by=FIRST) == approved
        withdrawn = await withdraw(connection, declared.id, by=FIRST)
        assert withdrawn is not None
        assert withdrawn.status is ClosureStatus.WITHDRAWN
        assert await withdraw(connection, declared.id, by=FIRST) == withdrawn
    assert len(heard) == 3
    with pytest.raises(RemedyError, match=f"closure {declared.id} was withdrawn: declare it again"):
        await approve(connection, declared.id, by=SECOND)
    assert await approve(connection, 999, by=SECOND) is None
    assert await withdraw(connection, 999, by=SECOND) is None


BY_SQL = {
    "an approval": "UPDATE closure SET approved_by = 'admin', approved_at = now()",
    "another declarer of what is approved": (
        "UPDATE closure SET approved_by = 'operator', approved_at = now(); UPDATE closure SET declared_by = 'operator'"
    ),
    "a new closure": (
        "INSERT INTO closure (station, from_at, until_at, reason, declared_by, approved_by, approved_at) "
        "VALUES ('S1', now(), now() + interval '1 hour', 'r', 'admin', 'admin', now())"
    ),
}


@pytest.mark.parametrize("role", ["milepost_service", "none"])
@pytest.mark.parametrize("sql", BY_SQL.values(), ids=BY_SQL)
async def test_sql_approves_no_closure_for_its_declarer_either(connection: Connection, sql: str, role: str) -> None:
    await declare(connection, new())
    with pytest.raises(asyncpg.CheckViolationError, match="approved by the account that declared it"):
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {role}")
            await connection.execute(sql)


async def test_a_closure_from_before_accounts_can_be_approved_and_withdrawn(connection: Connection) -> None:
    """Its declarer is free text, here the same as the approver of another old one: no rule applied then."""
    await connection.execute(
        "ALTER TABLE closure DISABLE TRIGGER closure_takes_two; "
        "INSERT INTO closure (station, from_at, until_at, reason, declared_by, approved_by, approved_at) VALUES "
        "('S1', now(), now() + interval '1 hour', 'r', 'li', NULL, NULL), "
        "('S1', now(), now() + interval '1 hour', 'r', 'li', 'li', now()); "
        "ALTER TABLE closure ENABLE TRIGGER closure_takes_two"
    )
    one, two = await stored(connection)
    approved, gone = await approve(connection, one.id, by=FIRST), await withdraw(connection, two.id, by=FIRST)
    assert approved is not None and (approved.declared_by, approved.approved_by) == ("li", "admin")
    assert gone is not None and (gone.approved_by, gone.withdrawn_by) == ("li", "admin")


async def test_a_name_from_before_accounts_does_not_get_into_the_ledger(connection: Connection) -> None:
    await connection.execute(
        "INSERT INTO closure (station, from_at, until_at, reason, declared_by) VALUES "
        "('S1', now(), now() + interval '1 hour', 'r', 'Li Hua'), "
        "('S1', now(), now() + interval '1 hour', 'r', 'admin')"
    )
    for closure in await stored(connection):
        await approve(connection, closure.id, by=SECOND)
    rows = await connection.fetch("SELECT body FROM ledger_entry WHERE kind = 'closure.approved' ORDER BY id")
    old, present = (msgspec.json.decode(row["body"]) for row in rows)
    assert "declared_by" not in old and len(old["declared_by_sha256"]) == 64
    assert present["declared_by"] == "admin" and "declared_by_sha256" not in present


async def test_whom_the_stored_ones_silence_and_excuse(connection: Connection) -> None:
    area = await declare(connection, new(area=MINHE))
    await declare(connection, new(programme="border", kind="maintenance"))
    await approve(connection, area.id, by=SECOND)
    closures = Closures(await load_closures(connection, since=NOW))
    first, second = ("S1", (QINGHAI, MINHE), ()), ("S2", (QINGHAI,), ("border",))
    found = [closures.of_station(*place) for place in (first, second)]
    assert [any(closure.holds(NOW) for closure in its) for its in found] == [True, True]
    assert [any(closure.excuses(NOW) for closure in its) for its in found] == [True, False]
    later = Closures(await load_closures(connection, since=NOW + timedelta(hours=1)))
    assert later.next_change(NOW) is None


WRONG = {
    "nobody": ({"station": None}, "name exactly one"),
    "two": ({"station": "S1", "area": MINHE}, "name exactly one"),
    "unknown": ({"station": "S9"}, "no station, area or programme S9"),
    "backwards": ({"until_at": NOW - timedelta(hours=2)}, "must end after it begins"),
    "without a reason": ({"reason": " "}, "needs a reason"),
    "of another kind": ({"kind": "party"}, "'party' is not a kind of closure"),
}


async def test_closures_that_make_no_sense(connection: Connection) -> None:
    for given, said in WRONG.values():
        with pytest.raises(RemedyError, match=said):
            await declare(connection, new(**given))
    assert await list_closures(connection) == []


async def test_lists(connection: Connection) -> None:
    one, two, three, four = [
        await declare(connection, new(**scope))  # type: ignore[arg-type]
        for scope in ({"station": "S1"}, {"area": QINGHAI}, {"programme": "border"}, {"area": MINHE})
    ]

    async def ids(**asked: object) -> list[int]:
        return [closure.id for closure in await list_closures(connection, **asked)]  # type: ignore[arg-type]

    assert await ids() == [four.id, three.id, two.id, one.id]
    assert await ids(limit=2, before=four.id) == [three.id, two.id]
    assert await ids(station="S1") == [four.id, two.id, one.id]
    assert await ids(station="S2") == [three.id, two.id]
    assert await ids(area=MINHE) == [four.id, one.id]
    assert await ids(area=QINGHAI) == [four.id, two.id, one.id]


async def bring(connection: Connection, folder: Path, rows: str, **how: bool) -> ImportReport:
    path = folder / "closures.csv"
    path.write_text(f"station,from,until,reason,declared_by,approved_by\n{rows}", encoding="utf-8")
    return await import_file(connection, "closures", path, now=NOW, options=ImportOptions(**how))


async def stored(connection: Connection) -> list[Closure]:
    return list(reversed(await list_closures(connection)))


async def test_import(connection: Connection, tmp_path: Path) -> None:
    content = "S1,2026-11-02T08:00,2026-11-02T18:00,装修,li,\nS2,2026-10-01,2026-10-07,国庆,li,wang\n"
    dry = await bring(connection, tmp_path, content, dry_run=True)
    assert dry.text.splitlines() == [
        "1 closures name who approved them. An import approves nothing: they stay declared until an account "
        "that is not the importing one approves them.",
        "+ S1 2026-11-02 08:00 until 2026-11-02 18:00: 装修",
        "+ S2 2026-10-01 00:00 until 2026-10-08 00:00: 国庆",
        "closures: 2 new, 0 changed, 0 unchanged, 0 bad rows",
        "Dry run: nothing is applied.",
    ]
    assert await stored(connection) == []
    await bring(connection, tmp_path, content)
    one, two = await stored(connection)
    assert [one.status, two.status] == ["declared", "declared"], "an import approves nothing"
    assert (two.declared_by, two.declared_remark, two.declared_at) == ("operator", "li", NOW)
    again = await bring(connection, tmp_path, content)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)
    assert await stored(connection) == [one, two]
    await bring(connection, tmp_path, "S1,2026-11-02T08:00,2026-11-02T20:00,装修,li,wang\n")
    changed = (await stored(connection))[0]
    assert changed.until_at == datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert (changed.id, changed.status) == (one.id, "declared")
    with pytest.raises(OwnApprovalError):
        await approve(connection, two.id, by=SECOND)
    await approve(connection, two.id, by=FIRST)
    refused = await bring(connection, tmp_path, content.replace("10-07", "10-08"))
    assert "this closure is approved as it was" in refused.text


async def test_an_approval_during_an_import_stops_it(connection: Connection, tmp_path: Path) -> None:
    """The file was compared while the closure was only declared."""
    await bring(connection, tmp_path, "S1,2026-11-02T08:00,2026-11-02T18:00,装修,li,\n")
    (planned,) = (await stored_closures(connection, ["S1"])).values()
    (declared,) = await stored(connection)
    await approve(connection, declared.id, by=FIRST)
    longer = msgspec.structs.replace(planned, until_at=planned.until_at + timedelta(hours=1))
    with pytest.raises(RemedyError, match="S1 2026-11-02 08:00 was approved or withdrawn during the import"):
        async with connection.transaction():
            await import_closures(connection, new=[], changed=[longer], at=NOW, by="operator")
    (kept,) = await stored(connection)
    assert kept.until_at == declared.until_at


async def test_an_import_changes_a_closure_from_before_times_had_bounds(connection: Connection, tmp_path: Path) -> None:
    await connection.execute(
        "INSERT INTO closure (station, from_at, until_at, reason, declared_by) "
        "VALUES ('S1', '-infinity', '2026-11-02 10:00+00', '装修', 'li')"
    )
    assert (await bring(connection, tmp_path, "S1,1900-01-01T00:00:00Z,2026-11-02T20:00,装修,li,\n")).changed == 1
    (closure,) = await stored(connection)
    assert closure.until_at == datetime(2026, 11, 2, 12, tzinfo=UTC)


async def test_an_import_leaves_withdrawn_closures_and_windows_alone(connection: Connection, tmp_path: Path) -> None:
    row = "S1,2026-11-02T08:00,2026-11-02T18:00,装修,li,\n"
    await bring(connection, tmp_path, row)
    (first,) = await stored(connection)
    await withdraw(connection, first.id, by=FIRST)
    await declare(connection, new(kind="maintenance", from_at=first.from_at, until_at=first.until_at))
    assert (await bring(connection, tmp_path, row)).new == 1
    assert [closure.status for closure in await stored(connection)] == ["withdrawn", "declared", "declared"]
    assert (await bring(connection, tmp_path, row)).unchanged == 1
