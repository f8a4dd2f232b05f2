"""The plans of what the ledger says of an area and a day: they look for the area and read no table whole."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from audit.days.sealed.tree_store import QUERIES
from store.pool import Pool

DAY = date(2026, 11, 10)
LARGE = {"day_member", "day_figure"}
FILL = (
    # 20,000 stations of 400 counties, each with a spell in a group that is over and one that goes on, and 30 days on
    # which each tenth station has a figure of its own.
    "INSERT INTO day_share (key) VALUES ('\\x00')",
    "INSERT INTO share_day SELECT (SELECT min(id) FROM day_share), date '2026-11-02' + n, 1, 0, 0, 0, 0, 0 "
    "FROM generate_series(0, 29) AS n",
    "INSERT INTO day_member (station, since, until, share, path) "
    "SELECT 's' || n, since, until, (SELECT min(id) FROM day_share), ARRAY['63', 'c' || n % 400] "
    "FROM generate_series(1, 20000) AS n, "
    "(VALUES (date '2026-10-02', date '2026-11-01'), ('2026-11-02', NULL)) AS s (since, until)",
    "INSERT INTO day_figure (station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, "
    "service_due_ms, usable_ms, cut) "
    "SELECT 's' || n, date '2026-11-02' + d, 1, ARRAY['63', 'c' || n % 400], 1, 0, 0, 0, 0, 0, 1 "
    "FROM generate_series(1, 2000) AS n, generate_series(0, 29) AS d",
    "ANALYZE day_share, share_day, day_member, day_figure",
)


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all plans in it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


@pytest.mark.parametrize(
    ("name", "asked", "index"),
    [
        ("groups_of_areas", (DAY, ["63/c7"]), "day_member_path"),
        ("lines_of_areas", (DAY, ["63/c7"]), "day_figure_day_path"),
        ("revised_areas", (["s7", "s8"], [DAY, DAY]), "day_member_pkey"),
    ],
)
async def test_an_area_is_found_by_an_index(pool: Pool, name: str, asked: tuple[Any, ...], index: str) -> None:
    async with pool.acquire() as connection:
        for statement in FILL:
            await connection.execute(statement)
        (plan,) = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {getattr(QUERIES, name)}", *asked)
    nodes = list(nodes_of(plan["Plan"]))
    read_whole = {node["Relation Name"] for node in nodes if "Seq Scan" in node["Node Type"]} & LARGE
    assert read_whole == set()
    assert index in {node.get("Index Name") for node in nodes}
