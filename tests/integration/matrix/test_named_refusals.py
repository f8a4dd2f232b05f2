"""What has to be refused to every account: approval of one's own closure, wider scopes, foreign links and events."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from access.roles import Role
from access.scope import WHOLE
from api.live.event_hub import EventHub
from tests.integration.api_world import join_all
from tests.integration.matrix.askers import COUNTY, TOKENS, WALLS, WHOLES, WITHIN, Asker, ask
from tests.integration.matrix.country import FAR, FAR_NUMBER, NEAR, NEAR_CITY, NEAR_TOWN, PROVINCE
from tests.integration.matrix.places import Place, open_place
from tests.integration.matrix.test_matrix import marks_in, shown

V1: Final = "/api/v1"
ADMIN, SUPERVISOR, TECHNICIAN, _ = COUNTY
_CLOSURE: Final = {"station": "6302220001", "from": "2026-11-01T00:00Z", "until": "2026-11-02T00:00Z", "reason": "r"}


@pytest.fixture
async def place(postgres_server: str, template: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(postgres_server, template, tmp_path) as found:
        yield found


async def declare(place: Place, headers: dict[str, str]) -> int:
    made = await ask(place.client, "POST", f"{V1}/closures", headers, dict(_CLOSURE))
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


@pytest.mark.parametrize("asker", [ADMIN, SUPERVISOR, *WHOLES[:2]], ids=lambda asker: asker.name)
async def test_who_declared_a_closure_does_not_approve_it(asker: Asker, place: Place) -> None:
    """By no way: session or token, route or page, whatever name is given in `by`."""
    account, browser = await place.access.account(asker), await place.access.headers(asker)
    _, text = await place.access.token(account, role=asker.role, scope=asker.scope)
    token = {"Authorization": f"Bearer {text}"}
    for declarer in (browser, token):
        closure = await declare(place, declarer)
        for headers in (browser, token):
            for body in ({}, {"by": "somebody else"}, {"evidence": "paper"}):
                refused = await ask(place.client, "POST", f"{V1}/closures/{closure}/approve", headers, dict(body))
                assert refused.status_code == 409
                assert "another person must approve it" in refused.json()["detail"]
        page = await ask(place.client, "POST", f"/closures/{closure}/approve", browser, {"by": "somebody else"})
        assert page.status_code == 409
        assert (await ask(place.client, "GET", f"{V1}/closures/{closure}", browser)).json()["status"] == "declared"
    other = await place.access.headers(next(one for one in (ADMIN, SUPERVISOR) if one != asker))
    approved = await ask(place.client, "POST", f"{V1}/closures/{closure}/approve", other, {})
    assert approved.json()["status"] == "approved"


_SCOPES: Final[dict[str, dict[str, Any]]] = {
    "everything": {"whole": True},
    "a foreign county": {"areas": [FAR]},
    "the city above": {"areas": [NEAR_CITY]},
    "the province": {"areas": [PROVINCE]},
    "the own one and a foreign one": {"areas": [NEAR, FAR]},
    "an area that is not there": {"areas": ["999999000000"]},
}


@pytest.mark.parametrize("scope", _SCOPES.values(), ids=_SCOPES.keys())
async def test_nobody_gives_a_wider_scope(scope: dict[str, Any], place: Place) -> None:
    """To a new account, to another one, to the own one, to a token; and nothing is left of it."""
    before = await place.pool.fetchval("SELECT count(*) FROM account") + 4
    own = {asker.name: await place.access.account(asker) for asker in COUNTY}
    admin = await place.access.headers(ADMIN)
    new = {"login": "wider", "name": "w", "role": "technician", **scope}
    asked = [("POST", f"{V1}/accounts", new), ("PATCH", f"{V1}/accounts/a-near", scope),
             ("PATCH", f"{V1}/accounts/{own[ADMIN.name].id}", scope),
             ("POST", f"{V1}/tokens", {"name": "w", "account": "a-near", **scope})]  # fmt: skip
    answers = [await ask(place.client, method, path, admin, body) for method, path, body in asked]
    for asker in COUNTY:
        headers = await place.access.headers(asker)
        answers.append(await ask(place.client, "POST", f"{V1}/tokens", headers, {"name": "w", **scope}))
    assert [answer.status_code for answer in answers] == [422] * 8
    assert [mark for answer in answers for mark in marks_in(shown(answer))] == []
    assert await place.pool.fetchval("SELECT count(*) FROM account") == before
    assert await place.pool.fetchval("SELECT count(*) FROM api_token WHERE name = 'w'") == 0
    areas = await place.pool.fetch("SELECT area FROM account_area WHERE account <> ALL ($1)", _OF_OTHERS)
    assert {row["area"] for row in areas} == {NEAR}


_OF_OTHERS: Final = [f"longyangxia-{where}{off}" for where in ("far", "beside") for off in ("", "-off")]


@pytest.mark.parametrize("asker", [SUPERVISOR, TECHNICIAN, COUNTY[3]], ids=lambda asker: asker.name)
async def test_nobody_gives_a_wider_role(asker: Asker, place: Place) -> None:
    headers = await place.access.headers(asker)
    own = await place.access.account(asker)
    for role in ("admin", "supervisor") if asker.letter != "S" else ("admin",):
        made = await ask(place.client, "POST", f"{V1}/tokens", headers, {"name": "w", "role": role})
        assert made.status_code == 422
        changed = await ask(place.client, "PATCH", f"{V1}/accounts/{own.id}", headers, {"role": role})
        assert changed.status_code == 403


async def test_a_narrowed_account_narrows_what_it_has_given_out(place: Place) -> None:
    """A token and a session from before, at the next request."""
    account = await place.access.account(WHOLES[0])
    browser = await place.access.headers(WHOLES[0])
    _, text = await place.access.token(account, role=Role.ADMIN, scope=WHOLE)
    admin = {"Authorization": "Bearer correct-horse-battery-staple"}
    both = (browser, {"Authorization": f"Bearer {text}"})
    for headers in both:
        assert (await ask(place.client, "GET", f"{V1}/stations/6325210001", headers)).status_code == 200
    narrowed = await ask(place.client, "PATCH", f"{V1}/accounts/{account.id}", admin, {"areas": [NEAR_TOWN]})
    assert narrowed.status_code == 200, narrowed.text
    for headers in both:
        assert (await ask(place.client, "GET", f"{V1}/stations/6325210001", headers)).status_code == 404
        listed = (await ask(place.client, "GET", f"{V1}/stations", headers)).json()["items"]
        assert [one["id"] for one in listed] == ["6302220009"]


async def test_a_link_leads_nowhere_else(place: Place) -> None:
    """A one-use link signs in its own account only, and not beyond the scope."""
    admin = await place.access.headers(ADMIN)
    made = await ask(place.client, "POST", f"{V1}/accounts/a-near/link", admin, {})
    code = made.json()["link"].partition("code=")[2]
    browser = {name: value for name, value in admin.items() if name != "Cookie"}
    signed_in = await ask(place.client, "POST", "/signin", browser, {"code": code, "goes_to": "/stations/6325210001"})
    assert signed_in.status_code == 303
    cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0], **browser}
    there = await ask(place.client, "GET", "/stations/6325210001", cookie)
    assert there.status_code == 404
    assert marks_in(there.text.replace("6325210001", "")) == []
    assert (await ask(place.client, "GET", "/stations/6302220001", cookie)).status_code == 200
    again = await ask(place.client, "POST", "/signin", browser, {"code": code})
    assert again.status_code == 403, "it was used up"


@pytest.mark.parametrize("number", [FAR_NUMBER, FAR_NUMBER + 1, FAR_NUMBER + 12])
@pytest.mark.parametrize("asker", [ADMIN, *WALLS, TOKENS[0]], ids=lambda asker: asker.name)
async def test_a_guessed_number_finds_nothing(asker: Asker, number: int, place: Place) -> None:
    headers = await place.access.headers(asker)
    for what in ("incidents", "closures"):
        for root in ("", V1):
            answer = await ask(place.client, "GET", f"{root}/{what}/{number}", headers)
            assert answer.status_code == 404
            assert marks_in(shown(answer).replace(str(number), "")) == []


async def test_the_stream_of_a_county_has_nothing_of_another(place: Place) -> None:
    """Not its transitions, incidents, or what its people said of a wider outage."""
    hub: EventHub = place.app.state.context.hub
    near, whole = await join_all(hub, WITHIN, WHOLE)
    await place.pool.execute(
        "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
        "SELECT 0, 9000 + row_number() OVER (), id, 'online', 'offline', now(), now(), 'main', 'x' FROM station"
    )
    await place.pool.execute(
        "INSERT INTO incident_entry (incident, actor, action, text, share) "
        "SELECT id, 'operator', 'note', CASE WHEN area = $1 OR id = $3 THEN 'near' ELSE '龙羊峡' END, NULL "
        "FROM incident "
        "UNION ALL SELECT $3, 'operator', 'note', '龙羊峡', $2",
        NEAR, FAR, place.country.wide,
    )  # fmt: skip
    stations = await place.pool.fetchval("SELECT count(*) FROM station")
    entries = await place.pool.fetchval("SELECT count(*) + 1 FROM incident")
    async with asyncio.timeout(30):
        for _ in range(stations + entries):
            await whole.queue.get()
    got = [near.queue.get_nowait() for _ in range(near.queue.qsize())]
    text = "\n".join(event.data.decode() for event in got if event is not None)
    assert marks_in(text) == []
    assert text.count('"after"') == 6
    assert '"near"' in text


async def _answers(place: Place, headers: dict[str, str], path: str, bodies: list[dict[str, Any]]) -> list[int]:
    found: list[httpx.Response] = [await ask(place.client, "POST", path, headers, body) for body in bodies]
    return [answer.status_code for answer in found]


async def test_who_has_a_share_does_not_end_the_wider_outage(place: Place) -> None:
    """Acknowledging, handing over and noting are about the share; to resolve the whole is for who holds it."""
    supervisor = await place.access.headers(SUPERVISOR)
    wide = f"{V1}/incidents/{place.country.wide}"
    assert await _answers(place, supervisor, f"{wide}/ack", [{}]) == [200]
    assert await _answers(place, supervisor, f"{wide}/assign", [{"assignee": "x"}]) == [200]
    assert await _answers(place, supervisor, f"{wide}/resolve", [{"text": "x"}]) in ([403], [409])
    row = await place.pool.fetchrow("SELECT status, assignee FROM incident WHERE id = $1", place.country.wide)
    assert tuple(row or ()) == ("open", None)
    shares = await place.pool.fetch("SELECT area FROM incident_share_ack WHERE incident = $1", place.country.wide)
    assert [share["area"] for share in shares] == [NEAR]
