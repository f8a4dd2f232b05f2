"""Every named query of every room is one that the migrated database understands."""

from pathlib import Path

import asyncpg
import pytest

from store.pool import Connection, Pool
from store.sql import load_queries
from tests.machine_words import ROOMS, ROOT

FILES = sorted(str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*queries.sql"))


async def broken_queries(connection: Connection, path: str) -> list[str]:
    """Each query of a file that cannot be prepared, with the reason."""
    broken = []
    for name, sql in load_queries(ROOT / path).items():
        try:
            await connection.prepare(sql)
        except asyncpg.PostgresError as exc:
            broken.append(f"{name}: {exc}")
    return broken


def test_rooms_with_queries_are_found() -> None:
    assert {"store/queries.sql", "registry/queries.sql"} <= set(FILES)
    assert not [path for path in FILES if not load_queries(ROOT / path).items()]


async def test_a_broken_query_is_noticed(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "queries.sql"
    path.write_text("-- name: good\nSELECT id FROM station;\n-- name: bad\nSELECT nonsense FROM station;\n")
    async with pool.acquire() as connection:
        assert await broken_queries(connection, str(path)) == ['bad: column "nonsense" does not exist']


@pytest.mark.parametrize("path", FILES)
async def test_every_query_is_prepared(pool: Pool, path: str) -> None:
    async with pool.acquire() as connection:
        assert await broken_queries(connection, path) == []
