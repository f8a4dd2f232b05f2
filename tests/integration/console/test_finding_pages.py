"""The pages of findings and corrections: forms, refusals beside them, and in both languages."""

from pathlib import Path

from store.pool import Pool
from tests.integration.api_world import World, config, serving, sign_in
from tests.integration.console.test_console import NASTY, OWN, read

ZH = {**OWN, "Accept-Language": "zh-CN"}
FORM = {"station": "s", "from": "2026-01-05T09:00", "until": "2026-01-05T17:00"}


async def test_a_finding_and_a_correction_in_forms(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s")
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        refused = await client.post("/findings", data={**FORM, "station": "x", "text": NASTY}, headers=ZH)
        assert refused.status_code == 422 and "没有服务点 x" in refused.text
        assert NASTY not in refused.text and 'value="2026-01-05T09:00"' in refused.text, "what was typed stays, inert"
        refused = await client.post("/disputes", data={"station": "s", "text": "t"}, headers=ZH)
        assert refused.status_code == 422, "without times"
        made = await client.post("/findings", data={**FORM, "text": NASTY}, headers=ZH)
        assert made.status_code == 303
        page = made.headers["location"]
        shown = await read(client, page, "zh-CN")
        assert NASTY not in shown and "待答复" in shown and "须由另一人答复" in shown and "2026" in shown
        assert "Your account made it" in await read(client, page, "en")
        assert (await client.post(f"{page}/answer", data={"text": "t"}, headers=ZH)).status_code == 409
        await pool.execute("UPDATE finding SET made_by = 'operator'")
        assert (await client.post(f"{page}/answer", data={"text": " "}, headers=ZH)).status_code == 422
        assert (await client.post(f"{page}/answer", data={"text": "停电"}, headers=ZH)).status_code == 303
        assert "已答复" in await read(client, page, "zh-CN")

        proposal = {**FORM, "counts_as": "excused", "reason": "停电", "finding": page.rpartition("/")[2]}
        refused = await client.post("/corrections", data={**proposal, "finding": "999"}, headers=ZH)
        assert refused.status_code == 422 and "999" in refused.text
        proposed = await client.post("/corrections", data=proposal, headers=ZH)
        assert proposed.status_code == 303
        correction = proposed.headers["location"]
        assert "须由另一人批准" in await read(client, correction, "zh-CN")
        assert (await client.post(f"{correction}/approve", data={}, headers=ZH)).status_code == 409
        await pool.execute("UPDATE correction SET proposed_by = 'operator'")
        assert (await client.post(f"{correction}/approve", data={"why": "有证明"}, headers=ZH)).status_code == 303
        assert "已批准" in await read(client, correction, "zh-CN") and "免责" in await read(client, page, "zh-CN")
        assert "excused" in await read(client, "/corrections?station=s&status=approved", "en")
        assert "没有更正" in await read(client, "/corrections?status=refused", "zh-CN")
        assert (await client.get("/findings/99")).status_code == 404
