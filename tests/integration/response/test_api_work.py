"""The work of a person, and who owns what and how fast people answer, over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import OtherAccount, World, config, other_account, serving
from tests.integration.console_world import COUNTY, PROVINCE, TOWN, a_country
from tests.integration.duty_kit import add_contact

WORK, RESPONSE = "/api/v1/work", "/api/v1/response"
NORTH, WEST = "632122102000", "632122103000"
OPEN_FROM_NINE = {"versions": [["2020-01-01", "24x7", "Asia/Shanghai"]], "kind_versions": [], "overrides": []}
SHUT = {**OPEN_FROM_NINE, "versions": [["2020-01-01", "off", "Asia/Shanghai"]]}


class Place(NamedTuple):
    world: World
    client: httpx.AsyncClient
    li: OtherAccount


@pytest.fixture
async def place(pool: Pool, database: str, tmp_path: Path) -> AsyncIterator[Place]:
    """Two townships of a county with three stations; Li, a technician there, with a contact of the same name."""
    world = await a_country(pool)
    await world.area(NORTH, "中川乡", PROVINCE, COUNTY, level="township")
    await world.area(WEST, "杏儿乡", PROVINCE, COUNTY, level="township")
    for number, town in enumerate((TOWN, TOWN, NORTH)):
        await world.station(f"s{number}", "offline", area=town)
    await world.station("far", "offline", area="640000000000")
    li = await other_account(pool, Role.TECHNICIAN, scope=AreaScope(areas=frozenset({COUNTY})))
    await add_contact(pool, "li", WEST, role="none")
    await pool.execute("UPDATE contact SET account = $1, name = '李明' WHERE id = 'li'", li.account)
    async with serving(config(database, tmp_path)) as (client, _):
        yield Place(world, client, li)


async def an_incident(world: World, station: str, area: str, hours: float = 1, **columns: Any) -> int:
    """An incident of a station that began some hours ago; `columns` of its row."""
    number = await world.incident("station_offline", station=station, area=area, began=hours * 3600)
    for name, value in columns.items():
        await world.pool.execute(f"UPDATE incident SET {name} = $2 WHERE id = $1", number, value)  # noqa: S608
    return number


async def a_page(world: World, incident: int, contact: str = "li", phase: str = "opened", status: str = "paid") -> None:
    await world.pool.execute(
        "INSERT INTO escalation (incident, state) VALUES ($1, '{}') ON CONFLICT DO NOTHING", incident
    )
    await world.pool.execute(
        "INSERT INTO page (incident, recipient, phase, severity, status) VALUES ($1, $2, $3, 'warning', $4)",
        incident, contact, phase, status,
    )  # fmt: skip


async def on_duty(pool: Pool, area: str) -> None:
    """Li is on duty there."""
    await pool.execute(
        "INSERT INTO duty (area, role, contact, times, edited_by) VALUES ($1, 'technician', 'li', '24x7', 'x')", area
    )


async def work(place: Place, **query: str) -> dict[str, Any]:
    answer = await place.client.get(WORK, params=query, headers=place.li.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def reasons(found: dict[str, Any]) -> dict[int, list[str]]:
    """{incident: why} of everything in a list of work."""
    return {item["id"]: item["why"] for group in found["groups"] for item in group["items"]}


async def test_work_is_what_concerns_the_person_and_nothing_else(place: Place) -> None:
    world, li = place.world, place.li.account
    assigned = await an_incident(world, "s0", TOWN, assignee=li)
    by_name = await an_incident(world, "s0", TOWN, assignee="李明")
    taken = await an_incident(world, "s1", TOWN, status="acknowledged", acknowledged_by=li)
    told, both = await an_incident(world, "s1", TOWN), await an_incident(world, "s2", NORTH, assignee=li)
    await a_page(world, told)
    await a_page(world, both)
    cancelled = await an_incident(world, "s2", NORTH)
    await a_page(world, cancelled, status="cancelled")
    await an_incident(world, "s2", NORTH, assignee=li, status="closed")
    await an_incident(world, "far", "640000000000", assignee=li)
    await an_incident(world, "s2", NORTH, assignee="somebody else")
    found = await work(place)
    assert reasons(found) == {
        assigned: ["assigned"], by_name: ["assigned"], taken: ["acknowledged"], told: ["paged"],
        both: ["assigned", "paged"],
    }  # fmt: skip
    assert (found["contacts"], found["more"]) == (["li"], False)


async def test_duty_brings_its_area_and_one_cause_stands_for_its_parts(place: Place) -> None:
    world, pool = place.world, place.world.pool
    cause = await world.incident("area_outage", area=TOWN, detail={"cause": "uplink", "name": "telecom"})
    parts = [await an_incident(world, station, TOWN, parent=cause) for station in ("s0", "s1")]
    await pool.execute(
        "INSERT INTO incident_share (incident, area, children, down) VALUES ($1, $2, 2, 2)", cause, COUNTY
    )
    await an_incident(world, "s0", TOWN, detail={"quiet": True})
    north = await an_incident(world, "s2", NORTH)
    wide = await world.incident("area_outage", area=PROVINCE)
    await pool.execute(
        "INSERT INTO incident_share (incident, area, children, down) VALUES ($1, $2, 9, 7)", wide, COUNTY
    )
    assert reasons(await work(place)) == {}
    await on_duty(pool, TOWN)
    assert reasons(await work(place)) == {cause: ["duty"]}
    await a_page(world, parts[0])
    assert set(reasons(await work(place))) == {cause, parts[0]}, "whoever was told of a part sees it"
    await on_duty(pool, COUNTY)
    found = await work(place)
    assert set(reasons(found)) == {cause, parts[0], north, wide}
    down = {item["id"]: item["stations_down"] for group in found["groups"] for item in group["items"]}
    assert (down[cause], down[wide], down[north]) == (2, 7, 0)


async def test_work_is_a_route_by_township_and_open_time(place: Place) -> None:
    world = place.world
    for station, definition in (("s0", SHUT), ("s1", OPEN_FROM_NINE)):
        await world.hours(station, definition=definition)
    await world.pool.execute("UPDATE station SET address = '团结街 3 号', lat = 36.3, lon = 102.8 WHERE id = 's0'")
    never = await an_incident(world, "s0", TOWN, 48, assignee="li")
    always = await an_incident(world, "s1", TOWN, 2, assignee="li")
    later = await an_incident(world, "s2", NORTH, 5, assignee="li", status="acknowledged", eta_at=world.ago(60))
    groups = (await work(place))["groups"]
    assert [(group["area"], [item["id"] for item in group["items"]]) for group in groups] == [
        (NORTH, [later]), (TOWN, [always, never]),
    ]  # fmt: skip
    first, last = groups[0]["items"][0], groups[1]["items"][1]
    assert (first["openings"], first["overdue"], last["openings"]) == (None, True, [])
    assert (last["open_age_s"], last["address"], last["lat"]) == (0.0, "团结街 3 号", 36.3)
    assert last["age_s"] == pytest.approx(48 * 3600, abs=120)
    assert first["open_age_s"] == first["age_s"]
    assert groups[1]["items"][0]["open_age_s"] == pytest.approx(2 * 3600, abs=120)
    assert len(groups[1]["items"][0]["openings"]) == 1


async def test_the_work_of_a_contact_and_of_nobody(place: Place) -> None:
    world = place.world
    await add_contact(world.pool, "ma", TOWN)
    await add_contact(world.pool, "beyond", "640000000000")
    mine, hers = await an_incident(world, "s0", TOWN, assignee=place.li.account), await an_incident(world, "s0", TOWN)
    await a_page(world, hers, "ma")
    assert reasons(await work(place, contact="ma")) == {mine: ["duty"], hers: ["paged", "duty"]}
    for unknown in ("beyond", "nobody"):
        answer = await place.client.get(WORK, params={"contact": unknown}, headers=place.li.headers)
        assert answer.status_code == 404, unknown
    admin = (await place.client.get(WORK)).json()
    assert (admin["contacts"], admin["groups"]) == ([], [])


async def report(client: httpx.AsyncClient, reader: OtherAccount | None = None, **query: str) -> dict[str, Any]:
    answer = await client.get(RESPONSE, params=query, headers=None if reader is None else reader.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_who_owns_what(place: Place) -> None:
    world = place.world
    unowned = await an_incident(world, "s0", TOWN, 3)
    await an_incident(world, "s0", TOWN, assignee="li")
    overdue = await an_incident(
        world, "s1", TOWN, status="acknowledged", acknowledged_by="admin", eta_at=world.ago(600)
    )
    await an_incident(world, "s1", TOWN, status="acknowledged", acknowledged_by="admin", eta_at=world.ago(-600))
    await an_incident(world, "s2", NORTH, parent=unowned)
    climbed, before = await an_incident(world, "s2", NORTH), await an_incident(world, "s2", NORTH)
    for one in (climbed, before):
        await a_page(world, one, phase="escalated")
    await world.pool.execute("UPDATE escalation SET state = '{\"since\": 2}' WHERE incident = $1", before)
    found = await report(place.client)
    listed = {name: [item["id"] for item in found[name]["items"]] for name in ("unowned", "overdue", "escalated")}
    assert listed == {"unowned": [unowned, climbed, before], "overdue": [overdue], "escalated": [climbed]}
    assert found["unowned"]["count"] == 3
    north = await report(place.client, area=NORTH)
    assert [item["id"] for item in north["unowned"]["items"]] == [climbed, before]
    assert (await report(place.client, area="99"))["unowned"] == {"count": 0, "items": []}


async def test_shares_are_owned_too(place: Place) -> None:
    """A share whose ETA has passed, or with a page from a later step, is listed to its county and to the whole."""
    world, pool = place.world, place.world.pool
    wide = await world.incident("area_outage", area=PROVINCE)
    await pool.execute("INSERT INTO incident_share VALUES ($1, $2, 9, 7)", wide, COUNTY)
    await pool.execute(
        "INSERT INTO incident_share_ack (incident, area, acknowledged_at, acknowledged_by, eta_at) "
        "VALUES ($1, $2, $3, 'x', $4)", wide, COUNTY, world.ago(1200), world.ago(600),
    )  # fmt: skip
    await pool.execute("INSERT INTO escalation (incident, state) VALUES ($1, '{}')", wide)
    await pool.execute("INSERT INTO share_escalation (incident, share, state) VALUES ($1, $2, '{}')", wide, COUNTY)
    await pool.execute(
        "INSERT INTO page (incident, share, recipient, phase, severity, status) "
        "VALUES ($1, $2, 'li', 'escalated', 'critical', 'paid')", wide, COUNTY,
    )  # fmt: skip
    assert reasons(await work(place)) == {wide: ["paged"]}
    await pool.execute("UPDATE incident_share_ack SET acknowledged_by = $1, assignee = '李明'", place.li.account)
    assert reasons(await work(place)) == {wide: ["assigned", "acknowledged", "paged"]}
    auditor = await other_account(pool, Role.AUDITOR, "auditor", scope=AreaScope(areas=frozenset({COUNTY})))

    async def listed(name: str, reader: OtherAccount | None, **query: str) -> list[tuple[int, bool]]:
        found = await report(place.client, reader, **query)
        return [(item["id"], item["overdue"]) for item in found[name]["items"]]

    assert await listed("overdue", None) == await listed("overdue", auditor, area=COUNTY) == [(wide, True)]
    assert await listed("escalated", None) == await listed("escalated", auditor) == [(wide, True)]
    await pool.execute("UPDATE incident_share_ack SET eta_at = now() + interval '1 hour'")
    assert await listed("overdue", None) == await listed("overdue", auditor) == []
    await pool.execute("UPDATE incident_share SET down = 0")
    assert await listed("escalated", auditor) == []
    assert reasons(await work(place)) == {wide: ["paged"]}


def _mean_hours(figures: dict[str, Any]) -> dict[str, tuple[int, int] | None]:
    """The means in wall time and in open time, in whole hours; None: there is none."""
    found = {name: (figures[name]["wall"]["mean"], figures[name]["open"]["mean"])
             for name in ("to_acknowledge", "to_repair")}  # fmt: skip
    return {name: None if wall is None else (round(wall / 3600), round(open_ / 3600))
            for name, (wall, open_) in found.items()}  # fmt: skip


async def test_how_fast_people_answer(place: Place) -> None:
    world, pool, client = place.world, place.world.pool, place.client
    await world.hours("s0", definition=SHUT)
    one = await an_incident(world, "s0", TOWN, 10)
    other = await an_incident(world, "s2", NORTH, 5, ended_at=world.ago(3600), status="closed")
    await an_incident(world, "far", "640000000000", 5)
    await an_incident(world, "s1", TOWN, 24 * 8)
    await an_incident(world, "s1", TOWN, 1, parent=one)
    assert (await client.post(f"/api/v1/incidents/{one}/ack")).status_code == 200
    first = await pool.fetchval("SELECT first_acknowledged_at FROM incident WHERE id = $1", one)
    await pool.execute("UPDATE incident SET eta_at = $2 WHERE id = $1", one, world.ago(1))
    assert (await client.post(f"/api/v1/incidents/{one}/ack")).status_code == 200, "its ETA had passed"
    assert await pool.fetchval("SELECT first_acknowledged_at FROM incident WHERE id = $1", one) == first
    for cause, outcome in (("power", None), ("uplink", "failed")):
        await pool.execute(
            "INSERT INTO repair (incident, at, made_by, cause, stable, verify_at, outcome, outcome_at) "
            "VALUES ($1, now(), 'admin', $2, '1 min', now(), $3, CASE WHEN $3::text IS NOT NULL THEN now() END)",
            other, cause, outcome,
        )  # fmt: skip
    found = await report(client)
    figures = found["figures"]
    assert (figures["incidents"], figures["acknowledged"], figures["repaired"], found["complete"]) == (3, 1, 1, True)
    assert figures["to_acknowledge"]["wall"]["mean"] == pytest.approx(36_000, abs=120)
    assert figures["to_acknowledge"]["open"] == {"mean": 0.0, "median": 0.0}
    assert figures["to_repair"]["wall"]["median"] == figures["to_repair"]["open"]["median"] == pytest.approx(14_400)
    assert [(one["name"], one["figures"]["incidents"]) for one in found["by_area"]] == [
        (PROVINCE, 2),
        ("640000000000", 1),
    ]
    county = await report(client, area="632122")
    assert [(one["name"], one["figures"]["incidents"]) for one in county["by_area"]] == [(TOWN, 1), (NORTH, 1)]
    assert county["by_kind"][0]["name"] == "station_offline"
    assert [(one["name"], one["figures"]["incidents"]) for one in county["by_cause"]] == [("power", 1)]
    assert _mean_hours(county["by_cause"][0]["figures"]) == {"to_acknowledge": None, "to_repair": (4, 4)}
    assert [_mean_hours(one["figures"]) for one in county["by_area"]] == [
        {"to_acknowledge": (10, 0), "to_repair": None}, {"to_acknowledge": None, "to_repair": (4, 4)},
    ]  # fmt: skip
    earlier = (world.now - timedelta(days=9)).isoformat()
    assert (await report(client, **{"from": earlier}))["figures"]["incidents"] == 4
    too_long = await client.get(RESPONSE, params={"from": (world.now - timedelta(days=93)).isoformat()})
    assert (too_long.status_code, too_long.json()["parameter"]) == (422, "from")
    assert (await client.get(RESPONSE, headers=place.li.headers)).status_code == 403
    scoped = await other_account(pool, Role.SUPERVISOR, "su", AreaScope(areas=frozenset({COUNTY})))
    own = (await client.get(RESPONSE, headers=scoped.headers)).json()
    assert (own["figures"]["incidents"], [one["name"] for one in own["by_area"]]) == (2, [TOWN, NORTH])
    assert other in (one["id"] for one in (await client.get("/api/v1/incidents")).json()["items"])
