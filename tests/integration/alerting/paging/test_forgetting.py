"""Old pages go with their messages and attempts, notifications and links; what still counts stays."""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg
import msgspec
import pytest

from alerting.delivery.pages.forgetting_store import forget_old_pages
from store.pool import Connection, Pool
from tests.integration.alerting.paging.kit import CALM, DriverConfig, add_contact, add_incident, owe, run_pages
from tests.integration.incidents_kit import until

KEEP: Final = timedelta(days=400)
CASES: Final = (
    # (what, days since the incident closed, None: it goes on; days since the page; its status; does it stay)
    ("old and over", 401, 402, "paid", False),
    ("cancelled", 401, 402, "cancelled", False),
    ("failed", 401, 402, "failed", False),
    ("of an incident that goes on", None, 500, "paid", True),
    ("of an incident that closed lately", 3, 500, "paid", True),
    ("not settled", 401, 402, "owed", True),
    ("young", 401, 399, "paid", True),
)


async def add_page(pool: Pool, number: int, closed: int | None, old: int, status: str) -> int:
    incident = await add_incident(pool, number, status="open" if closed is None else "closed")
    await pool.execute("UPDATE incident SET closed_at = now() - $2 * interval '1 day' WHERE id = $1", incident, closed)
    page = await owe(pool, "li", incident)
    await pool.execute(
        "UPDATE page SET status = $2, created_at = now() - $3 * interval '1 day' WHERE id = $1", page, status, old
    )
    return page


async def add_message(pool: Pool, *pages: int, old: int = 402, status: str = "taken") -> str:
    """A message with two attempts."""
    message = await pool.fetchval(
        "INSERT INTO message (contact, kind, fingerprint, severity, status, created_at) "
        "VALUES ('li', 'sms', 'f', 'warning', $1, now() - $2 * interval '1 day') RETURNING id",
        status, old,
    )  # fmt: skip
    await pool.executemany("INSERT INTO attempt (message, number) VALUES ($1, $2)", [(message, 1), (message, 2)])
    await pool.executemany("INSERT INTO message_page VALUES ($1, $2)", [(message, page) for page in pages])
    return str(message)


async def left(pool: Pool, query: str) -> set[object]:
    return {row[0] for row in await pool.fetch(query)}


async def forget_as_service(connection: Connection) -> int:
    """With the rights of the service."""
    async with connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_service")
        return await forget_old_pages(connection, KEEP)


async def test_what_is_over_goes_and_what_counts_stays(pool: Pool) -> None:
    await add_contact(pool, "li")
    pages = [await add_page(pool, n, *case[1:4]) for n, case in enumerate(CASES)]
    staying = {page for page, case in zip(pages, CASES, strict=True) if case[4]}
    alone = await add_message(pool, pages[0])
    digest = await add_message(pool, pages[1], pages[3])
    young, due = await add_message(pool, old=399), await add_message(pool, status="due")
    async with pool.acquire() as connection:
        assert await forget_as_service(connection) == 4
        assert await forget_as_service(connection) == 0
    assert await left(pool, "SELECT id FROM page") == staying
    messages = {str(one) for one in await left(pool, "SELECT id FROM message")}
    assert messages == {digest, young, due} and alone not in messages
    assert {str(one) for one in await left(pool, "SELECT message FROM attempt")} == messages
    assert await left(pool, "SELECT page FROM message_page") == {pages[3]}, "the digest keeps the page that stays"


async def test_a_look_takes_a_bounded_part(pool: Pool) -> None:
    await add_contact(pool, "li")
    for number in range(3):
        await add_page(pool, number, 401, 402, "paid")
    async with pool.acquire() as connection:
        assert [await forget_old_pages(connection, KEEP, 2) for _ in range(3)] == [2, 1, 0]


NOTIFIED: Final = (
    # (days since its incident closed, None: it goes on; days since it was made; status of its delivery; does it stay)
    (401, 402, "sent", False),
    (401, 402, "failed", False),
    (401, 402, None, False),
    (None, 500, "sent", True),
    (3, 500, "sent", True),
    (401, 402, "pending", True),
    (401, 399, "sent", True),
)


async def test_notifications_of_what_is_over_go_with_their_deliveries(pool: Pool) -> None:
    staying = set()
    for number, (closed, old, status, stays) in enumerate(NOTIFIED):
        incident = await add_incident(pool, number, status="open" if closed is None else "closed")
        await pool.execute(
            "UPDATE incident SET closed_at = now() - $2 * interval '1 day' WHERE id = $1", incident, closed
        )
        notification = await pool.fetchval(
            "INSERT INTO notification (incident, phase, created_at, spread_at) "
            "VALUES ($1, 'forgotten', now() - $2 * interval '1 day', now()) RETURNING id",
            incident, old,
        )  # fmt: skip
        if status is not None:
            await pool.execute(
                "INSERT INTO delivery (notification, target, idempotency_key, status) VALUES ($1, 't', $2, $3)",
                notification, f"key{number}", status,
            )  # fmt: skip
        if stays:
            staying.add(notification)
    entries = await pool.fetchval("SELECT count(*) FROM incident_entry")
    async with pool.acquire() as connection:
        assert await forget_as_service(connection) == 3
        assert await forget_as_service(connection) == 0
    assert await left(pool, "SELECT id FROM notification WHERE phase = 'forgotten'") == staying
    assert await left(pool, "SELECT notification FROM delivery") == staying
    assert await pool.fetchval("SELECT count(*) FROM incident_entry") == entries, "history stays with its incident"


async def test_links_that_expired_go_with_their_forms_but_not_those_of_what_goes_on(pool: Pool) -> None:
    await add_contact(pool, "li")
    staying = set()
    for number, (closed, expired, stays) in enumerate(
        [(401, 401, False), (None, 500, True), (401, 3, True), (3, 401, True)]
    ):
        incident = await add_incident(pool, number, status="open" if closed is None else "closed")
        await pool.execute(
            "UPDATE incident SET closed_at = now() - $2 * interval '1 day' WHERE id = $1", incident, closed
        )
        link = await pool.fetchval(
            "INSERT INTO link (incident, contact, expires_at) VALUES ($1, 'li', now() - $2 * interval '1 day') "
            "RETURNING id",
            incident, expired,
        )  # fmt: skip
        await pool.execute("INSERT INTO link_post (link, once, answer) VALUES ($1, 'once-once', '{}')", link)
        if stays:
            staying.add(link)
    async with pool.acquire() as connection:
        assert await forget_as_service(connection) == 1
    assert await left(pool, "SELECT id FROM link") == staying
    assert await left(pool, "SELECT link FROM link_post") == staying


@pytest.mark.parametrize("name", ["forget_notifications", "forget_links"])
async def test_the_database_keeps_for_a_month_whatever_is_asked(pool: Pool, name: str) -> None:
    with pytest.raises(asyncpg.RaiseError):
        await pool.execute(f"SELECT {name}(interval '30 days', 10)")


async def test_the_loop_forgets_by_itself(pool: Pool, database: str) -> None:
    await add_contact(pool, "li")
    await add_page(pool, 1, 41, 42, "paid")
    config = DriverConfig(database_url=database, paging=msgspec.structs.replace(CALM, keep=timedelta(days=40)))
    stop = asyncio.Event()
    loop = asyncio.create_task(run_pages(config, stop))
    try:
        await until(pool, "SELECT count(*) FROM page", 0)
    finally:
        stop.set()
        await loop
