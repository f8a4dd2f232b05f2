"""Data that a service has set aside, in the incident process."""

import pytest

from alerting.aside.rules import AsideSettings
from alerting.incident_process.service import IncidentsConfig, run
from alerting.incident_process.stages import PartSettings
from store.aside import name_aside
from store.pool import Pool
from tests.integration.incidents_kit import running, until

OPEN = "SELECT count(*) FROM incident WHERE kind = 'set_aside' AND status <> 'closed'"
TOLD = (
    "SELECT string_agg(n.phase, ' ' ORDER BY n.id) FROM notification n JOIN incident i ON i.id = n.incident "
    "WHERE i.kind = 'set_aside'"
)


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    settings = PartSettings(aside=AsideSettings(after=0.3))
    return IncidentsConfig(database_url=database, instance="test", poll=0.05, idle_poll=0.05, parts=settings)


async def put(pool: Pool, service: str, kind: str, subject: str, why: str | None) -> None:
    async with pool.acquire() as connection:
        await name_aside(connection, service, kind, {subject: why} if why else {}, processed=[subject])


async def test_what_stays_aside_is_an_incident_until_it_is_processed(pool: Pool, config: IncidentsConfig) -> None:
    await put(pool, "deliver", "contact", "li", "ValueError: an address that cannot be read")
    async with running(run, config):
        await until(pool, OPEN, 1)
        await put(pool, "judge", "terminal", "0/6301000001/001", "ValueError: no such state")
    async with running(run, config):
        await put(pool, "deliver", "contact", "li", None)
        await put(pool, "judge", "terminal", "0/6301000001/001", None)
        await until(pool, OPEN, 0)
    assert await pool.fetchval(TOLD) == "opened closed"
    assert await pool.fetchval("SELECT detail ->> 'reason' FROM incident") == "kept_aside"


async def test_days_that_came_too_late_are_listed_only(pool: Pool, config: IncidentsConfig) -> None:
    """An auditor decides about these days. No row and no message waits to be processed."""
    await put(pool, "audit", "old_days", "6301000001", "2025-01-03: corrected")
    await put(pool, "deliver", "contact", "li", "ValueError: an address that cannot be read")
    async with running(run, config):
        await until(pool, OPEN, 1)
        await put(pool, "deliver", "contact", "li", None)
        await until(pool, OPEN, 0)
    assert await pool.fetchval("SELECT count(*) FROM set_aside") == 1
