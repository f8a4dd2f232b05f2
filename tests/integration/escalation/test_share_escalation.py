"""The parts of an outage of two counties in the database: what makes them look again, and whom they tell."""

from collections.abc import Iterator
from typing import Any

import pytest

from alerting.delivery.pages.store import QUERIES as PAGE_QUERIES
from registry.routes.routing import Routing
from store.pool import Pool
from tests.integration.escalation.escalation_kit import notify, one_pass, words
from tests.unit.registry.routes.routes_kit import contact, route
from tests.unit.registry.routes.routes_kit import routing as routing_of

PROVINCE, EAST, WEST = "63", "632122", "632123"
PEOPLE = {
    "all": ("technician", None),
    "pu": ("technician", PROVINCE),
    "an": ("technician", EAST),
    "al": ("lead", EAST),
    "bo": ("technician", WEST),
}


@pytest.fixture
async def routing(pool: Pool) -> Routing:
    await pool.execute(
        "INSERT INTO area (code, name, parent, path, level) VALUES ('63', '青海', NULL, '{63}', 'province'), "
        "('632122', '民和', '63', '{63,632122}', 'county'), ('632123', '乐都', '63', '{63,632123}', 'county')"
    )
    await pool.executemany(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, $1, $2, $3, 'test')",
        [(name, role, area) for name, (role, area) in PEOPLE.items()],
    )
    contacts = [contact(name, role, area) for name, (role, area) in PEOPLE.items()]
    return routing_of(contacts, routes=[route("technician; lead after 30m")])


@pytest.fixture
async def outage(pool: Pool, routing: Routing) -> int:
    """As the incident process writes it: the outage of the province, its shares and its notification together."""
    async with pool.acquire() as connection, connection.transaction():
        incident: int = await connection.fetchval(
            "INSERT INTO incident (kind, key, area, began_at, opened_at, detail) "
            "VALUES ('area_outage', 'area_outage:area:63', '63', now(), now(), '{}') RETURNING id"
        )
        await connection.execute(
            "INSERT INTO incident_share VALUES ($1, $2, 7, 5), ($1, $3, 2, 2)", incident, EAST, WEST
        )
        await notify(connection, incident, "opened")
    await one_pass(pool, routing)
    return incident


async def told(pool: Pool) -> list[str]:
    """Each page, such as `an opened 632122 owed`."""
    rows = await pool.fetch("SELECT recipient, phase, share, status, reason FROM page ORDER BY id")
    return [" ".join(filter(None, row.values())) for row in rows]


async def test_each_county_is_told_of_its_share_both_ways(pool: Pool, routing: Routing, outage: int) -> None:
    assert await told(pool) == ["pu opened owed", "an opened 632122 owed", "bo opened 632123 owed"]
    numbers = [row["id"] for row in await pool.fetch("SELECT id FROM page ORDER BY id")]
    rows = [dict(row) for row in await pool.fetch(PAGE_QUERIES.facts, numbers)]
    facts = {row["areas"][-1]["name"]: (row["children"], row["children_open"]) for row in rows}
    assert (facts["民和"], facts["乐都"]) == ((7, 5), (2, 2))
    await pool.execute("UPDATE page SET status = 'paid'")
    await one_pass(pool, routing)
    await pool.execute("UPDATE incident_share SET down = 4 WHERE area = $1", EAST)
    assert await pool.fetchval("SELECT count(*) FROM escalation_wake") == 0, "one station more is no news"
    await pool.execute("UPDATE incident_share SET down = 0 WHERE area = $1", EAST)
    await one_pass(pool, routing)
    assert (await told(pool))[3:] == ["an closed 632122 owed"]
    await pool.execute("UPDATE incident_share SET down = 0")
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", outage)
    await notify(pool, outage, "closed")
    await one_pass(pool, routing)
    await one_pass(pool, routing)
    assert sorted((await told(pool))[4:]) == ["bo closed 632123 owed", "pu closed owed"]


