"""Accounts and tokens as the database keeps them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from access import store as access_store
from access.roles import Permission, Role
from access.rules import BUILT_IN
from access.scope import WHOLE, AreaScope
from access.tokens import new_token
from contract.errors import RemedyError
from registry.model import Area
from registry.store import upsert_areas
from store.pool import Connection, Pool

NOW = datetime.now(UTC)


def areas(*codes: str) -> AreaScope:
    return AreaScope(areas=frozenset(codes))


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        known = [
            Area(code="63", name="青海", level="province", path=("63",)),
            Area(code="6321", name="海东", parent="63", level="city", path=("63", "6321")),
        ]
        await upsert_areas(connection, known, at=NOW)
        yield connection


async def make(
    connection: Connection, login: str = "li.si", role: Role = Role.SUPERVISOR, scope: AreaScope = WHOLE
) -> str:
    made = await access_store.add_account(connection, login=login, name="李四", role=role, scope=scope, by="operator")
    return made.id


async def test_the_accounts_that_are_there_from_the_beginning(connection: Connection) -> None:
    found = {one.id: one for one in await access_store.list_accounts(connection)}
    assert set(found) == BUILT_IN
    assert not any(one.has_password for one in found.values())
    assert found["admin"].scope == WHOLE


async def test_an_account_is_found_as_it_was_made(connection: Connection) -> None:
    made = await make(connection, "Li.Si", Role.TECHNICIAN, areas("6321"))
    found = await access_store.load_account(connection, made)
    assert found is not None
    assert (found.login, found.role, found.scope, found.is_enabled) == ("Li.Si", Role.TECHNICIAN, areas("6321"), True)
    with pytest.raises(RemedyError, match="taken"):
        await make(connection, "li.si")
    with pytest.raises(RemedyError, match="no area has the code '99'"):
        await make(connection, "wang", scope=areas("63", "99"))
    assert await access_store.find_login(connection, "wang") is None, "nothing is left of the account that was refused"


async def test_a_new_password_and_a_disabled_account_end_sessions(connection: Connection) -> None:
    made = await make(connection)
    session = "INSERT INTO session (key, account, wall, created_at, used_at) VALUES ($1, $2, false, now(), now())"

    async def sessions() -> int:
        count: int = await connection.fetchval("SELECT count(*) FROM session WHERE account = $1", made)
        return count

    await connection.execute(session, b"1" * 32, made)
    await access_store.set_password(connection, made, "$argon2id$x", by="operator")
    assert await sessions() == 0
    login = await access_store.find_login(connection, "LI.SI")
    assert login is not None
    assert (login.account, login.password) == (made, "$argon2id$x")
    await connection.execute(session, b"2" * 32, made)
    assert await access_store.disable_account(connection, made, by="admin")
    assert not await access_store.disable_account(connection, made, by="admin")
    assert await sessions() == 0
    assert await access_store.find_login(connection, "li.si") is None
    assert await access_store.enable_account(connection, made, by="operator")
    assert await access_store.find_login(connection, "li.si") is not None


async def test_a_token_acts_until_it_is_over(connection: Connection) -> None:
    made, now = await make(connection, scope=areas("63")), datetime.now(UTC)
    new = new_token()
    await access_store.add_token(
        connection, new, account=made, name="报表", role=Role.AUDITOR, scope=areas("6321"), by="admin",
        expires_at=now + timedelta(days=1),
    )  # fmt: skip
    actor = await access_store.find_token(connection, new.text, now)
    assert actor is not None
    assert (actor.account, actor.token, actor.scope) == (made, new.id, areas("6321"))
    assert actor.may(Permission.READ)
    assert not actor.may(Permission.ACKNOWLEDGE), "an auditor's token of a supervisor"
    assert await access_store.find_token(connection, new.text + "x", now) is None
    assert await access_store.find_token(connection, new.text, now + timedelta(days=1)) is None
    stored = await connection.fetchrow("SELECT * FROM api_token")
    assert stored is not None
    secret = new.text.removeprefix(f"mp_{new.id}_")
    assert len(secret) > 40
    assert not any(secret in str(value) for value in stored.values())


async def test_what_is_no_token_acts_as_no_account(connection: Connection) -> None:
    for text in ("", "mp_", "mp_abc_def", "x" * 60, "mp_0123456789_" + "a" * 80, "mp_0123456789_" + "é" * 43):
        assert await access_store.find_token(connection, text, datetime.now(UTC)) is None, text


@pytest.mark.parametrize("end", ["revoked", "disabled"])
async def test_a_token_that_is_over(connection: Connection, end: str) -> None:
    made, now = await make(connection), datetime.now(UTC)
    new = new_token()
    await access_store.add_token(
        connection,
        new,
        account=made,
        name="x",
        role=Role.AUDITOR,
        scope=WHOLE,
        by="admin",
        expires_at=now + timedelta(days=9),
    )
    if end == "revoked":
        assert await access_store.revoke_token(connection, new.id, by="admin")
        assert not await access_store.revoke_token(connection, new.id, by="admin")
    else:
        await access_store.disable_account(connection, made, by="admin")
    assert await access_store.find_token(connection, new.text, now) is None
    (listed,) = await access_store.list_tokens(connection)
    assert (listed.id, listed.revoked_at is None) == (new.id, end == "disabled")


async def test_a_narrowed_account_narrows_its_tokens(connection: Connection) -> None:
    made, now = await make(connection), datetime.now(UTC)
    new = new_token()
    await access_store.add_token(
        connection, new, account=made, name="x", role=Role.SUPERVISOR, scope=WHOLE, by="admin",
        expires_at=now + timedelta(days=9),
    )  # fmt: skip
    await access_store.set_rights(connection, made, Role.AUDITOR, areas("6321"), by="operator")
    actor = await access_store.find_token(connection, new.text, now)
    assert actor is not None
    assert (actor.scope, actor.may(Permission.ACKNOWLEDGE)) == (areas("6321"), False)
