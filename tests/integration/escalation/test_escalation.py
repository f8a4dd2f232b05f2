"""The escalation in the database: what makes it look again, and that nothing is done twice or lost."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from registry.routes.model import Route, RouteStep
from registry.routes.routing import Routing
from store.pool import Pool
from tests.integration.escalation.escalation_kit import (
    COUNTY,
    add_people,
    go_back,
    notify,
    one_pass,
    open_incident,
    pages,
    pay,
    words,
)
from tests.integration.incidents_kit import now


@pytest.fixture
async def routing(pool: Pool) -> Routing:
    return await add_people(pool)


async def test_the_plan_is_frozen_and_the_first_step_is_owed(pool: Pool, routing: Routing) -> None:
    incident = await open_incident(pool)
    await one_pass(pool, routing)
    assert await pages(pool, incident) == ["an opened owed"]
    row = await pool.fetchrow("SELECT * FROM escalation WHERE incident = $1", incident)
    assert row is not None
    assert (row["route"], [step["rule"]["role"] for step in row["plan"]["steps"]]) == (
        "county",
        ["technician", "lead", "head"],
    )
    assert timedelta(minutes=29) < row["wake_at"] - now() < timedelta(minutes=31)
    assert await pool.fetchval("SELECT count(*) FROM notification WHERE routed_at IS NULL") == 0
    await go_back(pool, incident, 1900)
    await one_pass(pool, Routing(contacts=routing.contacts))
    assert await pages(pool, incident) == ["an opened owed", "li escalated owed"], (
        "later edits of routes change nothing"
    )


async def test_an_acknowledgement_wakes_it_and_cancels_what_is_owed(pool: Pool, routing: Routing) -> None:
    incident = await open_incident(pool)
    await one_pass(pool, routing)
    await pool.execute(
        "UPDATE incident SET status = 'acknowledged', acknowledged_at = now(), acknowledged_by = 'x', "
        "eta_at = now() + interval '1 hour' WHERE id = $1",
        incident,
    )
    await one_pass(pool, routing)
    assert await pages(pool, incident) == ["an opened cancelled acknowledged"]
    assert await words(pool, incident) == ["step_due", "acknowledged"]
    assert await pool.fetchval("SELECT count(*) FROM incident_entry WHERE action = 'not_told'") == 1
    await pool.execute("UPDATE incident SET eta_at = now() - interval '1 second' WHERE id = $1", incident)
    for _ in range(2):
        await one_pass(pool, routing)
        assert (await pages(pool, incident))[1:] == ["an escalated 1 owed"], "told once that the ETA has passed"
        await pool.execute("UPDATE escalation SET wake_at = now() WHERE incident = $1", incident)


async def test_recovery_goes_to_whoever_was_told(pool: Pool, routing: Routing) -> None:
    incident = await open_incident(pool)
    await one_pass(pool, routing)
    await pay(pool, "an")
    await go_back(pool, incident, 1900)
    await one_pass(pool, routing)
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", incident)
    await notify(pool, incident, "closed")
    await one_pass(pool, routing)
    expected = ["an opened paid", "li escalated cancelled over", "an closed owed", "li passed owed"]
    assert await pages(pool, incident) == expected
    await pool.execute("UPDATE escalation SET wake_at = now()")
    await one_pass(pool, routing)
    assert await pages(pool, incident) == expected
    assert await pool.fetchval("SELECT over_at IS NOT NULL FROM escalation WHERE incident = $1", incident)


async def test_a_page_that_fails_wakes_it(pool: Pool, routing: Routing) -> None:
    incident = await open_incident(pool)
    await one_pass(pool, routing)
    await pool.execute("UPDATE page SET status = 'failed', reason = 'no_channel'")
    await one_pass(pool, routing)
    assert await pages(pool, incident) == ["an opened failed no_channel", "li escalated owed"]


async def test_a_silence_holds_and_its_early_end_wakes(pool: Pool, routing: Routing) -> None:
    await pool.execute(
        "INSERT INTO silence (station, from_at, until_at, reason, made_by) "
        "VALUES ('A', now() - interval '1 minute', now() + interval '1 hour', 'moving', 'x')"
    )
    incident = await open_incident(pool)
    await one_pass(pool, routing)
    assert (await pages(pool, incident), await words(pool, incident)) == ([], ["silenced"])
    await pool.execute("UPDATE silence SET ended_at = now(), ended_by = 'x'")
    await one_pass(pool, routing)
    assert await pages(pool, incident) == ["an opened owed"]


async def test_what_is_held_until_the_station_opens_is_not_read_before(pool: Pool, routing: Routing) -> None:
    incident = await open_incident(pool)
    await pool.execute("UPDATE notification SET not_before = now() + interval '1 hour'")
    await one_pass(pool, routing)
    assert await pool.fetchval("SELECT count(*) FROM escalation") == 0
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", incident)
    await notify(pool, incident, "closed")
    await one_pass(pool, routing)
    assert await pool.fetchval("SELECT count(*) FROM escalation") == 0, "the beginning comes first"
    await pool.execute("UPDATE notification SET not_before = now() WHERE not_before IS NOT NULL")
    for _ in range(2):
        await one_pass(pool, routing)
    assert await pages(pool, incident) == ["an passed owed"]
    assert await pool.fetchval("SELECT not_before <= now() FROM page"), "what was held is sent as one digest"


async def test_a_part_of_another_is_told_of_its_end_if_it_was_told(pool: Pool, routing: Routing) -> None:
    incident, cause = await open_incident(pool), await open_incident(pool, key="outage", station=None, area="632122")
    await one_pass(pool, routing)
    await pay(pool, "an")
    await pool.execute("UPDATE incident SET parent = $2 WHERE id = $1", incident, cause)
    await one_pass(pool, routing)
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", incident)
    await one_pass(pool, routing)
    assert await pages(pool, incident) == ["an opened paid", "an closed owed"]
    assert await words(pool, incident) == ["step_due", "part_of_another", "over"]


async def test_children_of_a_cause_wake_nothing(pool: Pool, routing: Routing) -> None:
    cause = await open_incident(pool, key="outage", station=None, area="632122")
    await pool.execute(
        "INSERT INTO incident (kind, key, station, status, parent, began_at, opened_at) "
        "VALUES ('station_offline', 'c', 'A', 'open', $1, now(), now())",
        cause,
    )
    await pool.execute("UPDATE incident SET status = 'closed' WHERE parent = $1", cause)
    assert await pool.fetchval("SELECT count(*) FROM escalation_wake") == 0


async def test_incidents_of_before_are_not_told_again(pool: Pool, routing: Routing) -> None:
    """An end whose beginning was told without the escalation has nobody to go to."""
    incident = await open_incident(pool)
    await pool.execute("UPDATE notification SET routed_at = now()")
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", incident)
    await notify(pool, incident, "closed")
    await one_pass(pool, routing)
    assert await pages(pool, incident) == []
    assert await pool.fetchval("SELECT count(*) FROM escalation") == 0


async def test_two_processes_share_the_work_and_make_each_page_once(pool: Pool, routing: Routing) -> None:
    for number in range(60):
        await open_incident(pool, key=f"k{number}")
    await asyncio.gather(*(one_pass(pool, routing, 25) for _ in range(4)))
    while await one_pass(pool, routing, 25):
        pass
    assert await pool.fetchval("SELECT count(*) FROM page") == 60
    assert await pool.fetchval("SELECT count(*) FROM escalation") == 60


async def test_a_pass_that_ends_before_it_commits_leaves_nothing(pool: Pool, routing: Routing) -> None:
    from alerting.escalation.routing_now import RoutingNow
    from alerting.escalation.store import route_new
    from alerting.silences.rules import Silences

    incident = await open_incident(pool)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await route_new(connection, RoutingNow(routing, Silences()), 10) == 1
        assert await one_pass(pool, routing) == 0, "another process does not wait, and takes nothing twice"
        await transaction.rollback()
    await one_pass(pool, routing)
    assert await pages(pool, incident) == ["an opened owed"]


async def test_what_cannot_be_read_is_tried_again_and_holds_up_nothing(pool: Pool, routing: Routing) -> None:
    broken, sound = await open_incident(pool), await open_incident(pool, key="other")
    await one_pass(pool, routing)
    await pool.execute("""UPDATE escalation SET plan = '{"steps": 3}', wake_at = now() WHERE incident = $1""", broken)
    await go_back(pool, sound, 1900)
    await one_pass(pool, routing)
    assert await pages(pool, sound) == ["an opened owed", "li escalated owed"]
    row = await pool.fetchrow("SELECT plan, wake_at > now() AS later FROM escalation WHERE incident = $1", broken)
    assert dict(row or {}) == {"plan": {"steps": 3}, "later": True}


async def test_what_the_database_refuses_is_named_and_holds_up_nothing(pool: Pool, routing: Routing) -> None:
    """The technician of one incident is not in the database; another incident goes to the head."""
    refused, sound = await open_incident(pool), await open_incident(pool, key="other")
    await pool.execute("""UPDATE incident SET detail = '{"severity": "critical"}' WHERE id = $1""", sound)
    grave = Route(id="grave", name="grave", area=COUNTY, severities=("critical",), steps=(RouteStep(role="head"),))
    contacts = {**routing.contacts, "unknown": msgspec.structs.replace(routing.contacts["an"], id="unknown")}
    del contacts["an"]
    named = "SELECT string_agg(kind || ' ' || subject, ', ') FROM set_aside WHERE service = 'deliver'"
    await one_pass(pool, msgspec.structs.replace(routing, contacts=contacts, routes=(*routing.routes, grave)))
    assert (await pages(pool, refused), await pages(pool, sound)) == ([], ["he opened owed"])
    assert await pool.fetchval(named) == f"incident {refused}"
    await pool.execute("UPDATE escalation SET wake_at = now()")
    await one_pass(pool, routing)
    assert await pages(pool, refused) == ["an opened owed"]
    assert await pool.fetchval(named) is None


async def test_a_graver_severity_takes_its_own_route(pool: Pool, routing: Routing) -> None:
    grave = Route(id="grave", name="grave", area=COUNTY, severities=("critical",), steps=(RouteStep(role="head"),))
    both = msgspec.structs.replace(routing, routes=(*routing.routes, grave))
    incident = await open_incident(pool)
    await one_pass(pool, both)
    await pool.execute("""UPDATE incident SET detail = '{"severity": "critical"}' WHERE id = $1""", incident)
    await one_pass(pool, both)
    assert await pages(pool, incident) == ["an opened cancelled route_changed", "he opened 1 owed"]
    row = await pool.fetchrow(
        "SELECT route, plan -> 'earlier' AS earlier FROM escalation WHERE incident = $1", incident
    )
    assert dict(row or {}) == {"route": "grave", "earlier": ["county"]}
    assert await pool.fetchval("SELECT severity FROM page WHERE recipient = 'he'") == "critical"


async def test_the_log_keeps_its_newest_lines(pool: Pool, routing: Routing) -> None:
    incident = await open_incident(pool)
    await one_pass(pool, routing)
    await pool.execute(
        "UPDATE escalation SET log = (SELECT jsonb_agg(jsonb_build_object('what', 'held', 'n', n)) "
        "FROM generate_series(1, 500) AS n)"
    )
    await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", incident)
    await one_pass(pool, routing)
    log = await pool.fetchval("SELECT log FROM escalation WHERE incident = $1", incident)
    assert (len(log), log[0]["n"], log[-1]["what"]) == (500, 2, "over")
