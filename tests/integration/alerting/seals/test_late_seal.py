"""A seal of the ledger that is late, in the incident process."""

from pathlib import Path

import pytest

from alerting.incident_process.service import IncidentsConfig, run
from alerting.incident_process.stages import PartSettings
from alerting.seals.rules import SealSettings
from store.pool import Pool
from tests.integration.audit.ledger_world import config as ledger_config
from tests.integration.audit.ledger_world import note, seal_all
from tests.integration.incidents_kit import running, until

OPEN = "SELECT count(*) FROM incident WHERE kind = 'seal_late' AND status <> 'closed'"
TOLD = (
    "SELECT string_agg(n.phase, ' ' ORDER BY n.id) FROM notification n JOIN incident i ON i.id = n.incident "
    "WHERE i.kind = 'seal_late'"
)


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    settings = PartSettings(seals=SealSettings(late=0.3))
    return IncidentsConfig(database_url=database, instance="test", poll=0.05, idle_poll=0.05, parts=settings)


async def test_rows_that_wait_too_long_are_an_incident_until_they_are_sealed(
    pool: Pool, database: str, config: IncidentsConfig, tmp_path: Path
) -> None:
    await note(pool, 0, 3)
    async with running(run, config):
        await until(pool, "SELECT count(*) FROM ledger_pending", 3)
    assert await pool.fetchval("SELECT count(*) FROM incident") == 0, "there is no ledger yet"
    await seal_all(pool, ledger_config(database, tmp_path))
    await note(pool, 3)
    async with running(run, config):
        await until(pool, OPEN, 1)
    async with running(run, config):
        await seal_all(pool, ledger_config(database, tmp_path))
        await until(pool, OPEN, 0)
    assert await pool.fetchval(TOLD) == "opened closed"
    assert await pool.fetchval("SELECT detail ->> 'reason' FROM incident WHERE kind = 'seal_late'") == "seal_waits"
