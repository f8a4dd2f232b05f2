"""The report of effect by the API: the same stations and days as the report of uptime, in the scope of who asks."""

import csv
import io
import json
from datetime import datetime
from typing import Any

import httpx

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import other_account
from tests.integration.audit.days.day_world import DayWorld, at
from tests.integration.audit.rollups.kit import roll_up
from tests.integration.reports.test_reports import asked, client, days, workbook

__all__ = ["client", "days"]
EFFECT = "/api/v1/reports/effect"


async def record(pool: Pool, station: str, hours: float, **fields: Any) -> None:
    """A usage record, so many hours after the beginning of the first day."""
    number = await pool.fetchval("SELECT count(*) FROM usage")
    await pool.execute(
        "INSERT INTO usage (ts, station, terminal, box, id, device_at, received_at, time_source, sessions, minutes, "
        "by) VALUES ($1, $2, '001', 'box', $3, 0, $1, 'server', $4, $5, $6::text::jsonb)",
        at(hours), station, number, fields.get("sessions"), fields.get("minutes"),
        json.dumps(fields["by"]) if "by" in fields else None,
    )  # fmt: skip


async def hold(pool: Pool, station: str, when: datetime, resources: list[dict[str, Any]]) -> None:
    """An inventory."""
    number = await pool.fetchval("SELECT count(*) FROM inventory")
    await pool.execute(
        "INSERT INTO inventory (ts, station, terminal, box, id, device_at, received_at, time_source, resources) "
        "VALUES ($1, $2, '001', 'box', $3, 0, $1, 'server', $4::text::jsonb)",
        when, station, number, json.dumps(resources),
    )  # fmt: skip


async def use(pool: Pool) -> None:
    """a is used and d is idle; b, c and e say nothing. One record lies before the first kept day, one on the last
    evening of the month, one after it."""
    await record(pool, "a", -1, sessions=100, minutes=100)
    await record(pool, "a", 9, sessions=3, minutes=90.5, by={"category": {"books": 2}, "language": {"bo": 3}})
    await record(pool, "a", 10, sessions=1, by={"category": {"books": 1}})
    await record(pool, "a", 24 * 29 - 1, sessions=2, minutes=29.5)
    await record(pool, "a", 24 * 29, sessions=50, minutes=50)
    await record(pool, "d", 24 * 26, sessions=0, minutes=0)
    await hold(pool, "a", at(1), [{"id": "old", "lang": "bo", "bytes": 1}])
    await hold(pool, "a", at(30), [{"id": "p", "lang": "bo", "bytes": 10}, {"id": "q", "lang": "zh-CN", "bytes": 5}])
    await hold(pool, "d", at(30), [{"id": "p", "lang": "bo", "bytes": 10}, {"id": "r"}])
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO rollup_touch (kind, began_at) SELECT DISTINCT 'usage', date_trunc('hour', ts) FROM usage"
        )
        await roll_up(connection)


async def test_use_terminals_and_content(client: httpx.AsyncClient, days: DayWorld) -> None:
    await use(days.pool)
    answer = await asked(client, EFFECT, area="63", format="xlsx", language="en")
    book = workbook(answer)
    stations = {row[1]: row for row in book["Stations"].iter_rows(min_row=2, values_only=True)}
    assert {name: (row[0], row[5]) for name, row in stations.items()} == {
        "d": (1, 0), "a": (2, 6), "b": (None, None), "c": (None, None), "e": (None, None),
    }  # fmt: skip
    assert list(stations) == ["d", "a", "b", "c", "e"]
    assert [row[-1] for row in stations.values()] == [
        "idle: records count no visit", "", "no usage record; no terminal sent records",
        "no usage record; no terminal sent records", "no opening hours",
    ]  # fmt: skip
    (sums,) = book["The period"].iter_rows(min_row=2, values_only=True)
    assert sums[0] == 0.0021, "120 minutes of 4 stations, 29 days of 8 hours each: 0.215%, rounded down"
    assert sums[5:8] == (2, 2, 1)
    assert [row[:2] for row in book["Visits by category"].iter_rows(min_row=2, values_only=True)] == [
        ("books", 3), ("(not given)", 3),
    ]  # fmt: skip
    assert [row[:2] for row in book["Visits by language"].iter_rows(min_row=2, values_only=True)] == [
        ("bo", 3), ("(not given)", 3),
    ]  # fmt: skip
    assert list(book["Content by language"].iter_rows(min_row=2, values_only=True)) == [
        ("(not given)", 1, 0, 1), ("bo", 1, 10, 2), ("zh-CN", 1, 5, 1),
    ]  # fmt: skip
    assert [row[1] for row in book["By day"].iter_rows(min_row=2, values_only=True)] == [4, 0, 2]


async def test_figures_are_empty_when_their_records_are_deleted(client: httpx.AsyncClient, days: DayWorld) -> None:
    await use(days.pool)
    for kind, visits in (("usage", 6), ("usage_hour", None)):
        await days.pool.execute("INSERT INTO record_kept VALUES ($1, $2)", kind, at(5))
        book = workbook(await asked(client, EFFECT, area="63", format="xlsx", language="en"))
        (sums,) = book["The period"].iter_rows(min_row=2, values_only=True)
        assert sums[1] == visits and "Visits by category" not in book.sheetnames


async def test_the_scope_is_kept(client: httpx.AsyncClient, days: DayWorld) -> None:
    await use(days.pool)
    far = await other_account(days.pool, Role.AUDITOR, scope=AreaScope(areas=frozenset({"632123"})))
    answer = await asked(client, EFFECT, account=far, format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["station"], row["sessions"], row["use_rate_percent"]) for row in rows] == [("c", "", "")]
    assert (await client.get(EFFECT, params={"area": "632122"}, headers=far.headers)).status_code == 404
    book = workbook(await asked(client, EFFECT, account=far, format="xlsx", language="en"))
    assert "Content by language" not in book.sheetnames, "content of other stations"
