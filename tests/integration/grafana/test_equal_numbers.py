"""The dashboards show the numbers of the API, the console and the reports, for the same area and time."""

import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from contract.home import HOME
from grafana.fields import LEVELS
from grafana.files import DASHBOARDS
from grafana.variables import sql_of
from store.pool import Pool
from tests.integration.api_world import World, config, serving
from tests.integration.audit.days.day_world import DayWorld
from tests.integration.grafana.grafana_macros import ALL, expand

PROVINCE, COUNTY, BESIDE = "63", "632122", "632123"
AREAS = ("*", PROVINCE, COUNTY, BESIDE)
MONTH = "2026-11"
BEGIN, END = datetime(2026, 11, 1, tzinfo=HOME), datetime(2026, 12, 1, tzinfo=HOME) - timedelta(milliseconds=1)
"""The time range that Grafana sends for this month in China."""


@pytest.fixture
async def world(pool: Pool) -> World:
    """A frozen month with an addendum, stations of every verdict, and incidents that some count and others do not."""
    days, world = DayWorld(pool), World(pool)
    await days.register(["a", "b"])
    await days.register(["c"], area=BESIDE)
    for station in ("a", "b"):
        await days.judge(station, 0, "online", usable=True)
    await days.judge("a", 30, "online", usable=False)
    await days.judge("b", 24 + 12, "offline")
    await days.gap(24 * 3, 24 * 3 + 12)
    await days.closure("a", 24 * 5, 24 * 7)
    await days.keep(24 * 39 + 5)
    await days.ran("b", 48 + 9, 48 + 11)
    await days.keep()
    await _stations(world)
    await _incidents(world)
    return world


async def _stations(world: World) -> None:
    await world.clock()
    await world.clock(1, "far", age=60)
    for number, (state, more) in enumerate(
        [
            ("online", {}), ("online", {}), ("online", {"usable": False}), ("offline", {}), ("away", {}),
            ("online", {"partition": 1, "shard": "far"}), (None, {}), ("online", {"lifecycle": "suspended"}),
            ("offline", {"lifecycle": "retired"}), ("offline", {}), ("offline", {}),
        ]
    ):  # fmt: skip
        await world.station(f"s{number}", state, area=COUNTY if number % 3 else BESIDE, **more)
    await world.station("nowhere", "offline")
    await world.hours("s9", (-9, -8))
    await world.closure(-1, 1, station="s10")


async def _incidents(world: World) -> None:
    outage = await world.incident("area_outage", area=PROVINCE, detail={"children": 3})
    await world.incident("station_offline", station="s3", area=COUNTY, parent=outage)
    own = await world.incident("station_offline", station="s4", area=COUNTY)
    late = await world.incident("unusable", station="s2", area=COUNTY, status="acknowledged")
    soon = await world.incident("unusable", station="s5", area=BESIDE, status="acknowledged")
    await world.incident("unusable", station="s6", area=BESIDE, status="closed")
    await world.incident("health", station="s1", area=COUNTY, detail={"quiet": True})
    await world.incident("pipeline_blind")
    await world.incident("blind_spot", area=COUNTY, detail={"kind": "area_dark", "clears": "station_works"})
    for detail in ({"kind": "dark", "clears": "session", "quiet": True}, {"kind": "idle", "clears": "session"}):
        await world.incident("blind_spot", station="s3", area=COUNTY, parent=outage, detail=detail)
    await world.pool.execute(
        "UPDATE incident SET acknowledged_by = 'li', acknowledged_at = now(), first_acknowledged_at = now(), "
        "eta_at = now() + CASE WHEN id = $1 THEN interval '-1 h' ELSE '1 h' END WHERE id = ANY ($2)", late, [late, soon]
    )  # fmt: skip
    await world.pool.execute("INSERT INTO incident_share VALUES ($1, $2, 2, 1), ($1, $3, 1, 0)", outage, COUNTY, BESIDE)
    await world.pool.execute(
        "INSERT INTO incident_share_ack (incident, area, acknowledged_at, acknowledged_by, eta_at) "
        "SELECT $1, area, now(), 'li', now() - interval '1 h' FROM unnest($2::text[]) AS area",
        outage, [COUNTY, BESIDE],
    )  # fmt: skip
    await world.contact("li")
    await world.pool.execute("INSERT INTO escalation (incident, state) VALUES ($1, '{}')", own)
    await world.pool.execute(
        "INSERT INTO page (incident, recipient, phase, severity, status, round) "
        "VALUES ($1, 'li', 'escalated', 'critical', 'paid', 0)", own,
    )  # fmt: skip


