"""The role of the services: enough for every query of theirs, and little more."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.migrate import migrate
from store.pool import Connection, Pool
from store.sql import load_queries
from tests.machine_words import ROOMS, ROOT

FILES = sorted(str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*queries.sql"))


@pytest.fixture
async def service(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_service")
        yield connection


async def refused(connection: Connection, sql: str) -> str | None:
    """Why the role may not run a statement; only its plan is asked for, which checks its rights."""
    try:
        async with connection.transaction():
            await connection.execute(sql if "LOCK TABLE" in sql else f"EXPLAIN (GENERIC_PLAN) {sql}")
    except asyncpg.InsufficientPrivilegeError as exc:
        return str(exc)
    return None


OF_THE_API = ("access/", "api/")
"""Rooms whose queries run as the role of the API (test_scope_rights.py)."""
OF_THE_SEALER = ("audit/ledger/", "audit/days/", "audit/rollups/")
"""Whose queries run as a role of their own (tests/integration/audit: test_sealing.py, rollups)."""
OF_THE_OWNER = {
    "make_login", "keep_apart", "end_sessions", "void_codes", "unseal", "mark_made_up",
    "has_dashboard_login", "put_dashboard_login", "sweep_touches",
}  # fmt: skip


@pytest.mark.parametrize("path", [path for path in FILES if not path.startswith((*OF_THE_API, *OF_THE_SEALER))])
async def test_it_may_run_every_query(service: Connection, path: str) -> None:
    queries = load_queries(ROOT / path).items()
    asked = {name: sql for name, sql in queries if name not in OF_THE_OWNER}
    assert {name: why for name, sql in asked.items() if (why := await refused(service, sql))} == {}


async def test_it_finds_who_acts_and_names_them(service: Connection) -> None:
    acting = load_queries(ROOT / "access/queries.sql").find_acting
    assert await service.fetchval(acting, "operator") == "operator"


async def test_it_may_do_what_shows_only_when_it_runs(service: Connection) -> None:
    """Numbers that are taken beforehand, and what triggers write in its name."""
    taken = load_queries(ROOT / "alerting/incidents/queries.sql").new_ids
    assert len(await service.fetch(taken, 3)) == 3
    await service.execute("INSERT INTO station (id, name, lifecycle) VALUES ('s', 's', 'planned')")
    await service.execute("INSERT INTO terminal (station, id) VALUES ('s', '001')")
    await service.execute("UPDATE station SET lifecycle = 'commissioned' WHERE id = 's'")
    assert await service.fetchval("SELECT count(*) FROM station_lifecycle") == 1


REFUSED = {
    "drops no table": "DROP TABLE station",
    "alters no table": "ALTER TABLE station ADD COLUMN mine int",
    "makes no table": "CREATE TABLE mine (id int)",
    "empties no table": "TRUNCATE health",
    "deletes no station": "DELETE FROM station",
    "deletes no incident": "DELETE FROM incident",
    "changes no history": "UPDATE transition SET at = now()",
    "deletes no history": "DELETE FROM transition",
    "changes no record": "UPDATE health SET cpu = 0",
    "changes no entry of an incident": "UPDATE incident_entry SET actor = 'x'",
    "invents no migration": "INSERT INTO schema_migration VALUES (9999, 'x', 'x')",
    "runs no program": "COPY area FROM PROGRAM 'id'",
    "reads no file": "SELECT pg_read_file('/etc/passwd')",
    "writes no file": "COPY area TO '/tmp/area'",
    "makes no role": "CREATE ROLE mine",
    "sees no hash of a password": "SELECT password FROM account",
    "makes no account": "INSERT INTO account (id, login, name, role, whole) VALUES ('x', 'x', 'x', 'admin', true)",
    "widens no account": "UPDATE account SET whole = true",
    "sees no session": "SELECT * FROM session",
    "begins no session": "INSERT INTO session (key, account, wall, created_at, used_at) "
    "SELECT '', 'admin', false, now(), now()",
    "sees no token": "SELECT * FROM api_token",
    "sees no link": "SELECT * FROM signin_code",
    "does not see what the API sees": "SELECT scope_areas()",
    "becomes no superuser": "ALTER ROLE current_user SUPERUSER",
    "sees no password": "SELECT * FROM pg_authid",
    "changes no setting of the server": "SET LOCAL log_statement = 'none'",
}


@pytest.mark.parametrize("what", REFUSED)
async def test_it_may_do_little_else(service: Connection, what: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with service.transaction():
            await service.execute(REFUSED[what])


async def test_its_rights_are_repaired_by_the_next_migrate(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute(
            "GRANT ALL ON transition TO milepost_service; REVOKE ALL ON station FROM milepost_service"
        )
        assert await migrate(connection) == []
        rights = await connection.fetch(
            "SELECT relname, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS held "
            "FROM pg_class, aclexplode(relacl) WHERE grantee = 'milepost_service'::regrole "
            "AND relname IN ('transition', 'station', 'station_verdict') GROUP BY relname"
        )
    held = {row["relname"]: row["held"] for row in rights}
    assert held == {"transition": "INSERT SELECT", "station": "INSERT SELECT UPDATE", "station_verdict": "SELECT"}
