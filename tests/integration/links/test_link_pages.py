"""The page behind a link: read without a sign-in, acted on once, and every refusal said clearly in both languages."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from markupsafe import escape

from access import store as access_store
from access.links.store import end_links, give_links
from access.roles import Role
from access.rules import OPERATOR
from access.scope import AreaScope
from store.author import Author
from store.pool import Pool
from tests.integration.api_world import World, config, serving
from tests.integration.console.test_console import AREA, NASTY, STATION, TOWN, world
from tests.integration.console.test_console_words import strange

__all__ = ["world"]

ONCE = {"once": "form-number-1"}


class Sent:
    """A link as a phone has it."""

    def __init__(self, client: httpx.AsyncClient, pool: Pool, token: str, incident: int, account: str) -> None:
        self.client, self.pool, self.token, self.incident, self.account = client, pool, token, incident, account

    @property
    def path(self) -> str:
        return f"/i/{self.token}"

    async def open(self, language: str = "en", status: int = 200, path: str = "") -> str:
        path = path or self.path
        answer = await self.client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
        self.client.cookies.clear()
        assert answer.status_code == status, answer.text
        assert "no-store" in answer.headers["cache-control"] and "noindex" in answer.headers["x-robots-tag"]
        return answer.text

    async def send(self, act: str, **fields: str) -> httpx.Response:
        return await self.client.post(self.path, data={"act": act, **ONCE, **fields})

    async def history(self) -> list[tuple[Any, ...]]:
        rows = await self.pool.fetch(
            "SELECT actor, action, text, remark FROM incident_entry "
            "WHERE incident = $1 AND actor <> 'milepost' ORDER BY id",
            self.incident,
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def sent(world: World, pool: Pool, database: str, tmp_path: Path) -> AsyncIterator[Sent]:
    """A link of a technician of the county, for the station that is offline."""
    async with pool.acquire() as connection:
        account = await access_store.add_account(
            connection, login="wang", name="王芳", role=Role.TECHNICIAN, scope=AreaScope(areas=frozenset({AREA})),
            by=OPERATOR,
        )  # fmt: skip
        await world.contact("wang", name="王芳", area=AREA, room=False)
        await pool.execute("UPDATE contact SET account = $1 WHERE id = 'wang'", account.id)
        incident = await world.incident("station_offline", station=STATION, area=TOWN)
        token = (await give_links(connection, "wang", [incident], datetime.now(UTC)))[incident]
    async with serving(config(database, tmp_path), token=None) as (client, _):
        yield Sent(client, pool, token, incident, account.id)


async def everything(pool: Pool) -> Mapping[str, int]:
    """How many rows there are of what an act would write."""
    tables = ("incident_entry", "ledger_entry", "link", "link_post", "session", "notification")
    return {table: await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608


async def test_a_preview_reads_and_changes_nothing(sent: Sent, world: World) -> None:
    await world.record("health", STATION, 60, 1, cpu=0.25, disk=0.93)
    before = await everything(sent.pool)
    for language in ("zh-CN", "en"):
        text = await sent.open(language)
        for word in ("民和县", "官亭镇", "geo:36.3", "93%", "&lt;script&gt;", "王芳"):
            assert word in text, word
        assert NASTY not in text
    escaped = str(escape(NASTY))
    assert not strange((await sent.open("zh-CN")).replace(escaped, ""))
    head = await sent.client.head(sent.path, headers={"User-Agent": "WhatsApp/2 preview"})
    assert (head.status_code, head.content) == (200, b"")
    assert (await sent.client.put(sent.path)).status_code == 405
    assert await everything(sent.pool) == before
    assert await sent.pool.fetchval("SELECT status FROM incident WHERE id = $1", sent.incident) == "open"


async def test_the_likely_cause_is_shown_with_its_evidence(sent: Sent, world: World) -> None:
    """Its link was slow and a program stopped before the fault; of a station without a sign no cause is named."""
    assert "Likely cause" not in await sent.open()
    await world.record("health", STATION, 90, 1, rtt_ms=1800, services={"kiosk": False, "nginx": True})
    for language, words in (
        ("en", ("Likely cause", "<strong>software</strong>", "(kiosk)", "<strong>network</strong>", "(1800 ms)")),
        ("zh-CN", ("可能的原因", "(kiosk)", "(1800 ms)")),
    ):
        text = await sent.open(language)
        assert all(word in text for word in words), language
    text = await sent.open()
    assert text.index("<strong>software</strong>") < text.index("<strong>network</strong>"), "the stronger sign first"


async def test_what_is_known_around_the_incident(sent: Sent, world: World, pool: Pool) -> None:
    """The other stations of the area, who else was told, what was done here before, and a repair that did not hold."""
    await world.station("6321220003", "offline", since=3700, area=TOWN, name="光明村农家书屋")
    before = await world.incident("station_offline", station=STATION, began=900_000, status="closed")
    await pool.execute(
        "UPDATE incident SET closed_at = now(), ended_at = began_at + interval '2 h' WHERE id = $1", before
    )
    for incident, parts, text, outcome in ((before, "保险丝", "换了", "held"), (sent.incident, "", "", "failed")):
        await pool.execute(
            "INSERT INTO repair (incident, at, made_by, cause, parts, text, stable, verify_at, outcome, why, "
            "outcome_at) VALUES ($1, now(), $2, 'power', $3, $4, '1 min', now(), $5, $6, now())",
            incident, sent.account, parts, text, outcome, "came_back" if outcome == "failed" else "stayed_over",
        )  # fmt: skip
    await world.contact("ma", name="马军", area=AREA)
    await pool.execute("INSERT INTO escalation (incident, state) VALUES ($1, '{}')", sent.incident)
    await pool.execute(
        "INSERT INTO page (incident, recipient, phase, severity, status) "
        "VALUES ($1, 'ma', 'opened', 'warning', 'paid')", sent.incident,
    )  # fmt: skip
    for language, says in (
        ("en", ("Stations of 官亭镇", "Offline 2", "光明村农家书屋 <small>for 1 h 1 min", "马军 <small>sent", "2 h<",
                "Earlier incidents here", "power · 保险丝 · 换了 <small>the repair held",
                "the repair did not hold</strong> · it came back after the repair")),
        ("zh-CN", ("官亭镇的服务点", "离线 2", "马军 <small>已送达", "此前在这里的故障",
                   "供电 · 保险丝 · 换了 <small>修复有效", "修复无效</strong> · 修复后故障再次出现")),
    ):  # fmt: skip
        text = await sent.open(language)
        assert [word for word in says if word not in text] == [], language


async def test_acknowledged_with_an_eta_once_however_often_it_is_sent(sent: Sent) -> None:
    answers = await asyncio.gather(*(sent.send("ack", hours="4", text="在路上") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {303}
    assert sum("again=yes" in answer.headers["location"] for answer in answers) == 3
    assert await sent.history() == [(sent.account, "acknowledged", "在路上", "via link")]
    row = await sent.pool.fetchrow("SELECT status, acknowledged_by, eta_at FROM incident WHERE id = $1", sent.incident)
    assert row is not None and (row["status"], row["acknowledged_by"]) == ("acknowledged", sent.account)
    assert timedelta(hours=3.9) < row["eta_at"] - datetime.now(UTC) < timedelta(hours=4.1)
    actor = await sent.pool.fetchval("SELECT actor FROM ledger_entry WHERE kind = 'incident.acknowledged'")
    assert actor == sent.account
    assert "you work on it" in await sent.open(path=answers[0].headers["location"])
    again = next(one for one in answers if "again" in one.headers["location"])
    assert "received before" in await sent.open(path=again.headers["location"])


async def test_note_repair_and_hand_over(sent: Sent) -> None:
    for act, fields in (
        ("note", {"text": "断电"}),
        ("repair", {"cause": "power", "parts": "插座", "text": "换了", "fixed": "yes"}),
        ("assign", {"assignee": "马军"}),
    ):
        answer = await sent.send(act, **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{sent.path}?done={act}")
    history = await sent.history()
    assert [entry[1] for entry in history] == ["note", "fixed", "assigned"]
    assert {(entry[0], entry[3]) for entry in history} == {(sent.account, "via link")}
    text = await sent.open()
    for word in ("断电", "插座", "马军", "via link"):
        assert word in text, word
    changed = await sent.send("note", text="又来了")
    assert "again" not in changed.headers["location"], "the same form with another text is another one"


async def test_a_share_of_a_wider_incident_is_taken_by_the_link(sent: Sent, world: World) -> None:
    """The county takes its share once, with an ETA; the incident and the share of the other county stay open."""
    await world.area("630000000001", "别处", "630000000000")
    wide = await world.incident("area_outage", area="630000000000")
    await sent.pool.execute("INSERT INTO incident_share VALUES ($1, $2, 2, 2), ($1, '630000000001', 1, 1)", wide, AREA)
    async with sent.pool.acquire() as connection:
        sent.token = (await give_links(connection, "wang", [wide], datetime.now(UTC)))[wide]
    sent.incident = wide
    text = await sent.open()
    shown = {act for act in ("ack", "note", "assign", "repair", "photo", "closure") if f'data-act="{act}"' in text}
    assert shown == {"ack", "note", "assign"}, "the rest needs the whole incident"
    for again in ("", "&again=yes"):
        taken = await sent.send("ack", hours="4", text="在路上")
        assert (taken.status_code, taken.headers["location"]) == (303, f"{sent.path}?done=ack{again}")
    assert "You work on it" in await sent.open()
    for act, fields in (("note", {"text": "断电"}), ("assign", {"assignee": "马军"})):
        assert (await sent.send(act, **fields)).status_code == 303
    assert (await sent.send("repair", cause="power")).status_code == 409
    (share,) = await sent.pool.fetch("SELECT * FROM incident_share_ack")
    assert (share["area"], share["acknowledged_by"], share["assignee"]) == (AREA, sent.account, "马军")
    assert timedelta(hours=3.9) < share["eta_at"] - datetime.now(UTC) < timedelta(hours=4.1)
    assert await sent.pool.fetchval("SELECT status FROM incident WHERE id = $1", wide) == "open"
    assert await sent.history() == [
        (sent.account, "acknowledged", "在路上", "via link"),
        (sent.account, "note", "断电", "via link"),
        (sent.account, "assigned", "马军", "via link"),
    ]


async def test_a_refusal_keeps_what_was_typed(sent: Sent) -> None:
    await sent.pool.execute("UPDATE incident SET status = 'closed', closed_at = now() WHERE id = $1", sent.incident)
    refused = await sent.send("assign", assignee="马军")
    assert refused.status_code == 409 and 'role="alert"' in refused.text
    nameless = await sent.client.post(sent.path, data={"act": "note", "text": "没有编号"})
    assert nameless.status_code == 422 and "没有编号" in nameless.text
    assert (await sent.send("resolve", text="x")).status_code == 404, "a technician does not close by hand"
    empty = await sent.send("note", text="")
    assert empty.status_code == 409
    assert await sent.history() == []
    assert (await sent.send("note", text="钥匙在村委会")).status_code == 303, "a note is possible"


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        pytest.param("forged", "没有复制完整", "not copied completely", id="forged"),
        pytest.param("UPDATE link SET expires_at = expires_at", "", "", id="control"),
        pytest.param("lost", "手机已报失", "reported lost", id="phone lost"),
        pytest.param("UPDATE contact SET retired_at = now()", "已停用", "no longer active", id="retired"),
        pytest.param(
            "UPDATE account SET disabled_at = now(), disabled_by = 'operator' WHERE login = 'wang'",
            "已停用", "no longer active", id="account disabled",
        ),
        pytest.param(
            "UPDATE account_area SET area = '630000000001'", "看不到此故障", "does not see this incident", id="outside"
        ),
    ],
)  # fmt: skip
async def test_a_link_that_is_not_good_says_why(sent: Sent, world: World, change: str, zh: str, en: str) -> None:
    if change == "forged":
        sent.token = sent.token[:-2] + ("AA" if sent.token[-2:] != "AA" else "BB")
    elif change == "lost":
        async with sent.pool.acquire() as connection:
            assert await end_links(connection, "wang", datetime.now(UTC), by=Author(OPERATOR)) == 1
    else:
        await world.area("630000000001", "别处", "630000000000")
        await sent.pool.execute(change)
    expected = 200 if not zh else 404 if change == "forged" or "account_area" in change else 410
    for language, word in (("zh-CN", zh), ("en", en)):
        text = await sent.open(language, expected)
        assert word in text
        assert not zh or STATION not in text
    assert (await sent.send("note", text="x")).status_code == (expected if zh else 303)
    assert bool(await sent.history()) is not bool(zh)


async def test_an_expired_link_says_so(sent: Sent, world: World) -> None:
    another = await world.incident("station_offline", station="6321220002", area=TOWN)
    async with sent.pool.acquire() as connection:
        sent.token = (await give_links(connection, "wang", [another], datetime.now(UTC) - timedelta(days=30)))[another]
    assert "expired" in await sent.open("en", 410)
    assert "已过期" in await sent.open("zh-CN", 410)
    assert (await sent.send("note", text="x")).status_code == 410
    assert await sent.pool.fetchval("SELECT count(*) FROM incident_entry WHERE action = 'note'") == 0


async def test_wrong_tokens_are_bounded_and_a_right_one_still_opens(sent: Sent) -> None:
    assert await sent.open()
    statuses = [(await sent.client.get(f"/i/{'x' * 14}{n:02}")).status_code for n in range(14)]
    assert statuses[0] == 404 and statuses[-1] == 429
    assert await sent.open(), "a token that was right from there is not held up"


async def test_the_number_of_an_incident_leads_to_the_console(sent: Sent) -> None:
    answer = await sent.client.get(f"/i/{sent.incident}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{sent.incident}")
    assert (await sent.client.get(answer.headers["location"])).status_code == 401


async def test_a_lost_phone_is_reported_on_the_page_of_the_contact(sent: Sent, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        assert "End all links" in (await client.get("/contacts/wang", headers={"Accept-Language": "en"})).text
        ended = await client.post("/api/v1/contacts/wang/end-links")
        assert (ended.status_code, ended.json()) == (200, {"id": "wang", "ended": 1})
        assert (await client.post("/api/v1/contacts/none/end-links")).status_code == 404
        assert "End all links" not in (await client.get("/contacts/wang", headers={"Accept-Language": "en"})).text
        made = await client.post("/contacts/wang/end-links")
        assert made.status_code == 303
    assert "reported lost" in await sent.open("en", 410)
