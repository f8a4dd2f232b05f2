"""Edits of the registry: every fact has an entry in the ledger, by the account that edits."""

import re
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from registry.closures.rules import NewClosure
from registry.closures.store import approve, declare, withdraw
from registry.edits import registry_edit
from registry.fact_entries import MOST_FACTS
from registry.importing.importer import import_file
from registry.importing.kinds import IMPORT_KINDS
from registry.importing.rows import Kind
from registry.removal import Removal
from registry.removal_store import remove_station, restore_station
from registry.store import add_terminals, register_stations
from store.author import OPERATOR, Author
from store.pool import Connection, Pool
from store.sql import load_queries
from tests.integration.api_world import World, config, serving
from tests.machine_words import ROOMS, ROOT

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


async def entries(connection: Connection) -> list[tuple[str, dict[str, Any]]]:
    """(actor, body) of the entries of facts, in their order."""
    rows = await connection.fetch("SELECT actor, body FROM ledger_entry WHERE kind = 'registry.facts' ORDER BY id")
    return [(row["actor"], msgspec.json.decode(row["body"])) for row in rows]


async def without_entry(connection: Connection, after: int = 0) -> list[str]:
    """Facts after a number whose entry is missing, or says something else or another account."""
    told = {
        fact["id"]: (actor, fact["kind"], fact["subject"], fact.get("whole", False), fact.get("fields"))
        for actor, body in await entries(connection)
        for fact in body["facts"]
    }
    rows = await connection.fetch(
        "SELECT id, recorded_by, kind, subject, whole, fields FROM registry_fact WHERE id > $1 ORDER BY id", after
    )
    facts = {row["id"]: (*list(row)[1:5], _plain(row["fields"])) for row in rows}
    assert facts
    return [str(fact) for number, fact in facts.items() if told.get(number) != fact]


def _plain(fields: Any) -> Any:
    return msgspec.json.decode(fields) if isinstance(fields, str) else fields


async def _heard(connection: Connection) -> None:
    await register_stations(connection, {"6321220001": ["001", "002"], "b": []}, at=NOW)
    await add_terminals(connection, {"b": ["003"], "nobody": ["001"]})


FILES: dict[Kind, str] = {
    "areas": "code,name,parent\n63,青海,\n6321,海东,63\n64,宁夏,\n",
    "stations": "id,name,area,schedule,programmes\ns,S,6321,Mo-Fr 09:00-17:30,border;steppe\nt,T,64,,\n",
    "schedules": "kind,schedule,from\nkiosk,Mo-Su 08:00-20:00,2026-01-01\n",
    "overrides": "station,from,until,hours\ns,2026-05-01,2026-05-03,off\n",
    "days": "day,class\n2026-05-01,holiday\n",
    "closures": "station,from,until,reason\ns,2026-05-01T00:00Z,2026-05-02T00:00Z,flood\n",
    "targets": "id,programme,name,metric,areas\nx,steppe,x,stations,63\n",
    "contacts": "id,name,role,area,channels\nwu,吴,technician,63,sms:13800138000\n",
    "duty": "area,role,contact\n63,technician,li\n",
    "substitutes": "contact,substitute,from,until\nli,ma,2026-05-01,2026-05-02\n",
    "routes": "id,name,area,steps\nall,all,,technician\n",
    "successions": "old,new,on\n6320,6321,2026-01-01\n",
}
MOVED = "code,name,parent\n6321,海东,64\n"


async def _contacts(connection: Connection) -> None:
    """Those that files of duty name."""
    row = "INSERT INTO contact (id, name, role, edited_by) VALUES ($1, $1, 'technician', 'operator')"
    await connection.executemany(row, [("li",), ("ma",)])


async def _imported(connection: Connection) -> None:
    await _contacts(connection)
    for kind, text in FILES.items():
        await _import_text(connection, kind, text)
    await _import_text(connection, "areas", MOVED)
    await _import_text(connection, "successions", "old,new,on,remove\n6320,6321,2026-01-01,yes\n")


