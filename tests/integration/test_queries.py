"""Every named query of every room is one that the migrated database understands."""

from pathlib import Path

import pytest

from store.pool import Pool
from store.sql import load_queries

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT) for path in ROOT.glob("*/queries.sql"))


def test_rooms_with_queries_are_found() -> None:
    assert Path("store/queries.sql") in FILES
    assert Path("registry/queries.sql") in FILES


@pytest.mark.parametrize("path", FILES, ids=[path.parent.name for path in FILES])
async def test_every_query_is_prepared(pool: Pool, path: Path) -> None:
    queries = load_queries(ROOT / path).items()
    assert queries, f"{path} names no query"
    failures = []
    async with pool.acquire() as connection:
        for name, sql in queries:
            try:
                await connection.prepare(sql)
            except Exception as exc:  # noqa: BLE001, PERF203 -- every broken query is to be listed, not the first
                failures.append(f"{path}: {name}: {exc}")
    assert not failures, "\n".join(failures)
