"""Accounts, tokens, and the own account over HTTP: who may do what with whose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.service import open_app
from store.pool import Pool
from tests.integration.api_world import OWN_PAGE, World, calling, config

V1 = "/api/v1"
PROVINCE, CITY, COUNTY, OTHER = "630000000000", "632100000000", "632122000000", "640000000000"
PASSWORD = "correct horse battery"


@pytest.fixture
async def app(pool: Pool, database: str, tmp_path: Path) -> AsyncIterator[FastAPI]:
    world = World(pool)
    await world.area(PROVINCE, "青海", level="province")
    await world.area(CITY, "海东", PROVINCE, level="city")
    await world.area(COUNTY, "民和", PROVINCE, CITY)
    await world.area(OTHER, "宁夏", level="province")
    async with open_app(config(database, tmp_path)) as (app, _):
        yield app


@pytest.fixture
async def admin(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(app) as client:
        yield client


async def make(by: httpx.AsyncClient, login: str, role: str = "supervisor", *areas: str) -> str:
    scope: dict[str, Any] = {"areas": list(areas)} if areas else {"whole": True}
    made = await by.post(f"{V1}/accounts", json={"login": login, "name": login, "role": role, **scope})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@asynccontextmanager
async def signed_in(app: FastAPI, admin: httpx.AsyncClient, account: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of an account's person, by a link."""
    link = (await admin.post(f"{V1}/accounts/{account}/link")).json()["link"]
    async with calling(app, None) as client:
        client.headers.update(OWN_PAGE)
        answer = await client.post("/signin", data={"code": link.partition("code=")[2]})
        assert answer.status_code == 303, answer.text
        yield client


@asynccontextmanager
async def with_token(
    app: FastAPI, by: httpx.AsyncClient, **said: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any]]]:
    made = await by.post(f"{V1}/tokens", json={"name": "pump", **said})
    assert made.status_code == 201, made.text
    async with calling(app, made.json()["token"]) as client:
        yield client, made.json()


async def test_an_account_from_its_making_to_its_end(app: FastAPI, admin: httpx.AsyncClient) -> None:
    account = await make(admin, "li", "technician", "6321")
    found = (await admin.get(f"{V1}/accounts/{account}")).json()
    assert found["scope"] == {"whole": False, "areas": [{"code": CITY, "name": "海东", "name_en": None}]}
    assert found["state"] == "no_password"
    async with signed_in(app, admin, account) as li:
        own = (await li.get(f"{V1}/account")).json()
        assert (own["account"]["id"], own["session"]["current"], own["token"]) == (account, True, None)
        assert "repair" in own["permissions"]
        assert "edit_registry" not in own["permissions"]
        assert (await li.get(f"{V1}/accounts")).status_code == 403
        changed = await admin.patch(f"{V1}/accounts/{account}", json={"role": "supervisor", "name": "李四"})
        assert (changed.json()["name"], changed.json()["role"]) == ("李四", "supervisor")
        assert (await li.get(f"{V1}/account")).status_code == 401, "wider rights end the sessions"
    async with signed_in(app, admin, account) as li:
        assert "edit_registry" in (await li.get(f"{V1}/account")).json()["permissions"]
        await admin.patch(f"{V1}/accounts/{account}", json={"role": "auditor"})
        assert "edit_registry" not in (await li.get(f"{V1}/account")).json()["permissions"], "in the same session"
        assert (await admin.post(f"{V1}/accounts/{account}/disable")).json()["state"] == "disabled"
        assert (await li.get(f"{V1}/account")).status_code == 401
        assert (await admin.post(f"{V1}/accounts/{account}/link")).status_code == 409
        assert (await admin.post(f"{V1}/accounts/{account}/enable")).json()["state"] == "no_password"


