"""A seal of the ledger that is late, in the incident process."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerting.incident_process.service import IncidentsConfig, run
from alerting.incident_process.stages import PartSettings
from alerting.incidents.book import Book
from alerting.seals.rules import SealSettings
from alerting.seals.stage import SealWatch
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind
from store.pool import Pool
from tests.integration.audit.ledger_world import config as ledger_config
from tests.integration.audit.ledger_world import note, seal_all
from tests.integration.incidents_kit import running, until

BEGAN = datetime(2026, 11, 2, tzinfo=UTC)
OPEN = "SELECT count(*) FROM incident WHERE kind = 'seal_late' AND status <> 'closed'"
TOLD = (
    "SELECT string_agg(n.phase, ' ' ORDER BY n.id) FROM notification n JOIN incident i ON i.id = n.incident "
    "WHERE i.kind = 'seal_late'"
)


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    settings = PartSettings(seals=SealSettings(late=0.3, seen=0.3))
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


async def test_rows_of_a_long_transaction_that_are_sealed_at_once_are_no_incident(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    """Their time is that of the beginning of the transaction, so they look late as soon as they are committed."""
    settings = ledger_config(database, tmp_path)
    await seal_all(pool, settings)
    watch, book = SealWatch(SealSettings(late=60)), Book()
    async with pool.acquire() as connection:

        async def look(seconds: float) -> None:
            moment = PassTime(now=BEGAN + timedelta(seconds=seconds), known=BEGAN)
            await watch.follow(connection, book, StationNews(), moment)

        for number, begun in enumerate((0, 100, 200)):
            entry = LedgerEntry(
                kind=LedgerKind.INCIDENT_NOTE,
                subject=f"incident/{number}",
                actor="admin",
                at_ms=ms_of(BEGAN + timedelta(seconds=begun)),
            )
            async with connection.transaction():
                await append_entries(connection, [entry])
            await look(begun + 90)
            await look(begun + 91)
            await seal_all(pool, settings)
            await look(begun + 92)
        assert book.decisions == []
        async with connection.transaction():
            await append_entries(connection, [entry])
        for second in (293, 298, 303):
            await look(second)
    assert [decision.action for decision in book.decisions] == ["opened"]
