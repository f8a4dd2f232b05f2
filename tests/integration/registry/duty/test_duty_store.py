"""Duties and substitutes in the database: what is written, its entries in the ledger, and what a scope shows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from contract.errors import RemedyError
from contract.said import SaidError
from registry.duty.model import Duty, Substitute
from registry.duty.store import (
    load_duties,
    load_substitutes,
    put_duties,
    put_substitutes,
    remove_duties,
    remove_substitutes,
)
from store.author import Author
from store.pool import Connection, Pool
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country, scoped

AT = datetime(2026, 11, 25, 4, tzinfo=UTC)
BY = Author("operator")
CONTACTS = {"li": TOWN, "ma": EAST, "wang": WEST, "zhao": None}


async def add_contacts(connection: Connection) -> None:
    for name, area in CONTACTS.items():
        await connection.execute(
            "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, $1, 'technician', $2, 'operator')",
            name,
            area,
        )


def duty(contact: str = "li", area: str | None = TOWN, **more: Any) -> Duty:
    return Duty(**{"role": "technician", "contact": contact, "area": area, **more})


def away(contact: str, substitute: str, days: float = 0, **more: Any) -> Substitute:
    begin = AT + timedelta(days=days)
    return Substitute(
        **{
            "contact": contact,
            "substitute": substitute,
            "from_at": begin,
            "until_at": begin + timedelta(days=1),
            **more,
        }
    )


async def entries(connection: Connection) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(kind, subject, actor, body) of the entries of duties, in their order."""
    rows = await connection.fetch(
        "SELECT kind, subject, actor, body FROM ledger_entry WHERE kind ~ '^(duty|substitute)[.]' ORDER BY id"
    )
    return [(row["kind"], row["subject"], row["actor"], msgspec.json.decode(row["body"])) for row in rows]