async def test_a_foreign_account_and_one_that_is_not_there_are_answered_alike(
    app: FastAPI, admin: httpx.AsyncClient
) -> None:
    mayor = await make(admin, "mayor", "admin", CITY)
    foreign = [await make(admin, "foreign", "technician", OTHER), await make(admin, "across", "auditor", OTHER, CITY)]
    inside = await make(admin, "inside", "technician", COUNTY)
    async with signed_in(app, admin, mayor) as client:
        listed = (await client.get(f"{V1}/accounts")).json()["items"]
        assert [one["login"] for one in listed] == ["inside", "mayor"]
        for method, path, body in (
            ("GET", "", None), ("PATCH", "", {"name": "x"}), ("POST", "/disable", None), ("POST", "/enable", None),
            ("POST", "/link", None),
        ):  # fmt: skip
            answers = []
            for account in (*foreign, "admin", "a-ffffffffffff"):
                answer = await client.request(method, f"{V1}/accounts/{account}{path}", json=body)
                answers.append((answer.status_code, answer.text.replace(account, "X")))
            assert len(set(answers)) == 1, answers
            assert answers[0][0] == 404
        taken = []
        for login in ("foreign", "inside", "ADMIN"):
            said = {"login": login, "name": "x", "role": "technician", "areas": [COUNTY]}
            answer = await client.post(f"{V1}/accounts", json=said)
            taken.append((answer.status_code, answer.json()["detail"].replace(login, "X")))
        assert len(set(taken)) == 1, taken
        assert taken[0][0] == 422
        beyond = []
        for area in (OTHER, "640", "no such", PROVINCE):
            said = {"login": "new", "name": "x", "role": "technician", "areas": [area]}
            answer = await client.post(f"{V1}/accounts", json=said)
            beyond.append((answer.status_code, answer.json()["detail"]))
        assert len(set(beyond)) == 1, beyond
        assert beyond[0][0] == 422
        assert (await client.patch(f"{V1}/accounts/{inside}", json={"whole": True})).status_code == 422
        assert (await client.patch(f"{V1}/accounts/{inside}", json={"areas": [CITY]})).status_code == 200
        assert (await client.post(f"{V1}/accounts/{mayor}/disable")).status_code == 409, "nobody disables himself"
    async with signed_in(app, admin, inside) as client:
        for method, path in (("GET", ""), ("GET", f"/{inside}"), ("POST", f"/{inside}/enable")):
            assert (await client.request(method, f"{V1}/accounts{path}")).status_code == 403


async def test_built_in_accounts_do_not_change(admin: httpx.AsyncClient) -> None:
    for account in ("admin", "operator", "system"):
        assert (await admin.patch(f"{V1}/accounts/{account}", json={"name": "x"})).status_code == 422
        assert (await admin.post(f"{V1}/accounts/{account}/link")).status_code == 409
        answer = await admin.post(f"{V1}/accounts/{account}/disable")
        assert answer.status_code == 409
        assert "belongs to Milepost" in answer.json()["detail"]


@pytest.mark.parametrize(
    "said",
    [
        {"login": "a b"}, {"login": ""}, {"name": " "}, {"role": "king"}, {"areas": [COUNTY], "whole": True},
        {"areas": []}, {"areas": ["9"]}, {"areas": [COUNTY] * 300}, {"areas": ["x" * 40]}, {"login": "a\x00"},
    ],
)  # fmt: skip
async def test_what_makes_no_account_is_refused(admin: httpx.AsyncClient, said: dict[str, Any]) -> None:
    good = {"login": "li", "name": "Li", "role": "auditor", "areas": [COUNTY]}
    answer = await admin.post(f"{V1}/accounts", json={**good, **said})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert len((await admin.get(f"{V1}/accounts")).json()["items"]) == 3


