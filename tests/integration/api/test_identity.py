"""Who a request comes from: accounts behind sessions and API tokens, and what they may do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.rules import OPERATOR, Account
from access.scope import WHOLE
from access.store import add_account, add_token, disable_account, revoke_token, set_rights
from access.tokens import NewToken, new_token
from api.http import sessions
from api.http.identity import api_tokens
from api.v1 import stream
from store.pool import Pool
from tests.integration.api_world import OWN_PAGE, World, config, serving, sign_in

STATIONS = "/api/v1/stations"


async def account(pool: Pool, role: Role, login: str = "li") -> Account:
    """A new account of everything."""
    async with pool.acquire() as connection:
        return await add_account(connection, login=login, name="李", role=role, scope=WHOLE, by=OPERATOR)


async def token(pool: Pool, of: Account, role: Role | None = None, *, days: float = 9) -> NewToken:
    """A new API token of an account; negative `days`: it has expired."""
    new = new_token()
    async with pool.acquire() as connection:
        await add_token(
            connection, new, account=of.id, name="报表", role=role or of.role, scope=WHOLE, by=OPERATOR,
            expires_at=datetime.now(UTC) + timedelta(days=9),
        )  # fmt: skip
        past = "UPDATE api_token SET created_at = created_at - $2::interval, expires_at = expires_at - $2 WHERE id = $1"
        await connection.execute(past, new.id, timedelta(days=9 - days))
    return new


def of(token: NewToken) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.text}"}


async def belongs_to(pool: Pool, account: Account) -> None:
    """The sessions that there are belong to an account from now on."""
    await pool.execute("UPDATE session SET account = $1", account.id)


@pytest.fixture
async def client(
    pool: Pool, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that looks every token and session up at each request."""
    monkeypatch.setattr(sessions, "KNOWN_FOR", 0.0)
    monkeypatch.setattr(api_tokens, "KNOWN_FOR", 0.0)
    await World(pool).station("6321220007")
    async with serving(config(database, tmp_path), token=None) as (client, _):
        yield client


async def test_an_api_token_acts_for_its_account_until_it_ends(pool: Pool, client: httpx.AsyncClient) -> None:
    li = await account(pool, Role.SUPERVISOR)
    good, expired, revoked = [await token(pool, li, days=days) for days in (9, -1, 9)]
    async with pool.acquire() as connection:
        await revoke_token(connection, revoked.id, by=OPERATOR)
    assert (await client.get(STATIONS, headers=of(good))).status_code == 200
    for over in (expired, revoked):
        answer = await client.get(STATIONS, headers=of(over))
        assert answer.status_code == 401
        assert "expired or was revoked" in answer.json()["detail"]
        assert "invalid_token" in answer.headers["www-authenticate"]
    async with pool.acquire() as connection:
        await disable_account(connection, li.id, by=OPERATOR)
    assert (await client.get(STATIONS, headers=of(good))).status_code == 401


async def test_a_token_that_has_ended_is_no_guess_and_a_made_up_one_is(pool: Pool, client: httpx.AsyncClient) -> None:
    li = await account(pool, Role.SUPERVISOR)
    expired = await token(pool, li, days=-1)
    assert {(await client.get(STATIONS, headers=of(expired))).status_code for _ in range(20)} == {401}
    made_up = {"Authorization": f"Bearer {new_token().text}"}
    assert [(await client.get(STATIONS, headers=made_up)).status_code for _ in range(12)].count(429) >= 1


async def test_a_token_is_looked_up_again_after_a_while_only(
    pool: Pool, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_tokens, "KNOWN_FOR", 600.0)
    one = await token(pool, await account(pool, Role.SUPERVISOR))
    assert (await client.get(STATIONS, headers=of(one))).status_code == 200
    await pool.execute("UPDATE api_token SET revoked_at = now(), revoked_by = 'operator'")
    assert (await client.get(STATIONS, headers=of(one))).status_code == 200
    monkeypatch.setattr(api_tokens, "KNOWN_FOR", 0.0)
    assert (await client.get(STATIONS, headers=of(one))).status_code == 401