async def test_an_acknowledged_share_ends_its_own_steps(pool: Pool, routing: Routing, outage: int) -> None:
    await pool.execute(
        "INSERT INTO incident_share_ack (incident, area, acknowledged_at, acknowledged_by, eta_at) "
        "VALUES ($1, $2, now(), 'x', now() + interval '1 hour')",
        outage,
        EAST,
    )
    await one_pass(pool, routing)
    assert await told(pool) == ["pu opened owed", "an opened 632122 cancelled acknowledged", "bo opened 632123 owed"]
    entry = await pool.fetchrow("SELECT share, text FROM incident_entry WHERE action = 'not_told'")
    assert entry is not None and tuple(entry) == (EAST, "opened → an")
    await pool.execute("UPDATE incident_share_ack SET eta_at = now() - interval '1 second'")
    await one_pass(pool, routing)
    assert (await told(pool))[3:] == ["an escalated 632122 owed"]


async def test_a_step_of_a_share_is_due_at_its_own_time(pool: Pool, routing: Routing, outage: int) -> None:
    await pool.execute(
        "UPDATE share_escalation SET wake_at = now(), state = jsonb_set(state, '{base}', "
        "to_jsonb(now() - interval '31 minutes')) WHERE share = $1",
        EAST,
    )
    await one_pass(pool, routing)
    assert (await told(pool))[3:] == ["al escalated 632122 owed"]


async def test_a_county_that_joins_is_told_then(pool: Pool, routing: Routing, outage: int) -> None:
    await pool.execute("DELETE FROM page")
    await pool.execute("DELETE FROM share_escalation WHERE share = $1", WEST)
    await pool.execute("DELETE FROM incident_share WHERE area = $1", WEST)
    await pool.execute("INSERT INTO incident_share VALUES ($1, $2, 1, 1)", outage, WEST)
    await one_pass(pool, routing)
    assert await told(pool) == ["bo opened 632123 owed"]


@pytest.mark.parametrize("change", ["UPDATE incident SET area = '632122'", "DELETE FROM incident_share"])
async def test_a_part_without_anything_in_it_ends(pool: Pool, routing: Routing, outage: int, change: str) -> None:
    """The area of the incident is that of the part, or the share is gone: the part is decided, not claimed for ever."""
    await pool.execute("UPDATE page SET status = 'paid'")
    await pool.execute(change)
    await pool.execute("UPDATE share_escalation SET wake_at = now()")
    await one_pass(pool, routing)
    assert await pool.fetchval("SELECT count(*) FROM share_escalation WHERE wake_at <= now()") == 0
    assert await one_pass(pool, routing) == 0
    ends = ["an closed 632122 owed", "bo closed 632123 owed"]
    assert sorted((await told(pool))[3:]) == (ends if change.startswith("DELETE") else [])


async def test_an_incident_that_cannot_be_routed_rests_with_its_parts(
    pool: Pool, routing: Routing, outage: int
) -> None:
    await pool.execute("UPDATE escalation SET plan = '{}', wake_at = now()")
    await pool.execute("UPDATE share_escalation SET wake_at = now()")
    await one_pass(pool, routing)
    assert await one_pass(pool, routing) == 0