async def test_lists_have_pages(admin: httpx.AsyncClient) -> None:
    for login in ("d", "B", "c"):
        account = await make(admin, login)
        made = await admin.post(f"{V1}/tokens", json={"name": login, "account": account, "role": "auditor"})
        assert made.status_code == 201, made.text
    for path, key, wanted in (
        ("accounts", "login", ["admin", "B", "c", "d", "operator", "system"]), ("tokens", "name", ["c", "B", "d"]),
    ):  # fmt: skip
        seen, cursor = [], None
        while True:
            answer = (
                await admin.get(f"{V1}/{path}", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
            ).json()
            seen += [one[key] for one in answer["items"]]
            cursor = answer["next"]
            if cursor is None:
                break
        assert seen == wanted
        assert (await admin.get(f"{V1}/{path}?cursor=zzz")).status_code == 400
    of_one = (await admin.get(f"{V1}/tokens", params={"account": account})).json()["items"]
    assert [one["name"] for one in of_one] == ["c"]


async def test_everybody_has_tokens_no_wider_than_himself(app: FastAPI, admin: httpx.AsyncClient) -> None:
    account = await make(admin, "li", "supervisor", CITY)
    async with signed_in(app, admin, account) as li:
        async with with_token(app, li, role="technician", areas=[COUNTY]) as (narrow, made):
            own = (await narrow.get(f"{V1}/account")).json()
            assert own["token"]["id"] == made["id"]
            assert own["session"] is None
            assert [area["code"] for area in own["scope"]["areas"]] == [COUNTY]
            assert "edit_registry" not in own["permissions"]
            assert own["token"]["used_at"] is not None
            for wider in ({"role": "supervisor", "areas": [COUNTY]}, {"role": "technician", "areas": [CITY]}, {}):
                assert (await narrow.post(f"{V1}/tokens", json={"name": "x", **wider})).status_code == 422
            for method, path in (
                ("DELETE", "/account/sessions"), ("DELETE", "/account/sessions/abc"), ("POST", "/account/password"),
            ):  # fmt: skip
                answer = await narrow.request(method, V1 + path, json={"new": PASSWORD})
                assert answer.status_code == 403, path
                assert "sign in" in answer.json()["detail"]
        async with with_token(app, li) as (full, other):
            assert (await full.get(f"{V1}/account")).json()["scope"]["areas"][0]["code"] == CITY
            seen = (await full.get(f"{V1}/tokens")).json()["items"]
            assert [one["id"] for one in seen] == [other["id"]], "a token sees itself"
            assert (await full.delete(f"{V1}/tokens/{made['id']}")).status_code == 404
            rotated = await full.post(f"{V1}/tokens/{other['id']}/rotate")
            assert rotated.status_code == 201
            assert (await full.get(f"{V1}/account")).status_code == 401, "replaced at once"
        for said in ({"role": "admin"}, {"whole": True}, {"areas": [OTHER]}, {"days": 401}, {"days": 0}, {"name": ""}):
            assert (await li.post(f"{V1}/tokens", json={"name": "x", **said})).status_code == 422, said
        assert (await li.post(f"{V1}/tokens", json={"name": "x", "account": "admin"})).status_code == 404
        assert len((await li.get(f"{V1}/tokens")).json()["items"]) == 3
        assert (await li.delete(f"{V1}/tokens/{made['id']}")).status_code == 200
        async with calling(app, made["token"]) as revoked:
            assert (await revoked.get(f"{V1}/account")).status_code == 401
        assert (await li.post(f"{V1}/tokens/{made['id']}/rotate")).status_code == 409


async def test_foreign_tokens_are_answered_like_none(app: FastAPI, admin: httpx.AsyncClient) -> None:
    mayor, foreign = await make(admin, "mayor", "admin", CITY), await make(admin, "foreign", "technician", OTHER)
    token = (await admin.post(f"{V1}/tokens", json={"name": "x", "account": foreign})).json()["id"]
    for account in (mayor, await make(admin, "li", "supervisor", OTHER)):
        async with signed_in(app, admin, account) as client:
            assert (await client.get(f"{V1}/tokens")).json()["items"] == []
            for method, path in (("DELETE", ""), ("POST", "/rotate")):
                answers = set()
                for one in (token, "ffffffffff"):
                    answer = await client.request(method, f"{V1}/tokens/{one}{path}")
                    answers.add((answer.status_code, answer.text.replace(one, "X")))
                assert len(answers) == 1
                assert answers.pop()[0] == 404
            asked = await client.post(f"{V1}/tokens", json={"name": "x", "account": foreign})
            assert asked.status_code == 404
    assert (await admin.get(f"{V1}/tokens")).json()["items"][0]["state"] == "valid"


async def test_a_rotation_with_an_overlap(app: FastAPI, admin: httpx.AsyncClient) -> None:
    async with with_token(app, admin, role="auditor", whole=True, days=10) as (old, made):
        said = await admin.post(f"{V1}/tokens/{made['id']}/rotate", json={"overlap_hours": 24})
        assert (said.json()["days_left"], said.json()["name"]) in {(10, "pump"), (9, "pump")}
        assert (await old.get(f"{V1}/account")).status_code == 200
        found = {one["id"]: one for one in (await admin.get(f"{V1}/tokens")).json()["items"]}
        assert found[made["id"]]["state"] == "ending"
        assert (await admin.post(f"{V1}/tokens/{made['id']}/rotate", json={"overlap_hours": 1000})).status_code == 422


async def test_the_own_password(app: FastAPI, admin: httpx.AsyncClient, pool: Pool) -> None:
    account = await make(admin, "li", "supervisor", CITY)
    async with signed_in(app, admin, account) as first, signed_in(app, admin, account) as second:
        for new in ("short", "liliLILIli", "x" * 300):
            refused = await first.post(f"{V1}/account/password", json={"new": new})
            assert (refused.status_code, refused.json()["parameter"]) == (422, "new")
        done = await first.post(f"{V1}/account/password", json={"new": PASSWORD})
        assert done.status_code == 200
        assert (await first.get(f"{V1}/account")).json()["account"]["state"] == "enabled"
        assert (await second.get(f"{V1}/account")).status_code == 401, "other sessions are over"
        for current in (None, "", "wrong one entirely"):
            said = {"new": PASSWORD + "!", **({} if current is None else {"current": current})}
            refused = await first.post(f"{V1}/account/password", json=said)
            assert (refused.status_code, refused.json()["parameter"]) == (422, "current")
        said = {"new": PASSWORD + "!", "current": PASSWORD}
        assert (await first.post(f"{V1}/account/password", json=said)).status_code == 200
    stored = await pool.fetchval("SELECT password FROM account WHERE id = $1", account)
    assert stored.startswith("$argon2id$")
    refused = await admin.post(f"{V1}/account/password", json={"new": PASSWORD})
    assert refused.status_code == 422
    assert "belongs to Milepost" in refused.json()["detail"]


async def test_a_lost_password(app: FastAPI, admin: httpx.AsyncClient) -> None:
    account = await make(admin, "li", "supervisor", CITY)
    async with signed_in(app, admin, account) as li:
        await li.post(f"{V1}/account/password", json={"new": PASSWORD})
        link = await admin.post(f"{V1}/accounts/{account}/link", json={"forget_password": True})
        assert (await li.get(f"{V1}/account")).status_code == 401
        assert (await admin.get(f"{V1}/accounts/{account}")).json()["state"] == "no_password"
        code = link.json()["link"].partition("code=")[2]
        assert (await li.post("/signin", data={"code": code})).status_code == 303
        assert (await li.post(f"{V1}/account/password", json={"new": PASSWORD + "?"})).status_code == 200


async def test_own_sessions(app: FastAPI, admin: httpx.AsyncClient) -> None:
    account, other = await make(admin, "li", "supervisor", CITY), await make(admin, "other", "supervisor", CITY)
    async with (
        signed_in(app, admin, account) as first,
        signed_in(app, admin, account) as second,
        signed_in(app, admin, account) as third,
        signed_in(app, admin, other) as stranger,
    ):
        found = (await first.get(f"{V1}/account/sessions")).json()["items"]
        assert len(found) == 3
        assert sum(one["current"] for one in found) == 1
        (foreign,) = (await stranger.get(f"{V1}/account/sessions")).json()["items"]
        assert (await first.delete(f"{V1}/account/sessions/{foreign['id']}")).status_code == 404
        (current,) = [
            one["id"] for one in (await second.get(f"{V1}/account/sessions")).json()["items"] if one["current"]
        ]
        assert (await first.delete(f"{V1}/account/sessions/{current}")).status_code == 200
        assert (await second.get(f"{V1}/account")).status_code == 401
        code = (await first.post(f"{V1}/signin-links")).json()["link"].partition("code=")[2]
        assert (await first.delete(f"{V1}/account/sessions")).json() == {"ended": 1}
        assert (await third.post("/signin", data={"code": code})).status_code == 403, "one-use links too"
        assert (await third.get(f"{V1}/account")).status_code == 401
        assert (await first.get(f"{V1}/account")).status_code == 200
        assert (await stranger.get(f"{V1}/account")).status_code == 200


async def test_the_last_administrator_while_the_token_file_is_away(
    app: FastAPI, admin: httpx.AsyncClient, tmp_path: Path, pool: Pool
) -> None:
    account = await make(admin, "chief", "admin")
    made = (await admin.post(f"{V1}/tokens", json={"name": "x", "role": "admin", "whole": True})).json()
    (tmp_path / "admin.token").write_text("")
    async with calling(app, made["token"]) as client:
        for method, path, body in (("POST", "/disable", None), ("PATCH", "", {"areas": [CITY]})):
            answer = await client.request(method, f"{V1}/accounts/{account}{path}", json=body)
            assert answer.status_code in {409, 422}
            assert "last administrator" in answer.json()["detail"]
        second = await make(client, "second", "admin")
        assert (await client.post(f"{V1}/accounts/{account}/disable")).status_code == 409, "nobody has signed in as it"
        await pool.execute("UPDATE account SET password = '$argon2id$x', password_at = now() WHERE id = $1", second)
        assert (await client.post(f"{V1}/accounts/{account}/disable")).status_code == 200


async def test_the_admin_token_ends_its_sessions_and_links(app: FastAPI, admin: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO session (key, account, wall, created_at, used_at) "
        "SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), 'admin', false, now(), now() FROM generate_series(1, 600) n"
    )
    await admin.post(f"{V1}/signin-links")
    assert (await admin.delete(f"{V1}/account/sessions")).json() == {"ended": 600}
    assert await pool.fetchval("SELECT count(*) FROM signin_code") == 0


async def test_a_narrow_token_ends_no_wider_token_of_its_account(app: FastAPI, admin: httpx.AsyncClient) -> None:
    chief = await make(admin, "chief", "admin")
    async with (
        signed_in(app, admin, chief) as person,
        with_token(app, person, role="admin", whole=True) as (_, wide),
        with_token(app, person, role="admin", areas=[CITY]) as (narrow, _),
    ):
        for method, path in (("DELETE", ""), ("POST", "/rotate")):
            assert (await narrow.request(method, f"{V1}/tokens/{wide['id']}{path}")).status_code == 404
        assert (await narrow.post(f"{V1}/accounts/{chief}/link")).status_code in {404, 409}
