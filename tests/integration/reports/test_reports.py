"""Reports of kept days by the API, in the scope of who asks: the same numbers as /api/v1/uptime, in three formats."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import OtherAccount, World, config, other_account, serving
from tests.integration.audit.days.day_world import DayWorld, at

UPTIME = "/api/v1/reports/uptime"


@pytest.fixture
async def days(pool: Pool) -> DayWorld:
    """Kept until 11 December 2026. Station a was online, b fell on the second day at noon and did not come back, c of
    another county was never heard, and e was always excused; d has a name that a spreadsheet would compute."""
    days = DayWorld(pool)
    await days.register(["a", "b", "d", "e"])
    await days.register(["c"], area="632123")
    await days.judge("a", 0, "online", usable=True)
    await days.judge("d", 0, "online", usable=True)
    await days.judge("d", 12, "online", usable=False)
    await days.judge("d", 24, "online", usable=True)
    await days.judge("b", 0, "online", usable=True)
    await days.judge("b", 24 + 12, "offline")
    await days.closure("e", 0, 24 * 1000)
    await pool.execute("UPDATE station SET name = '=HYPERLINK(\"http://x\")' WHERE id = 'd'")
    number = await pool.fetchval(
        "INSERT INTO incident (kind, key, station, status, began_at, opened_at, closed_at) "
        "VALUES ('station_offline', 'o/b', 'b', 'closed', $1, $1, $2) RETURNING id",
        at(36), at(60),
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO repair (incident, at, made_by, cause) VALUES ($1, $2, 'operator', 'power')", number, at(60)
    )
    await days.keep(24 * 39 + 5)
    await days.ran("b", 48 + 9, 48 + 11)
    await days.keep()
    await World(pool).clock()
    return days


@pytest.fixture
async def client(days: DayWorld, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(config(database, tmp_path)) as (client, _):
        yield client


async def asked(
    client: httpx.AsyncClient, path: str = UPTIME, account: OtherAccount | None = None, **query: str
) -> httpx.Response:
    query = {"period": "2026-11", **query}
    answer = await client.get(path, params=query, headers=account.headers if account else None)
    assert answer.status_code == 200, answer.text
    return answer


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_the_worst_come_first_with_the_reason(client: httpx.AsyncClient) -> None:
    answer = await asked(client, area="63", format="csv", language="en")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="uptime-63-2026-11.csv"'
    rows = rows_of(answer)
    assert [(row["rank"], row["station"], row["service_rate_percent"]) for row in rows] == [
        ("1", "c", "0.00"), ("2", "b", "5.60"), ("3", "d", "97.84"), ("4", "a", "100.00"), ("", "e", ""),
    ]  # fmt: skip
    assert [row["why"] for row in rows] == [
        "never online",
        "not online 221:00 of 232:00; link down while it served, at least 2:00; days with losses: 28, the most on "
        "11-04 (8:00), 11-05 (8:00), 11-06 (8:00); causes found: power",
        "online and not usable, at least 5:00; days with losses: 1, the most on 11-02 (5:00)",
        "",
        "nothing was due; approved closures 232:00",
    ]
    assert rows[1]["incidents"] == "1" and rows[2]["name"] == '\'=HYPERLINK("http://x")'


async def test_the_numbers_are_those_of_the_api(client: httpx.AsyncClient) -> None:
    """Of each station, and of the area in all formats."""
    rows = rows_of(await asked(client, area="63", format="csv"))
    listed = await client.get("/api/v1/uptime/stations", params={"area": "63", "period": "2026-11"})
    for one in listed.json()["items"]:
        (row,) = (row for row in rows if row["station"] == one["station"])
        figures = one["figures"]
        assert {name: int(row[name]) for name in ("due_ms", "unknown_ms", "excused_ms")} == {
            name: figures[name] for name in ("due_ms", "unknown_ms", "excused_ms")
        }
        for name in ("online_rate", "service_rate", "coverage"):
            percent = figures[name.replace("_rate", "") + "_percent"]
            assert row[f"{name}_percent"] == ("" if percent is None else f"{percent:.2f}")
    whole = (await client.get("/api/v1/uptime", params={"area": "63", "period": "2026-11"})).json()
    book = workbook(await asked(client, area="63", format="xlsx", language="en"))
    sums = {row[0]: row for row in book["The period"].iter_rows(values_only=True)}
    assert round(sums["this period"][1] * 100, 2) == whole["figures"]["online_percent"]
    assert round(sums["this period with addenda"][2] * 100, 2) == whole["with_addenda"]["service_percent"]
    assert sums["period before (2026-10)"][1] is None, "nothing was due"
    areas = {row[1]: row for row in book["Area"].iter_rows(min_row=2, values_only=True)}
    assert {code: round(row[3] * 100, 2) for code, row in areas.items()} == {
        one["area"]: one["figures"]["online_percent"] for one in whole["areas"]
    }


def workbook(answer: httpx.Response) -> Any:
    return openpyxl.load_workbook(io.BytesIO(answer.content))


async def test_nothing_is_a_formula_in_a_workbook(client: httpx.AsyncClient) -> None:
    book = workbook(await asked(client, format="xlsx", language="en"))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert '=HYPERLINK("http://x")' in {cell.value for cell in cells if cell.data_type == "s"}
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]


@pytest.mark.parametrize("path", [UPTIME, "/api/v1/reports/stations/b"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
async def test_the_same_report_has_the_same_bytes(client: httpx.AsyncClient, path: str, form: str) -> None:
    first, second = [await asked(client, path, format=form, language="en") for _ in range(2)]
    assert first.content == second.content
    assert first.headers["content-type"].split(";")[0] in {
        "text/csv", "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }  # fmt: skip


async def test_a_server_without_fonts_writes_what_needs_none(days: DayWorld, database: str, tmp_path: Path) -> None:
    """The names of the stations are Chinese, and the server has no font for them."""
    (tmp_path / "fonts").mkdir()
    await days.pool.execute("UPDATE station SET name = '吉隆村阅读室' WHERE id = 'a'")
    async with serving(config(database, tmp_path, fonts=str(tmp_path / "fonts"))) as (client, _):
        answer = await client.get(UPTIME, params={"period": "2026-11"})
        assert answer.status_code == 503
        assert f"{tmp_path / 'fonts'} has no fonts" in answer.json()["detail"]
        for path, form in ((UPTIME, "xlsx"), (UPTIME, "csv"), ("/api/v1/reports/stations/a", "xlsx")):
            await asked(client, path, format=form)


async def test_of_a_station(client: httpx.AsyncClient) -> None:
    book = workbook(await asked(client, "/api/v1/reports/stations/b", format="xlsx", language="en"))
    facts = {row[0]: row[1] for row in book.worksheets[0].iter_rows(values_only=True)}
    assert facts["Why"].startswith("not online 221:00 of 232:00")
    days = list(book["By day"].iter_rows(min_row=2, values_only=True))
    assert len(days) == 29 and days[0][0].day == 2
    (incident,) = book["Incidents"].iter_rows(min_row=2, values_only=True)
    assert incident[2:] == ("2026-11-03 12:00", "2026-11-04 12:00", "power")
    (revision,) = book["Revisions"].iter_rows(min_row=2, values_only=True)
    assert (revision[1], revision[4]) == (2, "time usable +2:00") and "addendum" in revision[3]
    year = await asked(client, "/api/v1/reports/stations/b", format="csv", period="2026")
    assert [row["day"] for row in rows_of(year)] == ["2026-11-01", "2026-12-01"]


async def test_the_scope_is_kept(client: httpx.AsyncClient, days: DayWorld) -> None:
    far = await other_account(days.pool, Role.AUDITOR, scope=AreaScope(areas=frozenset({"632123"})))
    assert [row["station"] for row in rows_of(await asked(client, account=far, format="csv"))] == ["c"]
    for path, query in ((UPTIME, {"area": "63"}), (UPTIME, {"area": "632122"}), ("/api/v1/reports/stations/b", {})):
        assert (await client.get(path, params=query, headers=far.headers)).status_code == 404
    for query in ({"format": "doc"}, {"period": "2026-13"}, {"language": "fr"}):
        assert (await client.get(UPTIME, params=query)).status_code == 422, query
