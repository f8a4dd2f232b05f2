"""What a county sees of an incident that reaches beyond it, and what it may do about it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import msgspec
import pytest

from access.roles import Role
from access.rules import OPERATOR
from access.scope import WHOLE, AreaScope
from access.store import add_account, add_token
from access.tokens import new_token
from alerting.incidents.book import Book, Incident
from alerting.incidents.store import recount_shares, store_book
from api.actions import shares
from api.live.event_hub import Client
from store.ledger import MOST_BODY, canonical
from store.pool import Connection, Pool
from store.scoped import API_ROLE, SEARCH_PATH
from tests.integration.api_world import OWN_PAGE, World, config, join_all, serving

PROVINCE, EAST, TOWN, WEST, ELSEWHERE = "630000000000", "632122000000", "632122101000", "632123000000", "640000000000"
CHILDREN = {"6321220001": EAST, "6321220002": TOWN, "6321230001": WEST}
Headers = dict[str, str]


async def token_of(pool: Pool, login: str, role: Role, *areas: str) -> Headers:
    """The headers of a new account that holds these areas, or the whole."""
    scope = AreaScope(areas=frozenset(areas)) if areas else WHOLE
    new = new_token()
    async with pool.acquire() as connection:
        account = await add_account(connection, login=login, name=login, role=role, scope=scope, by=OPERATOR)
        await add_token(
            connection, new, account=account.id, name="t", role=role, scope=scope, by=OPERATOR,
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )  # fmt: skip
    return {"Authorization": f"Bearer {new.text}"}


@pytest.fixture
async def world(pool: Pool) -> World:
    world = World(pool)
    await world.clock()
    await world.area(PROVINCE, "青海省", level="province")
    await world.area(ELSEWHERE, "宁夏", level="province")
    await world.area(EAST, "民和县", PROVINCE)
    await world.area(WEST, "乐都县", PROVINCE)
    await world.area(TOWN, "官亭镇", PROVINCE, EAST, level="township")
    for station, area in {**CHILDREN, "6401000001": ELSEWHERE}.items():
        await world.station(station, "offline", area=area)
    return world


@pytest.fixture
async def outage(world: World) -> int:
    """An outage of the province with two stations of one county and one of another."""
    book = Book()
    detail = {"cause": "area", "name": PROVINCE, "children": 3, "expected": 44_444_444, "share": 0.7}
    parent = book.open(incident(world, "area_outage", "area_outage:area:63", area=PROVINCE, detail=detail), "area")
    for station, area in CHILDREN.items():
        key = f"station_offline:{station}"
        book.open(incident(world, "station_offline", key, station=station, area=area, parent=parent.id), "r")
    async with world.pool.acquire() as connection, connection.transaction():
        assert await store_book(connection, book, world.now) == {}
        number: int = await connection.fetchval("SELECT id FROM incident WHERE parent IS NULL")
    return number


def incident(world: World, kind: str, key: str, **given: Any) -> Incident:
    return Incident(id=0, kind=kind, key=key, status="open", began_at=world.ago(600), opened_at=world.now, **given)


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path), token=None) as (client, _):
        yield client


@pytest.fixture
async def county(pool: Pool, world: World) -> Headers:
    return await token_of(pool, "county", Role.SUPERVISOR, EAST)


async def seen(client: httpx.AsyncClient, number: int, headers: Headers) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/incidents/{number}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(client: httpx.AsyncClient, headers: Headers, **filters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/incidents", headers=headers, params={"top": True, **filters})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def act(client: httpx.AsyncClient, number: int, action: str, headers: Headers, **said: str) -> httpx.Response:
    return await client.post(f"/api/v1/incidents/{number}/{action}", headers=headers, json=said)


async def test_a_county_sees_its_share_and_nothing_of_the_others(
    client: httpx.AsyncClient, outage: int, county: Headers, pool: Pool
) -> None:
    mine = await pool.fetch("SELECT id FROM incident WHERE station LIKE '632122%' ORDER BY id")
    (item,) = await listed(client, county)
    assert item == {name: value for name, value in (await seen(client, outage, county)).items() if name in item}
    assert item["share"] == {
        "area": EAST, "children": 2, "down": 2,
        "acknowledged_at": None, "acknowledged_by": None, "acknowledged_remark": None, "eta_at": None, "assignee": None,
    }  # fmt: skip
    assert (item["id"], item["kind"], item["area"], item["status"]) == (outage, "area_outage", PROVINCE, "open")
    assert item["children"] == [row["id"] for row in mine]
    assert item["detail"] == {"cause": "area", "name": PROVINCE}
    detail = await seen(client, outage, county)
    assert [share["area"] for share in detail["shares"]] == [EAST]
    assert [entry["action"] for entry in detail["entries"]] == ["opened"]
    assert "44444444" not in str(detail)
    assert WEST not in str(detail)


@pytest.mark.parametrize(
    ("areas", "area", "children"),
    [((EAST,), EAST, 2), ((TOWN,), EAST, 1), ((WEST,), WEST, 1), ((EAST, WEST), None, 3)],
    ids=["county", "a township of it", "other county", "both counties"],
)
async def test_counts_are_those_of_the_scope(
    client: httpx.AsyncClient, pool: Pool, outage: int, areas: tuple[str, ...], area: str | None, children: int
) -> None:
    share = (await seen(client, outage, await token_of(pool, "who", Role.SUPERVISOR, *areas)))["share"]
    assert (share["area"], share["children"], share["down"]) == (area, children, children)


async def test_filters_know_shares(client: httpx.AsyncClient, outage: int, county: Headers) -> None:
    assert [item["id"] for item in await listed(client, county, area=EAST)] == [outage]
    assert [item["id"] for item in await listed(client, county, status="open", kind="area_outage")] == [outage]
    assert await listed(client, county, status="acknowledged") == []
    await act(client, outage, "ack", county)
    assert [item["id"] for item in await listed(client, county, status="acknowledged")] == [outage]
    assert await listed(client, county, status="open") == []


async def test_who_has_no_share_sees_nothing(client: httpx.AsyncClient, pool: Pool, outage: int) -> None:
    other = await token_of(pool, "other", Role.SUPERVISOR, ELSEWHERE)
    assert await listed(client, other) == []
    unknown = await client.get("/api/v1/incidents/987654321", headers=other)
    for answer in (
        await client.get(f"/api/v1/incidents/{outage}", headers=other),
        await act(client, outage, "ack", other),
        await act(client, outage, "note", other, text="x"),
    ):
        assert answer.status_code == 404
        assert answer.json()["detail"] == unknown.json()["detail"].replace("987654321", str(outage))


async def test_a_county_acknowledges_its_share_alone(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    west = await token_of(pool, "west", Role.TECHNICIAN, WEST)
    province = await token_of(pool, "province", Role.SUPERVISOR, PROVINCE)
    answer = await act(client, outage, "ack", county, text="the line is being repaired")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["status"], found["share"]["acknowledged_by"]) == ("acknowledged", found["acknowledged_by"])
    assert [(entry["action"], entry["share"]) for entry in found["entries"]] == [
        ("acknowledged", EAST),
        ("opened", None),
    ]
    assert found["entries"][0]["text"] == "the line is being repaired"
    assert (await act(client, outage, "ack", county)).status_code == 409

    other = await seen(client, outage, west)
    assert (other["status"], other["acknowledged_by"], len(other["entries"])) == ("open", None, 1)

    whole = await seen(client, outage, province)
    assert (whole["status"], whole["share"], whole["detail"]["expected"]) == ("open", None, 44_444_444)
    assert {s["area"]: s["acknowledged_by"] is not None for s in whole["shares"]} == {EAST: True, WEST: False}
    assert whole["entries"][0]["share"] == EAST


async def test_who_holds_the_whole_acts_on_the_incident(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    province = await token_of(pool, "province", Role.SUPERVISOR, PROVINCE)
    assert (await act(client, outage, "ack", province)).json()["status"] == "acknowledged"
    mine = await seen(client, outage, county)
    assert (mine["status"], mine["acknowledged_by"]) == ("open", None), "the county has not seen its share yet"
    assert await pool.fetchval("SELECT count(*) FROM incident_share_ack") == 0


CHILDREN_STORED = (
    "SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, "
    "detail FROM incident ORDER BY id"
)


async def test_a_share_is_acknowledged_while_a_pass_of_the_incident_process_runs(
    client: httpx.AsyncClient, pool: Pool, world: World, outage: int, county: Headers
) -> None:
    """Neither waits for the other: the pass, which read before, writes the numbers of the same share."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        known = [Incident(**dict(row)) for row in await connection.fetch(CHILDREN_STORED)]
        assert (await act(client, outage, "ack", county)).status_code == 200
        book = Book(known)
        gone = next(one for one in known if one.station == "6321220001")
        book.close(gone, ended_at=world.now, now=world.now, reason="online")
        assert await store_book(connection, book, world.now) == {}
        await connection.execute("UPDATE incident_share SET down = 9")
        await recount_shares(connection)
    share = (await seen(client, outage, county))["share"]
    assert (share["children"], share["down"], share["acknowledged_by"] is None) == (2, 1, False)


