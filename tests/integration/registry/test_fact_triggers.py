"""Facts of the registry: what each edit of a table appends, and that nothing takes a fact away."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest

from store.migrate import migrate, read_migrations
from store.pool import Connection, Pool
from tests.conftest import database_url

Fact = tuple[str, str, Any]
"""(kind, subject, fields)"""
BEFORE_FACTS = next(m.version for m in read_migrations() if m.name == "registry_fact") - 1
ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)


@pytest.fixture
async def registry(pool: Pool) -> AsyncIterator[Connection]:
    """A county with two stations, and no facts of them to look at."""
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO area (code, name, level, path) VALUES ('63', 'q', 'province', '{63}'),"
            " ('6321', 'h', 'county', '{63,6321}'), ('64', 'n', 'province', '{64}');"
            "INSERT INTO station (id, name, area) VALUES ('a', 'A', '6321'), ('b', 'B', '6321')"
        )
        yield connection


async def appended(connection: Connection, edit: str) -> list[Fact]:
    """The facts that one edit appends."""
    known = await connection.fetchval("SELECT coalesce(max(id), 0) FROM registry_fact")
    await connection.execute(edit)
    rows = await connection.fetch("SELECT * FROM registry_fact WHERE id > $1 ORDER BY kind, subject, id", known)
    return [(row["kind"], row["subject"], _plain(row["fields"])) for row in rows]


def _plain(fields: Any) -> Any:
    return msgspec.json.decode(fields) if isinstance(fields, str) else fields


EDITS: dict[str, tuple[str, list[Fact]]] = {
    "a new station is a fact as a whole, without what is usual": (
        "INSERT INTO station (id, name, area) VALUES ('c', 'C', '63')",
        [("station", "c", {"area": "63", "lifecycle": "commissioned"})],
    ),
    "several stations are a fact each": (
        "UPDATE station SET lifecycle = 'suspended'",
        [("station", "a", {"lifecycle": "suspended"}), ("station", "b", {"lifecycle": "suspended"})],
    ),
    "only what changed is named": (
        "UPDATE station SET kind = 'kiosk', quorum = 2, lifecycle = 'commissioned' WHERE id = 'a'",
        [("station", "a", {"kind": "kiosk", "quorum": 2})],
    ),
    "what was taken away is named as nothing": (
        "UPDATE station SET area = NULL WHERE id = 'a'",
        [("station", "a", {"area": None})],
    ),
    "a name is no fact": ("UPDATE station SET name = 'x', calendar = 7, address = 'y'", []),
    "the same again is no fact": ("UPDATE station SET lifecycle = 'commissioned', area = '6321', quorum = 1", []),
    "a move and a change at once are two, for they begin at different times": (
        "UPDATE station SET area = '63', kind = 'x' WHERE id = 'a'",
        [("station", "a", {"kind": "x"}), ("station", "a", {"area": "63"})],
    ),
    "terminals of a station are one": (
        "INSERT INTO terminal (station, id, counts) VALUES ('a', '001', true), ('a', '002', false)",
        [("terminal", "a", {"001": True, "002": False})],
    ),
    "a programme": (
        "INSERT INTO programme VALUES ('p', 'P'); INSERT INTO station_programme VALUES ('b', 'p')",
        [("programme", "b", {"p": True})],
    ),
    "schedules of a station and of a kind": (
        "INSERT INTO schedule (station, kind, valid_from, rules, timezone) VALUES "
        "('a', NULL, '-infinity', 'off', 'Asia/Shanghai'), (NULL, 'kiosk', '2026-01-01', '24x7', 'Asia/Urumqi')",
        [
            ("kind_schedule", "kiosk", {"2026-01-01": {"rules": "24x7", "zone": "Asia/Urumqi"}}),
            ("schedule", "a", {"-infinity": {"rules": "off"}}),
        ],
    ),
    "an override of everywhere": (
        "INSERT INTO schedule_override (from_day, to_day, rules) VALUES ('2026-01-01', '2026-01-03', 'off')",
        [("country_override", "", {"1": {"from": "2026-01-01", "to": "2026-01-03", "rules": "off"}})],
    ),
    "an override of an area": (
        "INSERT INTO schedule_override (area, from_day, to_day, rules) "
        "VALUES ('63', '2026-01-01', '2026-01-03', 'off')",
        [("area_override", "63", {"1": {"from": "2026-01-01", "to": "2026-01-03", "rules": "off"}})],
    ),
    "a succession": (
        "INSERT INTO area_succession VALUES ('1', '3', '2026-10-01'), ('1', '4', '2026-10-01')",
        [("succession", "1", {"3": "2026-10-01", "4": "2026-10-01"})],
    ),
    "a day": ("INSERT INTO day_class VALUES ('2026-10-01', 'holiday')", [("day_class", "", {"2026-10-01": "holiday"})]),
    "an area that moves takes its path along": (
        "UPDATE area SET path = '{64,6321}', parent = '64', name = 'other' WHERE code = '6321'",
        [("area", "6321", {"path": ["64", "6321"]})],
    ),
    "an area that ends": (
        "UPDATE area SET valid_to = '2026-12-31', successor = '63' WHERE code = '6321'",
        [("area", "6321", {"valid_to": "2026-12-31", "successor": "63"})],
    ),
    "an id that is changed by hand ends and begins": (
        "UPDATE station SET id = 'z' WHERE id = 'b'; UPDATE area SET code = 'z' WHERE code = '64'",
        [
            ("area", "64", None),
            ("area", "z", {"path": ["64"]}),
            ("station", "b", None),
            ("station", "z", {"area": "6321", "lifecycle": "commissioned"}),
        ],
    ),
    "what goes with a deleted station is named too": (
        "DELETE FROM station WHERE id = 'b'",
        [("station", "b", None)],
    ),
}


@pytest.mark.parametrize("what", EDITS)
async def test_an_edit_appends_what_it_changed(registry: Connection, what: str) -> None:
    edit, facts = EDITS[what]
    assert await appended(registry, edit) == facts


async def test_what_is_replaced_or_deleted_is_a_fact(registry: Connection) -> None:
    await registry.execute(
        "INSERT INTO schedule (station, valid_from, rules) VALUES ('a', '2026-01-01', '24x7');"
        "INSERT INTO terminal (station, id) VALUES ('a', '001')"
    )
    replaced = await appended(registry, "UPDATE schedule SET rules = 'off'")
    assert replaced == [("schedule", "a", {"2026-01-01": {"rules": "off"}})]
    moved = await appended(registry, "UPDATE schedule SET valid_from = '2026-02-01'")
    assert sorted(moved, key=str) == [
        ("schedule", "a", {"2026-01-01": None}),
        ("schedule", "a", {"2026-02-01": {"rules": "off"}}),
    ]
    gone = await appended(registry, "DELETE FROM station WHERE id = 'a'")
    assert sorted(gone, key=str) == [
        ("schedule", "a", {"2026-02-01": None}),
        ("station", "a", None),
        ("terminal", "a", {"001": None}),
    ]
    again = await appended(registry, "INSERT INTO station (id, name) VALUES ('a', 'A')")
    assert again == [("station", "a", {"lifecycle": "commissioned"})]


async def test_a_closure_is_a_fact_at_each_step(registry: Connection) -> None:
    declare = "INSERT INTO closure (station, from_at, until_at, reason, declared_by, declared_at) VALUES "
    declare += "('a', '2026-01-01 00:00+00', '2026-01-01 00:01+00', 'Li is ill', 'Li', '2026-01-01 00:00:30.5+00')"
    declared = {"kind": "closure", "from": 1767225600000000, "until": 1767225660000000, "declared": 1767225630500000}
    assert await appended(registry, declare) == [("closure", "a", {"1": declared})]
    approve = "UPDATE closure SET approved_by = 'Wu', approved_at = '2026-01-02 00:00+00'"
    assert await appended(registry, approve) == [("closure", "a", {"1": {**declared, "approved": 1767312000000000}})]
    assert await appended(registry, "UPDATE closure SET reason = 'other'") == []


async def test_times_and_days_do_not_depend_on_the_session(registry: Connection) -> None:
    await registry.execute("SET TimeZone = 'America/New_York'; SET DateStyle = 'German, DMY'")
    days = await appended(registry, "INSERT INTO day_class VALUES ('2026-10-01', 'holiday')")
    assert days == [("day_class", "", {"2026-10-01": "holiday"})]
    edit = "INSERT INTO station (id, name, commissioned_at) VALUES ('c', 'C', '2026-01-01 00:00+00')"
    facts = await appended(registry, edit)
    assert facts == [("station", "c", {"lifecycle": "commissioned", "commissioned_at": 1767225600000000})]


async def test_a_fact_names_the_actor_of_its_transaction(registry: Connection) -> None:
    async with registry.transaction():
        await registry.execute("SELECT set_config('milepost.actor', 'operator', true)")
        await registry.execute("UPDATE station SET lifecycle = 'suspended'")
    await registry.execute("UPDATE station SET lifecycle = 'planned'")
    rows = await registry.fetch(
        "SELECT recorded_by, count(DISTINCT xid) AS edits FROM registry_fact "
        "WHERE fields ? 'lifecycle' AND NOT whole GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [("operator", 1), ("system", 1)]


async def effective(connection: Connection, at: str, edit: str) -> list[str]:
    """Since when the facts of an edit at a moment are effective, in UTC."""
    async with connection.transaction():
        await connection.execute("SELECT set_config('milepost.effective_at', $1, true)", at)
        known = await connection.fetchval("SELECT coalesce(max(id), 0) FROM registry_fact")
        await connection.execute(edit)
        rows = await connection.fetch("SELECT effective_at FROM registry_fact WHERE id > $1 ORDER BY id", known)
    return [row["effective_at"].astimezone(UTC).isoformat() for row in rows]


MOVE = "UPDATE station SET area = '63' WHERE id = 'a'"
URUMQI = "INSERT INTO schedule (station, valid_from, rules, timezone) VALUES ('a', '-infinity', '24x7', '{}')"


@pytest.mark.parametrize(
    ("zone", "at", "since"),
    [
        pytest.param(None, "2026-03-01 10:00+08", "2026-03-01T16:00:00+00:00", id="the next midnight of China"),
        pytest.param(None, "2026-03-02 00:00+08", "2026-03-01T16:00:00+00:00", id="a midnight is itself one"),
        pytest.param("Asia/Urumqi", "2026-03-01 10:00+08", "2026-03-01T18:00:00+00:00", id="of the station's zone"),
        pytest.param(
            "America/Sao_Paulo", "2018-11-03 12:00-03", "2018-11-04T03:00:00+00:00", id="a midnight that clocks skip"
        ),
        pytest.param(
            "America/Havana", "2025-11-01 12:00-04", "2025-11-02T04:00:00+00:00", id="the first of two midnights"
        ),
        pytest.param("Nowhere/Else", "2026-03-01 10:00+08", "2026-03-01T16:00:00+00:00", id="a zone that nobody knows"),
    ],
)
async def test_a_move_takes_effect_at_a_local_midnight(
    registry: Connection, zone: str | None, at: str, since: str
) -> None:
    if zone is not None:
        await registry.execute(URUMQI.format(zone))
    assert await effective(registry, at, MOVE) == [since]


async def test_everything_else_is_effective_at_once(registry: Connection) -> None:
    at = "2026-03-01 10:00+08"
    assert await effective(registry, at, "UPDATE station SET quorum = 2 WHERE id = 'a'") == [
        "2026-03-01T02:00:00+00:00"
    ]
    await registry.execute("INSERT INTO terminal (station, id) VALUES ('a', '001')")
    assert await effective(registry, at, "UPDATE terminal SET counts = false") == ["2026-03-01T02:00:00+00:00"]


async def test_a_zone_follows_the_kind_of_a_station(registry: Connection) -> None:
    await registry.execute(
        "INSERT INTO schedule (kind, valid_from, rules, timezone) VALUES ('kiosk', '-infinity', '24x7', 'Asia/Urumqi');"
        "UPDATE station SET kind = 'kiosk'"
    )
    assert await effective(registry, "2026-03-01 10:00+08", MOVE) == ["2026-03-01T18:00:00+00:00"]


async def test_days_that_no_clock_shows_stop_no_edit(registry: Connection) -> None:
    await registry.execute(
        "INSERT INTO schedule (station, valid_from, rules) VALUES ('a', '4000-01-01 BC', '24x7'), ('a', '290000-01-01',"
        " '24x7'), ('a', 'infinity', 'off');"
        "UPDATE station SET commissioned_at = 'infinity'"
    )
    keys = await registry.fetch("SELECT jsonb_object_keys(fields) AS key FROM registry_fact WHERE kind = 'schedule'")
    assert len(keys) == 3


@pytest.mark.parametrize(
    "edit", ["UPDATE registry_fact SET recorded_by = 'x'", "DELETE FROM registry_fact", "TRUNCATE registry_fact"]
)
async def test_nobody_changes_a_fact(registry: Connection, edit: str) -> None:
    """Not even the owner; a service has no right to try."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append a fact that corrects them"):
        await registry.execute(edit)
    async with registry.transaction():
        await registry.execute("SET LOCAL ROLE milepost_service")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await registry.execute(edit)


