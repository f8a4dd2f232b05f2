"""From a bot that was removed to the person who is told: deliver, escalation and incident process as they run."""

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from alerting.delivery import service as deliver
from alerting.delivery.bots import KINDS
from alerting.delivery.senders.address_target import SenderConfig
from alerting.delivery.service import DeliverConfig
from alerting.incident_process import service as incidents
from alerting.incident_process.service import IncidentsConfig
from registry.routes.model import RouteStep
from store.pool import Pool
from tests.integration.alerting.channels.receivers_kit import HttpReceiver, http_receiver
from tests.integration.incidents_kit import running, until

OPEN = "SELECT count(*) FROM incident WHERE kind = 'channel_dead' AND status <> 'closed'"
PAID = "SELECT count(*) FROM page p JOIN incident i ON i.id = p.incident WHERE i.kind = $1 AND p.status = 'paid'"


@pytest.fixture
async def bot() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as receiver:
        yield receiver


@pytest.fixture
async def hooks() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as receiver:
        yield receiver


@pytest.fixture
async def people(pool: Pool, hooks: HttpReceiver) -> None:
    """The technician li with a bot and a webhook, the lead wang with a webhook; both of one county."""
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('63', '青海省', 'province', '{63}')")
    await pool.execute(
        "INSERT INTO station (id, name, lifecycle, area) VALUES ('A', '红旗阅览室', 'commissioned', '63')"
    )
    await pool.execute(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ('li', '李', 'technician', '63', 'x'), "
        "('wang', '王', 'lead', '63', 'x')"
    )
    await pool.executemany(
        "INSERT INTO contact_channel (contact, place, kind, address) VALUES ($1, $2, $3, $4)",
        [
            ("li", 1, "wecom", "wecom://geheim-removed"),
            ("li", 2, "webhook", f"{hooks.url}/li"),
            ("wang", 1, "webhook", f"{hooks.url}/wang"),
        ],
    )
    for name, kinds, role in (("fault", ["station_offline"], "technician"), ("dead", ["channel_dead"], "lead")):
        await pool.execute(
            "INSERT INTO route (id, name, area, kinds, steps, edited_by) VALUES ($1, $1, '63', $2, $3, 'x')",
            name, kinds, msgspec.to_builtins([RouteStep(role=role)]),
        )  # fmt: skip


async def fault(pool: Pool, number: int) -> None:
    """What the incident process writes of a station that is offline."""
    async with pool.acquire() as connection, connection.transaction():
        incident = await connection.fetchval(
            "INSERT INTO incident (kind, key, station, area, began_at, opened_at) "
            "VALUES ('station_offline', $1, 'A', '63', now(), now()) RETURNING id",
            f"k{number}",
        )
        await connection.execute("INSERT INTO notification (incident, phase) VALUES ($1, 'opened')", incident)


def documents(hooks: HttpReceiver, path: str) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in hooks.got if asked.path == path]


@pytest.mark.usefixtures("people")
async def test_a_removed_bot_is_told_to_the_lead_and_the_fault_by_the_next_channel(
    pool: Pool, database: str, bot: HttpReceiver, hooks: HttpReceiver
) -> None:
    bot.say({"errcode": 93000, "errmsg": "invalid webhook url geheim-removed"})
    senders = SenderConfig(origins=dict.fromkeys(KINDS, bot.url))
    delivering = DeliverConfig(database_url=database, poll=0.05, senders=senders, language="en")
    deciding = IncidentsConfig(database_url=database, poll=0.05, idle_poll=0.05)
    async with running(deliver.run, delivering), running(incidents.run, deciding):
        await fault(pool, 1)
        await until(pool, PAID, 1, "station_offline")
        await until(pool, OPEN, 1)
        await until(pool, PAID, 1, "channel_dead")
        (told,) = documents(hooks, "/wang")
        assert told["type"] == "milepost.incident.opened"
        assert told["data"]["title"].startswith("【渠道失效】li 企业微信")
        assert [document["data"]["events"][0]["kind"] for document in documents(hooks, "/li")] == ["station_offline"]
        bot.say({"errcode": 0})
        # A dead channel is tried in its place again after half an hour.
        await pool.execute("UPDATE send_limit SET tried_at = tried_at - interval '31 minutes'")
        await fault(pool, 2)
        await until(pool, PAID, 2, "station_offline")
        await until(pool, OPEN, 0)
        assert len(documents(hooks, "/li")) == 1, "the second fault went by the bot"
    stored = str(await pool.fetch("SELECT i::text, a::text, m::text FROM incident i, attempt a, message m"))
    assert "geheim" not in stored