async def test_duties_are_stored_and_removed(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_contacts(connection)
        first, second = await put_duties(
            connection,
            [duty(times="Mo,Tu 8:00-18:00"), duty("ma", None, weeks=2, week=2, valid_from=date(2026, 6, 1))],
            by=BY,
        )
        assert await load_duties(connection) == (first, second)
        assert (first.times, first.id) == ("Mo,Tu 08:00-18:00", 1)
        assert await remove_duties(connection, [1, 99], by=Author("admin")) == [first]
        assert await remove_duties(connection, [1], by=BY) == []
        assert await load_duties(connection) == (second,)
        body = {
            "area": TOWN,
            "role": "technician",
            "contact": "li",
            "times": "Mo,Tu 08:00-18:00",
            "weeks": 1,
            "week": 1,
        }
        body |= {"valid_from": None, "valid_to": None}
        told = await entries(connection)
        assert told[0] == ("duty.given", "duty/1", "operator", body)
        assert told[1][3]["valid_from"] == "2026-06-01"
        assert told[2:] == [("duty.removed", "duty/1", "admin", body)]


async def test_the_same_duty_again_changes_its_last_day_or_nothing(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_contacts(connection)
        await put_duties(connection, [duty()], by=BY)
        assert await put_duties(connection, [duty(times="Mo-Su 00:00-24:00")], by=BY) == []
        changed = await put_duties(connection, [duty(), duty(valid_to=date(2026, 12, 31))], by=BY)
        assert await load_duties(connection) == tuple(changed)
        assert (changed[0].id, changed[0].valid_to) == (1, date(2026, 12, 31))
        assert [kind for kind, *_ in await entries(connection)] == ["duty.given", "duty.given"]


async def test_substitutes_are_stored_replaced_and_removed(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_contacts(connection)
        [first] = await put_substitutes(connection, [away("li", "ma", reason="training")], by=BY)
        assert await put_substitutes(connection, [away("li", "ma", reason="training")], by=BY) == []
        [later, other] = await put_substitutes(connection, [away("li", "wang"), away("ma", "li", 7)], by=BY)
        assert (later.id, later.substitute, later.reason) == (first.id, "wang", None)
        assert await load_substitutes(connection) == (later, other)
        assert await load_substitutes(connection, since=AT + timedelta(days=1)) == (other,)
        assert await remove_substitutes(connection, [first.id or 0, 99], by=BY) == [later]
        assert await load_substitutes(connection) == (other,)
        told = await entries(connection)
        assert [(kind, subject) for kind, subject, *_ in told] == [
            ("substitute.given", "substitute/1"),
            ("substitute.given", "substitute/1"),
            ("substitute.given", f"substitute/{other.id}"),
            ("substitute.removed", "substitute/1"),
        ]
        assert told[0][3].keys() == {"contact", "substitute", "from_ms", "until_ms", "reason_sha256"}
        ms = AT.timestamp() * 1000
        assert told[1][3] == {"contact": "li", "substitute": "wang", "from_ms": ms, "until_ms": ms + 86_400_000}


async def test_what_cannot_be_is_refused_as_a_whole(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_contacts(connection)
        for wrong, error in (
            (duty("nobody"), "there is no contact nobody"),
            (duty(area="99"), "one of the areas 630101, 99 is not there"),
            (duty(times="whenever"), "character 1"),
            (duty(weeks=2), "a rotation has no first day"),
        ):
            with pytest.raises((RemedyError, SaidError), match=error):
                await put_duties(connection, [duty(), wrong], by=BY)
        with pytest.raises(RemedyError, match="there is no contact nobody"):
            await put_substitutes(connection, [away("li", "ma"), away("li", "nobody", 7)], by=BY)
        with pytest.raises(SaidError, match="its own substitute"):
            await put_substitutes(connection, [away("li", "li")], by=BY)
        assert (await load_duties(connection), await load_substitutes(connection)) == ((), ())
        assert await entries(connection) == []


async def test_the_database_refuses_what_the_code_does(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await add_contacts_without_areas(connection)
        row = (
            "INSERT INTO duty (role, contact, times, weeks, week, valid_from, edited_by) "
            "VALUES ('r', 'li', '24x7', {}, 'x')"
        )
        for values in (
            "0, 1, '2026-06-01'",
            "2, 3, '2026-06-01'",
            "2, 1, NULL",
            "1, 1, '200000-01-01'",
            "1, 1, 'infinity'",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(row.format(values))
        row = "INSERT INTO duty_substitute (contact, substitute, from_at, until_at, edited_by) VALUES ('li', {}, 'x')"
        for values in (
            "'li', now(), 'tomorrow'",
            "'ma', now(), now()",
            "'ma', '-infinity', now()",
            "'ma', now(), 'infinity'",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(row.format(values))


async def add_contacts_without_areas(connection: Connection) -> None:
    for name in ("li", "ma"):
        await connection.execute(
            "INSERT INTO contact (id, name, role, edited_by) VALUES ($1, $1, 'technician', 'operator')", name
        )


# Duties 1 to 4 and substitutes 1 to 4 as a scope shows them.
SHOWN: dict[str, tuple[str | None, set[int], set[int]]] = {
    "nothing is set": (None, set(), set()),
    "a town": (TOWN, {1}, set()),
    "a county": (EAST, {1, 2}, {1}),
    "another county": (WEST, {3}, set()),
    "two counties": (f"{EAST},{WEST}", {1, 2, 3}, {1, 2, 3}),
    "the province": (PROVINCE, {1, 2, 3}, {1, 2, 3}),
    "an area that is not there": ("99", set(), set()),
    "the whole": ("*", {1, 2, 3, 4}, {1, 2, 3, 4}),
}


async def everywhere(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_contacts(connection)
        await put_duties(connection, [duty(), duty("ma", EAST), duty("wang", WEST), duty("zhao", None)], by=BY)
        await put_substitutes(
            connection, [away("li", "ma"), away("ma", "wang"), away("wang", "li"), away("zhao", "li")], by=BY
        )


@pytest.mark.parametrize("scope", SHOWN)
async def test_what_a_scope_shows(pool: Pool, scope: str) -> None:
    await everywhere(pool)
    setting, duties, substitutes = SHOWN[scope]
    async with scoped(pool, setting) as connection:
        assert {duty.id for duty in await load_duties(connection)} == duties
        assert {each.id for each in await load_substitutes(connection)} == substitutes


async def test_what_lies_outside_a_scope_is_as_if_it_were_not_there(pool: Pool) -> None:
    await everywhere(pool)
    async with scoped(pool, EAST) as connection:
        for wrong, error in (
            (duty("wang", EAST), "there is no contact wang: correct it"),
            (duty("nobody", EAST), "there is no contact nobody: correct it"),
            (duty("ma", WEST), "there is no area 6302: correct it"),
            (duty("ma", "99"), "there is no area 99: correct it"),
            (duty("ma", PROVINCE), "there is no area 63: correct it"),
            (duty("ma", None), "name an area: the whole is outside your scope"),
        ):
            with pytest.raises(RemedyError) as refused:
                await put_duties(connection, [wrong], by=BY)
            assert str(refused.value) == error
        for absence in (away("ma", "zhao", 9), away("wang", "ma", 9), away("zhao", "ma", 9)):
            with pytest.raises(RemedyError, match="there is no contact"):
                await put_substitutes(connection, [absence], by=BY)
        with pytest.raises(RemedyError, match="has another substitute from the same time"):
            await put_substitutes(connection, [away("ma", "li")], by=BY)
        assert await remove_duties(connection, [3, 4, 99], by=BY) == []
        assert await remove_substitutes(connection, [2, 3, 4, 99], by=BY) == []
    async with pool.acquire() as connection:
        assert len(await load_duties(connection)) == len(await load_substitutes(connection)) == 4


async def test_a_scope_writes_what_lies_in_it(pool: Pool) -> None:
    await everywhere(pool)
    async with scoped(pool, EAST) as connection:
        [made] = await put_duties(connection, [duty("ma", TOWN)], by=BY)
        [again] = await put_duties(connection, [duty(valid_to=date(2026, 12, 31))], by=BY)
        assert again.id == 1
        assert {each.id for each in await remove_duties(connection, [1, made.id or 0], by=BY)} == {1, made.id}
        [absence] = await put_substitutes(connection, [away("ma", "li", 9)], by=BY)
        assert await remove_substitutes(connection, [absence.id or 0], by=BY) == [absence]


async def test_the_services_see_every_duty(pool: Pool) -> None:
    await everywhere(pool)
    async with scoped(pool, None, "milepost_service") as connection:
        await connection.execute("SET LOCAL search_path = public")
        assert len(await load_duties(connection)) == len(await load_substitutes(connection)) == 4