async def test_no_table_of_the_registry_is_emptied_without_facts(registry: Connection) -> None:
    tables = await registry.fetch(
        "SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'facts_of_gone'"
    )
    assert len(tables) == 9
    for table in tables:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="it appends no facts: use DELETE"):
            await registry.execute(f"TRUNCATE {table['name']} CASCADE")


async def test_a_service_appends_facts_only_by_its_edits(registry: Connection) -> None:
    async with registry.transaction():
        await registry.execute("SET LOCAL ROLE milepost_service")
        edit = "UPDATE station SET lifecycle = 'planned' WHERE id = 'a'"
        assert await appended(registry, edit) == [("station", "a", {"lifecycle": "planned"})]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await registry.execute(
                "INSERT INTO registry_fact (kind, subject, effective_at, fields) VALUES ('station', 'a', now(), '{}')"
            )


async def test_a_service_puts_no_trigger_of_facts_on_a_table_of_its_own(registry: Connection) -> None:
    """The functions run with the owner's rights: on such a table they would append what no edit made."""
    async with registry.transaction():
        await registry.execute("SET LOCAL ROLE milepost_service; CREATE TEMP TABLE mine (LIKE public.station)")
        for function in ("station_facts", "terminal_facts", "closure_facts"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"function {function}"):
                async with registry.transaction():
                    await registry.execute(
                        "CREATE TRIGGER forged AFTER INSERT ON mine REFERENCING NEW TABLE AS new_rows "
                        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
                    )


