"""Numbers of areas and blind spots, kept by the incident process in a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting.blindspots.settings import BlindSpotSettings, RecordSettings, SilenceSettings
from alerting.incident_process import service
from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.stages import PartSettings
from alerting.stations.store import load_field
from registry.importing.importer import import_file
from store.pool import Pool
from tests.integration.incidents_kit import ago, judging, now, running, until, write_transition

SECOND = timedelta(seconds=1)
SOON = BlindSpotSettings(area_dark=SECOND, silence=SilenceSettings(dark=SECOND), records=RecordSettings(no_wifi=SECOND))
AREAS = "code,name,parent\n63,青海省,\n6321,海东市,63\n632122,民和县,6321\n632123,乐都县,6321\n"
STATIONS = "id,name,area\n6321220001,一,632122\n6321220002,二,632122\n6321220003,三,632122\n"
SPOTS = (
    'SELECT array_agg(substr(key, 12) ORDER BY key COLLATE "C") FROM incident '
    "WHERE kind = 'blind_spot' AND status <> 'closed' AND key LIKE $1"
)
COUNT = "SELECT (online, offline, never_seen, suspended, working)::text FROM area_count WHERE area = $1"
PAGED = (
    "SELECT array_agg(substr(key, 12) || ' ' || phase ORDER BY n.id) FROM notification n "
    "JOIN incident i ON i.id = n.incident WHERE i.kind = 'blind_spot'"
)
DARK = ["area_dark:630000000000", "area_dark:632100000000", "area_dark:632122000000"]
COUNTY = "632122000000"


async def bring(pool: Pool, folder: Path, kind: Any, text: str) -> None:
    path = folder / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    async with pool.acquire() as connection:
        report = await import_file(connection, kind, path, now=now())
    assert report.applied, report.text


@pytest.fixture
async def county(pool: Pool, tmp_path: Path) -> AsyncIterator[None]:
    """Three stations that are online, and a judge that goes on."""
    await bring(pool, tmp_path, "areas", AREAS)
    await bring(pool, tmp_path, "stations", STATIONS)
    for n in (1, 2, 3):
        await write_transition(pool, f"632122000{n}", "never_seen", "online", at=ago(60))
    async with judging(pool, range(2)):
        yield


@asynccontextmanager
async def lead(database: str, settings: BlindSpotSettings = SOON) -> AsyncIterator[None]:
    config = IncidentsConfig(
        database_url=database, poll=0.05, standby_poll=0.05, parts=PartSettings(blind_spots=settings)
    )
    async with running(service.run, config):
        yield


async def test_a_county_goes_dark_and_comes_back(pool: Pool, database: str, county: None) -> None:
    async with lead(database):
        await until(pool, COUNT, "(3,0,0,0,3)", COUNTY)
        for n in (1, 2, 3):
            await write_transition(pool, f"632122000{n}", "online", "offline", at=now())
        await until(pool, SPOTS, DARK, "%area_dark%")
        assert await pool.fetchval(COUNT, "630000000000") == "(0,3,0,0,0)"
    async with lead(database):
        await write_transition(pool, "6321220001", "offline", "online")
        await until(pool, SPOTS, ["dark:6321220002", "dark:6321220003"], "%:dark:%")
        await until(pool, COUNT, "(1,2,0,0,1)", COUNTY)
        await write_transition(pool, "6321220002", "offline", "online")
        await until(pool, SPOTS, None, "%area_dark%")
        await until(pool, SPOTS, ["dark:6321220003"], "%")
    assert await pool.fetchval(PAGED) == ["area_dark:630000000000 opened", "area_dark:630000000000 closed"]


async def test_what_was_on_the_way_survives_a_restart(pool: Pool, database: str, county: None) -> None:
    """The second process knows since when the area is dark, and waits only for what is left."""
    long = BlindSpotSettings(area_dark=timedelta(hours=1))
    async with lead(database, long):
        for n in (1, 2, 3):
            await write_transition(pool, f"632122000{n}", "online", "offline", at=ago(30))
        await until(pool, "SELECT count(*) FROM blind_spot_memory WHERE rule = 'dark_area'", 3)
    kept = await pool.fetchval("SELECT at FROM blind_spot_memory WHERE subject = $1", COUNTY)
    async with lead(database, BlindSpotSettings(area_dark=31 * SECOND)):
        await until(pool, SPOTS, DARK, "%area_dark%")
    assert await pool.fetchval("SELECT began_at FROM incident WHERE key = $1", f"blind_spot:area_dark:{COUNTY}") == kept


async def test_counts_that_were_wrong_are_mended_at_the_start(pool: Pool, database: str, county: None) -> None:
    await pool.execute("INSERT INTO area_count (area, online) VALUES ($1, 99), ('64', 5)", COUNTY)
    async with lead(database):
        await until(pool, COUNT, "(3,0,0,0,3)", COUNTY)
        await until(pool, COUNT, "(0,0,0,0,0)", "64")
        await pool.execute("UPDATE station SET lifecycle = 'suspended' WHERE id = '6321220001'")
        await pool.execute("DELETE FROM station WHERE id = '6321220002'")
        await pool.execute("NOTIFY milepost_registry")
        await until(pool, COUNT, "(1,0,0,1,1)", "630000000000")
        assert await pool.fetchval("SELECT now() - told_at < interval '10 s' FROM area_count_known")


async def test_areas_of_targets(pool: Pool, database: str, county: None, tmp_path: Path) -> None:
    await bring(pool, tmp_path, "targets", "id,name,metric,areas,level\nb,边境,covered,63,county\np,省,stations,63,\n")
    async with lead(database):
        await until(pool, SPOTS, ["uncovered:632123000000"], "%uncovered%")
        assert await pool.fetchval(PAGED) is None
    await pool.execute("UPDATE station SET lifecycle = 'retired'")
    async with lead(database):
        await until(
            pool,
            SPOTS,
            ["uncovered:630000000000", "uncovered:632122000000", "uncovered:632123000000"],
            "%uncovered%",
        )
    assert set(await pool.fetchval(PAGED)) == {"uncovered:632122000000 opened", "uncovered:630000000000 opened"}


async def test_records_speak_of_a_station_when_they_change(pool: Pool, database: str, county: None) -> None:
    await pool.execute("INSERT INTO terminal (station, id) SELECT id, t FROM station, unnest('{001,002}'::text[]) AS t")
    fact = (
        "INSERT INTO terminal_facts (station, terminal, partition, wifi, wifi_since, first_at) "
        "VALUES ($1, $2, 0, $3, $4, $4) ON CONFLICT (station, terminal) DO UPDATE SET wifi = excluded.wifi, "
        "changed_xid = pg_current_xact_id()"
    )
    await pool.execute(fact, "6321220001", "001", False, ago(60))
    await pool.execute(fact, "6321220002", "001", False, ago(60))
    await pool.execute(fact, "6321220002", "002", True, ago(60))
    async with lead(database):
        await until(pool, SPOTS, ["no_wifi:6321220001"], "%no_wifi%")
    await pool.execute(fact, "6321220001", "001", True, ago(60))
    async with lead(database):
        await until(pool, SPOTS, None, "%no_wifi%")


async def test_unknown_time_is_read_before_time_decides(pool: Pool, database: str, county: None) -> None:
    async with lead(database, BlindSpotSettings(area_dark=timedelta(minutes=5))):
        await until(pool, COUNT, "(3,0,0,0,3)", COUNTY)
        await pool.execute(
            "INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason) "
            "VALUES (0, 1, 'main', $1, $2, 'too_long')",
            ago(380),
            ago(320),
        )
        for n in (1, 2, 3):
            await write_transition(pool, f"632122000{n}", "online", "offline", at=ago(355))
        await until(pool, SPOTS, DARK, "%area_dark%")
        since = await pool.fetchval("SELECT now() - began_at FROM incident WHERE key LIKE '%area_dark%' LIMIT 1")
    assert since >= timedelta(minutes=5, seconds=35)


async def test_a_resolved_one_is_not_told_again(pool: Pool, database: str, county: None) -> None:
    async with lead(database):
        await write_transition(pool, "6321220001", "online", "offline", at=ago(60))
        await until(pool, SPOTS, ["dark:6321220001"], "%:dark:%")
    await pool.execute(
        "UPDATE incident SET status = 'closed', closed_at = now(), reopen_at = now() + interval '4 h' "
        "WHERE key = 'blind_spot:dark:6321220001'"
    )
    async with lead(database):
        await write_transition(pool, "6321220002", "online", "offline", at=ago(60))
        await until(pool, SPOTS, ["dark:6321220002"], "%:dark:%")


async def test_a_station_imported_long_after_it_was_commissioned_is_expected_from_the_import_on(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("INSERT INTO station (id, name, commissioned_at) VALUES ('A', 'A', '2009-05-01')")
        await connection.execute("INSERT INTO station (id, name, lifecycle) VALUES ('B', 'B', 'planned')")
        rows = await connection.fetch("SELECT id, now() - in_service_at < interval '1 min' AS lately FROM station")
        assert dict(map(tuple, rows)) == {"A": True, "B": None}
        await connection.execute("UPDATE station SET lifecycle = 'commissioned' WHERE id = 'B'")
        assert await connection.fetchval("SELECT in_service_at = changed_at FROM station WHERE id = 'B'")
        async with connection.transaction():
            field = await load_field(connection, now(), {})
    for station in ("A", "B"):
        standing = field.standing(station)
        assert standing is not None and standing.commissioned_at is not None
        assert now() - standing.commissioned_at < timedelta(minutes=1)
