"""An outage of a province and its end, from transitions to messages: each responsible level gets one message
for the beginning and one for the end."""

from collections.abc import AsyncIterator

import pytest

from alerting.delivery import service as deliver
from alerting.delivery.service import DeliverConfig
from alerting.incident_process import service as incidents
from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.stages import PartSettings
from alerting.station_incidents.cause_settings import CauseSettings
from bench.bench_province import CHANGE, PARTITIONS, RETURN, Receiver, add_world, cut, restore
from store.pool import Pool
from tests.integration.incidents_kit import judging, running, until

LEVELS = sorted(
    ["63", "6310", "6311", *(f"63{prefecture}{county}" for prefecture in (10, 11) for county in range(10, 15))]
)
PAID = "SELECT count(*) FROM page WHERE phase = $1 AND status = 'paid'"
OWED = "SELECT count(*) FROM page WHERE status IN ('owed', 'sending')"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().serve() as receiver:
        yield receiver


@pytest.fixture
async def province(pool: Pool, receiver: Receiver) -> AsyncIterator[None]:
    """500 stations in 10 counties of 2 prefectures."""
    async with pool.acquire() as connection:
        await add_world(connection, receiver.url, stations=500, counties=10, prefectures=2)
    async with judging(pool, range(PARTITIONS)):
        yield


async def test_each_level_is_told_once_both_ways(pool: Pool, database: str, receiver: Receiver, province: None) -> None:
    config = IncidentsConfig(database_url=database, poll=0.05, parts=PartSettings(causes=CauseSettings(hold=1.5)))
    async with (
        running(incidents.run, config),
        running(deliver.run, DeliverConfig(database_url=database, poll=0.1)),
        pool.acquire() as connection,
    ):
        await cut(connection)
        await until(pool, PAID, len(LEVELS), "opened")
        assert await pool.fetchval("SELECT count(*) FROM incident WHERE parent IS NULL") == 1
        # One county is back first: only its own people are told, once.
        one = CHANGE.format(**RETURN).replace("LIKE '63%'", "= '631010'")
        await connection.execute(one)
        await connection.execute("SELECT pg_notify('milepost_transition', '')")
        await until(pool, PAID, 1, "closed")
        assert receiver.told("closed") == ["631010"]
        await restore(connection)
        await until(pool, PAID, len(LEVELS), "closed")
        await until(pool, OWED, 0)
    assert receiver.told("opened") == LEVELS
    assert receiver.told("closed") == LEVELS
    assert await pool.fetchval("SELECT count(*) FROM page") == 2 * len(LEVELS)
