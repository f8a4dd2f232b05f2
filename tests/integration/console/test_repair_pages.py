"""Repairs by the API and on the page of an incident."""

from datetime import timedelta
from pathlib import Path

import msgspec

from store.pool import Pool
from tests.integration.api_world import World, config, serving, sign_in
from tests.integration.console.test_console import NASTY, OWN, read
from tests.pictures import of_a_phone

BAD = {
    "no word for a cause": ({"cause": "ghost"}, 422, "cause"),
    "no cause": ({"text": "x"}, 422, "cause"),
    "a long text": ({"cause": "power", "text": "x" * 4001}, 422, "text"),
    "many parts": ({"cause": "power", "parts": "x" * 501}, 422, "parts"),
}


async def test_a_repair_is_written_down_and_read(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s")
    number = await world.incident("station_offline", station="s")
    path = f"/api/v1/incidents/{number}/repairs"
    async with serving(config(database, tmp_path)) as (client, _):
        for case, (body, status, parameter) in BAD.items():
            answer = await client.post(path, json=body)
            assert (answer.status_code, answer.json().get("parameter")) == (status, parameter), case
        assert (await client.get("/api/v1/incidents/99/repairs")).status_code == 404
        noted = (await client.post(path, json={"cause": "uplink", "text": "mast is down"})).json()
        assert (noted["cause"], noted["fixed"], noted["verify_at"], noted["outcome"]) == ("uplink", False, None, None)
        fixed = await client.post(path, json={"cause": "power", "parts": "UPS", "fixed": True, "by": "卓玛"})
        assert fixed.status_code == 201, fixed.text
        again = (await client.post(path, json={"cause": "power", "fixed": True})).json()
        found = (await client.get(path)).json()["items"]
        incident = (await client.get(f"/api/v1/incidents/{number}")).json()
    assert [(one["id"], one["outcome"], one["why"]) for one in found] == [
        (again["id"], None, None),
        (fixed.json()["id"], "overtaken", "said_again"),
        (noted["id"], None, None),
    ]
    assert fixed.json()["remark"] == "卓玛"
    # Whoever repaired it looks after it, and the repair is verified.
    assert (incident["status"], incident["acknowledged_by"]) == ("acknowledged", fixed.json()["made_by"])
    assert "fixed_at" in incident["detail"]
    assert incident["eta_at"] > found[0]["verify_at"]
    kinds = await pool.fetch("SELECT kind, subject FROM ledger_entry WHERE kind LIKE 'repair%' ORDER BY id")
    assert [row["kind"] for row in kinds] == ["repair.said"] * 3
    bodies = await pool.fetchval("SELECT string_agg(convert_from(body, 'UTF8'), '') FROM ledger_entry")
    assert "UPS" not in bodies and "mast" not in bodies and "卓玛" not in bodies


async def test_the_form_on_the_page(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s")
    number = await world.incident("station_offline", station="s")
    page = f"/incidents/{number}"
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        assert 'name="cause"' in await read(client, page)
        refused = await client.post(f"{page}/repair", data={"cause": "", "text": NASTY, "parts": "UPS"}, headers=OWN)
        assert refused.status_code == 409
        assert (
            "请从列表中选择原因" in refused.text and 'value="UPS"' in refused.text and "&lt;script&gt;" in refused.text
        )
        said = {"cause": "power", "text": NASTY, "parts": "UPS", "fixed": "yes"}
        assert (await client.post(f"{page}/repair", data=said, headers=OWN)).status_code == 303
        shown = await read(client, page)
        for word in ("being verified", "power · UPS", "verified by", "&lt;script&gt;", "Acknowledged"):
            assert word in shown, word
        assert "<script>" not in shown
        await pool.execute("UPDATE repair SET outcome = 'failed', why = 'came_back', outcome_at = now()")
        chinese = await read(client, page, "zh-CN")
        for word in ("修复无效", "修复后故障再次出现", "已修复", "供电 · UPS"):
            assert word in chinese, word
        await client.post(f"{page}/repair", data={"cause": "not_found"}, headers=OWN)
        assert "nothing was found" in await read(client, page)


async def test_a_photo_stands_beside_its_repair(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s")
    number = await world.incident("station_offline", station="s")
    page, said = f"/incidents/{number}", {"cause": "power", "parts": "UPS", "fixed": "yes"}
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        heic = {"photo": ("x.jpg", b"\x00\x00\x00\x18ftypheic" + bytes(8))}
        refused = await client.post(f"{page}/repair", data=said, files=heic, headers=OWN)
        assert refused.status_code == 415 and "HEIC" in refused.text and 'value="UPS"' in refused.text
        assert await pool.fetchval("SELECT count(*) FROM repair") == 0, "neither the photo nor the repair"
        none = {"photo": ("", b"")}
        assert (await client.post(f"{page}/repair", data=said, files=none, headers=OWN)).status_code == 303
        photo = {"photo": ("x.jpg", of_a_phone())}
        assert (await client.post(f"{page}/repair", data=said, files=photo, headers=OWN)).status_code == 303
        row = await pool.fetchrow("SELECT id, incident, repair FROM photo")
        latest = await pool.fetchval("SELECT max(id) FROM repair")
        assert row is not None and (row["incident"], row["repair"]) == (number, latest)
        shown = await read(client, page)
        beside = shown.partition('<section id="repairs"')[2].partition("</section>")[0]
        assert beside.count(f'src="/photos/{row["id"]}"') == 1
        assert beside.index("/photos/") < beside.index("said again"), "beside the later one"
    entries = await pool.fetch(
        "SELECT kind, subject, body FROM ledger_entry WHERE kind ~ '^(repair|photo)' ORDER BY id DESC LIMIT 2"
    )
    assert [(one["kind"], one["subject"]) for one in entries] == [
        ("photo.added", f"incident/{number}"),
        ("repair.said", f"repair/{latest}"),
    ]
    assert msgspec.json.decode(entries[0]["body"])["repair"] == latest


async def test_the_likely_cause_is_shown_with_its_evidence(pool: Pool, database: str, tmp_path: Path) -> None:
    """It ran on by its records, in the same boot, while its neighbours were not heard; and what its operator says."""
    world = World(pool)
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('6321', '西宁', 'county', '{6321}')")
    for station, state in (("s", "online"), ("near1", "offline"), ("near2", "offline"), ("near3", "online")):
        await world.station(station, state, area="6321")
    number = await world.incident("station_offline", station="s", area="6321")
    await pool.execute(
        "UPDATE incident SET began_at = now() - interval '1 hour', ended_at = now() - interval '5 minutes'"
    )
    health = (
        "INSERT INTO health (ts, station, terminal, box, id, device_at, received_at, time_source, rtt_ms, services) "
        "VALUES (now() - $1::interval, 's', '001', 'boot-1', $2, 0, now(), 'live', 1800, $3)"
    )
    await pool.execute(health, timedelta(minutes=61), 1, {"kiosk": False, "nginx": True})
    await pool.execute(health, timedelta(minutes=4), 2, {})
    await pool.execute(
        "INSERT INTO presence (ts, station, terminal, box, id, device_at, received_at, time_source, until) "
        "VALUES (now() - interval '50 minutes', 's', '001', 'boot-1', 3, 0, now(), 'live', "
        "now() - interval '10 minutes')"
    )
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        shown = await read(client, f"/incidents/{number}")
        for word in ("Likely cause", "ran while it was not heard", "since before the fault", "1800 ms", "(kiosk)"):
            assert word in shown, word
        assert shown.index("<strong>network</strong>") < shown.index("<strong>software</strong>")
        assert "附近服务点也无消息 (2/3)" in await read(client, f"/incidents/{number}", "zh-CN")
