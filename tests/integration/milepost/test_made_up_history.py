"""A made-up history, made by the real code in an empty database."""

from datetime import UTC, date, datetime

import pytest

from api.read.reports.load import load_uptime_facts
from api.read.uptime.period import period_named
from audit.days.rebuild_store import differences
from audit.reports.uptime_report import uptime_report
from contract.errors import RemedyError
from milepost.history.make import make_history
from store.made_up import load_made_up
from store.pool import Connection, Pool
from tests.integration.registry.test_edits import without_entry

NOW = datetime(2026, 11, 28, 4, 40, tzinfo=UTC)


async def make(connection: Connection, beside: Connection) -> int:
    made = await make_history(connection, beside, stations=8, days=5, seed=1, now=NOW, shard="main", partitions=1)
    return made.incidents


async def test_a_history_is_marked_and_its_figures_can_be_recomputed(pool: Pool) -> None:
    async with pool.acquire() as connection, pool.acquire() as beside:
        incidents = await make(connection, beside)
        assert incidents, "something happened"
        made_up = await load_made_up(connection)
        assert made_up is not None
        assert made_up.until_at == NOW
        assert await connection.fetchval("SELECT kind FROM ledger_entry ORDER BY id LIMIT 1") == "history.made_up"
        days = await connection.fetch("SELECT DISTINCT day FROM station_day ORDER BY day")
        assert [row["day"] for row in days] == [date(2026, 11, day) for day in range(23, 28)]
        async with connection.transaction(isolation="repeatable_read"):
            said = [each.said.en async for each in differences(connection, date(2026, 11, 1), date(2026, 11, 30))]
            report = uptime_report(await load_uptime_facts(connection, None, period_named("2026-11"), "en"), "en")
        assert said == []
        assert await without_entry(connection) == [], "an auditor without the database computes the same"
        assert report.title.startswith("MADE-UP DATA")
        assert report.tables[report.listed].columns[-1].title == "made up", "in CSV too"
        untold = "SELECT count(*) FROM notification WHERE spread_at IS NULL OR routed_at IS NULL"
        assert await connection.fetchval(untold) == 0, "nobody is told"
        ahead = "SELECT max(t.seq) - max(c.seq) FROM transition t, stream_cursor c WHERE c.reader = 'publish'"
        assert await connection.fetchval(ahead) == 0
        assert await connection.fetchval("SELECT count(*) FROM set_aside") == 0
        over = "SELECT max(began_at) + interval '1 hour' FROM usage_hour"
        used = await connection.fetchval(f"SELECT sum(sessions) FROM usage WHERE ts < ({over})")  # noqa: S608
        assert used > 0
        assert await connection.fetchval("SELECT sum(sessions) FROM usage_day") == used
        with pytest.raises(RemedyError):
            await make(connection, beside)


async def test_it_is_refused_beside_real_stations(pool: Pool) -> None:
    async with pool.acquire() as connection, pool.acquire() as beside:
        await connection.execute("INSERT INTO station (id, name) VALUES ('1', 'real')")
        with pytest.raises(RemedyError) as refused:
            await make(connection, beside)
        assert "never mixed" in str(refused.value)
        assert await load_made_up(connection) is None