async def test_an_incident_that_grows_is_told_to_the_level_that_it_reaches(
    pool: Pool, routing: Routing, outage: int
) -> None:
    """The plan, the pages and the log of the county become those of its part, once no page is locked by a sender."""
    await pool.execute("DELETE FROM page")
    await pool.execute("DELETE FROM share_escalation")
    await pool.execute("DELETE FROM escalation")
    await pool.execute("UPDATE incident SET area = $1", EAST)
    await pool.execute("UPDATE notification SET routed_at = NULL")
    await one_pass(pool, routing)
    assert await told(pool) == ["an opened owed", "bo opened 632123 owed"]
    await pool.execute("UPDATE incident SET area = '63'")
    async with pool.acquire() as sending, sending.transaction():
        await sending.execute("SELECT FROM page WHERE recipient = 'an' FOR NO KEY UPDATE")
        await one_pass(pool, routing)
    assert await told(pool) == ["an opened owed", "bo opened 632123 owed"]
    assert await pool.fetchval("SELECT wake_at < now() + interval '2 seconds' FROM escalation")
    await pool.execute("UPDATE escalation SET wake_at = now()")
    await one_pass(pool, routing)
    assert await told(pool) == ["an opened 632122 owed", "bo opened 632123 owed", "pu opened owed"]
    assert await words(pool, outage) == ["grew", "step_due"]
    log = await pool.fetchval("SELECT log FROM share_escalation WHERE share = $1", EAST)
    assert [entry["what"] for entry in log] == ["step_due"]
    await pool.execute("UPDATE page SET status = 'paid'")
    await pool.execute("UPDATE incident SET area = NULL")
    await pool.execute("UPDATE incident_share SET down = 0 WHERE area = $1", EAST)
    await one_pass(pool, routing)
    assert (await told(pool))[2:] == ["pu opened 63 paid", "all opened owed", "an closed 632122 owed"]


async def test_an_incident_that_grows_from_a_township_keeps_its_pages(
    pool: Pool, routing: Routing, outage: int
) -> None:
    """No part has the area of the plan: the people of the larger area get a page, too."""
    for table in ("page", "share_escalation", "incident_share"):
        await pool.execute(f"DELETE FROM {table}")  # noqa: S608
    await pool.execute("UPDATE incident SET area = $1", EAST)
    await pool.execute(
        'UPDATE escalation SET wake_at = NULL, plan = jsonb_set(plan, \'{subject,path}\', \'["63", "632122", "town"]\')'
    )
    await pool.execute(
        "INSERT INTO page (incident, recipient, phase, severity, status) "
        "VALUES ($1, 'al', 'opened', 'critical', 'paid')",
        outage,
    )
    await one_pass(pool, routing)
    assert await told(pool) == ["al opened paid", "an opened owed"]
    await pool.execute("UPDATE page SET status = 'paid'")
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now()")
    await one_pass(pool, routing)
    assert sorted((await told(pool))[2:]) == ["al closed owed", "an closed owed"]


async def test_a_fault_of_one_share_holds_up_no_other(pool: Pool, routing: Routing, outage: int) -> None:
    await pool.execute("UPDATE share_escalation SET plan = '{}', wake_at = now() WHERE share = $1", EAST)
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", outage)
    await pool.execute("UPDATE page SET status = 'paid'")
    await one_pass(pool, routing)
    assert (await told(pool))[3:] == ["pu closed owed", "bo closed 632123 owed"]
    assert await pool.fetchval("SELECT wake_at > now() FROM share_escalation WHERE share = $1", EAST)


@pytest.mark.parametrize("query", ["open_pages", "facts"])
async def test_a_message_reads_the_shares_of_its_incidents_alone(pool: Pool, outage: int, query: str) -> None:
    """However many shares there are of others."""
    numbers = [row["id"] for row in await pool.fetch("SELECT id FROM page ORDER BY id")]
    values: tuple[Any, ...] = ("an", 1000) if query == "open_pages" else (numbers,)
    async with pool.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "INSERT INTO incident_share SELECT 1000000 + n, area, 2, 1 FROM generate_series(1, 20000) AS n, "
            "unnest($1::text[]) AS area",
            [EAST, WEST],
        )
        await connection.execute("RESET session_replication_role")
        await connection.execute("ANALYZE incident_share, incident, page, area")
        (plan,) = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {getattr(PAGE_QUERIES, query)}", *values)
    looks = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") == "incident_share"]
    assert looks and all("Index Cond" in look or "Recheck Cond" in look for look in looks), plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
