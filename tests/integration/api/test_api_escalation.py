"""Who is told of an incident, in the API and on its page; and acknowledgements with the time by which it should end."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from registry.routes.routing import Routing
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving, sign_in
from tests.integration.escalation.escalation_kit import COUNTY, add_people, go_back, one_pass, open_incident, pay

INCIDENTS = "/api/v1/incidents"
OWN = {"Origin": "http://milepost.test"}


@pytest.fixture
async def routing(pool: Pool) -> Routing:
    await World(pool).clock()
    return await add_people(pool)


@pytest.fixture
async def incident(pool: Pool, routing: Routing) -> int:
    """Told to the technician by SMS, and half an hour later to the lead, who is not reached yet."""
    incident = await open_incident(pool)
    await one_pass(pool, routing)
    await pay(pool, "an")
    await pool.execute(
        "WITH made AS (INSERT INTO message (contact, kind, fingerprint, severity, status) "
        "VALUES ('an', 'sms', 'f', 'warning', 'taken') RETURNING id) "
        "INSERT INTO message_page SELECT made.id, page.id FROM made, page"
    )
    await go_back(pool, incident, 1900)
    await one_pass(pool, routing)
    return incident


@pytest.fixture
async def client(incident: int, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path)) as (client, _):
        yield client


async def test_who_is_told_is_shown(client: httpx.AsyncClient, incident: int) -> None:
    told = (await client.get(f"{INCIDENTS}/{incident}")).json()["escalation"]
    assert (told["route"], told["round"], told["next_step"]) == ("county", 0, 2)
    assert [(step["role"], step["after_s"]) for step in told["steps"]] == [
        ("technician", 0), ("lead", 1800), ("head", 7200),
    ]  # fmt: skip
    assert told["steps"][2]["due_at"] == told["wake_at"]
    assert [step["due_at"] for step in told["steps"][:2]] == [None, None]
    assert [(page["name"], page["phase"], page["status"], page["channel"]) for page in told["pages"]] == [
        ("li", "escalated", "owed", None),
        ("an", "opened", "paid", "sms"),
    ]
    assert [(entry["what"], entry["step"], entry["contacts"]) for entry in told["log"]] == [
        ("step_due", 1, ["li"]),
        ("step_due", 0, ["an"]),
    ]


async def test_an_incident_of_before_has_none(client: httpx.AsyncClient, pool: Pool) -> None:
    number = await World(pool).incident("station_offline", station="A")
    assert (await client.get(f"{INCIDENTS}/{number}")).json()["escalation"] is None


async def test_an_acknowledgement_names_the_end_and_can_be_renewed(
    client: httpx.AsyncClient, incident: int, pool: Pool, routing: Routing
) -> None:
    eta = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    taken = await client.post(f"{INCIDENTS}/{incident}/ack", json={"eta": eta, "text": "on my way"})
    assert (taken.status_code, datetime.fromisoformat(taken.json()["eta_at"])) == (200, datetime.fromisoformat(eta))
    await one_pass(pool, routing)
    told = (await client.get(f"{INCIDENTS}/{incident}")).json()["escalation"]
    assert [(page["name"], page["status"], page["reason"]) for page in told["pages"]] == [
        ("li", "cancelled", "acknowledged"),
        ("an", "paid", None),
    ]
    assert told["steps"][2]["due_at"] is None
    assert (await client.post(f"{INCIDENTS}/{incident}/ack")).status_code == 409, "as before"
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    assert (await client.post(f"{INCIDENTS}/{incident}/ack", json={"eta": later})).status_code == 200
    await pool.execute("UPDATE incident SET eta_at = now() WHERE id = $1", incident)
    assert (await client.post(f"{INCIDENTS}/{incident}/ack")).status_code == 200, "the ETA has passed"
    entries = await pool.fetchval("SELECT count(*) FROM ledger_entry WHERE kind = 'incident.acknowledged'")
    assert entries == 3


async def test_an_acknowledgement_that_names_no_end_counts_for_a_while(
    client: httpx.AsyncClient, incident: int
) -> None:
    taken = (await client.post(f"{INCIDENTS}/{incident}/ack")).json()
    until = datetime.fromisoformat(taken["eta_at"]) - datetime.fromisoformat(taken["acknowledged_at"])
    assert until == timedelta(hours=4)


@pytest.mark.parametrize("eta", ["2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z", "2026-11-28T08:00:00", "soon"])
async def test_an_end_that_cannot_be_is_refused(client: httpx.AsyncClient, incident: int, eta: str) -> None:
    refused = await client.post(f"{INCIDENTS}/{incident}/ack", json={"eta": eta})
    assert (refused.status_code, refused.json()["parameter"]) == (422, "eta")
    assert (await client.get(f"{INCIDENTS}/{incident}")).json()["status"] == "open"


async def test_a_contact_outside_the_scope_has_no_name(client: httpx.AsyncClient, incident: int, pool: Pool) -> None:
    await pool.execute("UPDATE contact SET area = '63' WHERE id = 'li'")
    county = await other_account(pool, Role.TECHNICIAN, scope=AreaScope(areas=frozenset({COUNTY})))
    answer = await client.get(f"{INCIDENTS}/{incident}", headers=county.headers)
    told = answer.json()["escalation"]
    assert [(page["recipient"], page["role"]) for page in told["pages"]] == [(None, "lead"), ("an", "technician")]
    assert [entry["contacts"] for entry in told["log"]] == [[], ["an"]]
    assert '"li"' not in answer.text


async def test_its_page_shows_who_is_told_and_takes_the_end(
    incident: int, database: str, tmp_path: Path, pool: Pool
) -> None:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        english = (await client.get(f"/incidents/{incident}", headers={"Accept-Language": "en"})).text
        chinese = (await client.get(f"/incidents/{incident}", headers={"Accept-Language": "zh-CN"})).text
        ends = (datetime.now(UTC) + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M")
        done = await client.post(f"/incidents/{incident}/ack", data={"eta": ends, "text": "parts"}, headers=OWN)
        after = (await client.get(f"/incidents/{incident}", headers={"Accept-Language": "en"})).text
        past = await client.post(f"/incidents/{incident}/ack", data={"eta": "2020-01-01T08:00"}, headers=OWN)
    for text in ("Who is told", "Route county", "Next: step 3", "SMS", "waiting", "lead · after 30 min", 'name="eta"'):
        assert text in english
    for text in ("通知了谁", "路由 county", "短信", "待发送", "预计恢复时间"):
        assert text in chinese
    assert (done.status_code, past.status_code) == (303, 409)
    assert "Expected end" in after
    assert "Name another time" in after
    eta = await pool.fetchval("SELECT eta_at FROM incident WHERE id = $1", incident)
    assert eta == datetime.fromisoformat(f"{ends}+08:00")