@pytest.fixture
async def client(world: World, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path)) as (client, _):
        yield client


async def shown(world: World, dashboard: str, query: str, area: str) -> list[dict[str, Any]]:
    """What a query of a dashboard shows for the month, with the area chosen."""
    (found,) = (each for each in DASHBOARDS if each.name == dashboard)
    sql = sql_of(getattr(found.queries, query), "en")
    rows = await world.pool.fetch(expand(sql, begin=BEGIN, end=END, seconds=3600, **{**ALL, "area": area}))
    return [dict(row) for row in rows]


async def asked(client: httpx.AsyncClient, path: str, area: str, **query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/{path}", params=query if area == "*" else {"area": area, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_stations_by_verdict(world: World, client: httpx.AsyncClient) -> None:
    for area in (PROVINCE, COUNTY, BESIDE):
        (counts,) = await shown(world, "overview", "counts", area)
        theirs = (await client.get(f"/api/v1/areas/{area}")).json()["counts"]
        theirs.pop("total")
        assert counts == theirs, area
    (counts,) = await shown(world, "overview", "counts", "*")
    assert min(counts.values()) > 0, "each verdict has a station"
    metrics = (await client.get("/metrics")).text
    board = (await client.get("/", params={"lang": "en"})).text
    for verdict, number in counts.items():
        assert f'milepost_stations{{verdict="{verdict}"}} {number}.0' in metrics
    assert str(counts["offline"]) in board


async def test_incidents_and_blind_spots(world: World, client: httpx.AsyncClient) -> None:
    for area in AREAS:
        (now,) = await shown(world, "overview", "standing", area)
        (needs,) = await shown(world, "response", "standing", area)
        response = await asked(client, "response", area)
        assert needs == {name: response[name]["count"] for name in ("unowned", "overdue", "escalated")}, area
        assert now["unowned"] == needs["unowned"]
        late = [row["id"] for row in await shown(world, "response", "overdue", area)]
        assert late == [item["id"] for item in response["overdue"]["items"]]
        told = [
            each
            for status in ("open", "acknowledged")
            for each in (await asked(client, "incidents", area, status=status, top="true"))["items"]
        ]
        assert now["incidents"] == sum(each["kind"] != "blind_spot" for each in told), area
        spots = (await asked(client, "blind-spots", area))["items"]
        (by_kind,) = await shown(world, "spots", "by_kind", area)
        assert now["spots"] == len(spots) == sum(by_kind.values()), area
        assert {kind: number for kind, number in by_kind.items() if number} == {
            kind: sum(spot["kind"] == kind for spot in spots) for kind in {spot["kind"] for spot in spots}
        }


@pytest.mark.parametrize("area", AREAS)
async def test_the_rates_of_a_month(world: World, client: httpx.AsyncClient, area: str) -> None:
    (figures,) = await shown(world, "uptime", "figures", area)
    (month,) = await shown(world, "uptime", "by_month", area)
    theirs = await asked(client, "uptime", area, period=MONTH)
    assert theirs["frozen_at"]
    assert (theirs["with_addenda"] is None) == (area == BESIDE), "what came later must change something"
    rates = [theirs["figures"][f"{name}_percent"] for name in ("online", "service", "coverage")]
    for found in (figures, month):
        assert [round(found[name] * 100, 2) for name in ("online_rate", "service_rate", "coverage")] == rates
        assert found["unknown_h"] == theirs["figures"]["unknown_ms"] / 3_600_000
    assert figures["excused_h"] == theirs["figures"]["excused_ms"] / 3_600_000
    ranked = {
        [row[level] for level in LEVELS if row[level] != "*"][-1]: round(row["online_rate"] * 100, 2)
        for row in await shown(world, "uptime", "ranking", area)
    }
    assert ranked == {one["area"]: one["figures"]["online_percent"] for one in theirs["areas"]}
    query = {"period": MONTH, "format": "xlsx", "language": "en"} | ({} if area == "*" else {"area": area})
    report = await client.get("/api/v1/reports/uptime", params=query)
    book = openpyxl.load_workbook(io.BytesIO(report.content))
    sums = {row[0]: row for row in book["The period"].iter_rows(values_only=True)}
    assert [round(share * 100, 2) for share in sums["this period"][1:4]] == rates
    page = await client.get("/uptime", params={"period": MONTH, "lang": "en"} | ({} if area == "*" else {"area": area}))
    assert all(f"{rate:.2f}" in page.text for rate in rates)