async def test_a_token_has_the_permissions_of_its_role_and_its_account(pool: Pool, client: httpx.AsyncClient) -> None:
    number = await World(pool).incident("station_offline", station="6321220007")
    resolve, read_history = f"/api/v1/incidents/{number}/resolve", "/api/v1/deadletters"
    li = await account(pool, Role.SUPERVISOR)
    auditor, technician = [await token(pool, li, role) for role in (Role.AUDITOR, Role.TECHNICIAN)]
    for one in (auditor, technician):
        refused = await client.post(resolve, json={"text": "x"}, headers=of(one))
        assert (refused.status_code, refused.json()["permission"]) == (403, "resolve")
    assert (await client.get(read_history, headers=of(auditor))).status_code == 200
    assert (await client.get(read_history, headers=of(technician))).status_code == 403
    assert (await client.post(f"/api/v1/incidents/{number}/ack", headers=of(technician))).status_code == 200
    async with pool.acquire() as connection:
        await set_rights(connection, li.id, Role.TECHNICIAN, WHOLE, by="operator")
    assert (await client.get(read_history, headers=of(auditor))).status_code == 403, "its account lost the permission"


async def test_a_technician_withdraws_only_the_own_closures(pool: Pool, client: httpx.AsyncClient) -> None:
    li, wang = await account(pool, Role.TECHNICIAN), await account(pool, Role.TECHNICIAN, "wang")
    mine, others = of(await token(pool, li)), of(await token(pool, wang))
    now = datetime.now(UTC)
    closure = {
        "station": "6321220007", "reason": "装修", "from": now.isoformat(),
        "until": (now + timedelta(hours=2)).isoformat(),
    }  # fmt: skip
    made = await client.post("/api/v1/closures", json=closure, headers=mine)
    assert made.status_code == 201
    path = f"/api/v1/closures/{made.json()['id']}/withdraw"
    assert (await client.post(path, headers=others)).status_code == 403
    assert (await client.post(f"/api/v1/closures/{2**40}/withdraw", headers=others)).status_code == 404
    assert (await client.post(path, headers=mine)).status_code == 200


async def test_a_session_follows_the_role_of_its_account(pool: Pool, client: httpx.AsyncClient) -> None:
    number = await World(pool).incident("station_offline", station="6321220007")
    page, resolve = f"/incidents/{number}", f"/incidents/{number}/resolve"
    li = await account(pool, Role.SUPERVISOR)
    await sign_in(client)
    await belongs_to(pool, li)
    assert resolve in (await client.get(page)).text
    async with pool.acquire() as connection:
        await set_rights(connection, li.id, Role.TECHNICIAN, WHOLE, by="operator")
    shown = (await client.get(page)).text
    assert resolve not in shown
    assert f"{page}/note" in shown
    for language, words in (("zh-CN", "没有权限"), ("en", "Not permitted")):
        refused = await client.post(resolve, data={"text": "x"}, headers={**OWN_PAGE, "Accept-Language": language})
        assert (refused.status_code, words in refused.text) == (403, True), language
    async with pool.acquire() as connection:
        await set_rights(connection, li.id, Role.AUDITOR, WHOLE, by="operator")
    assert 'method="post"' not in (await client.get(page)).text, "an auditor changes nothing"


async def test_a_disabled_account_has_no_session(pool: Pool, client: httpx.AsyncClient) -> None:
    li = await account(pool, Role.SUPERVISOR)
    await sign_in(client)
    await belongs_to(pool, li)
    assert (await client.get("/")).status_code == 200
    await pool.execute("UPDATE account SET disabled_at = now(), disabled_by = 'operator' WHERE id = $1", li.id)
    assert (await client.get("/")).status_code == 401
    assert (await client.get(STATIONS)).status_code == 401


@pytest.mark.parametrize("how", ["revoked", "disabled", "another role"])
async def test_an_open_stream_ends_with_the_rights_that_it_began_with(
    how: str, pool: Pool, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)
    monkeypatch.setattr(stream, "_LOOK_AGAIN", 0.0)
    monkeypatch.setattr(api_tokens, "KNOWN_FOR", 0.0)
    li = await account(pool, Role.SUPERVISOR)
    one = await token(pool, li)
    async with serving(config(database, tmp_path), token=None) as (client, hub), asyncio.timeout(60):
        listening = asyncio.create_task(client.get("/api/v1/stream", headers=of(one)))
        while hub.clients == 0:  # noqa: ASYNC110 -- the hub has no event for that
            await asyncio.sleep(0.01)
        async with pool.acquire() as connection:
            if how == "revoked":
                await revoke_token(connection, one.id, by=OPERATOR)
            elif how == "disabled":
                await disable_account(connection, li.id, by=OPERATOR)
            else:
                await set_rights(connection, li.id, Role.AUDITOR, WHOLE, by=OPERATOR)
        assert (await listening).status_code == 200
        assert hub.clients == 0
