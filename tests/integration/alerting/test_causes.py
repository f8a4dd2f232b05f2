"""Common causes and flapping in the incident process, on a real database."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from alerting.blindspots.settings import BlindSpotSettings
from alerting.incident_process import service
from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.stages import PartSettings
from alerting.incidents.actions import resolve
from alerting.station_incidents.cause_settings import CauseSettings
from store.author import Author
from store.pool import Pool
from tests.integration.incidents_kit import ago, judging, now, running, until

PAGES = "SELECT string_agg(n.phase || ' ' || i.key, ', ' ORDER BY n.id) FROM notification n JOIN incident i ON i.id = n.incident"  # noqa: E501
COUNTY = "area_outage:area:632122000000"
CHILDREN = "SELECT count(*) FROM incident i JOIN incident p ON p.id = i.parent WHERE p.key = $1"
OTHERS = [f"63212300{number:02d}" for number in range(12)]
OPENED = (
    "SELECT count(*) FROM notification n JOIN incident i ON i.id = n.incident WHERE i.key = $1 AND phase = 'opened'"
)
OPEN = "SELECT count(*) FROM incident WHERE key = $1 AND status <> 'closed'"


@pytest.fixture
async def county(pool: Pool) -> list[str]:
    """Twelve stations of a county and twelve of another, all online."""
    await pool.execute(
        "INSERT INTO area (code, name, parent, level, path) VALUES "
        "('630000000000', '青海', NULL, 'province', '{630000000000}'), "
        "('632122000000', '民和', '630000000000', 'county', '{630000000000,632122000000}'), "
        "('632123000000', '乐都', '630000000000', 'county', '{630000000000,632123000000}')"
    )
    stations = [f"63212200{number:02d}" for number in range(12)]
    for group in (stations, OTHERS):
        await pool.execute(
            "INSERT INTO station (id, name, area, isp) SELECT id, id, $2, 'a' FROM unnest($1::text[]) AS id",
            group, group[0][:6] + "000000",
        )  # fmt: skip
        await heard(pool, group, ago(1))
    return stations


async def heard(pool: Pool, stations: Sequence[str], at: datetime) -> None:
    """What a judge keeps of stations with one terminal that were heard last then, on a clock that reads 1000."""
    await pool.execute(
        "INSERT INTO station_state (partition, station, state, since, shard) "
        "SELECT 0, id, 'online', now() - interval '1 day', 'main' FROM unnest($1::text[]) AS id ON CONFLICT DO NOTHING",
        list(stations),
    )
    await pool.execute(
        "INSERT INTO terminal_state (station, terminal, partition, shard, state, seen_at, boot, run, conn, n, every, "
        "seen, deadline) SELECT id, '001', 0, 'main', 'online', $2, id, 1, 1, 1, 10, "
        "-extract(epoch FROM now() - $2), 0 FROM unnest($1::text[]) AS id "
        "ON CONFLICT (station, terminal) DO UPDATE SET seen_at = excluded.seen_at, seen = excluded.seen",
        list(stations), at,
    )  # fmt: skip


async def change(
    pool: Pool,
    stations: Sequence[str],
    before: str,
    after: str,
    at: datetime,
    seen: datetime,
    tick_at: datetime | None = None,
) -> None:
    """Transitions of stations, all of one tick."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, seen_at, shard, reason) "
            "SELECT 0, (SELECT coalesce(max(seq), 0) FROM transition) + n, id, $2, $3, $4, $6, $5, 'main', "
            "'missed_heartbeats' FROM unnest($1::text[]) WITH ORDINALITY AS s (id, n)",
            list(stations), before, after, at, seen, tick_at or now(),
        )  # fmt: skip
        await connection.execute(
            "UPDATE station_state SET state = $2, since = $3 WHERE station = ANY ($1::text[])",
            list(stations), after, at,
        )  # fmt: skip
        await connection.execute("SELECT pg_notify('milepost_transition', '')")


async def fall(pool: Pool, stations: Sequence[str]) -> None:
    """Half a minute ago, all at one instant; the others of the second county were heard since."""
    await heard(pool, OTHERS, now())
    await change(pool, stations, "online", "offline", ago(20), ago(30))


async def come_back(pool: Pool, stations: Sequence[str]) -> None:
    await change(pool, stations, "offline", "online", now(), now())


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    return IncidentsConfig(
        database_url=database, poll=0.05, standby_poll=0.05, parts=PartSettings(causes=CauseSettings(hold=1.5))
    )


@pytest.fixture
async def clocks(pool: Pool) -> AsyncIterator[None]:
    async with judging(pool, range(1)):
        yield


async def test_a_county_pages_once_at_the_first_fall_and_once_when_it_is_back(
    pool: Pool, county: list[str], config: IncidentsConfig, clocks: None
) -> None:
    async with running(service.run, config):
        await heard(pool, county, ago(30))
        await fall(pool, county[:1])
        await until(pool, PAGES, f"opened {COUNTY}")
        await fall(pool, county[1:])
        await until(pool, CHILDREN, 12, COUNTY)
        await come_back(pool, county)
        await until(pool, PAGES, f"opened {COUNTY}, closed {COUNTY}")
    (outage,) = await pool.fetch("SELECT * FROM incident WHERE kind = 'area_outage'")
    assert (outage["area"], outage["detail"]["cause"], outage["detail"]["children"]) == ("632122000000", "area", 12)
    assert await pool.fetchval("SELECT count(*) FROM cause_memory") == 0


