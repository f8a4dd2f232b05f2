"""From the attempts to the incident of a dead channel and back, in the incident process."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from alerting.channels.model import SendNews
from alerting.channels.store import ChannelName, note_send
from alerting.incident_process.service import IncidentsConfig, run
from store.pool import Pool
from tests.integration.incidents_kit import now, running, until

OPEN = "SELECT count(*) FROM incident WHERE kind = 'channel_dead' AND status <> 'closed'"
ENDED = (
    "SELECT text FROM incident_entry e JOIN incident i ON i.id = e.incident "
    "WHERE i.kind = 'channel_dead' AND e.action = 'closed' ORDER BY e.id DESC LIMIT 1"
)
SECRET = "wecom://token-of-li"


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    return IncidentsConfig(database_url=database, instance="test", poll=0.05, idle_poll=0.05)


@pytest.fixture
async def contact(pool: Pool) -> None:
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('63', '青海省', 'province', '{63}')")
    await pool.execute(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ('li', '李', 'technician', '63', 'x')"
    )
    await channel(pool)


async def channel(pool: Pool) -> None:
    await pool.execute("DELETE FROM contact_channel WHERE contact = 'li'")
    await pool.execute(
        "INSERT INTO contact_channel (contact, place, kind, address) VALUES ('li', 1, 'wecom', $1)", SECRET
    )


async def note(pool: Pool, *news: SendNews, minutes: int = 0) -> None:
    async with pool.acquire() as connection, connection.transaction():
        fingerprint = await connection.fetchval("SELECT channel_fingerprint('wecom', $1)", SECRET)
        name = ChannelName(contact="li", fingerprint=fingerprint, channel="wecom")
        await connection.execute("SET LOCAL ROLE milepost_service")
        for each in news:
            await note_send(connection, name, each, now() + timedelta(minutes=minutes), "refused with code 93000")


@pytest.mark.usefixtures("contact")
async def test_a_refused_channel_is_an_incident_until_it_takes_a_message(pool: Pool, config: IncidentsConfig) -> None:
    async with running(run, config):
        await note(pool, SendNews.REFUSED)
        await until(pool, OPEN, 1)
        await note(pool, SendNews.REFUSED, SendNews.FAILED)
        await note(pool, SendNews.WORKS)
        await until(pool, OPEN, 0)
        assert await pool.fetchval(ENDED) == "channel_works"
        await note(pool, SendNews.REFUSED)
        await until(pool, OPEN, 1)
    assert await pool.fetchval("SELECT count(*) FROM incident") == 2
    found = await pool.fetchrow("SELECT * FROM incident ORDER BY id LIMIT 1")
    assert found is not None
    assert (found["area"], found["detail"]["contact"]) == ("63", "li")
    assert found["key"].startswith("channel_dead:li:")
    assert await pool.fetchval("SELECT string_agg(phase, ' ' ORDER BY id) FROM notification") == "opened closed opened"
    texts = await pool.fetch("SELECT i::text || coalesce(e::text, '') FROM incident i JOIN incident_entry e ON true")
    assert "token-of-li" not in str(texts)


@pytest.mark.usefixtures("contact")
async def test_failures_that_last_are_an_incident(pool: Pool, config: IncidentsConfig) -> None:
    async with running(run, config):
        await note(pool, SendNews.FAILED, SendNews.FAILED, SendNews.FAILED)
        await note(pool, SendNews.FAILED, minutes=31)
        await until(pool, OPEN, 1)
    assert await pool.fetchval("SELECT detail ->> 'reason' FROM incident") == "channel_fails"


@pytest.mark.usefixtures("contact")
async def test_failures_of_several_processes_are_all_counted(pool: Pool) -> None:
    await asyncio.gather(*(note(pool, SendNews.FAILED) for _ in range(8)))
    assert await pool.fetchval("SELECT failures FROM channel_state") == 8
    await note(pool, SendNews.WORKS)
    assert await pool.fetchval("SELECT failures FROM channel_state") == 0


@pytest.mark.usefixtures("contact")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE contact SET retired_at = now()", "contact_retired"),
        (
            "INSERT INTO account (id, login, name, role, whole, created_by, disabled_at, disabled_by) "
            "VALUES ('a-1', 'li', 'x', 'technician', true, 'operator', now(), 'operator'); "
            "UPDATE contact SET account = 'a-1'",
            "contact_retired",
        ),
        ("UPDATE contact_channel SET address = 'wecom://another'", "channel_replaced"),
        ("DELETE FROM contact_channel", "channel_replaced"),
    ],
)
async def test_it_ends_when_the_channel_or_the_contact_is_gone(
    pool: Pool, config: IncidentsConfig, change: str, reason: str
) -> None:
    async with running(run, config):
        await note(pool, SendNews.REFUSED)
        await until(pool, OPEN, 1)
        await pool.execute(change)
        await until(pool, OPEN, 0)
    assert await pool.fetchval(ENDED) == reason
    async with running(run, config):
        await channel(pool)
        await pool.execute("UPDATE contact SET retired_at = NULL, account = NULL")
        await until(pool, OPEN, 1)


@pytest.mark.usefixtures("contact")
async def test_a_restart_opens_nothing_twice_and_closes_what_ended_meanwhile(
    pool: Pool, config: IncidentsConfig
) -> None:
    await note(pool, SendNews.REFUSED)
    async with running(run, config):
        await until(pool, OPEN, 1)
    async with running(run, config):
        await until(pool, "SELECT count(*) FROM service_sign WHERE service = 'incidents'", 1)
        await until(pool, OPEN, 1)
    await note(pool, SendNews.WORKS)
    async with running(run, config):
        await until(pool, OPEN, 0)
    assert await pool.fetchval("SELECT count(*) FROM incident") == 1


@pytest.mark.usefixtures("contact")
@pytest.mark.parametrize(("scope", "seen"), [("63", 1), ("64", 0), ("*", 1), ("", 0)])
async def test_who_sees_the_area_of_the_contact_sees_its_incident(
    pool: Pool, config: IncidentsConfig, scope: str, seen: int
) -> None:
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('64', '宁夏', 'province', '{64}')")
    async with running(run, config):
        await note(pool, SendNews.REFUSED)
        await until(pool, OPEN, 1)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_api")
        await connection.execute("SELECT set_config('milepost.scope', $1, true)", scope)
        assert await connection.fetchval("SELECT count(*) FROM incident WHERE kind = 'channel_dead'") == seen
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT FROM channel_state")


@pytest.mark.usefixtures("contact")
async def test_many_channels_behind_one_gateway_are_one_incident(pool: Pool, config: IncidentsConfig) -> None:
    await pool.executemany(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, 'x', 'technician', '63', 'x')",
        [(f"c{n}",) for n in range(9)],
    )
    await pool.executemany(
        "INSERT INTO contact_channel (contact, place, kind, address) VALUES ($1, 1, 'sms', $2)",
        [(f"c{n}", f"+861380013800{n}") for n in range(9)],
    )
    every = await pool.fetch("SELECT contact, fingerprint FROM contact_channel WHERE kind = 'sms'")

    async def all_say(news: SendNews) -> None:
        async with pool.acquire() as connection, connection.transaction():
            for row in every:
                name = ChannelName(contact=row["contact"], fingerprint=row["fingerprint"], channel="sms")
                await note_send(connection, name, news, now(), "MILEPOST_SMS_GATEWAY is not set")

    async with running(run, config):
        await all_say(SendNews.REFUSED)
        await until(pool, OPEN, 1)
        assert await pool.fetchval("SELECT detail ->> 'contacts' FROM incident") == "9"
        await all_say(SendNews.WORKS)
        await until(pool, OPEN, 0)
    assert await pool.fetchval("SELECT count(*) FROM incident") == 1
