"""The JSON webhook against a real receiver: docs/alerts.md says what arrives, and that is what arrives."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting.delivery import service
from alerting.delivery.retry import target_of
from alerting.delivery.service import DeliverConfig
from store.pool import Pool
from tests.integration.alerting.test_deliver import SENT, Webhook, over, webhook
from tests.integration.api_world import World
from tests.integration.incidents_kit import running, until

__all__ = ["webhook"]

DOCUMENT = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
STATION, TOWN = "6321220001", "632122101000"
BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)
ENDED = BEGAN + timedelta(hours=18)
# apprise looks for a module that Python is about to drop, and brings its own when it is gone.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
async def world(pool: Pool) -> World:
    """A station of a township, open from nine to five; its incident is from 16:00 to 10:00 of the next day."""
    world = World(pool)
    await world.area("630000000000", "青海省", level="province")
    await world.area("632122000000", "民和县", "630000000000")
    await world.area(TOWN, "官亭镇", "630000000000", "632122000000", level="township")
    await pool.execute("UPDATE area SET name_en = 'Guanting' WHERE code = $1", TOWN)
    await world.station(STATION, area=TOWN, name="官亭镇农家书屋")
    await pool.execute(
        "UPDATE station SET name_en = 'Guanting Reading Room', address = '官亭镇鲍家村 12 号' WHERE id = $1", STATION
    )
    calendar = await pool.fetchval(
        "INSERT INTO calendar (key, definition, filled_from, filled_to, classes) "
        "VALUES ('k', '{}', $1, $2, '') RETURNING id",
        BEGAN - timedelta(days=5),
        BEGAN + timedelta(days=5),
    )
    await pool.executemany(
        "INSERT INTO calendar_opening (calendar, opens_at, closes_at) VALUES ($1, $2, $3)",
        [
            (calendar, BEGAN + timedelta(days=day, hours=-7), BEGAN + timedelta(days=day, hours=1))
            for day in range(-4, 5)
        ],
    )
    await pool.execute("UPDATE station SET calendar = $1", calendar)
    return world


async def begin(pool: Pool, **more: Any) -> int:
    """What the incident process writes of a station that is offline."""
    given = {"kind": "station_offline", "key": "k", "station": STATION, "status": "closed", "began_at": BEGAN}
    row = {**given, "opened_at": BEGAN, "ended_at": ENDED, **more}
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    number: int = await pool.fetchval(
        f"INSERT INTO incident ({', '.join(row)}) VALUES ({places}) RETURNING id",  # noqa: S608 -- names of our own
        *row.values(),
    )
    await over(pool, number, "opened")
    return number


def config(database: str, url: str, **more: Any) -> DeliverConfig:
    return DeliverConfig(
        database_url=database, urls=(url,), poll=0.05, public_url="https://milepost.example.org", **more
    )


async def test_what_arrives_is_what_the_document_says(
    pool: Pool, database: str, world: World, webhook: Webhook
) -> None:
    async with running(service.run, config(database, webhook.url)):
        await begin(pool, detail={"reason": "missed_heartbeats", "seen_at": "2026-11-23T07:59:31Z"})
        await until(pool, SENT, 1)
        await over(pool, 1)
        await until(pool, SENT, 2)
    opened, closed = webhook.documents
    assert webhook.content_types == ["application/json"] * 2
    example = json.loads(DOCUMENT.partition("```json\n")[2].partition("```")[0])
    changing = {"at": closed["at"], "key": f"1-closed-{target_of(webhook.url)}"}
    assert closed == {**example, **changing}
    assert list(closed) == list(example), "in the same order"
    assert opened["type"] == "milepost.incident.opened"
    assert {name: type(value) for name, value in opened.items() if value is not None}.items() >= {
        name: type(value) for name, value in closed.items() if opened[name] is not None
    }.items(), "the same types"
    table = DOCUMENT.partition("## Webhook")[2].partition("An example")[0]
    named = [name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(closed)


async def test_the_log_has_the_same_fields(pool: Pool, database: str, world: World, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    async with running(service.run, DeliverConfig(database_url=database, log_path=path, poll=0.05)):
        await begin(pool)
        await until(pool, SENT, 1)
    line = json.loads(path.read_text())
    example = json.loads(DOCUMENT.partition("```json\n")[2].partition("```")[0])
    assert set(line) == set(example) - {"version", "message", "attachments"}
    assert line["link"] is None


async def test_an_english_alert_in_another_zone_says_the_stations_time(
    pool: Pool, database: str, world: World, webhook: Webhook
) -> None:
    await pool.execute(
        "INSERT INTO schedule (station, valid_from, rules, timezone) VALUES ($1, '2020-01-01', '24/7', 'Asia/Urumqi')",
        STATION,
    )
    async with running(service.run, config(database, webhook.url, language="en")):
        await begin(pool)
        await until(pool, SENT, 1)
    (got,) = webhook.documents
    assert got["began_local"] == "2026-11-23T14:00:00.000+06:00"
    assert "Since 2026-11-23 14:00:00 (UTC+6)" in got["text"]
    assert "Area: Guanting, 民和县, 青海省" in got["text"]


async def test_what_the_url_asks_for_is_done(pool: Pool, database: str, world: World, webhook: Webhook) -> None:
    """Headers, parameters, and fields that are added, renamed and left out."""
    url = f"{webhook.url}?+X-Room=12&-floor=3&:extra=yes&:message=body&:attachments="
    async with running(service.run, config(database, url)):
        await begin(pool)
        await until(pool, SENT, 1)
    (got,) = webhook.documents
    assert got["extra"] == "yes"
    assert got["body"] == got["text"]
    assert not {"message", "attachments"} & set(got)
    assert webhook.heads[0]["X-Room"] == "12"
    assert webhook.heads[0]["Authorization"].startswith("Basic ")
    assert webhook.paths == ["/token?floor=3"]


async def test_a_redirect_and_a_broken_answer_are_no_receipt(
    pool: Pool, database: str, world: World, webhook: Webhook
) -> None:
    webhook.answer = lambda number: (302, 304, 200)[number]
    async with running(service.run, config(database, webhook.url)):
        await begin(pool)
        await until(pool, SENT, 1)
    assert len(webhook.documents) == 3
    assert len(set(webhook.keys)) == 1
