"""The report of programmes by the command and the API: promises as of a day, in the scope of who asks."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import openpyxl
import pytest

from access.roles import Role
from access.scope import AreaScope
from store.pool import Pool
from tests.integration.api_world import World, config, other_account, serving
from tests.integration.registry.test_edits import _import_text
from tests.integration.registry.test_import import milepost

PROGRAMME = "/api/v1/reports/programme"
AREAS = (
    "code,name,name_en,parent,level\nP,青海,Qinghai,,province\nA,甲县,Jia,P,county\nB,乙县,Yi,P,county\n"
    "C,丙县,,P,county\nD,丁县,Ding,P,county\nQ,宁夏,,,province\n"
)
STATIONS = (
    "id,name,area,lifecycle,commissioned,programmes\na,a,A,,2024-01-01,border\nb1,b1,B,,2024-01-01,border\n"
    "b2,b2,B,,2025-03-01,\nd,d,D,planned,,border\nq,q,Q,,2024-01-01,border\n"
)
TARGETS = (
    "id,name,metric,areas,level,threshold,deadline,programme\n"
    "stations,服务点,stations,P,,4,2025-12-31,border\n"
    "counties,县覆盖,covered,P,county,1,2027-12-31,\n"
    "jia,甲县服务点,stations,A,,1,2024-12-31,\n"
    "joined,合并县,covered_areas,A;B,,2,,\n"
    "points,入网,in_service,P,,50%,,border\n"
    "visits,服务人次,sessions,P,,1000,,\n"
    "east,宁夏,stations,Q,,1,,\n"
    "both,两省,stations,P;Q,,10000,2026-12-31,\n"
)
MERGED = "old,new,on\nA,C,2025-07-01\nB,C,2025-07-01\n"


async def place(pool: Pool) -> None:
    """Two counties of a province that became one, a third with a planned station, and another province."""
    async with pool.acquire() as connection:
        for kind, text in (("areas", AREAS), ("stations", STATIONS), ("targets", TARGETS), ("successions", MERGED)):
            await _import_text(connection, kind, text)  # type: ignore[arg-type]
    await World(pool).clock()


@pytest.fixture
async def client(pool: Pool, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await place(pool)
    async with serving(config(database, tmp_path)) as (client, _):
        yield client


def rows_of(content: bytes) -> dict[str, dict[str, str]]:
    return {row["target"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))}


async def test_promises_as_of_a_day_by_the_command(pool: Pool, database: str, tmp_path: Path) -> None:
    """Before the merger, and after it, while nobody has moved the stations to the new county yet; and today."""
    await place(pool)
    found = {}
    for name, day in {"before": ("--day", "2024-12-31"), "after": ("--day", "2026-06-30"), "today": ()}.items():
        path = tmp_path / f"{name}.csv"
        options = (*day, "--format", "csv", "--report-language", "en", "--out", str(path))
        status, _, err = await milepost(database, "report", "programme", "--area", "P", *options)
        assert (status, err) == (0, ""), err
        found[name] = {key: (row["reached"], row["status"]) for key, row in rows_of(path.read_bytes()).items()}
    after = {
        "stations": ("2", "missed"), "counties": ("50.00", "open"), "jia": ("1", "reached"), "joined": ("2", "reached"),
        "points": ("100.00", "reached"), "visits": ("", "no data"),
    }  # fmt: skip
    assert found["before"] == after | {"stations": ("2", "open"), "counties": ("66.66", "open")}
    assert found["after"] == after
    assert found["today"] == after | {"points": ("66.66", "reached")}, "with the planned station"


async def test_a_wrong_day_or_area_is_named(database: str) -> None:
    for option, said in (("--day=2026-13-01", "--day: '2026-13-01' is not a day"), ("--area=Z", "there is no area Z")):
        status, _, err = await milepost(database, "report", "programme", option)
        assert status == 2 and said in err, err


async def test_the_report_of_the_api_and_the_page_have_the_same_targets(client: httpx.AsyncClient) -> None:
    asked = {"area": "P", "day": "2024-12-31"}
    answer = await client.get(PROGRAMME, params={**asked, "format": "xlsx", "language": "en"})
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    targets = list(book["Targets"].iter_rows(min_row=2, values_only=True))
    assert [(row[0], row[1]) for row in targets] == [
        (1, "stations"), (2, "counties"), (3, "jia"), (3, "joined"), (5, "points"), (None, "visits"),
    ]  # fmt: skip
    assert targets[1][-1] == "short by 33.33%; 1 of 3 areas without a station in service: Ding"
    assert targets[1][5:8] == (1, 0.6666, 0.6666), "shares are numbers with a format"
    assert list(book["Areas without a station"].iter_rows(min_row=2, values_only=True)) == [
        ("counties", "县覆盖", "D", "Ding"),
    ]  # fmt: skip
    page = (await client.get("/programmes", params={**asked, "lang": "en"})).text
    places = [page.index(f">{row[1]}<") for row in targets]
    assert places == sorted(places) and targets[1][-1] in page


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
async def test_the_same_day_gives_the_same_bytes(client: httpx.AsyncClient, form: str) -> None:
    one, other = [
        await client.get(PROGRAMME, params={"day": "2026-06-30", "format": form, "language": "en"}) for _ in range(2)
    ]
    assert one.status_code == 200 and one.content == other.content


async def test_a_scope_shows_the_targets_that_lie_in_it(client: httpx.AsyncClient, pool: Pool) -> None:
    """Of its own stations: the target of two provinces belongs to the whole."""
    found = {}
    for scope in ("P", "A", "Q"):
        account = await other_account(
            pool, Role.AUDITOR, login=f"of-{scope.lower()}", scope=AreaScope(areas=frozenset({scope}))
        )
        answer = await client.get(
            PROGRAMME, params={"format": "csv", "language": "en", "day": "2026-06-30"}, headers=account.headers
        )
        found[scope] = {name: row["reached"] for name, row in rows_of(answer.content).items()}
        page = await client.get("/programmes", headers=account.headers)
        assert (">stations<" in page.text) is (scope == "P")
    assert {*found["P"]} == {"stations", "counties", "jia", "joined", "points", "visits"}
    assert found["A"] == {"jia": "1"} and found["Q"] == {"east": "1"}
    answer = await client.get(PROGRAMME, params={"format": "csv"})
    assert {"both", "east", "jia"} <= {*rows_of(answer.content)}
    assert (await client.get(PROGRAMME, params={"area": "none"})).status_code == 404
