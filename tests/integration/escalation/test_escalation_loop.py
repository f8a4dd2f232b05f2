"""The loop of the escalation as a process: woken by what happens, killed at any moment, several at once."""

import logging
from datetime import timedelta

import pytest

from alerting.delivery import service as deliver
from alerting.delivery.service import DeliverConfig
from alerting.incidents.actions import Expected, acknowledge
from store.author import Author
from store.pool import Pool
from tests.integration.alerting.paging.kit import DriverConfig, Provider, provider, run_pages
from tests.integration.escalation.escalation_kit import (
    LoopConfig,
    add_people,
    notify,
    open_incident,
    pages,
    run_loop,
    start,
)
from tests.integration.incidents_kit import now, running, until

__all__ = ["provider"]

PAGES = "SELECT count(*) FROM page"
WAKE = "SELECT pg_notify('milepost_delivery', '')"


@pytest.fixture
def config(database: str) -> LoopConfig:
    return LoopConfig(database_url=database)


def patient(config: LoopConfig) -> LoopConfig:
    """With looks so rare that only what happens, and what becomes due, can be the cause."""
    return LoopConfig(database_url=config.database_url, escalation=type(config.escalation)(poll=3600))


async def test_what_happens_is_heard_at_once(pool: Pool, config: LoopConfig) -> None:
    await add_people(pool)
    async with running(run_loop, patient(config)):
        incident = await open_incident(pool)
        await pool.execute(WAKE)
        await until(pool, PAGES, 1)
        async with pool.acquire() as connection:
            await acknowledge(
                connection, incident, Author("operator"), None, now(), Expected(now() + timedelta(hours=1))
            )
        await until(pool, "SELECT count(*) FROM page WHERE reason = 'acknowledged'", 1)
        await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", incident)
        await until(pool, "SELECT count(*) FROM escalation WHERE over_at IS NOT NULL", 1)
    assert await pages(pool, incident) == ["an opened cancelled acknowledged"]


async def test_a_notification_that_another_process_has_locked_is_routed_once_it_is_free(
    pool: Pool, config: LoopConfig
) -> None:
    """The delivery claims the same notifications, woken by the same event."""
    await add_people(pool)
    first = await open_incident(pool)
    async with running(run_loop, patient(config)):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("UPDATE notification SET spread_at = now() WHERE incident = $1", first)
            other = await open_incident(pool, key="another")
            await pool.execute(WAKE)
            await until(pool, "SELECT count(*) FROM page WHERE incident = $1", 1, other)
        await until(pool, PAGES, 2)


async def test_a_held_notification_and_the_next_one_of_its_incident_are_routed_when_they_are_due(
    pool: Pool, config: LoopConfig
) -> None:
    await add_people(pool)
    async with running(run_loop, patient(config)):
        incident = await open_incident(pool)
        await notify(pool, incident, "reopened", now() + timedelta(seconds=0.5), round_=1)
        await notify(pool, incident, "resolved", round_=1)
        await pool.execute(WAKE)
        await until(pool, "SELECT count(*) FROM notification WHERE routed_at IS NULL", 0)
    assert await pool.fetchval("SELECT count(*) FROM notification WHERE routed_at < not_before") == 0


async def test_an_edit_of_the_registry_is_noticed(pool: Pool, config: LoopConfig) -> None:
    """A pass that began before the notice of the edit still has the people of before."""
    await add_people(pool)
    async with running(run_loop, config):
        await open_incident(pool)
        await until(pool, "SELECT count(*) FROM page WHERE recipient = 'an'", 1)
        await pool.execute("UPDATE contact SET role = 'technician' WHERE id = 'he'")
        for number in range(100):
            await open_incident(pool, key=f"another {number}")
            await until(pool, "SELECT count(DISTINCT incident) FROM page", number + 2)
            if await pool.fetchval("SELECT count(*) FROM page WHERE recipient = 'he'"):
                return
    raise AssertionError("the edit was not noticed")


async def test_without_a_default_route_the_log_says_so(
    pool: Pool, config: LoopConfig, caplog: pytest.LogCaptureFixture
) -> None:
    await add_people(pool)
    with caplog.at_level(logging.WARNING):
        async with running(run_loop, config):
            await open_incident(pool, key="elsewhere", station=None)
            await until(pool, 'SELECT count(*) FROM escalation WHERE log @> \'[{"what": "no_route"}]\'', 1)
    assert [record.message for record in caplog.records if "no route takes every incident" in record.message] != []


async def test_processes_are_killed_again_and_again(pool: Pool, config: LoopConfig) -> None:
    """Each incident is owed to the technician once, whoever was killed when."""
    await add_people(pool)
    few = LoopConfig(
        database_url=config.database_url, escalation=type(config.escalation)(poll=0.05, max_backoff=0.2, batch=7)
    )
    processes = [start(few) for _ in range(2)]
    for number in range(120):
        await open_incident(pool, key=f"k{number}")
    for least in (10, 40, 70):
        for place in range(2):
            await until(pool, "SELECT count(*) >= $1 FROM page", True, least + 10 * place)
            processes[place].kill()
            processes[place].wait(10)
            processes[place] = start(few)
    await until(pool, PAGES, 120)
    for process in processes:
        process.kill()
        process.wait(10)
    assert await pool.fetchval("SELECT count(DISTINCT incident) FROM page") == 120
    assert await pool.fetchval("SELECT count(*) FROM notification WHERE routed_at IS NULL") == 0
    assert await pool.fetchval("SELECT max(jsonb_array_length(log)) FROM escalation") == 1


async def test_from_the_incident_to_the_recovery_on_the_phone(
    pool: Pool, database: str, config: LoopConfig, provider: Provider
) -> None:
    await add_people(pool)
    await pool.execute("UPDATE contact_channel SET address = $1 || contact", provider.address(""))
    paging = DriverConfig(database_url=database)
    async with running(run_loop, config), running(run_pages, paging):
        incident = await open_incident(pool)
        await until(pool, "SELECT count(*) FROM page WHERE status = 'paid'", 1)
        await pool.execute("UPDATE incident SET status = 'closed', ended_at = now() WHERE id = $1", incident)
        await notify(pool, incident, "closed")
        await until(pool, "SELECT count(*) FROM page WHERE status = 'paid'", 2)
    assert [arrival.path for arrival in provider.arrivals] == ["an", "an"]
    assert [arrival.events[0]["type"].rpartition(".")[2] for arrival in provider.arrivals] == ["opened", "closed"]


async def test_a_dead_channel_makes_the_next_person_be_told(
    pool: Pool, database: str, config: LoopConfig, provider: Provider
) -> None:
    await add_people(pool)
    await pool.execute("UPDATE contact_channel SET address = $1 || contact", provider.address(""))
    provider.plan["an"].append("refused")
    async with running(run_loop, config), running(run_pages, DriverConfig(database_url=database)):
        incident = await open_incident(pool)
        await until(pool, "SELECT count(*) FROM page WHERE status = 'paid'", 1)
    assert await pages(pool, incident) == ["an opened failed no_channel", "li escalated paid"]


async def test_the_delivery_process_escalates(pool: Pool, database: str) -> None:
    await add_people(pool)
    async with running(deliver.run, DeliverConfig(database_url=database, poll=0.1)):
        await open_incident(pool)
        await until(pool, "SELECT count(*) FROM escalation", 1)
        await until(pool, "SELECT count(*) > 0 FROM page", True)
