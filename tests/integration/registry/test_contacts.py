"""Contacts in the database: what is written, who sees it, and that addresses never come out."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest

from access.roles import Role
from access.scope import AreaScope
from access.store import add_account, disable_account, enable_account, load_account
from contract.errors import RemedyError
from contract.said import SaidError
from registry.contacts.addresses import parse_address, parse_channels
from registry.contacts.model import Channel, ChannelKind, Contact
from registry.contacts.rules import ContactEdit
from registry.contacts.store import (
    fingerprints_of,
    list_contacts,
    load_addresses,
    load_contact,
    load_contacts,
    put_contacts,
    retire_contact,
)
from store.author import Author
from store.pool import Connection, Pool
from tests.integration.api_world import World
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, is_refused, scoped

OPERATOR = Author("operator")
ROLES = ("milepost_service", "milepost_api")


@pytest.fixture
async def areas(pool: Pool) -> None:
    world = World(pool)
    await world.area(PROVINCE, "青海", level="province")
    await world.area(EAST, "东县", PROVINCE)
    await world.area(WEST, "西县", PROVINCE)
    await world.area(TOWN, "镇", PROVINCE, EAST, level="town")


@pytest.fixture
async def connection(pool: Pool, areas: None) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        yield connection


def edit(id_: str = "li", channels: str | None = "sms:13800138000", **more: Any) -> ContactEdit:
    contact = Contact(**{"id": id_, "name": "李四", "role": "technician", "area": EAST, **more})
    return ContactEdit(contact=contact, addresses=None if channels is None else parse_channels(channels))


async def put(connection: Connection, *edits: ContactEdit, by: Author = OPERATOR) -> None:
    await put_contacts(connection, edits, by=by)


async def entries(connection: Connection, subject: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await connection.fetch("SELECT kind, body FROM ledger_entry WHERE subject = $1 ORDER BY id", subject)
    return [(row["kind"], msgspec.json.decode(row["body"])) for row in rows]


async def test_a_contact_is_made_with_an_account_of_its_own(connection: Connection) -> None:
    await put(connection, edit(channels="sms:13800138000 wecom://KEY", quiet="22:00-07:00"))
    made = await load_contact(connection, "li")
    assert made is not None
    assert (made.name, made.area, made.quiet, made.retired_at) == ("李四", EAST, "22:00-07:00", None)
    assert [channel.kind for channel in made.channels] == [ChannelKind.SMS, ChannelKind.WECOM]
    account = await load_account(connection, made.account or "")
    assert account is not None
    assert (account.login, account.name, account.role, account.has_password) == ("li", "李四", Role.TECHNICIAN, False)
    assert account.scope == AreaScope(areas=frozenset({EAST}))
    kinds = [kind for kind, _ in await entries(connection, f"account/{account.id}")]
    assert kinds == ["account.made"]


async def test_the_ledger_names_ids_and_fingerprints_only(connection: Connection) -> None:
    await put(connection, edit(channels="sms:13800138000"))
    await put(connection, edit(channels="mail:geheim@b.cn"))
    made = await load_contact(connection, "li")
    assert made is not None
    (_, first), (kind, body) = await entries(connection, "contact/li")
    assert (kind, body["area"], body["role"], body["account"]) == ("contact.changed", EAST, "technician", made.account)
    assert body["channels"] == [{"kind": "mail", "fingerprint": made.channels[0].fingerprint}]
    secrets = ("138001", "geheim", "李四")  # a shorter part of the number can stand in a fingerprint by chance
    assert not [part for part in secrets if part in f"{first}{body}"]


async def test_what_does_not_change_is_not_written(connection: Connection) -> None:
    await put(connection, edit())
    await put(connection, edit(), edit("wang", None))
    await put(connection, edit(channels=None))
    assert len(await entries(connection, "contact/li")) == 1


async def test_channels_are_kept_or_replaced_as_a_whole(connection: Connection) -> None:
    await put(connection, edit(channels="sms:13800138000 mail:a@b.cn"))
    await put(connection, edit(channels=None, name="李五"))
    kept = await load_contact(connection, "li")
    await put(connection, edit(channels="mail:a@b.cn", name="李五"))
    one = await load_contact(connection, "li")
    await put(connection, edit(channels="", name="李五"))
    none = await load_contact(connection, "li")
    assert kept is not None
    assert one is not None
    assert none is not None
    assert (kept.name, len(kept.channels), one.channels, none.channels) == ("李五", 2, kept.channels[1:], ())


async def test_addresses_are_for_the_process_that_sends(connection: Connection) -> None:
    await put(connection, edit(channels="wecom://KEY sms:13800138000"), edit("wang", ""))
    found = await load_addresses(connection, ["li", "wang", "nobody"])
    assert {contact: [one.address.text for one in some] for contact, some in found.items()} == {
        "li": ["wecom://KEY", "+8613800138000"]
    }
    made = await load_contact(connection, "li")
    assert made is not None
    assert tuple(one.channel for one in found["li"]) == made.channels


async def test_a_fingerprint_is_keyed_and_the_same_for_the_same_receiver(connection: Connection) -> None:
    texts = "dingtalk://T dingtalk://T?secret=S dingtalk://U https://h.cn/?a=1 https://h.cn/?a=2 sms:13800138000"
    addresses = [parse_address(text) for text in texts.split()]
    plain, signed, other, *rest = await fingerprints_of(connection, addresses)
    assert plain.receiver == signed.receiver != other.receiver
    assert len({plain, signed, other, *rest}) == 6
    assert rest[0].receiver != rest[1].receiver
    key = await connection.fetchval("SELECT inner_key FROM channel_key")
    made = b"sms +8613800138000"
    for _ in range(100):
        made = hmac.new(bytes(byte ^ 0x36 for byte in key), made, hashlib.sha256).digest()
    assert rest[2] == Channel(ChannelKind.SMS, made.hex()[:16])


async def test_a_fingerprint_cannot_be_written_otherwise(connection: Connection) -> None:
    await put(connection, edit())
    before = await load_contact(connection, "li")
    await connection.execute("UPDATE contact_channel SET fingerprint = 'x'")
    assert await load_contact(connection, "li") == before


async def test_a_retired_contact_is_told_of_nothing_and_its_addresses_are_forgotten(connection: Connection) -> None:
    await put(connection, edit())
    assert await retire_contact(connection, "li", by=OPERATOR)
    assert not await retire_contact(connection, "li", by=OPERATOR)
    assert not await retire_contact(connection, "nobody", by=OPERATOR)
    assert await load_addresses(connection, ["li"]) == {}
    assert await connection.fetchval("SELECT count(*) FROM contact_channel") == 0
    assert await list_contacts(connection) == []
    (shown,) = await list_contacts(connection, retired=True)
    assert shown.retired_at is not None
    await put(connection, edit())
    back = await load_contact(connection, "li")
    assert back is not None
    assert (back.retired_at, len(back.channels), back.account) == (None, 1, shown.account)
    assert [kind for kind, _ in await entries(connection, "contact/li")] == [
        "contact.made", "contact.retired", "contact.changed",
    ]  # fmt: skip


async def test_a_disabled_account_mutes_its_contact_until_it_is_enabled(connection: Connection) -> None:
    await put(connection, edit())
    made = await load_contact(connection, "li")
    assert made is not None
    await disable_account(connection, made.account or "", by="operator")
    muted = await load_contact(connection, "li")
    assert muted is not None
    assert muted.retired_at is not None
    assert await load_addresses(connection, ["li"]) == {}
    await put(connection, edit(name="李五"))
    renamed = await load_contact(connection, "li")
    assert renamed is not None
    assert renamed.retired_at == muted.retired_at, "an edit does not end it"
    await enable_account(connection, made.account or "", by="operator")
    assert set(await load_addresses(connection, ["li"])) == {"li"}


async def test_the_api_mutes_too(pool: Pool, areas: None) -> None:
    async with scoped(pool, "*") as connection:
        await put(connection, edit())
        made = await load_contact(connection, "li")
        assert made is not None
        await disable_account(connection, made.account or "", by="operator")
        muted = await load_contact(connection, "li")
        assert muted is not None
        assert (muted.muted, muted.retired_at is None) == (True, False)
        await connection.execute("UPDATE contact SET muted_at = NULL")
        assert await load_contact(connection, "li") == muted, "only the account says so"


async def test_a_contact_may_have_an_account_that_is_there_which_keeps_its_rights(connection: Connection) -> None:
    account = await add_account(
        connection,
        login="Wang",
        name="王五",
        role=Role.SUPERVISOR,
        scope=AreaScope(areas=frozenset({TOWN})),
        by="operator",
    )
    await put(connection, edit("wang", account="wang"), edit("wang-2", account=account.id))
    found = await load_contacts(connection)
    assert {contact.account for contact in found.values()} == {account.id}
    assert await load_account(connection, account.id) == account, "the area of the contact widens nothing"
    await put(connection, edit("wang", area=PROVINCE))
    assert await load_account(connection, account.id) == account


async def test_a_taken_login_does_not_hinder_a_contact(connection: Connection) -> None:
    await put(connection, edit("admin"), edit("a-0123456789ab"))
    found = await load_contacts(connection)
    logins = {contact.id: (await load_account(connection, contact.account or "")) for contact in found.values()}
    assert {contact: account.login[: len(contact) + 1] for contact, account in logins.items() if account} == {
        "admin": "admin-", "a-0123456789ab": "a-0123456789ab-",
    }  # fmt: skip


async def test_a_room_has_no_account_and_one_without_area_is_of_the_whole(connection: Connection) -> None:
    await put(connection, edit("room", "wecom://KEY", room=True), edit("boss", area=None))
    found = await load_contacts(connection)
    assert found["room"].account is None
    boss = await load_account(connection, found["boss"].account or "")
    assert boss is not None
    assert (boss.scope.whole, boss.role) == (True, Role.TECHNICIAN)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (edit("l i"), "is not the id of a contact"),
        (edit(role="Technik"), "is not a role"),
        (edit(name=" "), "the name ' ' does not fit"),
        (edit(quiet="late"), "the quiet hours"),
        (edit(area="99"), "there is no area 99"),
        (edit(room=True, account="admin"), "is a room"),
        (edit(account="nobody"), "there is no account 'nobody'"),
        (edit(account="admin"), "there is no account 'admin'"),
    ],
)
async def test_what_cannot_be_stored_is_said_and_nothing_is(
    connection: Connection, wrong: ContactEdit, error: str
) -> None:
    with pytest.raises((SaidError, RemedyError), match=error):
        await put(connection, edit("first"), wrong)
    assert await load_contacts(connection) == {}


async def test_only_an_administrator_says_where_links_of_an_administrator_go(connection: Connection) -> None:
    scope = AreaScope(areas=frozenset({EAST}))
    for login, role in (("chief", Role.ADMIN), ("deputy", Role.SUPERVISOR)):
        await add_account(connection, login=login, name=login, role=role, scope=scope, by="operator")
    deputy = Author(await connection.fetchval("SELECT id FROM account WHERE login = 'deputy'"))
    with pytest.raises(RemedyError, match="administrator"):
        await put(connection, edit(account="chief"), by=deputy)
    await put(connection, edit(account="chief"))
    with pytest.raises(RemedyError, match="administrator"):
        await put(connection, edit(channels="sms:13900139000"), by=deputy)
    await put(connection, edit(channels=None, name="李五"), by=deputy)


@pytest.mark.parametrize("role", ROLES)
async def test_both_roles_write_contacts(pool: Pool, areas: None, role: str) -> None:
    async with scoped(pool, "*", role) as connection:
        await put(connection, edit(channels="sms:13800138000 dingtalk://T?secret=S"), edit("room", "", room=True))
        await put(connection, edit(channels="sms:13900139000", area=None))
        found = await load_contacts(connection)
        assert found["li"].account is not None
        assert await list_contacts(connection) == [found["li"], found["room"]]
        assert await retire_contact(connection, "room", by=OPERATOR)


async def test_the_api_cannot_read_an_address_or_the_key(pool: Pool, areas: None) -> None:
    async with scoped(pool, "*") as connection:
        await put(connection, edit())
        for sql in (
            "SELECT address FROM contact_channel",
            "SELECT * FROM contact_channel",
            "SELECT count(*) FROM contact_channel WHERE address LIKE '%138%'",
            "UPDATE contact_channel SET address = 'x'",
            "UPDATE contact_channel SET place = 2",
            "DELETE FROM contact_channel WHERE address = 'x'",
            "SELECT inner_key FROM channel_key",
            "SELECT keyed_hash('sms +8613800138000')",
            "SELECT * FROM public.give_contact_account('li', 'operator')",
            "INSERT INTO contact_channel (contact, place, kind, address) VALUES ('li', 2, 'sms', '1') "
            "RETURNING address",
            "DELETE FROM contact",
        ):
            assert await is_refused(connection, sql), sql
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await load_addresses(connection, ["li"])


async def test_the_services_read_no_key_and_make_no_other_account(pool: Pool, areas: None) -> None:
    async with scoped(pool, None, "milepost_service") as connection:
        assert await is_refused(connection, "SELECT inner_key FROM channel_key")
        assert await is_refused(connection, "SELECT keyed_hash('x')")
        assert await connection.fetch("SELECT * FROM public.give_contact_account('nobody', 'operator')") == []


@pytest.mark.parametrize("setting", [None, "", WEST, "99"])
async def test_outside_the_scope_nothing_is_seen_or_written(pool: Pool, areas: None, setting: str | None) -> None:
    async with pool.acquire() as owner:
        await put(owner, edit(), edit("boss", area=None))
    async with scoped(pool, setting) as connection:
        assert await load_contacts(connection) == {}
        assert await connection.fetch("SELECT contact, kind, fingerprint FROM contact_channel") == []
        assert not await retire_contact(connection, "li", by=OPERATOR)
        assert await connection.execute("DELETE FROM contact_channel") == "DELETE 0"
        assert await connection.execute("UPDATE contact SET name = 'x'") == "UPDATE 0"
        assert await connection.fetch("SELECT * FROM give_contact_account('li', 'operator')") == []
        assert await is_refused(
            connection, "INSERT INTO contact_channel (contact, place, kind, address) VALUES ('li', 2, 'sms', '+1')"
        )
        for wrong in (edit("new"), edit("new", area=None), edit("new", area=TOWN)):
            with pytest.raises(RemedyError, match="there is no area"):
                async with connection.transaction():
                    await put(connection, wrong)


async def test_a_county_writes_its_own_contacts_and_moves_none_out(pool: Pool, areas: None) -> None:
    async with pool.acquire() as owner:
        await put(owner, edit("west", area=WEST), edit("boss", area=None))
    async with scoped(pool, EAST) as connection:
        await put(connection, edit(), edit("town", area=TOWN))
        assert {contact.id for contact in await list_contacts(connection)} == {"li", "town"}
        assert {contact.id for contact in await list_contacts(connection, area=TOWN)} == {"town"}
        for wrong, why in (
            (edit(area=WEST), "there is no area"),
            (edit(area=None), "there is no area"),
            (edit(area=PROVINCE), "there is no area"),
            (edit("west"), "the id west of a contact is taken"),
            (edit("boss"), "the id boss of a contact is taken"),
        ):
            with pytest.raises(RemedyError, match=why):
                async with connection.transaction():
                    await put(connection, wrong)


async def test_a_county_does_not_take_over_an_account_of_wider_rights(pool: Pool, areas: None) -> None:
    async with pool.acquire() as owner:
        wide = AreaScope(areas=frozenset({PROVINCE}))
        await add_account(owner, login="wide", name="w", role=Role.TECHNICIAN, scope=wide, by="operator")
        await put(owner, edit(account="wide"))
    async with scoped(pool, EAST) as connection:
        for wrong in (edit(channels="sms:13900139000"), edit("new", account="wide")):
            with pytest.raises(RemedyError, match="there is no account"):
                async with connection.transaction():
                    await put(connection, wrong)
        await put(connection, edit(channels=None, name="李五"))
