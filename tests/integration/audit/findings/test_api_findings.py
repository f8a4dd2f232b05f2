"""Findings, disputes and corrections by the API."""

from pathlib import Path

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving

COUNTY = "540102000000"
TIMES = {"from": "2026-01-05T09:00:00+08:00", "until": "2026-01-05T17:00:00+08:00"}
BAD = {
    "no text": ("findings", {"station": "s", **TIMES}),
    "neither an incident nor times": ("findings", {"station": "s", "text": "t"}),
    "an unknown station": ("disputes", {"station": "x", "text": "t", **TIMES}),
    "the end first": ("disputes", {"station": "s", "text": "t", "from": TIMES["until"], "until": TIMES["from"]}),
    "a long text": ("findings", {"station": "s", "text": "x" * 4001, **TIMES}),
    "no word of ours": ("corrections", {"station": "s", "reason": "r", "counts_as": "sunny", **TIMES}),
    "not over": ("corrections", {"station": "s", "reason": "r", "counts_as": "up", "from": TIMES["from"],
                                 "until": "2199-01-01T00:00:00Z"}),
    "an unknown finding": ("corrections", {"station": "s", "reason": "r", "counts_as": "up", "finding": 99, **TIMES}),
}  # fmt: skip


async def test_a_finding_its_answer_and_a_correction(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s")
    async with serving(config(database, tmp_path)) as (client, _):
        for case, (kind, body) in BAD.items():
            assert (await client.post(f"/api/v1/{kind}", json=body)).status_code == 422, case
        made = await client.post(
            "/api/v1/findings", json={"station": "s", "text": "为何离线？", "by": "审计组", **TIMES}
        )
        assert made.status_code == 201, made.text
        finding = f"/api/v1/findings/{made.json()['id']}"
        disputed = (await client.post("/api/v1/disputes", json={"station": "s", "text": "有人值守", **TIMES})).json()
        assert (disputed["kind"], disputed["status"], disputed["from"]) == ("dispute", "open", "2026-01-05T01:00:00Z")
        own = await client.post(f"{finding}/answer", json={"text": "停电"})
        assert own.status_code == 409 and "another person must answer" in own.json()["detail"]
        await pool.execute("UPDATE finding SET made_by = 'operator'")
        answered = await client.post(f"{finding}/answer", json={"text": "停电"})
        assert (answered.status_code, answered.json()["status"]) == (200, "answered")
        assert (await client.post(f"{finding}/close", json={"text": "x"})).status_code == 409, "it answered"
        await pool.execute("UPDATE finding SET answered_by = 'operator' WHERE answered_by IS NOT NULL")
        closed = (await client.post(f"{finding}/close", json={"text": "已核实"})).json()
        assert closed == (await client.get(finding)).json() and closed["status"] == "closed"

        body = {"station": "s", "reason": "停电", "counts_as": "excused", "finding": closed["id"], **TIMES}
        proposed = await client.post("/api/v1/corrections", json=body)
        assert proposed.status_code == 201, proposed.text
        correction = f"/api/v1/corrections/{proposed.json()['id']}"
        assert (await client.post(f"{correction}/approve")).status_code == 409
        await pool.execute("UPDATE correction SET proposed_by = 'operator'")
        approved = (await client.post(f"{correction}/approve", json={"why": "有证明"})).json()
        assert (approved["status"], approved["decided_why"]) == ("approved", "有证明")
        assert (await client.post(f"{correction}/refuse")).status_code == 409

        for query, count in (("", 2), ("?status=open", 1), ("?station=s&status=closed", 1), ("?station=x", 0)):
            assert len((await client.get(f"/api/v1/findings{query}")).json()["items"]) == count, query
        page = (await client.get("/api/v1/findings?limit=1")).json()
        following = (await client.get(f"/api/v1/findings?limit=1&cursor={page['next']}")).json()
        assert [one["id"] for one in page["items"] + following["items"]] == [disputed["id"], closed["id"]]
        of_finding = (await client.get(f"/api/v1/corrections?finding={closed['id']}&status=approved")).json()
        assert of_finding["items"] == [approved]
    kinds = [
        row["kind"] for row in await pool.fetch("SELECT kind FROM ledger_entry WHERE kind ~ '^(find|corr)' ORDER BY id")
    ]
    assert kinds == [
        "finding.made", "finding.made", "finding.answered", "finding.closed",
        "correction.proposed", "correction.approval_refused", "correction.approved",
    ]  # fmt: skip
    bodies = await pool.fetchval("SELECT string_agg(convert_from(body, 'UTF8'), '') FROM ledger_entry")
    assert "停电" not in bodies and "审计组" not in bodies
    assert await pool.fetchval("SELECT count(*) FROM day_touch WHERE cause = 'correction'") == 1


async def test_an_account_with_areas_is_recorded_once_for_approving_its_own(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.area(COUNTY, "城关区")
    await world.station("s", area=COUNTY)
    county = await other_account(pool, Role.SUPERVISOR, scope=AreaScope(areas=frozenset({COUNTY})))
    body = {"station": "s", "reason": "停电", "counts_as": "excused", **TIMES}
    async with serving(config(database, tmp_path)) as (client, _):
        proposed = await client.post("/api/v1/corrections", json=body, headers=county.headers)
        assert proposed.status_code == 201, proposed.text
        approval = f"/api/v1/corrections/{proposed.json()['id']}/approve"
        for _ in range(2):
            assert (await client.post(approval, headers=county.headers)).status_code == 409
    tries = await pool.fetch("SELECT actor FROM ledger_entry WHERE kind = 'correction.approval_refused'")
    assert [row["actor"] for row in tries] == [county.account]
