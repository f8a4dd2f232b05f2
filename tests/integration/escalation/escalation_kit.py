"""A county with people on duty, and the escalation as `milepost deliver` runs it, one pass at a time."""

import asyncio
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from alerting.escalation.routing_now import RoutingNow
from alerting.escalation.service import CONNECTIONS, EscalationConfig, EscalationLoop
from alerting.escalation.store import advance_due, route_new, take_wakes
from alerting.silences.store import load_silences
from registry.contacts.model import Channel, ChannelKind, Contact
from registry.routes.model import Route, RouteStep
from registry.routes.routing import Routing
from store.pool import Pool, open_pool

ROOT: Final = Path(__file__).parents[3]
COUNTY = "632122"
PEOPLE = {"an": "technician", "li": "lead", "he": "head"}
STEPS = (RouteStep(role="technician"), RouteStep(role="lead", after=1800), RouteStep(role="head", after=7200))


async def add_people(pool: Pool) -> Routing:
    """The county with a station, its people and its route; also in the database, where pages name contacts."""
    await pool.execute(
        "INSERT INTO area (code, name, parent, path, level) VALUES ('63', '青海', NULL, '{63}', 'province'), "
        "($1, '民和', '63', ARRAY['63', $1], 'county') ON CONFLICT DO NOTHING",
        COUNTY,
    )
    await pool.execute(
        "INSERT INTO station (id, name, lifecycle, area) VALUES ('A', '红旗阅览室', 'commissioned', $1)", COUNTY
    )
    await pool.executemany(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, $1, $2, $3, 'test')",
        [(person, role, COUNTY) for person, role in PEOPLE.items()],
    )
    await pool.execute(
        "INSERT INTO contact_channel (contact, place, kind, address, fingerprint) "
        "SELECT id, 1, 'feishu', 'http://127.0.0.1:9/' || id, md5(id) FROM contact"
    )
    await pool.execute(
        "INSERT INTO route (id, name, area, steps, edited_by) VALUES ('county', 'county', $1, $2, 'test')",
        COUNTY, msgspec.to_builtins(STEPS),
    )  # fmt: skip
    channel = Channel(kind=ChannelKind.SMS, fingerprint="f")
    contacts = {
        person: Contact(id=person, name=person, role=role, area=COUNTY, channels=(channel,))
        for person, role in PEOPLE.items()
    }
    return Routing(contacts=contacts, routes=(Route(id="county", name="county", area=COUNTY, steps=STEPS),))


async def open_incident(
    pool: Pool, station: str | None = "A", *, key: str = "station_offline:A", area: str | None = None
) -> int:
    """What the incident process writes when a station is offline."""
    async with pool.acquire() as connection, connection.transaction():
        incident: int = await connection.fetchval(
            "INSERT INTO incident (kind, key, station, area, began_at, opened_at) "
            "VALUES ('station_offline', $1, $2, $3, now(), now()) RETURNING id",
            key, station, area,
        )  # fmt: skip
        await notify(connection, incident, "opened")
    return incident


async def notify(pool: Any, incident: int, phase: str, held: datetime | None = None, round_: int = 0) -> None:
    await pool.execute(
        "INSERT INTO notification (incident, phase, not_before, round) VALUES ($1, $2, $3, $4)",
        incident, phase, held, round_,
    )  # fmt: skip


async def one_pass(pool: Pool, routing: Routing, limit: int = 500) -> int:
    """Everything that is due now; how much that was."""
    done = 0
    async with pool.acquire() as connection:
        async with connection.transaction():
            now = await connection.fetchval("SELECT now()")
            loaded = RoutingNow(routing, await load_silences(connection, now))
            done += await take_wakes(connection, limit)
        async with connection.transaction():
            done += await route_new(connection, loaded, limit)
        async with connection.transaction():
            done += await advance_due(connection, loaded, limit)
    return done


async def pages(pool: Pool, incident: int) -> list[str]:
    """The pages of an incident in their order, such as `an opened owed`."""
    rows = await pool.fetch(
        "SELECT recipient, phase, round, status, reason FROM page WHERE incident = $1 ORDER BY id", incident
    )
    return [_line(row) for row in rows]


def _line(row: asyncpg.Record) -> str:
    again = f" {row['round']}" if row["round"] else ""
    return f"{row['recipient']} {row['phase']}{again} {row['status']}" + (f" {row['reason']}" if row["reason"] else "")


async def words(pool: Pool, incident: int) -> list[str]:
    """The words of the log of an escalation."""
    log = await pool.fetchval("SELECT log FROM escalation WHERE incident = $1", incident)
    return [entry["what"] for entry in log]


async def pay(pool: Pool, *recipients: str) -> None:
    """What the delivery writes when messages were taken."""
    await pool.execute("UPDATE page SET status = 'paid' WHERE recipient = ANY ($1) AND status = 'owed'", recipients)


async def go_back(pool: Pool, incident: int, seconds: float) -> None:
    """Let the escalation have begun so long ago."""
    await pool.execute(
        "UPDATE escalation SET wake_at = wake_at - make_interval(secs => $2), state = jsonb_set(state, '{base}', "
        "to_jsonb((state ->> 'base')::timestamptz - make_interval(secs => $2))) WHERE incident = $1",
        incident, seconds,
    )  # fmt: skip


class LoopConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The loop by itself, without anybody who delivers."""

    database_url: str
    escalation: EscalationConfig = EscalationConfig(poll=0.05, max_backoff=0.2)


async def run_loop(config: LoopConfig, stop: asyncio.Event) -> None:
    """Escalate until `stop`."""
    async with open_pool(config.database_url, name="escalation", size=CONNECTIONS) as pool:
        await EscalationLoop(config.escalation, pool).run(stop)


def start(config: LoopConfig) -> subprocess.Popen[bytes]:
    """The loop as a process of its own."""
    command = [sys.executable, "-m", "tests.integration.escalation.escalation_kit"]
    return subprocess.Popen([*command, msgspec.json.encode(config).decode()], cwd=ROOT)


if __name__ == "__main__":
    asyncio.run(run_loop(msgspec.json.decode(sys.argv[1].encode(), type=LoopConfig), asyncio.Event()))
