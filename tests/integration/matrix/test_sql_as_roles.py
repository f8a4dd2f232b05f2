"""What each role of the database may do by SQL of its own, at every table and view: nothing reaches outside a scope."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import pytest

from api.http.database import with_query_settings
from store.pool import Connection
from tests.integration.matrix.country import FAR, MARKS, NEAR, PROVINCE
from tests.integration.matrix.places import cloned
from tests.integration.matrix.test_matrix import marks_in

API, SERVICE, READER = "milepost_api", "milepost_service", "milepost_reader"
NEAR_MARKS: Final = ("6302220", "河湟")
PUBLIC_NAMES: Final = frozenset({"programme"})
"""Names that every role may read."""
NOTHING: Final[dict[str, str | None]] = {
    "not set": None, "empty": "", "no area": "999999", "a star too many": f"*,{NEAR}", "not a code": "6302%",
    "an area above, misspelt": "63000000000",
}  # fmt: skip


@asynccontextmanager
async def acting(url: str, role: str, scope: str | None = None) -> AsyncIterator[Connection]:
    """A transaction as a role, with a scope; nothing of it stays."""
    connection = await asyncpg.connect(with_query_settings(url) if role == API else url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if role != API:
            await connection.execute(f"SET LOCAL ROLE {role}")
        if scope is not None:
            await connection.execute("SELECT set_config('milepost.scope', $1, true)", scope)
        yield connection
        await transaction.rollback()
    finally:
        await connection.close()


@pytest.fixture
async def url(postgres_server: str, template: str) -> AsyncIterator[str]:
    async with cloned(postgres_server, template) as (found, _):
        yield found


async def relations(connection: Connection, role: str, right: str) -> list[str]:
    """Tables and views at which a role has a right."""
    rows = await connection.fetch(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname IN ('public', 'scoped') AND c.relkind IN ('r', 'p', 'v', 'm') "
        "AND has_table_privilege($1, c.oid, $2) ORDER BY 1",
        role, right,
    )  # fmt: skip
    return [row[0] for row in rows]


async def shown_by(connection: Connection, role: str) -> dict[str, str]:
    """All that a role can read, by table and view."""
    found = {}
    for name in await relations(connection, role, "SELECT"):
        rows = await connection.fetch(f"SELECT t::text FROM {name} t")  # noqa: S608
        found[name] = "\n".join(row[0] or "" for row in rows)
    return found


async def refusal(connection: Connection, sql: str, *values: object) -> str | None:
    """Why a statement is refused, by the name of the error; None: it is not."""
    try:
        async with connection.transaction():
            await connection.execute(sql, *values)
    except asyncpg.PostgresError as exc:
        return type(exc).__name__
    return None


async def test_without_a_scope_the_api_reads_nothing_of_any_place(url: str) -> None:
    wrong = {}
    for named, setting in NOTHING.items():
        async with acting(url, API, setting) as connection:
            shown = await shown_by(connection, API)
        assert len(shown) > 20
        for name, text in shown.items():
            found = marks_in(text) + [mark for mark in NEAR_MARKS if mark in text]
            if found and name.partition(".")[2] not in PUBLIC_NAMES:
                wrong[named, name] = found
    assert wrong == {}


async def test_within_a_scope_the_api_reads_nothing_of_outside(url: str) -> None:
    async with acting(url, API, NEAR) as connection:
        shown = await shown_by(connection, API)
    wrong = {name: marks_in(text) for name, text in shown.items() if name.partition(".")[2] not in PUBLIC_NAMES}
    assert {name: found for name, found in wrong.items() if found} == {}
    assert any(NEAR_MARKS[0] in text for text in shown.values())


async def test_with_everything_the_api_reads_all_marks(url: str) -> None:
    """Otherwise the tests above would show nothing."""
    async with acting(url, API, "*") as connection:
        shown = await shown_by(connection, API)
    assert set(marks_in("\n".join(shown.values()))) == set(MARKS)


async def _last_column(connection: Connection, name: str) -> str:
    return str(
        await connection.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped "
            "AND attidentity = '' AND attgenerated = '' ORDER BY attnum DESC LIMIT 1",
            name,
        )
    )


async def test_the_api_changes_and_deletes_nothing_outside(url: str) -> None:
    async with acting(url, API, NEAR) as connection:
        wrong = {}
        statements = [
            f"UPDATE {name} t SET {column} = {column} RETURNING t::text"  # noqa: S608
            for name in await relations(connection, API, "UPDATE")
            for column in [await _last_column(connection, name)]
        ]
        statements += [f"DELETE FROM {name} t RETURNING t::text" for name in await relations(connection, API, "DELETE")]  # noqa: S608
        for sql in statements:
            try:
                async with connection.transaction():
                    found = marks_in("\n".join(row[0] for row in await connection.fetch(sql)))
            except asyncpg.InsufficientPrivilegeError:
                continue
            if found:
                wrong[sql] = found
    assert len(statements) > 8
    assert wrong == {}


async def test_the_api_inserts_nothing_outside(url: str) -> None:
    """A row that is there already, under another number: a policy refuses it before it is found to be a double."""
    owner = await asyncpg.connect(url)
    marked = " OR ".join(f"t::text ILIKE '%{mark}%'" for mark in MARKS)
    try:
        async with acting(url, API, NEAR) as connection:
            refused = {}
            # Entries of the ledger are written in any scope.
            for name in set(await relations(connection, API, "INSERT")) - {"scoped.ledger_entry"}:
                table = f"public.{name.partition('.')[2]}"
                row = await owner.fetchval(f"SELECT to_jsonb(t)::text FROM {table} t WHERE {marked} LIMIT 1")  # noqa: S608
                if row is not None:
                    row = re.sub(r'"id": \d+', '"id": 8800000000', row)
                    sql = f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_record(NULL::{name}, $1::jsonb)"  # noqa: S608,E501
                    refused[name] = await refusal(connection, sql, row)
    finally:
        await owner.close()
    assert {"public.closure", "public.account", "public.account_area", "public.api_token"} <= set(refused)
    assert set(refused.values()) <= {"InsufficientPrivilegeError", "WithCheckOptionViolationError"}, refused


_CLOSURE: Final = (
    "INSERT INTO closure ({}, from_at, until_at, reason, declared_by) VALUES ($1, now(), now() + '1 d', 'r', 'admin')"
)
WIDER: Final[dict[str, tuple[str, tuple[object, ...]]]] = {
    "a closure of a foreign station": (_CLOSURE.format("station"), ("6325210001",)),
    "a closure of a foreign area": (_CLOSURE.format("area"), (FAR,)),
    "a closure of the area above": (_CLOSURE.format("area"), (PROVINCE,)),
    "a closure of a programme": (_CLOSURE.format("programme"), ("border",)),
    "an account of everything": ("UPDATE account SET whole = true WHERE id = 'a-near'", ()),
    "a foreign area for an account": ("INSERT INTO account_area VALUES ('a-near', $1)", (FAR,)),
    "the area above for an account": ("INSERT INTO account_area VALUES ('a-near', $1)", (PROVINCE,)),
    "a token of everything": ("UPDATE api_token SET whole = true, areas = '{}' WHERE id = 'neartoken'", ()),
    "a foreign area for a token": ("UPDATE api_token SET areas = ARRAY[$1] WHERE id = 'neartoken'", (FAR,)),
    "a token of a foreign account": ("UPDATE api_token SET account = 'longyangxia-far' WHERE id = 'neartoken'", ()),
    "a station that is given away": ("UPDATE station SET area = $1 WHERE id = '6302220001'", (FAR,)),
    "a station in no area": ("UPDATE station SET area = NULL WHERE id = '6302220001'", ()),
    "an incident that is given away": ("UPDATE incident SET area = $1 WHERE station = '6302220002'", (FAR,)),
}


async def test_the_api_widens_nothing(url: str) -> None:
    async with acting(url, API, NEAR) as connection:
        refused = {what: await refusal(connection, sql, *values) for what, (sql, values) in WIDER.items()}
    assert refused == dict.fromkeys(WIDER, "InsufficientPrivilegeError")
    async with acting(url, API, "*") as connection:
        allowed = {what: await refusal(connection, sql, *values) for what, (sql, values) in WIDER.items()}
    assert "InsufficientPrivilegeError" not in allowed.values(), "otherwise it shows nothing"


async def test_a_foreign_row_is_not_there_for_a_change(url: str) -> None:
    async with acting(url, API, NEAR) as connection:
        for sql in (
            "UPDATE incident SET status = 'closed' WHERE id >= 7700000000",
            "UPDATE incident SET status = 'closed' WHERE area = '630000000000'",
            "UPDATE closure SET withdrawn_by = 'admin', withdrawn_at = now() WHERE id >= 7700000000",
            "UPDATE closure SET reason = 'x' WHERE area IS NOT NULL AND area <> '630222000000'",
            "UPDATE station SET lifecycle = 'retired' WHERE id = '6325210001'",
            "UPDATE account SET role = 'admin' WHERE id = 'longyangxia-far'",
            "UPDATE account SET disabled_at = NULL, disabled_by = NULL WHERE whole",
            "DELETE FROM account_area WHERE account = 'longyangxia-far'",
        ):
            assert await connection.execute(sql) in ("UPDATE 0", "DELETE 0"), sql


WRITTEN_ONCE: Final = (
    "command_reply", "event", "health", "health_change", "incident_entry", "inventory", "ledger_entry", "pipeline_gap",
    "presence", "registry_fact", "shard_decision", "station_lifecycle", "transition", "usage",
)  # fmt: skip


@pytest.mark.parametrize("role", [API, SERVICE, READER])
async def test_no_role_changes_or_deletes_what_happened(role: str, url: str) -> None:
    async with acting(url, role, "*") as connection:
        for table in WRITTEN_ONCE:
            for name in (f"public.{table}", *([f"scoped.{table}"] if role == API else [])):
                if await connection.fetchval("SELECT to_regclass($1)", name) is None:
                    continue
                column = await _last_column(connection, name)
                for sql in (f"UPDATE {name} SET {column} = {column}", f"DELETE FROM {name}", f"TRUNCATE {name}"):  # noqa: S608
                    why = await refusal(connection, sql)
                    assert why in ("InsufficientPrivilegeError", "WrongObjectTypeError"), (sql, why)


@pytest.mark.parametrize("table", ["ledger_entry", "registry_fact"])
async def test_the_owner_neither(table: str, url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        column = await _last_column(connection, f"public.{table}")
        await connection.execute(
            "INSERT INTO ledger_entry (kind, subject, actor, at_ms, body) VALUES ('a.b', 's', 'system', 1, '{}')"
        )
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") > 0  # noqa: S608
        for sql in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):  # noqa: S608
            assert await refusal(connection, sql) is not None, sql
    finally:
        await connection.close()


SECRET: Final = frozenset(
    {"account", "account_area", "api_token", "known_place", "session", "signin_code", "ledger_entry",
     "ledger_pending", "ledger_salt", "registry_fact", "dead_letter", "unregistered", "notification", "delivery",
     "incident_entry", "incident_share", "incident_share_ack", "target"}
)  # fmt: skip
"""What dashboards do not read."""


async def test_dashboards_read_no_accounts_and_write_nothing(url: str) -> None:
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_reader') THEN "
            "CREATE ROLE milepost_reader NOLOGIN; END IF; END $$"
        )
        await owner.execute("SELECT grant_reader()")
        read = {name.partition(".")[2] for name in await relations(owner, READER, "SELECT")}
        assert read & SECRET == set()
        assert "station" in read
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"):
            assert await relations(owner, READER, right) == []
        async with acting(url, READER) as connection:
            assert await connection.fetchval("SELECT count(*) FROM station WHERE id = '6325210001'") == 1, "all of it"
            for sql in ("SELECT scope_areas()", "SELECT * FROM scoped.transition"):
                assert await refusal(connection, sql) == "InsufficientPrivilegeError", sql
    finally:
        await owner.close()


RULES: Final = (
    "ALTER TABLE station DISABLE ROW LEVEL SECURITY", "DROP POLICY service ON station", "ALTER ROLE {} BYPASSRLS",
    "CREATE POLICY mine ON station USING (true)", "SET session_replication_role = replica", "CREATE SCHEMA mine",
    "CREATE FUNCTION scope_is_whole() RETURNS boolean LANGUAGE sql RETURN true",
    "CREATE TABLE scoped.station (id text)", "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
    "ALTER FUNCTION scope_areas() SECURITY INVOKER",
)  # fmt: skip


@pytest.mark.parametrize("role", [API, SERVICE])
async def test_no_role_changes_the_rules(role: str, url: str) -> None:
    async with acting(url, role, "*") as connection:
        refused = {sql: await refusal(connection, sql.format(role)) for sql in RULES}
    assert refused == dict.fromkeys(RULES, "InsufficientPrivilegeError")
