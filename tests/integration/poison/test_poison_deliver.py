"""Stored rows that `milepost deliver` cannot read: each costs itself, is named until it can be read, and stops neither
the process nor what is sent to others."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import pytest

from alerting.delivery import service as deliver
from alerting.delivery.service import DeliverConfig
from store.pool import Pool
from tests.integration.alerting.channels.receivers_kit import HttpReceiver, http_receiver
from tests.integration.alerting.paging.kit import owe
from tests.integration.escalation.escalation_kit import add_people, open_incident
from tests.integration.incidents_kit import running, until

NAMED: Final = (
    "SELECT coalesce(string_agg(kind || ' ' || subject, ', ' ORDER BY kind, subject), '') FROM set_aside "
    "WHERE service = 'deliver'"
)
SENT: Final = "SELECT count(*) FROM page WHERE status = 'paid' AND incident = $1 AND recipient = 'an'"


class Row(NamedTuple):
    """BAD stands for an incident; `named`: the thing that is named, '' for none; `mend`: makes it readable."""

    written: str
    named: str
    mend: str = "SELECT 1"


# Rows of another version of Milepost, or written by hand.
ROWS: dict[str, Row] = {
    "an incident of a time that no client reads": Row(
        "UPDATE incident SET eta_at = '200000-01-01' WHERE id = BAD",
        "incident BAD",
        "UPDATE incident SET eta_at = NULL; UPDATE escalation SET wake_at = now()",
    ),
    "a plan of another shape": Row(
        "INSERT INTO escalation (incident, plan, wake_at) VALUES (BAD, '{\"shape\": 7}', now())",
        "incident BAD",
        "UPDATE escalation SET plan = NULL, wake_at = now()",
    ),
    "a log of another shape": Row(
        "INSERT INTO escalation (incident, log, wake_at) VALUES (BAD, '7', now())",
        "incident BAD",
        "UPDATE escalation SET log = '[]', wake_at = now()",
    ),
    "a route of another shape": Row(
        "INSERT INTO route (id, name, steps, edited_by) VALUES ('odd', 'odd', '[{\"role\": 7}]', 'x')",
        "route odd",
        "DELETE FROM route WHERE id = 'odd'",
    ),
    "a contact that retired at a time that no client reads": Row(
        "UPDATE contact SET retired_at = '200000-01-01' WHERE id = 'he'", ""
    ),
    "a silence until a time that no client reads": Row(
        "INSERT INTO silence (station, kinds, from_at, until_at, reason, made_by) "
        "VALUES ('A', '{health}', now(), '200000-01-01', 'x', 'operator')",
        "",
    ),
    "a page until a time that no client reads": Row(
        "UPDATE page SET created_at = '200000-01-01' WHERE recipient = 'li'",
        "contact li",
        "UPDATE page SET created_at = now()",
    ),
    "a message of another shape": Row(
        "WITH m AS (INSERT INTO message (id, contact, kind, fingerprint, content, severity, status) SELECT "
        "gen_random_uuid(), 'li', 'webhook', fingerprint, '{\"shape\": 7}', 'warning', 'due' FROM contact_channel "
        "WHERE contact = 'li' RETURNING id), "
        "p AS (UPDATE page SET status = 'sending' WHERE recipient = 'li' RETURNING id) "
        "INSERT INTO message_page SELECT m.id, p.id FROM m, p",
        "contact li",
        "UPDATE message SET status = 'given_up' WHERE contact = 'li'; UPDATE page SET status = 'owed'",
    ),
}


@pytest.fixture
async def hooks() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as receiver:
        yield receiver


@pytest.mark.parametrize("name", ROWS)
async def test_a_row_that_cannot_be_read_costs_itself(
    pool: Pool, database: str, hooks: HttpReceiver, name: str
) -> None:
    await add_people(pool)
    await pool.execute("UPDATE contact_channel SET kind = 'webhook', address = $1 || '/' || contact", hooks.url)
    bad, good = [await open_incident(pool, key=key) for key in ("bad", "good")]
    await owe(pool, "li", bad)
    written, named, mend = (text.replace("BAD", str(bad)) for text in ROWS[name])
    await pool.execute(written)
    async with running(deliver.run, DeliverConfig(database_url=database, poll=0.05)) as process:
        await until(pool, SENT, 1, good)
        await until(pool, NAMED, named)
        assert not process.done()
        await pool.execute(mend)
        await until(pool, NAMED, "")


async def test_a_part_that_fails_as_a_whole_rests_and_the_others_go_on(
    pool: Pool, database: str, hooks: HttpReceiver
) -> None:
    """A sort of days that a later version knows: nobody can be chosen, but what is owed already is sent."""
    await add_people(pool)
    await pool.execute("UPDATE contact_channel SET kind = 'webhook', address = $1 || '/' || contact", hooks.url)
    incident = await open_incident(pool)
    await owe(pool, "li", incident)
    await pool.execute(
        "ALTER TABLE day_class DROP CONSTRAINT day_class_class_check; "
        "INSERT INTO day_class (day, class) VALUES ('2026-12-01', 'half')"
    )
    async with running(deliver.run, DeliverConfig(database_url=database, poll=0.05)) as process:
        await until(pool, NAMED, "part escalation")
        await until(pool, "SELECT count(*) FROM page WHERE status = 'paid' AND recipient = 'li'", 1)
        assert await pool.fetchval(SENT, incident) == 0
        assert not process.done()
        await pool.execute("DELETE FROM day_class WHERE class = 'half'")
        await until(pool, SENT, 1, incident)
        await until(pool, NAMED, "")
