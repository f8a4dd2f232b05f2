"""The acts of who administers accounts and tokens, with the database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from access import listing, management
from access import store as access_store
from access.administration import MOST_TOKENS
from access.listing import TokenPlace
from access.management import AccountChange
from access.roles import Permission, Role
from access.rules import OPERATOR, Account, Actor, actor_of
from access.scope import WHOLE, AreaScope
from access.tokens import key_of
from contract.errors import RemedyError
from registry.model import Area
from registry.store import upsert_areas
from store.pool import Connection, Pool

NOW = datetime.now(UTC)
CITY, COUNTY, OTHER = "630200000000", "630202000000", "640000000000"
WAITS = "SELECT cardinality(pg_blocking_pids($1)) > 0"


def areas(*codes: str) -> AreaScope:
    return AreaScope(areas=frozenset(codes))


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        top = "630000000000"
        known = [
            Area(code=top, name="青海", level="province", path=(top,)),
            Area(code=CITY, name="海东", parent=top, level="city", path=(top, CITY)),
            Area(code=COUNTY, name="乐都", name_en="Ledu", parent=CITY, level="county", path=(top, CITY, COUNTY)),
            Area(code=OTHER, name="宁夏", level="province", path=(OTHER,)),
        ]
        await upsert_areas(connection, known, at=NOW)
        yield connection


@pytest.fixture
async def operator(connection: Connection) -> Actor:
    found = await access_store.load_account(connection, OPERATOR)
    assert found is not None
    return actor_of(found)


async def make(
    connection: Connection, by: Actor, login: str, role: Role = Role.SUPERVISOR, scope: AreaScope = WHOLE
) -> Account:
    return await management.create_account(connection, by, login=login, name=login, role=role, scope=scope)


async def reload(connection: Connection, account: Account) -> Account:
    found = await access_store.load_account(connection, account.id)
    assert found is not None
    return found


async def test_an_administrator_of_a_city_sees_and_makes_only_its_own(connection: Connection, operator: Actor) -> None:
    mayor = actor_of(await make(connection, operator, "mayor", Role.ADMIN, areas(CITY)))
    inside = await make(connection, mayor, "inside", Role.TECHNICIAN, areas(COUNTY))
    outside = await make(connection, operator, "outside", Role.TECHNICIAN, areas(OTHER))
    across = await make(connection, operator, "across", Role.TECHNICIAN, areas(COUNTY, OTHER))
    whole = await make(connection, operator, "whole", Role.TECHNICIAN)
    seen = await listing.list_visible_accounts(connection, mayor)
    assert {one.login for one in seen} == {"mayor", "inside"}
    assert await listing.visible_account(connection, mayor, inside.id) == inside
    for other in (outside, across, whole):
        assert await listing.visible_account(connection, mayor, other.id) is None
    with pytest.raises(RemedyError, match="beyond your own"):
        await make(connection, mayor, "x", Role.TECHNICIAN, areas(OTHER))
    with pytest.raises(RemedyError, match="beyond your own"):
        await make(connection, mayor, "x", Role.TECHNICIAN, WHOLE)
    with pytest.raises(RemedyError, match="'outside' is taken"):
        await make(connection, mayor, "outside", Role.TECHNICIAN, areas(COUNTY))
    with pytest.raises(RemedyError, match="beyond your own"):
        change = AccountChange(scope=areas(OTHER))
        await management.change_account(connection, mayor, inside, change, has_admin_token=True)


async def test_pages_of_accounts_and_tokens(connection: Connection, operator: Actor) -> None:
    for login in ("b", "A", "c"):
        account = await make(connection, operator, login)
        await management.make_token(
            connection, operator, account, name=login, role=Role.AUDITOR, scope=WHOLE, days=1, now=NOW
        )
    first = await listing.list_visible_accounts(connection, operator, limit=2)
    rest = await listing.list_visible_accounts(connection, operator, after=first[-1].login)
    assert [one.login for one in (*first, *rest)] == ["A", "admin", "b", "c", "operator", "system"]
    newest = await listing.list_visible_tokens(connection, operator, limit=2)
    after = TokenPlace(newest[-1].created_at, newest[-1].id)
    older = await listing.list_visible_tokens(connection, operator, after=after)
    assert [one.name for one in (*newest, *older)] == ["c", "A", "b"]
    of_one = await listing.list_visible_tokens(connection, operator, account=older[0].account)
    assert [one.name for one in of_one] == ["b"]
    assert await listing.list_visible_tokens(connection, operator, good_at=NOW + timedelta(days=2)) == []


async def test_change_of_name_role_and_scope(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li")
    change = AccountChange(name=" 李四 ", role=Role.AUDITOR, scope=areas(CITY))
    await management.change_account(connection, operator, account, change, has_admin_token=True)
    found = await reload(connection, account)
    assert (found.name, found.role, found.scope, found.login) == ("李四", Role.AUDITOR, areas(CITY), "li")
    for built_in in ("admin", "operator", "system"):
        own = await access_store.load_account(connection, built_in)
        assert own is not None
        with pytest.raises(RemedyError, match="belongs to Milepost"):
            await management.change_account(connection, operator, own, AccountChange(name="x"), has_admin_token=True)
        with pytest.raises(RemedyError, match="belongs to Milepost"):
            await management.disable_account(connection, operator, own, has_admin_token=True)


async def test_the_last_administrator_without_a_token_file(connection: Connection, operator: Actor) -> None:
    only = await make(connection, operator, "only", Role.ADMIN)
    narrow = AccountChange(scope=areas(CITY))
    for refused in (
        management.disable_account(connection, operator, only, has_admin_token=False),
        management.change_account(connection, operator, only, narrow, has_admin_token=False),
        management.change_account(connection, operator, only, AccountChange(role=Role.AUDITOR), has_admin_token=False),
    ):
        with pytest.raises(RemedyError, match="last administrator"):
            await refused
    await management.change_account(connection, operator, only, AccountChange(name="n"), has_admin_token=False)
    assert await management.disable_account(connection, operator, only, has_admin_token=True)
    assert await management.enable_account(connection, operator, only)
    second = await make(connection, operator, "second", Role.ADMIN)
    with pytest.raises(RemedyError, match="last administrator"):
        await management.disable_account(connection, operator, only, has_admin_token=False)
    await access_store.set_password(connection, second.id, "$argon2id$x", by="operator")
    assert await management.disable_account(connection, operator, only, has_admin_token=False)


async def test_of_two_administrators_who_are_disabled_at_once_one_stays(pool: Pool, operator: Actor) -> None:
    async with pool.acquire() as connection:
        both = [await make(connection, operator, login, Role.ADMIN) for login in ("one", "two")]
        for one in both:
            await access_store.set_password(connection, one.id, "$argon2id$x", by="operator")

    async def disable(account: Account) -> bool:
        async with pool.acquire() as connection:
            return await management.disable_account(connection, operator, account, has_admin_token=False)

    done = await asyncio.gather(*map(disable, both), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["RemedyError", "bool"]


async def test_a_link_for_a_first_password(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li")
    first = await management.new_link(connection, operator, account, NOW)
    second = await management.new_link(connection, operator, account, NOW)
    rows = await connection.fetch("SELECT key, account, until_at FROM signin_code")
    assert [(row["key"], row["account"], row["until_at"]) for row in rows] == [
        (key_of(second.code), account.id, NOW + timedelta(hours=24))
    ]
    assert first.code != second.code
    await access_store.set_password(connection, account.id, "$argon2id$x", by="operator")
    await management.new_link(connection, operator, account, NOW)
    assert (await reload(connection, account)).has_password
    await management.new_link(connection, operator, account, NOW, forget_password=True)
    assert not (await reload(connection, account)).has_password
    assert await connection.fetchval("SELECT count(*) FROM signin_code") == 1
    await management.disable_account(connection, operator, account, has_admin_token=True)
    with pytest.raises(RemedyError, match="enable it first"):
        await management.new_link(connection, operator, await reload(connection, account), NOW)


async def test_a_token_is_no_wider_than_its_account_and_its_maker(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li", Role.SUPERVISOR, areas(CITY))
    own = actor_of(account)

    async def token(by: Actor, role: Role, scope: AreaScope) -> str:
        made = await management.make_token(
            connection, by, account, name="pump", role=role, scope=scope, days=30, now=NOW
        )
        return made.text

    text = await token(own, Role.TECHNICIAN, areas(COUNTY))
    actor = await access_store.find_token(connection, text, NOW)
    assert actor is not None
    assert (actor.account, actor.scope, actor.may(Permission.RESOLVE)) == (account.id, areas(COUNTY), False)
    with pytest.raises(RemedyError, match="may do what you may not"):
        await token(own, Role.ADMIN, areas(CITY))
    with pytest.raises(RemedyError, match="beyond your own"):
        await token(own, Role.AUDITOR, WHOLE)
    with pytest.raises(RemedyError, match="beyond your own"):
        await token(actor, Role.TECHNICIAN, areas(CITY))
    with pytest.raises(RemedyError, match="wider than its account"):
        await token(operator, Role.SUPERVISOR, WHOLE)
    with pytest.raises(RemedyError, match="wider than its account"):
        await token(operator, Role.SUPERVISOR, areas("999"))
    admin = await access_store.load_account(connection, "admin")
    assert admin is not None
    with pytest.raises(RemedyError, match="no area has the code '999'"):
        await management.make_token(
            connection, operator, admin, name="x", role=Role.AUDITOR, scope=areas("999"), days=None, now=NOW
        )


async def test_an_account_has_not_more_tokens_than_anybody_looks_after(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li")

    async def token(at: datetime = NOW) -> management.IssuedToken:
        return await management.make_token(
            connection, operator, account, name="x", role=Role.AUDITOR, scope=WHOLE, days=1, now=at
        )

    made = [await token() for _ in range(MOST_TOKENS)]
    with pytest.raises(RemedyError, match="revoke those that nobody uses"):
        await token()
    await management.rotate_token(connection, operator, account, made[0].token, overlap_hours=0, now=NOW)
    await access_store.revoke_token(connection, made[1].token.id, by=OPERATOR)
    await token()
    await token(NOW + timedelta(days=2))


async def test_rotation(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li", Role.SUPERVISOR, areas(CITY))
    old = await management.make_token(
        connection, operator, account, name="pump", role=Role.TECHNICIAN, scope=areas(COUNTY), days=30, now=NOW
    )
    at = NOW + timedelta(days=10)
    new = await management.rotate_token(connection, operator, account, old.token, overlap_hours=24, now=at)
    assert (new.token.name, new.token.role, new.token.scope) == ("pump", Role.TECHNICIAN, areas(COUNTY))
    assert new.token.expires_at == at + timedelta(days=30)
    assert await access_store.find_token(connection, old.text, at + timedelta(hours=23)) is not None
    assert await access_store.find_token(connection, old.text, at + timedelta(hours=25)) is None
    third = await management.rotate_token(connection, operator, account, new.token, overlap_hours=0, now=at)
    assert await access_store.find_token(connection, new.text, at) is None
    assert await access_store.find_token(connection, third.text, at) is not None
    revoked = await listing.load_token(connection, new.token.id)
    assert revoked is not None
    with pytest.raises(RemedyError, match="was revoked: make a new one"):
        await management.rotate_token(connection, operator, account, revoked, overlap_hours=0, now=at)


async def test_who_sees_which_token(connection: Connection, operator: Actor) -> None:
    mayor = await make(connection, operator, "mayor", Role.ADMIN, areas(CITY))
    inside = await make(connection, operator, "inside", Role.SUPERVISOR, areas(COUNTY))
    outside = await make(connection, operator, "outside", Role.SUPERVISOR, areas(OTHER))
    made = {}
    for account in (mayor, inside, outside):
        issued = await management.make_token(
            connection, operator, account,
            name=account.login, role=Role.AUDITOR, scope=account.scope, days=30, now=NOW,
        )  # fmt: skip
        made[account.login] = issued
    by_token = await access_store.find_token(connection, made["inside"].text, NOW)
    assert by_token is not None

    async def seen(actor: Actor) -> set[str]:
        found = await listing.list_visible_tokens(connection, actor)
        one_by_one = {
            name
            for name, issued in made.items()
            if await listing.visible_token(connection, actor, issued.token.id) is not None
        }
        assert {one.name for one in found} == one_by_one
        return one_by_one

    assert await seen(operator) == {"mayor", "inside", "outside"}
    assert await seen(actor_of(mayor)) == {"mayor", "inside"}
    assert await seen(actor_of(inside)) == {"inside"}
    await management.make_token(
        connection, operator, inside, name="another", role=Role.AUDITOR, scope=areas(COUNTY), days=30, now=NOW
    )
    assert await seen(by_token) == {"inside"}


async def test_the_last_use_is_coarse(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li")
    made = await management.make_token(
        connection, operator, account, name="pump", role=Role.AUDITOR, scope=WHOLE, days=30, now=NOW
    )

    async def used(at: datetime) -> datetime | None:
        await access_store.note_token_use(connection, made.token.id, at, at - timedelta(minutes=5))
        found = await listing.load_token(connection, made.token.id)
        assert found is not None
        return found.used_at

    assert made.token.used_at is None
    assert await used(NOW) == NOW
    assert await used(NOW + timedelta(minutes=4)) == NOW
    assert await used(NOW + timedelta(minutes=6)) == NOW + timedelta(minutes=6)


async def test_a_scope_is_named_by_short_codes_too(connection: Connection) -> None:
    assert await listing.read_scope(connection, ["6302", COUNTY, "7"], whole=False) == areas(CITY, COUNTY, "7")
    assert await listing.read_scope(connection, [], whole=True) == WHOLE
    named = await listing.name_areas(connection, [areas(COUNTY), areas(CITY, "7")])
    assert {code: (name.name, name.name_en) for code, name in named.items()} == {
        COUNTY: ("乐都", "Ledu"),
        CITY: ("海东", None),
    }


async def test_an_account_is_found_by_login_and_by_id(connection: Connection, operator: Actor) -> None:
    made = await make(connection, operator, "Li.Si")
    for named in ("li.si", "Li.Si", made.id):
        assert await listing.find_account(connection, named) == made
    assert await listing.find_account(connection, "nobody") is None
    taken = await make(connection, operator, "x")
    await connection.execute("UPDATE account SET login = $2 WHERE id = $1", taken.id, made.id)
    assert await listing.find_account(connection, made.id) == made, "a login of before that is another account's id"
    with pytest.raises(RemedyError, match="looks like the id"):
        await make(connection, operator, made.id.upper())


async def test_wider_rights_end_sessions_and_links(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li", Role.SUPERVISOR, areas(CITY))

    async def left_after(change: AccountChange) -> tuple[int, int]:
        await connection.execute("DELETE FROM session")
        await connection.execute(
            "INSERT INTO session (key, account, wall, created_at, used_at) VALUES ($1, $2, false, now(), now())",
            bytes(32), account.id,
        )  # fmt: skip
        await management.new_link(connection, operator, account, NOW)
        await management.change_account(connection, operator, account, change, has_admin_token=True)
        return (
            await connection.fetchval("SELECT count(*) FROM session"),
            await connection.fetchval("SELECT count(*) FROM signin_code"),
        )

    ended, go_on = (0, 0), (1, 1)
    assert await left_after(AccountChange(name="x")) == go_on
    assert await left_after(AccountChange(scope=areas(COUNTY))) == go_on, "narrower"
    assert await left_after(AccountChange(scope=areas(CITY))) == ended, "`account` is from before the narrowing"
    assert await left_after(AccountChange(role=Role.TECHNICIAN)) == go_on
    assert await left_after(AccountChange(role=Role.SUPERVISOR)) == ended
    assert await left_after(AccountChange(scope=areas(CITY, OTHER))) == ended
    assert await left_after(AccountChange(scope=WHOLE)) == ended


async def test_an_account_that_was_widened_meanwhile(connection: Connection, operator: Actor) -> None:
    mayor = actor_of(await make(connection, operator, "mayor", Role.ADMIN, areas(CITY)))
    before = await make(connection, operator, "li", Role.SUPERVISOR, areas(COUNTY))
    await management.change_account(connection, operator, before, AccountChange(scope=WHOLE), has_admin_token=True)
    with pytest.raises(RemedyError, match="beyond your own"):
        await management.new_link(connection, mayor, before, NOW)
    with pytest.raises(RemedyError, match="beyond your own"):
        await management.change_account(connection, mayor, before, AccountChange(name="x"), has_admin_token=True)
    with pytest.raises(RemedyError, match="beyond your own"):
        await management.disable_account(connection, mayor, before, has_admin_token=True)
    await management.disable_account(connection, operator, before, has_admin_token=True)
    with pytest.raises(RemedyError, match="beyond your own"):
        await management.enable_account(connection, mayor, before)


async def test_a_token_gives_no_more_and_no_longer_than_itself(connection: Connection, operator: Actor) -> None:
    chief = await make(connection, operator, "chief", Role.ADMIN)
    person = actor_of(chief)

    async def make_one(by: Actor, scope: AreaScope, days: int | None) -> management.IssuedToken:
        return await management.make_token(
            connection, by, chief, name="x", role=Role.ADMIN, scope=scope, days=days, now=NOW
        )

    wide, narrow = await make_one(person, WHOLE, 2), await make_one(person, areas(CITY), 2)
    by_wide = await access_store.find_token(connection, wide.text, NOW)
    by_narrow = await access_store.find_token(connection, narrow.text, NOW)
    assert by_wide is not None
    assert by_narrow is not None
    with pytest.raises(RemedyError, match="expire later"):
        await make_one(by_wide, WHOLE, 3)
    assert (await make_one(by_wide, WHOLE, 1)).token.expires_at == NOW + timedelta(days=1)
    assert (await make_one(by_wide, WHOLE, None)).token.expires_at == wide.token.expires_at
    for forget in (False, True):
        with pytest.raises(RemedyError, match="makes no link"):
            await management.new_link(connection, by_wide, chief, NOW, forget_password=forget)
    assert await listing.visible_token(connection, by_narrow, wide.token.id) is None
    assert await listing.visible_token(connection, by_narrow, narrow.token.id) is not None
    assert await listing.visible_token(connection, by_wide, narrow.token.id) is not None


async def test_a_rotation_makes_no_token_too_many(connection: Connection, operator: Actor) -> None:
    account = await make(connection, operator, "li")
    made = [
        await management.make_token(
            connection, operator, account, name="x", role=Role.AUDITOR, scope=WHOLE, days=9, now=NOW
        )
        for _ in range(MOST_TOKENS)
    ]
    with pytest.raises(RemedyError, match="revoke those that nobody uses"):
        await management.rotate_token(connection, operator, account, made[0].token, overlap_hours=1, now=NOW)
    await access_store.revoke_token(connection, made[0].token.id, by=OPERATOR)
    with pytest.raises(RemedyError, match="was revoked"):
        await management.rotate_token(connection, operator, account, made[0].token, overlap_hours=1, now=NOW)


@pytest.mark.parametrize("named", ["operator", "system"])
async def test_accounts_of_nobody_have_no_tokens(connection: Connection, operator: Actor, named: str) -> None:
    account = await access_store.load_account(connection, named)
    assert account is not None
    with pytest.raises(RemedyError, match="has no tokens"):
        await management.make_token(
            connection, operator, account, name="x", role=Role.ADMIN, scope=WHOLE, days=1, now=NOW
        )


async def test_an_account_that_acts_just_now_is_locked_all_the_same(
    pool: Pool, connection: Connection, operator: Actor
) -> None:
    """An entry of the ledger that is not committed yet names its account, and hinders nobody who changes rights."""
    acting, other = [await make(connection, operator, login, Role.ADMIN) for login in ("acting", "other")]
    async with pool.acquire() as busy, busy.transaction():
        await make(busy, actor_of(acting), "new")
        await connection.execute("SET lock_timeout = '3s'")
        change = AccountChange(role=Role.SUPERVISOR)
        await management.change_account(connection, operator, other, change, has_admin_token=True)
        assert await access_store.change_password(connection, acting.id, "x", before=None, keep=None, by=acting.id)
    assert (await reload(connection, other)).role is Role.SUPERVISOR


async def test_two_who_change_administrators_lock_them_in_one_order(
    pool: Pool, connection: Connection, operator: Actor
) -> None:
    """Whoever waits for the first administrator has not locked the second one already, by another name for it."""
    made = [await make(connection, operator, login, Role.ADMIN) for login in ("one", "two")]
    for one in made:
        await access_store.set_password(connection, one.id, "$argon2id$x", by="operator")
    first, second = sorted(made, key=lambda account: account.id)
    lock = "SELECT id FROM account WHERE id = $1 FOR NO KEY UPDATE"
    async with pool.acquire() as earlier, pool.acquire() as later:
        async with earlier.transaction():
            await earlier.execute(lock, first.id)
            change = AccountChange(name="other", role=Role.SUPERVISOR)
            changing = asyncio.create_task(
                management.change_account(later, operator, second, change, has_admin_token=True)
            )
            async with asyncio.timeout(30):
                while not await earlier.fetchval(WAITS, later.get_server_pid()):  # noqa: ASYNC110 -- another session waits
                    await asyncio.sleep(0.02)
            await earlier.execute(f"{lock} NOWAIT", second.id)
        await changing
    assert (await reload(connection, second)).name == "other"
