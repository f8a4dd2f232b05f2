"""Contacts over HTTP: made, changed, retired; what a narrower scope sees; and no address in any answer."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api.test_api_stations import walk
from tests.integration.api_world import config, other_account, serving
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country

API = "/api/v1"


def body(**more: Any) -> dict[str, Any]:
    return {"name": "李明", "role": "technician", "area": EAST, "channels": ["sms:13800138000"], **more}


async def test_made_changed_and_retired(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        made = await http.post(f"{API}/contacts", json=body(id="li", quiet="22:00-07:00"))
        assert made.status_code == 201, made.text
        contact = made.json()
        assert (contact["area"], contact["language"], contact["room"], contact["muted"]) == (
            EAST,
            "zh-CN",
            False,
            False,
        )
        assert [channel["kind"] for channel in contact["channels"]] == ["sms"]
        assert contact["account"].startswith("a-")
        assert (await http.get(f"{API}/contacts/li")).json() == contact
        renamed = await http.patch(f"{API}/contacts/li", json={"name": "李五", "quiet": None})
        assert renamed.json() == {**contact, "name": "李五", "quiet": None}
        channels = ["wecom://geheim", "dingtalk://geheim?secret=SEC1"]
        replaced = await http.patch(f"{API}/contacts/li", json={"channels": channels})
        assert [channel["kind"] for channel in replaced.json()["channels"]] == ["wecom", "dingtalk"]
        room = await http.post(f"{API}/contacts", json=body(room=True, area=None))
        assert room.json()["account"] is None
        assert room.json()["id"].startswith("c-")
        retired = await http.post(f"{API}/contacts/li/retire")
        assert (retired.status_code, retired.json()["channels"], retired.json()["retired_at"] is None) == (
            200,
            [],
            False,
        )
        assert (await http.post(f"{API}/contacts/li/retire")).json() == retired.json()
        back = await http.patch(f"{API}/contacts/li", json={"channels": ["mail:a@b.cn"]})
        assert back.json()["retired_at"] is None
        answers = (made, renamed, replaced, room, retired, back)
        assert not any("geheim" in answer.text or "138001" in answer.text for answer in answers)


async def test_lists_are_filtered(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        for name, area in (("e", EAST), ("t", TOWN), ("w", WEST), ("p", PROVINCE), ("all", None), ("gone", EAST)):
            answer = await http.post(f"{API}/contacts", json=body(id=name, area=area))
            assert answer.status_code == 201, answer.text
        await http.post(f"{API}/contacts/gone/retire")
        listed = {
            name: [one["id"] for one in await walk(http, f"{API}/contacts", limit=2, **params)]
            for name, params in {
                "every": {}, "retired too": {"retired": True}, "of an area": {"area": EAST}, "of none": {"area": "99"},
            }.items()
        }  # fmt: skip
    assert listed == {
        "every": ["all", "e", "p", "t", "w"],
        "retired too": ["all", "e", "gone", "p", "t", "w"],
        "of an area": ["e", "t"],
        "of none": [],
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"channels": ["sms:geheim"]}, "channel 1 (sms): is no number"),
        ({"channels": ["wecom://geheim"] * 2}, "channel 2 (wecom) has the same receiver"),
        ({"role": "Technik"}, "is not a role"),
        ({"id": "l i"}, "is not the id of a contact"),
        ({"quiet": "nachts"}, "the quiet hours"),
        ({"area": "99"}, "there is no area 99"),
        ({"account": "nobody"}, "there is no account 'nobody'"),
        ({"account": "admin"}, "there is no account 'admin'"),
        ({"room": True, "account": "li"}, "is a room"),
        ({"id": "taken"}, "the id taken of a contact is taken"),
        ({"name": ""}, "name"),
        ({"language": "fr"}, "language"),
    ],
)
async def test_what_does_not_fit_is_said(
    pool: Pool, database: str, tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    await a_country(pool)
    async with serving(config(database, tmp_path)) as (http, _):
        await http.post(f"{API}/contacts", json=body(id="taken"))
        refused = await http.post(f"{API}/contacts", json=body(**changes))
    assert refused.status_code == 422, refused.text
    assert why in refused.json()["detail"]
    assert "geheim" not in refused.json()["detail"]


async def test_a_county_sees_and_writes_its_own(pool: Pool, database: str, tmp_path: Path) -> None:
    await a_country(pool)
    east = AreaScope(areas=frozenset({EAST}))
    supervisor = (await other_account(pool, Role.SUPERVISOR, "boss", scope=east)).headers
    technician = (await other_account(pool, Role.TECHNICIAN, "worker", scope=east)).headers
    async with serving(config(database, tmp_path)) as (http, _):
        for name, area in (("west", WEST), ("whole", None), ("east", EAST)):
            await http.post(f"{API}/contacts", json=body(id=name, area=area))
    async with serving(config(database, tmp_path), token=None) as (http, _):
        http.headers.update(supervisor)
        made = await http.post(f"{API}/contacts", json=body(id="town", area=TOWN))
        assert made.status_code == 201, made.text
        assert [one["id"] for one in (await http.get(f"{API}/contacts")).json()["items"]] == ["east", "town"]
        for name in ("west", "whole", "none"):
            assert (await _asked(http, name)) == [404, 404, 404]
        outside = await http.post(f"{API}/contacts", json=body(area=WEST))
        unknown = await http.post(f"{API}/contacts", json=body(area="9909"))
        assert (outside.status_code, unknown.status_code) == (422, 422)
        assert outside.json()["detail"] == unknown.json()["detail"].replace("990900000000", WEST).replace("9909", WEST)
        assert (await http.patch(f"{API}/contacts/east", json={"area": WEST})).status_code == 422
        http.headers.update(technician)
        assert (await http.get(f"{API}/contacts/east")).status_code == 200
        assert (await http.post(f"{API}/contacts", json=body())).status_code == 403


async def _asked(http: httpx.AsyncClient, name: str) -> list[int]:
    return [
        (await http.get(f"{API}/contacts/{name}")).status_code,
        (await http.patch(f"{API}/contacts/{name}", json={"name": "x"})).status_code,
        (await http.post(f"{API}/contacts/{name}/retire")).status_code,
    ]
