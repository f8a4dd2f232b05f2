"""The console's pages of silences, and where else a silence in force is shown."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from contract.home import HOME
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving, sign_in
from tests.integration.console.test_console import AREA, NASTY, OWN, STATION, TOWN, read, world  # noqa: F401

UNTIL = (datetime.now(UTC) + timedelta(days=3)).astimezone(HOME)
FORM = {
    "scope": "station",
    "name": STATION,
    "kind": "",
    "from": "",
    "until": f"{UNTIL:%Y-%m-%dT%H:%M}",
    "reason": NASTY,
}


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        yield client


async def test_made_and_ended_on_pages(client: httpx.AsyncClient) -> None:
    made = await client.post("/silences", data=FORM, headers=OWN)
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    text = await read(client, path)
    for word in ("in force", f"{UNTIL:%Y-%m-%d %H:%M}:00", "administrator", "&lt;script&gt;", "every kind", "End now"):
        assert word in text, word
    for listed in ("/silences", f"/silences?station={STATION}&status=current", f"/silences?area={AREA}"):
        assert f'href="{path}"' in await read(client, listed), listed
        assert "<script>" not in await read(client, listed)
    ended = await client.post(f"{path}/end", data={}, headers=OWN)
    assert ended.headers["location"] == path
    text = await read(client, path, "zh-CN")
    assert "已结束" in text and "提前结束人" in text and "立即结束" not in text
    assert f'href="{path}"' not in await read(client, "/silences?status=current")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "none"},
        {"name": ""},
        {"scope": ""},
        {"scope": "whole", "name": "", "until": "2020-01-01T00:00"},
        {"until": ""},
        {"from": "soon"},
        {"kind": "rain"},
        {"reason": ""},
        {"until": "2099-01-01T00:00"},
    ],
)
async def test_a_refusal_keeps_what_was_written(client: httpx.AsyncClient, changes: dict[str, str]) -> None:
    answer = await client.post("/silences", data={**FORM, **changes}, headers=OWN)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "reason" in changes or "&lt;script&gt;" in answer.text


async def test_another_site_silences_nothing(client: httpx.AsyncClient, pool: Pool) -> None:
    assert (await client.post("/silences", data=FORM)).status_code == 403
    assert await pool.fetchval("SELECT count(*) FROM silence") == 0


async def test_a_silence_is_shown_while_it_lasts(world: World, client: httpx.AsyncClient, pool: Pool) -> None:  # noqa: F811
    number = await world.incident("station_offline", station=STATION, area=TOWN)
    of_area = await world.silence(area=AREA, reason="供电局停电")
    other_kind = await world.silence(station=STATION, reason="磁盘告警太多")
    await pool.execute("UPDATE silence SET kinds = '{health}' WHERE id = $1", other_kind)
    await world.silence(1, 2, area=AREA, reason="以后")
    station, area, incident = [
        await read(client, path) for path in (f"/stations/{STATION}", f"/areas/{TOWN}", f"/incidents/{number}")
    ]
    for text in (station, area, incident):
        assert f'href="/silences/{of_area}"' in text and "供电局停电" in text
        assert "以后" not in text
    assert f'href="/silences/{other_kind}"' in station
    assert "磁盘告警太多" not in area + incident
    await pool.execute("UPDATE silence SET ended_at = now(), ended_by = 'admin'")
    assert "供电局停电" not in await read(client, f"/stations/{STATION}")


async def test_pages_lead_to_a_form_that_is_filled_in(world: World, client: httpx.AsyncClient) -> None:  # noqa: F811
    number = await world.incident("station_offline", station=STATION, area=TOWN)
    link = f"/silences?station={STATION}&amp;kind=station_offline#new"
    assert f'href="{link}"' in await read(client, f"/incidents/{number}")
    assert f'href="/silences?station={STATION}"' in await read(client, f"/stations/{STATION}")
    assert f'href="/silences?area={TOWN}"' in await read(client, f"/areas/{TOWN}")
    form = await read(client, f"/silences?station={STATION}&kind=station_offline")
    assert '<option value="station" selected>' in form and f'value="{STATION}"' in form
    assert '<option value="station_offline" selected>' in form
    form = await read(client, f"/silences?area={TOWN}")
    assert '<option value="area" selected>' in form and f'name="name" maxlength="64" value="{TOWN}"' in form


async def test_whoever_may_not_has_no_button(world: World, pool: Pool, database: str, tmp_path: Path) -> None:  # noqa: F811
    wide, own = await world.silence(area=AREA), await world.silence(area=TOWN)
    county = AreaScope(areas=frozenset({TOWN}))
    supervisor = (await other_account(pool, Role.SUPERVISOR, "boss", scope=county)).headers
    technician = (await other_account(pool, Role.TECHNICIAN, "worker", scope=county)).headers
    async with serving(config(database, tmp_path), token=None) as (client, _):
        for headers, buttons in ((supervisor, [False, True]), (technician, [False, False])):
            client.headers.update(headers)
            assert ["End now" in await read(client, f"/silences/{one}") for one in (wide, own)] == buttons
        assert "New silence" not in await read(client, "/silences")
