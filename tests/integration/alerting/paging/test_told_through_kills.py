"""The delivery process is killed again and again while faults begin and end: everybody is told of each fault, and of
its end exactly if told of it, or perhaps told."""

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

ROOT = Path(__file__).parents[4]
FAULTS = 24
DONE = """
SELECT NOT EXISTS (SELECT FROM notification WHERE routed_at IS NULL)
   AND NOT EXISTS (SELECT FROM page WHERE status IN ('owed', 'sending'))
   AND NOT EXISTS (SELECT FROM escalation WHERE over_at IS NULL)
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
    """Two technicians of one county, each with a webhook."""
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('63', '青海省', 'province', '{63}')")
    await pool.execute(
        "INSERT INTO station (id, name, lifecycle, area) VALUES ('A', '红旗阅览室', 'commissioned', '63')"
    )
    for contact in ("li", "wang"):
        await pool.execute(
            "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, $1, 'technician', '63', 'x')", contact
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


async def end(pool: Pool, incident: int) -> None:
    async with pool.acquire() as connection, connection.transaction():
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
    for turn in range(4):
        process, before = start(config), await pool.fetchval("SELECT count(*) FROM attempt")
        for number in range(FAULTS // 4):
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
    assert len(told) == 2 * FAULTS, "everybody is told of each"
    perhaps = {(row["path"], row["incident"]) for row in await pool.fetch(PERHAPS)}
    for whom, phases in told.items():
        assert set(phases) in ({"opened", "closed"}, {"passed"}) or (set(phases) == {"closed"} and whom in perhaps)
        assert {len(keys) for keys in phases.values()} == {1}, "a repetition has the key of the first"