async def test_a_share_is_acknowledged_once(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    other = await token_of(pool, "other", Role.SUPERVISOR, EAST)
    answers = await asyncio.gather(*(act(client, outage, "ack", who) for who in (county, other)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await pool.fetchval("SELECT count(*) FROM incident_entry WHERE share = $1", EAST) == 1


async def test_who_has_acknowledged_is_forgotten_when_the_incident_opens_again(
    client: httpx.AsyncClient, pool: Pool, world: World, outage: int, county: Headers
) -> None:
    await act(client, outage, "ack", county)
    await pool.execute(
        "UPDATE incident SET status = 'closed', closed_at = now(), reopen_at = now() WHERE id = $1", outage
    )
    async with pool.acquire() as connection, connection.transaction():
        book = Book(Incident(**dict(row)) for row in await connection.fetch(CHILDREN_STORED))
        shelved = book.get(outage)
        assert shelved is not None
        book.reopen(shelved, "still_wrong")
        assert await store_book(connection, book, world.now) == {}
    found = await seen(client, outage, county)
    assert (found["status"], found["share"]["acknowledged_by"]) == ("open", None)


async def test_what_a_county_may_not_do_to_the_whole(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    answer = await act(client, outage, "resolve", county, text="done")
    assert answer.status_code == 403
    assert "acknowledge your share" in answer.json()["detail"]
    town = await token_of(pool, "town", Role.TECHNICIAN, TOWN)
    answer = await act(client, outage, "ack", town)
    assert answer.status_code == 403
    assert "an account with the county" in answer.json()["detail"]
    assert await pool.fetchval("SELECT status FROM incident WHERE id = $1", outage) == "open"


async def test_a_township_does_not_read_what_the_county_writes(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    town = await token_of(pool, "town", Role.TECHNICIAN, TOWN)
    assert (await act(client, outage, "note", county, text="station 6321220001 is flooded")).status_code == 200
    assert (await act(client, outage, "ack", county, text="and its neighbour", by="Li Na")).status_code == 200
    found = await seen(client, outage, town)
    assert (found["status"], found["share"]["acknowledged_at"] is None) == ("acknowledged", False)
    assert (found["share"]["acknowledged_by"], found["share"]["acknowledged_remark"]) == (None, None)
    assert [entry["action"] for entry in found["entries"]] == ["opened"]
    for hidden in ("flooded", "neighbour", "Li Na"):
        assert hidden not in str(found), hidden
        assert hidden not in await page(client, f"/incidents/{outage}", town), hidden
        assert hidden not in await page(client, "/incidents", town), hidden
    assert "None" not in await page(client, f"/incidents/{outage}", town)


async def test_two_counties_of_one_scope_are_acknowledged_together(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    both = await token_of(pool, "both", Role.SUPERVISOR, EAST, WEST)
    await act(client, outage, "ack", county)
    assert (await seen(client, outage, both))["status"] == "open"
    found = (await act(client, outage, "ack", both)).json()
    assert found["status"] == "acknowledged"
    acknowledged = [entry["share"] for entry in found["entries"] if entry["action"] == "acknowledged"]
    assert acknowledged == [WEST, EAST], "what the county did stays, and is not done again"


async def test_a_share_has_an_eta_of_its_own(
    client: httpx.AsyncClient, pool: Pool, world: World, outage: int, county: Headers
) -> None:
    province = await token_of(pool, "province", Role.SUPERVISOR, PROVINCE)
    soon, later = ((world.now + timedelta(hours=hours)).isoformat() for hours in (1, 3))
    found = (await act(client, outage, "ack", county, eta=soon)).json()
    assert datetime.fromisoformat(found["eta_at"]) == world.now + timedelta(hours=1) == eta_of(found)
    assert (await act(client, outage, "ack", county)).status_code == 409, "its ETA has not passed"
    assert (await act(client, outage, "ack", county, eta=world.ago(60).isoformat())).status_code == 422
    assert eta_of((await act(client, outage, "ack", county, eta=later)).json()) == world.now + timedelta(hours=3)
    await pool.execute("UPDATE incident_share_ack SET eta_at = now() - interval '1 minute'")
    assert (await act(client, outage, "ack", county)).status_code == 200, "its ETA has passed"
    whole = await seen(client, outage, province)
    assert {share["area"]: share["eta_at"] is not None for share in whole["shares"]} == {EAST: True, WEST: False}
    assert whole["eta_at"] is None


def eta_of(found: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(found["share"]["eta_at"])


async def test_a_share_is_handed_over(client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers) -> None:
    """Without an acknowledgement before it, it is one."""
    province = await token_of(pool, "province", Role.SUPERVISOR, PROVINCE)
    assert (await act(client, outage, "assign", county, assignee=" ")).status_code == 422
    found = (await act(client, outage, "assign", county, assignee="Li Na")).json()
    assert (found["status"], found["share"]["assignee"], found["assignee"]) == ("acknowledged", "Li Na", "Li Na")
    until = eta_of(found)
    again = (await act(client, outage, "assign", county, assignee="Ma Jun")).json()
    assert (again["share"]["assignee"], eta_of(again)) == ("Ma Jun", until), "until when is as before"
    whole = await seen(client, outage, province)
    assert {share["area"]: share["assignee"] for share in whole["shares"]} == {EAST: "Ma Jun", WEST: None}
    assert (whole["status"], whole["assignee"]) == ("open", None)
    assert "Ma Jun" in await page(client, f"/incidents/{outage}", province)


async def test_a_hand_over_after_the_eta_has_the_remark_of_its_own_account(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    assert (await act(client, outage, "ack", county, by="Wang Fang")).status_code == 200
    await pool.execute("UPDATE incident_share_ack SET eta_at = now() - interval '1 minute'")
    found = (await act(client, outage, "assign", county, assignee="Ma Jun")).json()
    assert found["share"]["acknowledged_remark"] is None
    again = (await act(client, outage, "assign", county, assignee="Li Na", by="Zhao Lei")).json()
    assert again["share"]["acknowledged_remark"] is None, "the acknowledgement is as before"


async def test_the_forms_of_a_county_take_an_eta_and_a_person(
    client: httpx.AsyncClient, pool: Pool, world: World, outage: int, county: Headers
) -> None:
    headers, tomorrow = {**county, **OWN_PAGE}, world.now + timedelta(days=1)
    typed = tomorrow.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M")
    for action, data in (("ack", {"eta": typed}), ("assign", {"assignee": "Li Na"})):
        answer = await client.post(f"/incidents/{outage}/{action}", headers=headers, data=data)
        assert answer.status_code == 303, answer.text
    found = await pool.fetchrow("SELECT eta_at, assignee FROM incident_share_ack")
    assert found is not None
    assert (found["eta_at"], found["assignee"]) == (tomorrow.replace(second=0, microsecond=0), "Li Na")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_the_page_of_the_whole_says_which_part_each_page_is_about(
    client: httpx.AsyncClient, pool: Pool, outage: int, language: str
) -> None:
    province = await token_of(pool, "province", Role.SUPERVISOR, PROVINCE)
    await pool.execute("INSERT INTO escalation (incident) VALUES ($1)", outage)
    await pool.execute(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ('an', 'Ann', 'technician', $1, 'test')", EAST
    )
    await pool.execute(
        "INSERT INTO page (incident, share, recipient, phase, severity) VALUES ($1, $2, 'an', 'opened', 'critical')",
        outage,
        EAST,
    )
    told = (await page(client, f"/incidents/{outage}", province, language)).partition('id="told"')[2]
    assert told.index("Ann") < told.index("民和县")
    (owed,) = (await seen(client, outage, province))["escalation"]["pages"]
    assert (owed["share"], owed["recipient"]) == (EAST, "an")


@pytest.mark.parametrize(("language", "title"), [("en", "Who is told · 民和县"), ("zh-CN", "通知了谁 · 民和县")])
async def test_a_county_sees_the_plan_and_the_log_of_its_share(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers, language: str, title: str
) -> None:
    """And nothing of the plan of the whole, or of other counties; the holder of the whole sees those of all shares."""
    people = [("an", EAST), ("pu", PROVINCE), ("bo", WEST)]
    await pool.executemany(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, 'Name of ' || $1, 'technician', $2, 'test')",
        people,
    )
    await pool.execute("INSERT INTO escalation (incident, route) VALUES ($1, 'of-the-whole')", outage)
    for who, share in (("an", EAST), ("bo", WEST), ("pu", "")):
        await pool.execute(
            "INSERT INTO page (incident, share, recipient, phase, severity) VALUES ($1, $2, $3, 'opened', 'critical')",
            outage, share, who,
        )  # fmt: skip
    for share, who in ((EAST, "an"), (WEST, "bo")):
        entry = {"at": "2026-12-01T00:00:00Z", "what": "step_due", "round": 0, "step": 0, "contacts": [who, "pu"]}
        await pool.execute(
            "INSERT INTO share_escalation (incident, share, route, log) VALUES ($1, $2, 'of-' || $3, $4)",
            outage, share, who, [entry],
        )  # fmt: skip
    found = await seen(client, outage, county)
    (own,) = found["share_escalations"]
    assert (found["escalation"], own["share"], own["route"]) == (None, EAST, "of-an")
    assert [(page["recipient"], page["share"]) for page in own["pages"]] == [("an", EAST)]
    assert [entry["contacts"] for entry in own["log"]] == [["an"]]
    text = await page(client, f"/incidents/{outage}", county, language)
    assert title in text and "of-an" in text and "Name of an" in text
    for hidden in ("Name of pu", "Name of bo", "of-bo", "of-the-whole"):
        assert hidden not in str(found) + text, hidden
    province = await token_of(pool, "province", Role.SUPERVISOR, PROVINCE)
    whole = await seen(client, outage, province)
    assert whole["escalation"]["route"] == "of-the-whole"
    assert len(whole["escalation"]["pages"]) == 3
    assert [part["route"] for part in whole["share_escalations"]] == ["of-an", "of-bo"]
    text = await page(client, f"/incidents/{outage}", province, language)
    shares = text.partition('id="told-shares"')[2].partition("</section>")[0]
    assert shares.index("民和县") < shares.index("of-an") < shares.index("乐都县") < shares.index("of-bo")
    assert text.count("Name of pu") >= 3, "a page, and each share has its log"


async def test_notes_stay_within_the_share(client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers) -> None:
    west = await token_of(pool, "west", Role.TECHNICIAN, WEST)
    assert (await act(client, outage, "note", county, text="call 0972")).status_code == 200
    assert (await act(client, outage, "note", county, text=" ")).status_code == 422
    assert "call 0972" not in str(await seen(client, outage, west))
    await pool.execute("UPDATE incident SET status = 'closed', closed_at = now() WHERE id = $1", outage)
    assert (await act(client, outage, "ack", county)).status_code == 409
    answer = await act(client, outage, "note", county, text="over")
    assert (answer.status_code, answer.json()["status"]) == (200, "closed")


async def page(client: httpx.AsyncClient, path: str, headers: Headers, language: str = "en") -> str:
    answer = await client.get(path, headers={**headers, "Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize(
    ("language", "share", "counts"),
    [
        ("en", "Your share · 民和县", "2 stations concerned, 2 still down"),
        ("zh-CN", "本辖区部分 · 民和县", "涉及 2 个服务点，尚未恢复 2 个"),
    ],
)
async def test_the_page_of_a_county_shows_its_share(
    client: httpx.AsyncClient, outage: int, county: Headers, language: str, share: str, counts: str
) -> None:
    text = await page(client, f"/incidents/{outage}", county, language)
    assert share in text
    assert counts in text
    assert f'formaction="/incidents/{outage}/ack"' in text
    assert f'action="/incidents/{outage}/assign"' in text
    for hidden in ("44444444", "乐都县", 'id="shares"', f"/incidents/{outage}/resolve"):
        assert hidden not in text, hidden
    assert share.partition(" · ")[0] in await page(client, "/incidents", county, language)


async def test_the_page_of_the_whole_shows_who_has_acknowledged(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers
) -> None:
    province = await token_of(pool, "province", Role.SUPERVISOR, PROVINCE)
    await act(client, outage, "ack", county, text="on my way")
    text = await page(client, f"/incidents/{outage}", province)
    assert "2 in all, 1 acknowledged" in text
    table = text.partition('id="shares"')[2].partition("</table>")[0]
    assert table.index("民和县") < table.index("county") < table.index("乐都县") < table.index("not yet")
    history = text.partition('id="history"')[2]
    assert history.index("acknowledged") < history.index("民和县") < history.index("on my way")
    assert f"/incidents/{outage}/resolve" in text


@pytest.mark.parametrize(("language", "why"), [("en", "reaches beyond your areas"), ("zh-CN", "故障超出您的区划范围")])
async def test_a_form_for_the_whole_is_refused_in_the_readers_words(
    client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers, language: str, why: str
) -> None:
    headers = {**county, "Accept-Language": language, **OWN_PAGE}
    answer = await client.post(f"/incidents/{outage}/resolve", headers=headers, data={"text": "done"})
    assert answer.status_code == 403
    assert why in answer.text.rpartition('class="banner bad" role="alert"')[2].partition("</p>")[0]
    answer = await client.post(f"/incidents/{outage}/ack", headers=headers, data={"text": ""})
    assert answer.status_code == 303
    town = {**await token_of(pool, "town", Role.TECHNICIAN, TOWN), "Accept-Language": language}
    text = await page(client, f"/incidents/{outage}", town, language)
    assert why in text
    assert '<form class="deed' not in text


async def test_each_act_is_in_the_ledger(client: httpx.AsyncClient, pool: Pool, outage: int, county: Headers) -> None:
    await act(client, outage, "ack", county, text="on my way")
    await act(client, outage, "note", county, text="done")
    rows = await pool.fetch(
        "SELECT kind, subject, body FROM ledger_entry WHERE subject = $1 ORDER BY id", f"incident/{outage}"
    )
    assert [row["kind"] for row in rows] == ["incident.acknowledged", "incident.note"]
    assert all(msgspec.json.decode(row["body"])["shares"] == [EAST] for row in rows)


async def test_an_entry_of_the_ledger_names_a_bounded_number_of_shares(
    client: httpx.AsyncClient, pool: Pool, outage: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST_OF_ENTRY", 1)
    both = await token_of(pool, "both", Role.SUPERVISOR, EAST, WEST)
    assert (await act(client, outage, "ack", both, text="on my way")).status_code == 200
    rows = await pool.fetch(
        "SELECT body FROM ledger_entry WHERE kind = 'incident.acknowledged' AND subject = $1 ORDER BY id",
        f"incident/{outage}",
    )
    bodies = [msgspec.json.decode(row["body"]) for row in rows]
    assert [body["shares"] for body in bodies] == [[EAST], [WEST]]
    assert all("text_sha256" in body for body in bodies)


def test_the_longest_codes_fit_into_an_entry() -> None:
    """With the longest code of an area (`registry/codes.py`), and the hashes of a text and a remark."""
    hashes = {"text_sha256": "f" * 64, "remark_sha256": "f" * 64}
    assert len(canonical({"shares": ["Z" * 32] * shares.MOST_OF_ENTRY, **hashes})) < MOST_BODY


@pytest.fixture
async def as_county(pool: Pool, outage: int) -> AsyncIterator[Connection]:
    """A connection of the API with the scope of the county."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {API_ROLE}; SET LOCAL search_path = {SEARCH_PATH}")
        await connection.execute("SELECT set_config('milepost.scope', $1, true)", EAST)
        yield connection


async def test_the_database_holds_a_county_to_its_share(as_county: Connection, outage: int) -> None:
    assert await as_county.fetchval("SELECT count(*) FROM incident WHERE id = $1", outage) == 0
    assert await as_county.fetch("SELECT area FROM incident_share") == [(EAST,)]
    whole = "UPDATE incident SET status = 'acknowledged' WHERE id = $1"
    assert await as_county.execute(whole, outage) == "UPDATE 0"
    await as_county.execute("INSERT INTO incident_share_ack VALUES ($1, $2, now(), 'x')", outage, EAST)
    assert await as_county.fetch("SELECT area FROM incident_share_ack") == [(EAST,)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with as_county.transaction():
            await as_county.execute("UPDATE incident_share_ack SET area = $1", WEST)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_county.execute("INSERT INTO incident_share_ack VALUES ($1, $2, now(), 'x')", outage, WEST)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incident_share SET down = 0",
        "INSERT INTO incident_share (incident, area, children, down) SELECT incident, 'x', 1, 1 FROM incident_share",
        "DELETE FROM incident_share",
        "DELETE FROM incident_share_ack",
        "INSERT INTO incident_entry (incident, actor, action, share) "
        "SELECT incident, 'x', 'note', '632123000000' FROM incident_share",
        "INSERT INTO incident_entry (incident, actor, action) SELECT incident, 'x', 'note' FROM incident_share",
    ],
)
async def test_what_the_database_refuses_a_county(as_county: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_county.execute(statement)


Heard = dict[str, list[dict[str, Any]]]


async def heard_by(clients: dict[str, Client], whole: Client, entries: int, pool: Pool) -> Heard:
    """What the clients get of the stream until the whole has had so many events."""
    await pool.execute("SELECT pg_notify('milepost_incident', '')")
    for _ in range(entries):
        await asyncio.wait_for(whole.queue.get(), 20)
    found = {name: [client.queue.get_nowait() for _ in range(client.queue.qsize())] for name, client in clients.items()}
    return {name: [msgspec.json.decode(event.data) for event in events if event] for name, events in found.items()}


async def test_the_stream_tells_a_county_what_happens_to_its_share(
    pool: Pool, outage: int, database: str, tmp_path: Path
) -> None:
    areas = {"east": EAST, "west": WEST, "province": PROVINCE, "elsewhere": ELSEWHERE}
    scopes = [AreaScope(areas=frozenset({area})) for area in areas.values()]
    async with serving(config(database, tmp_path)) as (_, hub):
        whole, *clients = await join_all(hub, WHOLE, *scopes)
        for action, share in (("note", EAST), ("note", None), ("resolved", None)):
            await pool.execute(
                "INSERT INTO incident_entry (incident, actor, action, text, share) "
                "VALUES ($1, 'li', $2, 'call 0972', $3)",
                outage, action, share,
            )  # fmt: skip
        heard = await heard_by(dict(zip(areas, clients, strict=True)), whole, 3, pool)
    assert [(one["action"], one["share"]) for one in heard["east"]] == [("note", EAST), ("closed", None)]
    assert [(one["action"], one["share"]) for one in heard["west"]] == [("closed", None)]
    assert all(one.keys() == {"id", "kind", "area", "share", "action", "at"} for one in heard["east"])
    assert [one["text"] for one in heard["province"]] == ["call 0972"] * 3
    assert heard["elsewhere"] == []