async def _import_text(connection: Connection, kind: Kind, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(text)
        file.flush()
        report = await import_file(connection, kind, Path(file.name), now=NOW)
    assert not report.refused, report.text


async def _removed(connection: Connection) -> None:
    await register_stations(connection, {"a": ["001"], "b": []})
    await declare(connection, closure("b"))
    assert await remove_station(connection, "a", by=WHO, reason="mistake") is Removal.REMOVED
    assert await remove_station(connection, "b", by=WHO, reason="closed") is Removal.RETIRED
    assert await restore_station(connection, "b", by=WHO, reason="open again") == "commissioned"


async def _closed(connection: Connection) -> None:
    await register_stations(connection, {"a": []})
    one, other = await declare(connection, closure("a")), await declare(connection, closure("a"))
    await approve(connection, one.id, by=Author("admin"), evidence="letter 7")
    await withdraw(connection, other.id, by=WHO)


WHO = Author(OPERATOR, "Li")
WRITERS: dict[str, Callable[[Connection], Awaitable[Any]]] = {
    "stations that were heard": _heard,
    "files of each kind": _imported,
    "stations that are removed, retired and restored": _removed,
    "closures": _closed,
}


def closure(station: str) -> NewClosure:
    return NewClosure(
        station=station, from_at=NOW, until_at=NOW + timedelta(days=1), reason="flood", declared_by=OPERATOR
    )


async def test_an_import_that_changes_nothing_appends_nothing(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await _contacts(connection)
        for kind, text in FILES.items():
            await _import_text(connection, kind, text)
        known = await connection.fetchval("SELECT count(*) FROM registry_fact")
        for kind, text in FILES.items():
            await _import_text(connection, kind, text)
        assert await connection.fetchval("SELECT count(*) FROM registry_fact") == known


def test_every_kind_of_file_is_written() -> None:
    assert set(FILES) == set(IMPORT_KINDS)


# The queries that append facts, because they write a table of the registry; each is run by one of WRITERS.
APPENDING = {
    "registry/queries.sql": {
        *("upsert_areas", "upsert_stations", "leave_programmes", "join_programmes", "register_stations"),
        *("add_terminals", "set_lifecycle"),
    },
    "registry/closures/queries.sql": {
        *("declare_closure", "approve_closure", "withdraw_closure", "import_closures", "change_closures"),
    },
    "registry/hours/schedule_queries.sql": {"put_schedules", "put_kind_schedules", "put_overrides", "put_days"},
    "registry/target_queries.sql": {"put_successions", "remove_successions"},
    # It changes no field of a fact.
    "registry/hours/calendar_queries.sql": {"set_calendars"},
}
_WRITES = re.compile(
    r"(INSERT INTO|UPDATE|DELETE FROM)\s+"
    r"(area|area_succession|station|terminal|station_programme|schedule|schedule_override|day_class|closure)\b(?!\()"
)


def test_every_query_that_writes_the_registry_is_known() -> None:
    """A new one is run by a writer above, within an edit."""
    found: dict[str, set[str]] = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*queries.sql"):
            names = {name for name, sql in load_queries(path).items() if _WRITES.search(sql)}
            if names:
                found[str(path.relative_to(ROOT))] = names
    assert found == APPENDING


@pytest.mark.parametrize("writer", WRITERS)
async def test_every_fact_has_its_entry(pool: Pool, writer: str) -> None:
    async with pool.acquire() as connection:
        await WRITERS[writer](connection)
        assert await without_entry(connection) == []


async def test_an_edit_by_the_api_writes_entries_of_facts_that_the_api_may_not_read(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.clock()
    await world.station("a")
    await world.station("b", None)
    async with pool.acquire() as connection:
        known = await connection.fetchval("SELECT max(id) FROM registry_fact")
        async with serving(config(database, tmp_path)) as (client, _):
            said = {"from": NOW.isoformat(), "until": (NOW + timedelta(days=1)).isoformat(), "reason": "flood"}
            declared = await client.post("/api/v1/closures", json={"station": "a", **said})
            assert declared.status_code == 201, declared.text
            for path in (f"closures/{declared.json()['id']}/withdraw", *(f"stations/{one}/remove" for one in "ab")):
                done = await client.post(f"/api/v1/{path}", json={"reason": "flood"})
                assert done.status_code == 200, done.text
        assert await without_entry(connection, known) == []
        assert {actor for actor, _ in await entries(connection)} == {"admin"}
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_api")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM registry_fact")


async def test_a_writer_that_forgets_its_edit_is_found(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        assert len(await without_entry(connection)) == 1


async def test_an_edit_within_an_edit_is_a_part_of_it(pool: Pool) -> None:
    async with pool.acquire() as connection:
        async with registry_edit(connection, Author("operator"), "flood"):
            await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
            await add_terminals(connection, {"a": ["001"]})
            await connection.execute("UPDATE station SET lifecycle = 'suspended'")
        async with registry_edit(connection, Author("admin")):
            await connection.execute("UPDATE station SET lifecycle = 'retired'")
        assert await without_entry(connection) == []
        said = [(actor, [fact["kind"] for fact in body["facts"]]) for actor, body in await entries(connection)]
    assert said == [("operator", ["station", "terminal", "station"]), ("admin", ["station"])]


async def test_edits_of_one_transaction_and_their_rollbacks(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        async with registry_edit(connection, Author("operator")):
            await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with registry_edit(connection, Author("admin")):
                await connection.execute("INSERT INTO station (id, name) VALUES ('b', 'B')")
                await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        async with registry_edit(connection, Author("system")):
            await connection.execute("UPDATE station SET quorum = 2")
        assert await without_entry(connection) == []
        assert [actor for actor, _ in await entries(connection)] == ["operator", "system"]


async def test_a_large_edit_has_several_entries(pool: Pool) -> None:
    async with pool.acquire() as connection:
        async with registry_edit(connection, Author("operator")):
            await connection.execute(
                "INSERT INTO station (id, name) SELECT 's' || n, 'S' FROM generate_series(1, $1::int) AS n",
                25 * MOST_FACTS,
            )
        assert await without_entry(connection) == []
        assert len(await entries(connection)) >= 25


async def test_an_edit_that_changes_nothing_has_no_entry(pool: Pool) -> None:
    async with pool.acquire() as connection:
        async with registry_edit(connection, Author("operator")):
            await connection.execute("UPDATE station SET quorum = 2")
        assert await entries(connection) == []
