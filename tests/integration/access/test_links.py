"""Links in the database: made once while they are fresh, found by genuine tokens only, ended with an entry."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from access.links.rules import FRESH, LIFE, MOST_POSTS, LinkRefusal
from access.links.store import (
    TooManyPostsError,
    add_post,
    count_good_links,
    end_links,
    find_link,
    find_post,
    give_links,
)
from store.author import OPERATOR, Author
from store.pool import Connection, Pool
from tests.integration.incidents_kit import until

NOW = datetime.now(UTC)
BY = Author(OPERATOR)
WAITS = "SELECT coalesce(wait_event_type = 'Lock', false) FROM pg_stat_activity WHERE pid = $1"


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO account (id, login, name, role, whole, created_by) "
            "VALUES ('a-wang', 'wang', '王', 'technician', true, 'operator')"
        )
        await connection.execute(
            "INSERT INTO contact (id, name, role, language, account, edited_by) "
            "VALUES ('wang', '王', 'technician', 'zh-CN', 'a-wang', 'test')"
        )
        for number in (1, 2):
            await connection.execute(
                "INSERT INTO incident (id, kind, key, station, status, began_at, opened_at) OVERRIDING SYSTEM VALUE "
                "VALUES ($1, 'station_offline', $2, $2, 'open', now(), now())",
                number,
                f"s{number}",
            )
        yield connection


async def test_a_link_is_given_again_while_it_is_fresh(connection: Connection) -> None:
    first = await give_links(connection, "wang", [1, 2, 1], NOW)
    assert set(first) == {1, 2} and first[1] != first[2]
    assert await give_links(connection, "wang", [1], NOW + LIFE - FRESH - timedelta(seconds=1)) == {1: first[1]}
    late = await give_links(connection, "wang", [1], NOW + LIFE - FRESH + timedelta(hours=1))
    assert late[1] != first[1], "the old one would soon expire"
    for token in (first[1], late[1]):
        found = await find_link(connection, token, NOW + FRESH)
        assert found is not None and found.refusal is None, "the old one is still good"
        assert (found.incident, found.contact, found.account, found.language) == (1, "wang", "a-wang", "zh-CN")


async def test_which_tokens_are_refused(connection: Connection) -> None:
    token = (await give_links(connection, "wang", [1], NOW))[1]
    assert await find_link(connection, token[:-1] + ("A" if token[-1] != "A" else "B"), NOW) is None
    assert await find_link(connection, "zzzz" + token[4:], NOW) is None
    assert await find_link(connection, "x", NOW) is None
    expired = await find_link(connection, token, NOW + LIFE)
    assert expired is not None and expired.refusal is LinkRefusal.EXPIRED
    await connection.execute("UPDATE account SET disabled_at = now(), disabled_by = 'operator' WHERE id = 'a-wang'")
    retired = await find_link(connection, token, NOW)
    assert retired is not None and retired.refusal is LinkRefusal.RETIRED


async def test_a_lost_phone_ends_every_link_and_the_ledger_says_so(connection: Connection) -> None:
    tokens = await give_links(connection, "wang", [1, 2], NOW)
    assert await count_good_links(connection, "wang", NOW) == 2
    assert await end_links(connection, "wang", NOW, by=BY) == 2
    assert await end_links(connection, "wang", NOW, by=BY) == 0
    for token in tokens.values():
        found = await find_link(connection, token, NOW)
        assert found is not None and found.refusal is LinkRefusal.LOST
    rows = await connection.fetch("SELECT kind, subject, actor FROM ledger_entry ORDER BY at_ms")
    assert {tuple(row) for row in rows} == {("links.ended", "contact/wang", "operator")}
    again = await give_links(connection, "wang", [1], NOW)
    assert again[1] != tokens[1], "the next message carries another link"


async def test_forms_that_wait_for_another_one_are_counted_after_it(connection: Connection, pool: Pool) -> None:
    token = (await give_links(connection, "wang", [1], NOW))[1]
    link = await find_link(connection, token, NOW)
    assert link is not None
    for number in range(MOST_POSTS - 1):
        await add_post(connection, link.number, f"{number:064}", {"did": "note"}, NOW)
    async with pool.acquire() as other:
        async with connection.transaction():
            assert await find_post(connection, link.number, "a" * 64, NOW) is None
            waiting = asyncio.create_task(find_post(other, link.number, "b" * 64, NOW))
            await until(pool, WAITS, True, other.get_server_pid())
            await add_post(connection, link.number, "a" * 64, {"did": "note"}, NOW)
        with pytest.raises(TooManyPostsError):
            await waiting


async def test_a_link_that_is_just_being_made_is_ended_too(connection: Connection, pool: Pool) -> None:
    async with pool.acquire() as other:
        async with connection.transaction():
            token = (await give_links(connection, "wang", [1], NOW))[1]
            ending = asyncio.create_task(end_links(other, "wang", NOW, by=BY))
            await until(pool, WAITS, True, other.get_server_pid(), seconds=10)
        assert await ending == 1
    found = await find_link(connection, token, NOW)
    assert found is not None and found.refusal is LinkRefusal.LOST


async def test_a_form_is_known_again_and_forms_are_bounded(connection: Connection) -> None:
    token = (await give_links(connection, "wang", [1], NOW))[1]
    link = await find_link(connection, token, NOW)
    assert link is not None
    assert await find_post(connection, link.number, "a" * 64, NOW) is None
    for number in range(MOST_POSTS):
        await add_post(connection, link.number, f"{number:064}", {"did": "note"}, NOW)
    assert await find_post(connection, link.number, f"{3:064}", NOW) == {"did": "note"}
    with pytest.raises(TooManyPostsError):
        await find_post(connection, link.number, "b" * 64, NOW)
    assert await find_post(connection, link.number, "b" * 64, NOW + timedelta(hours=2)) is None
    await end_links(connection, "wang", NOW, by=BY)
    with pytest.raises(LookupError):
        await find_post(connection, link.number, "c" * 64, NOW + timedelta(hours=2))
