"""Stations that become of no use together, in the incident process on a real database, and what people are told."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

import pytest

from alerting.delivery import service as deliver
from alerting.delivery.service import DeliverConfig
from alerting.incident_process import service
from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.stages import PartSettings
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import RuleSettings
from store.pool import Pool
from tests.integration.alerting.test_deliver import Webhook
from tests.integration.incidents_kit import ago, judging, now, running, until, write_transition

# apprise looks for a module that Python is about to drop, and brings its own when it is gone.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

COUNTY = "unusable:area:632122000000"
COUNT = 12
PAGES = "SELECT string_agg(n.phase || ' ' || i.key, ', ' ORDER BY n.id) FROM notification n JOIN incident i ON i.id = n.incident"  # noqa: E501
CHILDREN = (
    "SELECT count(*) FROM incident i JOIN incident p ON p.id = i.parent WHERE p.key = $1 AND i.status <> 'closed'"
)
SENT = "SELECT count(*) FROM delivery WHERE status = 'sent'"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.close()


@pytest.fixture
async def county(pool: Pool) -> list[str]:
    """Twelve stations of a county and twelve of another, all online and of use."""
    await pool.execute(
        "INSERT INTO area (code, name, parent, level, path) VALUES "
        "('630000000000', '青海', NULL, 'province', '{630000000000}'), "
        "('632122000000', '民和', '630000000000', 'county', '{630000000000,632122000000}'), "
        "('632123000000', '乐都', '630000000000', 'county', '{630000000000,632123000000}')"
    )
    for area in ("632122", "632123"):
        for number in range(COUNT):
            await pool.execute(
                "INSERT INTO station (id, name, area) VALUES ($1, $1, $2)", f"{area}{number:04d}", area + "000000"
            )
            await write_transition(pool, f"{area}{number:04d}", "never_seen", "online", at=ago(900), usable=True)
    return [f"632122{number:04d}" for number in range(COUNT)]


async def say(pool: Pool, stations: Sequence[str], usable: bool, at: datetime) -> None:
    """Their terminals say from then on whether visitors can use them; all are judged at one tick."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason, usable) "
            "SELECT 0, (SELECT max(seq) FROM transition) + n, id, 'online', 'online', $2, now(), 'main', 'usable', $3 "
            "FROM unnest($1::text[]) WITH ORDINALITY AS s (id, n)",
            list(stations), at, usable,
        )  # fmt: skip
        await connection.execute(
            "UPDATE station_state SET usable = $2, since = $3 WHERE station = ANY ($1::text[])",
            list(stations), usable, at,
        )  # fmt: skip
        await connection.execute("SELECT pg_notify('milepost_transition', '')")


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    return IncidentsConfig(
        database_url=database,
        poll=0.05,
        standby_poll=0.05,
        rules=RuleSettings(unusable_grace=2),
        parts=PartSettings(causes=CauseSettings(hold=1.5)),
    )


@pytest.fixture
async def clocks(pool: Pool) -> AsyncIterator[None]:
    async with judging(pool, range(1)):
        yield


async def test_a_county_of_no_use_is_told_once_and_once_when_it_works_again(
    pool: Pool, database: str, county: list[str], config: IncidentsConfig, clocks: None, webhook: Webhook
) -> None:
    told = DeliverConfig(database_url=database, poll=0.05, urls=(webhook.url,))
    async with running(service.run, config), running(deliver.run, told):
        await say(pool, county, False, now())
        await until(pool, CHILDREN, COUNT, COUNTY)
        await say(pool, county, True, now())
        await until(pool, PAGES, f"opened {COUNTY}, closed {COUNTY}")
        await until(pool, SENT, 2)
    opened, closed = (got["title"] + got["message"] for got in webhook.got)
    assert "不可用" in opened
    assert "民和" in opened
    assert str(COUNT) in opened
    assert "同一行政区划" in opened
    assert "恢复可用" in closed
    (parent,) = await pool.fetch("SELECT * FROM incident WHERE kind = 'unusable' AND station IS NULL")
    assert (parent["area"], parent["detail"]["ended_by"], parent["detail"]["children"]) == (
        "632122000000",
        "all_back",
        COUNT,
    )
    assert await pool.fetchval("SELECT count(*) FROM cause_memory") == 0


async def test_a_restart_in_the_middle_loses_nothing(
    pool: Pool, county: list[str], config: IncidentsConfig, clocks: None
) -> None:
    async with running(service.run, config):
        await say(pool, county, False, ago(60))
        await until(pool, CHILDREN, COUNT, COUNTY)
    async with running(service.run, config):
        await say(pool, county[1:], True, now())
        alone = f"unusable:{county[0]}"
        await until(pool, PAGES, f"opened {COUNTY}, closed {COUNTY}, opened {alone}")


async def test_a_few_of_a_county_are_told_one_by_one(
    pool: Pool, county: list[str], config: IncidentsConfig, clocks: None
) -> None:
    async with running(service.run, config):
        await say(pool, county[:4], False, ago(60))
        await until(pool, "SELECT count(*) FROM notification WHERE phase = 'opened'", 4)
    assert await pool.fetchval("SELECT count(*) FROM incident WHERE kind = 'unusable' AND station IS NULL") == 0