@pytest.fixture
async def older(postgres_server: str, template: str) -> AsyncIterator[str]:
    """The URL of a database from before there were facts; `template` only waits until the server answers."""
    name = f"milepost_before_facts_{os.getpid()}"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE DATABASE {name}")
    url = database_url(postgres_server, name)
    try:
        async with connected(url) as connection:
            await migrate(connection, read_migrations()[:BEFORE_FACTS])
        yield url
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_an_edit_while_the_facts_are_made_is_one_of_them(older: str) -> None:
    """A service of the older release has written and not committed yet when the migration begins."""
    async with connected(older) as migrating, connected(older) as service, connected(older) as watching:
        edit = service.transaction()
        await edit.start()
        await service.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        migration = asyncio.create_task(migrate(migrating))
        waiting = "SELECT cardinality(pg_blocking_pids($1))"
        async with asyncio.timeout(60):
            while not await watching.fetchval(waiting, migrating.get_server_pid()):
                assert not migration.done()
                await asyncio.sleep(0.02)
        await edit.commit()
        await migration
        assert await watching.fetchval("SELECT array_agg(subject) FROM registry_fact") == ["a"]


async def test_names_and_reasons_from_before_accounts_are_in_no_fact(older: str) -> None:
    async with connected(older) as connection:
        await connection.execute("INSERT INTO station (id, name) VALUES ('a', 'A')")
        for actor, lifecycle in (("Wang", "suspended"), ("admin", "retired")):
            async with connection.transaction():
                await connection.execute("SELECT set_config('milepost.actor', $1, true)", actor)
                await connection.execute("SELECT set_config('milepost.reason', 'Li is ill', true)")
                await connection.execute("UPDATE station SET lifecycle = $1", lifecycle)
        await migrate(connection)
        rows = await connection.fetch("SELECT f::text AS text, recorded_by FROM registry_fact f ORDER BY id")
    assert [row["recorded_by"] for row in rows] == ["system", "system", "admin"]
    assert not [row["text"] for row in rows if "Wang" in row["text"] or "ill" in row["text"]]