async def test_a_restart_in_the_middle_loses_nothing(
    pool: Pool, county: list[str], config: IncidentsConfig, clocks: None
) -> None:
    async with running(service.run, config):
        await fall(pool, county)
        await until(pool, CHILDREN, 12, COUNTY)
    async with running(service.run, config):
        await come_back(pool, county[1:])
        alone = f"station_offline:{county[0]}"
        await until(pool, PAGES, f"opened {COUNTY}, closed {COUNTY}, opened {alone}")


async def test_an_area_that_stays_dark_after_an_outage_is_notified(
    pool: Pool, county: list[str], config: IncidentsConfig, clocks: None
) -> None:
    """Nothing else is due meanwhile: the end of the outage alone begins the recovery time of the area."""
    await pool.execute(
        "INSERT INTO area (code, name, parent, level, path) VALUES "
        "('640000000000', '宁夏', NULL, 'province', '{640000000000}'), "
        "('632124000000', '循化', '630000000000', 'county', '{630000000000,632124000000}')"
    )
    # Too few for a common cause of their own, and stations elsewhere that go on.
    few, elsewhere = [f"63212400{number:02d}" for number in range(4)], [f"64010000{number:02d}" for number in range(40)]
    for group, area in ((few, "632124000000"), (elsewhere, "640000000000")):
        await pool.execute(
            "INSERT INTO station (id, name, area, isp) SELECT id, id, $2, $2 FROM unnest($1::text[]) AS id", group, area
        )
        await heard(pool, group, ago(1))
    await pool.execute("UPDATE station SET lifecycle = 'suspended' WHERE id = ANY ($1::text[])", county)
    spots = BlindSpotSettings(area_dark=timedelta(seconds=1))
    quick = msgspec.structs.replace(config, parts=msgspec.structs.replace(config.parts, blind_spots=spots))
    outage, dark = "area_outage:area:630000000000", "blind_spot:area_dark:632124000000"
    async with running(service.run, quick):
        await change(pool, [*few, *OTHERS], "online", "offline", ago(20), ago(30))
        await until(pool, OPEN, 1, outage)
        await until(pool, OPEN, 1, dark)
        await heard(pool, elsewhere, now())
        await come_back(pool, OTHERS)
        await until(pool, OPEN, 0, outage)
        await until(pool, OPENED, 1, dark)
    assert await pool.fetchval(OPEN, dark) == 1


async def test_what_a_person_resolved_stays_resolved(
    pool: Pool, county: list[str], config: IncidentsConfig, clocks: None
) -> None:
    async with running(service.run, config):
        await fall(pool, county[:8])
        await until(pool, CHILDREN, 8, COUNTY)
        incident = await pool.fetchval("SELECT id FROM incident WHERE key = $1", COUNTY)
        async with pool.acquire() as connection:
            await resolve(connection, incident, Author("operator"), "a test", now())
        await fall(pool, county[8:])
        await until(pool, CHILDREN, 12, COUNTY)
    async with running(service.run, config):
        await come_back(pool, county)
        await until(pool, "SELECT count(*) FROM incident WHERE status <> 'closed'", 0)
        await until(pool, "SELECT count(*) FROM cause_memory", 0)
    told = f"opened {COUNTY}, resolved {COUNTY}, closed {COUNTY}"
    assert await pool.fetchval(PAGES) == told, "the person's own act is told, and the real return"


async def test_a_station_that_comes_and_goes_has_one_incident(
    pool: Pool, county: list[str], config: IncidentsConfig, clocks: None
) -> None:
    """Three falls in half an hour of one that beats every minute, read after the process had stood still; then it is
    restarted."""
    await pool.execute("UPDATE terminal_state SET every = 60 WHERE station = $1", county[0])
    await pool.execute("INSERT INTO incident_clock (known_at) VALUES ($1)", ago(3600))
    station = county[:1]
    for number in range(6):
        before, after = ("online", "offline") if number % 2 == 0 else ("offline", "online")
        at = ago(1800 - 240 * number)
        await change(pool, station, before, after, at, at, tick_at=at)
    flaps, alone = f"flapping:{station[0]}", f"station_offline:{station[0]}"
    async with running(service.run, config):
        await until(pool, OPEN, 1, flaps)
    told = sorted((await pool.fetchval(PAGES)).split(", "))
    assert told == [f"closed {alone}"] * 3 + [f"opened {flaps}"] + [f"opened {alone}"] * 3
    async with running(service.run, config):
        await fall(pool, station)
        await until(pool, OPEN, 1, alone)
    parent = await pool.fetchval(
        "SELECT p.key FROM incident i JOIN incident p ON p.id = i.parent WHERE i.key = $1", alone
    )
    assert parent == flaps
    assert sorted((await pool.fetchval(PAGES)).split(", ")) == told
