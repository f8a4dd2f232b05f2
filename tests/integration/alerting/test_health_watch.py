"""From a record to the incident: what the health rules write, and what the incident process makes of it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from alerting.health.service import HealthHandler
from alerting.incident_process.service import IncidentsConfig, run
from alerting.incident_process.stages import PartSettings
from alerting.station_incidents.cause_settings import CauseSettings
from store.pool import Pool
from tests.integration.alerting.test_health import feed, full_disk, message
from tests.integration.incidents_kit import add_station, running, until
from tests.unit.alerting.health.health_kit import HOUR, MINUTE, NOW, RULES, Boot, rules

# Stations that nobody heard have incidents of other kinds as well.
OURS = "FROM incident WHERE kind = 'health'"
OPEN = f"SELECT count(*) {OURS} AND status <> 'closed'"
TOLD = f"SELECT string_agg(phase, ' ' ORDER BY id) FROM notification WHERE incident IN (SELECT id {OURS})"  # noqa: S608
ENDED = (
    "SELECT text FROM incident_entry e JOIN incident i ON i.id = e.incident "
    "WHERE i.kind = 'health' AND e.action = 'closed' ORDER BY e.id DESC LIMIT 1"
)
REGISTRY = "SELECT pg_notify('milepost_registry', '')"


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    return IncidentsConfig(database_url=database, instance="test", poll=0.05)


async def add(pool: Pool, station: str = "S1", **values: Any) -> None:
    await add_station(pool, station, **values)
    await pool.execute("INSERT INTO terminal (station, id) VALUES ($1, '001')", station)


async def reason(pool: Pool) -> str | None:
    text: str | None = await pool.fetchval(ENDED)
    return text


async def test_a_full_disk_is_told_once_on_the_way_there_and_back(pool: Pool, config: IncidentsConfig) -> None:
    await add(pool)
    handler, boot = HealthHandler(rules()), Boot()
    async with running(run, config):
        await feed(pool, handler, full_disk(boot))
        await until(pool, OPEN, 1)
    found = await pool.fetchrow(f"SELECT * {OURS}")
    assert found is not None
    assert (found["key"], found["station"], found["began_at"].timestamp()) == ("health:disk_full:S1:001", "S1", NOW)
    async with running(run, config):
        await feed(pool, handler, [message(boot, [boot.health(4, 15 * MINUTE, disk=0.2)], 15 * MINUTE)])
        await until(pool, OPEN, 0)
    assert await pool.fetchval(TOLD) == "opened closed"
    assert await reason(pool) == "cleared"


async def test_what_began_and_ended_while_nobody_led_is_passed_on(pool: Pool, config: IncidentsConfig) -> None:
    await add(pool)
    handler, boot = HealthHandler(rules()), Boot()
    await feed(pool, handler, full_disk(boot))
    await feed(pool, handler, [message(boot, [boot.health(4, 15 * MINUTE, disk=0.2)], 15 * MINUTE)])
    async with running(run, config):
        await until(pool, f"SELECT count(*) {OURS} AND status = 'closed'", 1)
        assert await pool.fetchval(TOLD) == "passed"


async def test_a_warning_is_listed_only(pool: Pool, config: IncidentsConfig) -> None:
    await add(pool)
    handler = HealthHandler(rules(RULES.replace("severity: critical", "severity: warning")))
    async with running(run, config):
        await feed(pool, handler, full_disk(Boot()))
        await until(pool, OPEN, 1)
    assert await pool.fetchval(f"SELECT (detail ->> 'quiet')::boolean {OURS}") is True
    assert await pool.fetchval(TOLD) is None


async def test_stations_come_into_service_and_leave_it(pool: Pool, config: IncidentsConfig) -> None:
    await add(pool, lifecycle="planned")
    async with running(run, config):
        await feed(pool, HealthHandler(rules()), full_disk(Boot()))
        await feed(pool, HealthHandler(rules()), full_disk(Boot()), key=b"nobody")
        await pool.execute("UPDATE station SET lifecycle = 'commissioned'")
        await pool.execute(REGISTRY)
        await until(pool, OPEN, 1)
        await pool.execute("UPDATE station SET lifecycle = 'suspended'")
        await pool.execute(REGISTRY)
        await until(pool, OPEN, 0)
        assert await reason(pool) == "suspended"
        await pool.execute("UPDATE station SET lifecycle = 'commissioned'")
        await pool.execute(REGISTRY)
        await until(pool, OPEN, 1)
        await pool.execute("DELETE FROM station")
        await pool.execute(REGISTRY)
        await until(pool, OPEN, 0)
        assert await reason(pool) == "deleted"


async def test_a_backlog_and_a_restart_of_both_change_nothing(pool: Pool, config: IncidentsConfig) -> None:
    await add(pool)
    boot = Boot()
    await feed(pool, HealthHandler(rules()), full_disk(boot))
    async with running(run, config):
        await until(pool, OPEN, 1)
    old = [boot.health(100 + n, (20 + 5 * n) * MINUTE, disk=0.99) for n in range(20)]
    await feed(pool, HealthHandler(rules()), [message(boot, old, 9 * HOUR)])
    await feed(pool, HealthHandler(rules()), full_disk(boot))
    async with running(run, config):
        await feed(pool, HealthHandler(rules()), [message(boot, [boot.health(200, 10 * HOUR, disk=0.1)], 10 * HOUR)])
        await until(pool, OPEN, 0)
    assert await pool.fetchval(f"SELECT count(*) {OURS}") == 1


COMMON = "FROM incident WHERE key = 'health:disk_full:common'"
PHASES = (
    "SELECT string_agg(coalesce(i.station, 'common') || ' ' || phase, ', ' ORDER BY i.station, n.id) "
    "FROM notification n JOIN incident i ON i.id = n.incident WHERE i.kind = 'health'"
)


async def fill(pool: Pool, stations: Sequence[str]) -> dict[str, Boot]:
    """A disk at each of these stations fills."""
    boots = {station: Boot(station) for station in stations}
    for station, boot in boots.items():
        await feed(pool, HealthHandler(rules()), full_disk(boot), key=station.encode())
    return boots


async def clear(pool: Pool, boots: dict[str, Boot], stations: Sequence[str]) -> None:
    for station in stations:
        sample = boots[station].health(4, 15 * MINUTE, disk=0.2)
        await feed(pool, HealthHandler(rules()), [message(boots[station], [sample], 15 * MINUTE)], key=station.encode())


async def add_county(pool: Pool, stations: Sequence[str]) -> None:
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('63', '青海', 'province', '{63}')")
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('6321', '海东', 'city', '{63,6321}')")
    for station in stations:
        await add(pool, station)
    await pool.execute("UPDATE station SET area = '6321'")


async def test_many_full_disks_are_told_once_and_who_is_left_alone(pool: Pool, config: IncidentsConfig) -> None:
    stations = [f"S{n}" for n in range(1, 8)]
    await add_county(pool, stations)
    quick = msgspec.structs.replace(config, parts=PartSettings(causes=CauseSettings(hold=0.5)))
    async with running(run, quick):
        boots = await fill(pool, stations[:4])
        await until(pool, OPEN, 4)
        assert await pool.fetchval(PHASES) == ", ".join(f"{station} opened" for station in stations[:4])
    async with running(run, quick):
        boots |= await fill(pool, stations[4:5])
        await until(pool, OPEN, 6)
    parent = await pool.fetchrow(f"SELECT * {COMMON}")
    assert parent is not None
    assert (parent["station"], parent["area"], parent["began_at"].timestamp()) == (None, "6321", NOW)
    async with running(run, quick):
        boots |= await fill(pool, stations[5:])
        await until(pool, "SELECT count(*) FROM incident WHERE parent IS NOT NULL", 7)
    await clear(pool, boots, stations[:6])
    async with running(run, quick):
        await until(pool, OPEN, 1)
    told = ", ".join(f"{station} opened" for station in stations[:4])
    assert await pool.fetchval(PHASES) == f"{told}, S7 opened, common opened, common closed"
    assert await pool.fetchval(f"SELECT detail ->> 'ended_by' {COMMON}") == "most_back"


async def test_a_common_cause_that_a_person_closed_stays_quiet_over_a_restart(
    pool: Pool, config: IncidentsConfig
) -> None:
    stations = [f"S{n}" for n in range(1, 8)]
    await add_county(pool, stations)
    async with running(run, config):
        await fill(pool, stations[:5])
        await until(pool, f"SELECT count(*) {COMMON}", 1)
        told = await pool.fetchval(PHASES)
        await pool.execute(
            "UPDATE incident SET status = 'closed', closed_at = now(), reopen_at = now() + interval '4 h' "
            "WHERE key = 'health:disk_full:common'"
        )
        await fill(pool, stations[5:6])
        await until(pool, "SELECT count(*) FROM incident WHERE parent IS NOT NULL", 6)
    async with running(run, config):
        await fill(pool, stations[6:])
        await until(pool, "SELECT count(*) FROM incident WHERE parent IS NOT NULL", 7)
    assert await pool.fetchval(PHASES) == told
    assert await pool.fetchval(f"SELECT count(*) {COMMON}") == 1
