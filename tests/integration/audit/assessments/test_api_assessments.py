"""Assessments over HTTP, in the scope of the account that asks."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from tests.integration.api_world import World, config, other_account, serving
from tests.integration.audit.assessments.test_assessing import days
from tests.integration.audit.days.day_world import DayWorld

__all__ = ["days"]
PATH = "/api/v1/assessments"
SCORES = [{"place": "b", "score": 86.5, "source": "统计局"}, {"place": "632122", "score": 100}]


@pytest.fixture
async def client(days: DayWorld, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await World(days.pool).clock()
    async with serving(config(database, tmp_path)) as (client, _):
        yield client


async def asked(client: httpx.AsyncClient, path: str = "", **query: Any) -> Any:
    answer = await client.get(f"{PATH}{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_one_is_made_and_read(client: httpx.AsyncClient) -> None:
    """The numbers and reasons are those of the report."""
    answer = await client.post(PATH, json={"area": "63", "period": "2026-11", "scores": SCORES})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["area"], made["places"], made["revision"]) == ("63", 6, 1)
    assert (await asked(client))["items"] == [made] == (await asked(client, area="63", period="2026-11"))["items"]
    assert (await asked(client, period="2026-12"))["items"] == (await asked(client, area="632122"))["items"] == []
    one = await asked(client, "/1", language="en")
    assert {name: one[name] for name in made} == made and one["frozen"]
    listed, cursor = [], None
    while cursor != "":
        page = await asked(client, "/1/places", language="en", limit=4, **({"cursor": cursor} if cursor else {}))
        listed += page["items"]
        cursor = page["next"] or ""
    assert [one["id"] for one in listed] == ["632123", "632122", "c", "b", "a", "d"]
    assert "satisfaction 86.50% (all points from 90.00%)" in " ".join(listed[3]["reasons"])
    for place in listed:
        lost = sum(line["possible"] - line["points"] for line in place["criteria"]) + place["lost_by_cap"]
        assert round(place["points"] + lost, 2) == 100
    stations = await asked(client, "/1/places", level="station", language="en")
    assert stations["items"] == listed[2:]
    report = await client.get("/api/v1/reports/assessments/1", params={"format": "csv", "language": "en"})
    assert report.headers["content-disposition"] == 'attachment; filename="assessment-1-2026-11.csv"'
    rows = list(csv.DictReader(io.StringIO(report.content.decode("utf-8-sig"))))
    assert [(row["place"], float(row["points"]), row["why"]) for row in rows] == [
        (one["id"], one["points"], "; ".join(one["reasons"])) for one in listed
    ]


async def test_what_is_wrong_is_refused(client: httpx.AsyncClient) -> None:
    body = {"area": "63", "period": "2026-11"}
    for change, said in (
        *(({"period": period}, "not counted until its last day") for period in ("2027-01", "2027", "2026-10")),
        ({"area": "99"}, "there is no area '99'"),
        ({"rules": "name: x"}, "version is missing"),
        ({"scores": [*SCORES, SCORES[0]]}, "b has two scores"),
        ({"scores": [{"place": "x", "score": 1}]}, "x has a score, but is not in this assessment"),
        ({"scores": [{"place": "b", "score": 86.555}]}, ""),
        ({"scores": [{"place": "b", "score": 101}]}, ""),
        ({"period": "2026-13"}, ""),
    ):
        answer = await client.post(PATH, json={**body, **change})
        assert answer.status_code == 422 and said in answer.text, answer.text
    assert (await client.post(PATH, json=body)).status_code == 201
    again = await client.post(PATH, json=body)
    assert again.status_code == 409 and "never overwritten" in again.text
    assert (await client.post(PATH, json={**body, "why": "late"})).json()["revision"] == 2


async def test_the_scope_is_kept(client: httpx.AsyncClient, days: DayWorld) -> None:
    far = await other_account(days.pool, Role.SUPERVISOR, scope=AreaScope(areas=frozenset({"632123"})))
    auditor = await other_account(days.pool, Role.AUDITOR, "wang", scope=AreaScope(areas=frozenset({"63"})))
    body = {"period": "2026-11"}
    assert (await client.post(PATH, json=body)).status_code == 201
    assert (await client.post(PATH, json={**body, "area": "632122"})).status_code == 201
    refused = await client.post(PATH, json=body, headers=far.headers)
    assert refused.status_code == 422 and "name an area" in refused.text
    foreign = await client.post(PATH, json={**body, "area": "632122"}, headers=far.headers)
    assert foreign.status_code == 422 and "there is no area" in foreign.text
    assert (await client.post(PATH, json={**body, "area": "632123"}, headers=auditor.headers)).status_code == 403
    own = await client.post(PATH, json={**body, "area": "632123"}, headers=far.headers)
    assert (own.status_code, own.json()["places"]) == (201, 1)
    for account, seen in ((far, ["632123"]), (auditor, ["632123", "632122"])):
        listed = await client.get(PATH, headers=account.headers)
        assert [one["area"] for one in listed.json()["items"]] == seen
    for path in (f"{PATH}/1", f"{PATH}/2", f"{PATH}/2/places", "/api/v1/reports/assessments/2"):
        assert (await client.get(path, headers=far.headers)).status_code == 404
