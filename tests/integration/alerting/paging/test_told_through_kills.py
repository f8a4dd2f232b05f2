"""The delivery process is killed again and again while faults and outages begin and end. Each person gets a message
about each fault and about the own share of each outage, and about its end exactly if the first one was or may have been
delivered."""

import asyncio
import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from alerting.delivery import service as deliver
from alerting.delivery.service import DeliverConfig
from registry.routes.model import RouteStep
from store.pool import Pool
from tests.integration.alerting.channels.receivers_kit import HttpReceiver, http_receiver
from tests.integration.incidents_kit import running, until

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[4]
FAULTS, OUTAGES, COUNTIES = 24, 4, ("6301", "6302")
DONE = """
SELECT NOT EXISTS (SELECT FROM notification WHERE routed_at IS NULL)
   AND NOT EXISTS (SELECT FROM page WHERE status IN ('owed', 'sending'))
   AND NOT EXISTS (SELECT FROM escalation WHERE over_at IS NULL)
   AND NOT EXISTS (SELECT FROM share_escalation WHERE over_at IS NULL)
"""

# Attempts whose process was killed: it is not known whether the receiver got them.
PERHAPS = """
SELECT DISTINCT '/' || p.recipient AS path, p.incident
FROM page p JOIN message_page m ON m.page = p.id JOIN attempt a ON a.message = m.message
WHERE p.phase = 'opened' AND a.outcome IS DISTINCT FROM 'taken'
"""


@pytest.fixture
async def hooks() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as receiver:
        yield receiver


@pytest.fixture
async def people(pool: Pool, hooks: HttpReceiver) -> None:
    """Two technicians of a province and one of each of its counties, each with a webhook."""
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('63', '青海省', 'province', '{63}')")
    await pool.executemany(
        "INSERT INTO area (code, name, level, parent, path) VALUES ($1, $1, 'county', '63', ARRAY['63', $1])",
        [(county,) for county in COUNTIES],
    )
    await pool.execute(
        "INSERT INTO station (id, name, lifecycle, area) VALUES ('A', '红旗阅览室', 'commissioned', '63')"
    )
    for contact, area in {"li": "63", "wang": "63", **{county: county for county in COUNTIES}}.items():
        await pool.execute(
            "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, $1, 'technician', $2, 'x')",
            contact,
            area,
        )
        await pool.execute(
            "INSERT INTO contact_channel (contact, place, kind, address) VALUES ($1, 1, 'webhook', $2)",
            contact,
            f"{hooks.url}/{contact}",
        )
    await pool.execute(
        "INSERT INTO route (id, name, area, steps, edited_by) VALUES ('all', 'all', '63', $1, 'x')",
        msgspec.to_builtins([RouteStep(role="technician")]),
    )


async def begin(pool: Pool, number: int) -> int:
    """What the incident process writes of a station that is offline."""
    async with pool.acquire() as connection, connection.transaction():
        incident: int = await connection.fetchval(
            "INSERT INTO incident (kind, key, station, area, began_at, opened_at) "
            "VALUES ('station_offline', $1, 'A', '63', now(), now()) RETURNING id",
            f"k{number}",
        )
        await connection.execute("INSERT INTO notification (incident, phase) VALUES ($1, 'opened')", incident)
        await connection.execute("SELECT pg_notify('milepost_delivery', '')")
    return incident


async def cut(pool: Pool, number: int) -> int:
    """What it writes of an outage of the province."""
    async with pool.acquire() as connection, connection.transaction():
        incident: int = await connection.fetchval(
            "INSERT INTO incident (kind, key, area, began_at, opened_at, detail) "
            "VALUES ('area_outage', $1, '63', now(), now(), '{}') RETURNING id",
            f"cut{number}",
        )
        await connection.executemany(
            "INSERT INTO incident_share VALUES ($1, $2, 3, 3)", [(incident, county) for county in COUNTIES]
        )
        await connection.execute("INSERT INTO notification (incident, phase) VALUES ($1, 'opened')", incident)
        await connection.execute("SELECT pg_notify('milepost_delivery', '')")
    return incident


async def end(pool: Pool, incident: int) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE incident_share SET down = 0 WHERE incident = $1", incident)
        await connection.execute(
            "UPDATE incident SET status = 'closed', closed_at = now(), ended_at = now() WHERE id = $1", incident
        )
        await connection.execute("INSERT INTO notification (incident, phase) VALUES ($1, 'closed')", incident)
        await connection.execute("SELECT pg_notify('milepost_delivery', '')")


def start(config: DeliverConfig) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.integration.incidents_driver", "deliver"]
    return subprocess.Popen([*command, msgspec.json.encode(config).decode()], cwd=ROOT, stderr=subprocess.DEVNULL)


@pytest.mark.usefixtures("people")
async def test_everybody_is_told_once_of_each_fault_and_of_its_end(
    pool: Pool, database: str, hooks: HttpReceiver
) -> None:
    config = DeliverConfig(database_url=database, poll=0.05, send_timeout=3.0)
    roll, incidents = random.Random(7), []
    for turn in range(OUTAGES):
        process, before = start(config), await pool.fetchval("SELECT count(*) FROM attempt")
        incidents.append(await cut(pool, turn))
        for number in range(FAULTS // OUTAGES):
            incidents.append(await begin(pool, 100 * turn + number))
            if roll.random() < 0.5:
                await end(pool, incidents.pop(0))
        await until(pool, "SELECT count(*) > $1 FROM attempt", True, before, seconds=60)
        await asyncio.sleep(roll.uniform(0, 0.5))
        process.kill()
        await asyncio.to_thread(process.wait)
    async with running(deliver.run, config):
        for incident in incidents:
            await end(pool, incident)
        await until(pool, DONE, True, seconds=120)
    told: defaultdict[tuple[str, int], dict[str, set[str]]] = defaultdict(dict)
    for asked in hooks.got:
        data = json.loads(asked.body)["data"]
        for event in data["events"]:
            told[asked.path, event["incident"]].setdefault(event["phase"], set()).add(data["key"])
    assert len(told) == 2 * FAULTS + (2 + len(COUNTIES)) * OUTAGES, "everybody is told of each"
    perhaps = {(row["path"], row["incident"]) for row in await pool.fetch(PERHAPS)}
    for whom, phases in told.items():
        assert set(phases) in ({"opened", "closed"}, {"passed"}) or (set(phases) == {"closed"} and whom in perhaps)
        assert {len(keys) for keys in phases.values()} == {1}, "a repetition has the key of the first"