async def test_the_reason_of_an_edit_is_in_no_fact(registry: Connection) -> None:
    async with registry.transaction():
        await registry.execute("SELECT set_config('milepost.reason', 'Li is ill', true)")
        await registry.execute("UPDATE station SET lifecycle = 'suspended'")
    assert not await registry.fetch("SELECT FROM registry_fact f WHERE f::text LIKE '%ill%'")
    assert await registry.fetchval("SELECT DISTINCT reason FROM station_lifecycle") == "Li is ill"


async def test_an_edit_begins_after_the_facts_of_a_running_import(registry: Connection, pool: Pool) -> None:
    async with registry.transaction(), pool.acquire() as other:
        await registry.execute("UPDATE station SET lifecycle = 'suspended'")
        newest = await registry.fetchval("SELECT max(id) FROM registry_fact")
        assert await other.fetchval("SELECT newest_registry_fact()") == newest


async def test_what_is_registered_already_becomes_the_first_facts(older: str) -> None:
    async with connected(older) as connection:
        await connection.execute(
            "INSERT INTO area (code, name, level, path) VALUES ('63', 'q', 'province', '{63}');"
            "INSERT INTO station (id, name, area, quorum) VALUES ('a', 'A', '63', 2);"
            "INSERT INTO terminal (station, id, counts) VALUES ('a', '001', false);"
            "UPDATE station SET lifecycle = 'suspended';"
            "INSERT INTO day_class VALUES ('2026-10-01', 'holiday');"
        )
        await migrate(connection)
        rows = await connection.fetch(
            "SELECT kind, fields, held(effective_at) AS since, recorded_by FROM registry_fact ORDER BY id"
        )
        changed_at = await connection.fetchval("SELECT at FROM station_lifecycle")
    assert {row["recorded_by"] for row in rows} == {"system"}
    assert [(row["kind"], _plain(row["fields"]), row["since"]) for row in rows] == [
        ("area", {"path": ["63"]}, ALWAYS),
        ("station", {"area": "63", "lifecycle": "commissioned", "quorum": 2}, ALWAYS),
        ("station", {"lifecycle": "suspended"}, changed_at),
        ("terminal", {"001": False}, ALWAYS),
        ("day_class", {"2026-10-01": "holiday"}, datetime(2026, 9, 30, 16, tzinfo=UTC)),
    ]
