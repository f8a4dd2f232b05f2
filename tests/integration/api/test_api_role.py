"""The API works in the database as its own role, whatever its login is; a login that may not is told the remedy."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from api.http.database import require_role, with_query_settings
from contract.errors import RemedyError
from store.pool import Pool
from tests.integration.api_world import config, serving

LOGIN = "milepost_test_login"


@pytest.fixture
async def login(pool: Pool, database: str) -> AsyncIterator[str]:
    """The URL of the database for a login without any rights."""
    await pool.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD 'test'")
    place = database.rpartition("@")[2]
    yield f"postgresql://{LOGIN}:test@{place}"
    await pool.execute(f"DROP ROLE {LOGIN}")


async def test_a_superuser_s_login_is_held_to_the_role(database: str) -> None:
    connection = await asyncpg.connect(with_query_settings(database))
    try:
        assert await connection.fetchval("SELECT current_user") == "milepost_api"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM public.health")
    finally:
        await connection.close()


async def test_a_login_that_may_not_take_the_role_is_told_so(login: str) -> None:
    with pytest.raises(RemedyError, match="GRANT milepost_api TO"):
        await require_role(login)


async def test_a_login_that_may_take_the_role_is_served(pool: Pool, login: str, tmp_path: Path) -> None:
    await pool.execute(f"GRANT milepost_api TO {LOGIN} WITH INHERIT FALSE, SET TRUE")
    async with serving(config(login, tmp_path)) as (client, _):
        assert (await client.get("/api/v1/stations")).status_code == 200


async def test_a_role_without_rights_is_told_to_migrate(pool: Pool, login: str) -> None:
    await pool.execute(f"GRANT milepost_api TO {LOGIN} WITH INHERIT FALSE, SET TRUE")
    await pool.execute("REVOKE ALL ON schema_migration FROM milepost_api")
    with pytest.raises(RemedyError, match="run `milepost migrate` as the owner"):
        await require_role(login)
