"""Entries of the ledger as the database keeps them: in the transaction of what they describe, and written once."""

import asyncpg
import msgspec
import pytest

from contract.clocks import WallMs
from store.ledger import LedgerEntry, UnfitEntryError, append_entries
from store.ledger_kinds import LedgerKind, hashed, text_hash
from store.pool import Connection, Pool


def noted(number: int, *, actor: str = "admin", at_ms: int | None = 1_780_000_000_000) -> LedgerEntry:
    when = None if at_ms is None else WallMs(at_ms)
    return LedgerEntry(
        kind=LedgerKind.INCIDENT_NOTE, subject=f"incident/{number}", actor=actor, at_ms=when, body={"n": number}
    )


async def append(pool: Pool, *entries: LedgerEntry) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await append_entries(connection, entries)


async def stored(connection: Connection | Pool) -> list[tuple[str, str, str, int, bytes]]:
    rows = await connection.fetch("SELECT kind, subject, actor, at_ms, body FROM ledger_entry ORDER BY id")
    return [tuple(row) for row in rows]


async def test_entries_are_stored_in_their_order_and_wait_for_their_seal(pool: Pool) -> None:
    await append(pool, *(noted(number) for number in range(5)))
    assert await stored(pool) == [
        ("incident.note", f"incident/{number}", "admin", 1_780_000_000_000, b'{"n":%d}' % number) for number in range(5)
    ]
    assert await pool.fetchval("SELECT array_agg(id) FROM ledger_pending") == await pool.fetchval(
        "SELECT array_agg(id) FROM ledger_entry"
    )


async def test_more_entries_than_one_statement_takes(pool: Pool) -> None:
    await append(pool, *(noted(number) for number in range(5001)))
    assert [int(row[1].removeprefix("incident/")) for row in await stored(pool)] == list(range(5001))


async def test_no_entries_are_no_statement(pool: Pool) -> None:
    await append(pool)
    assert await stored(pool) == []


async def test_an_entry_without_a_time_has_that_of_its_transaction(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await append_entries(connection, [noted(1, at_ms=None)])
        now = await connection.fetchval("SELECT floor(extract(epoch FROM now()) * 1000)::bigint")
        assert [row[3] for row in await stored(connection)] == [now]


async def test_a_transaction_that_fails_leaves_no_entry(pool: Pool) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with pool.acquire() as connection, connection.transaction():
            await append_entries(connection, [noted(1)])
            await connection.execute("SELECT 1 / 0")
    assert await stored(pool) == []
    assert await pool.fetchval("SELECT count(*) FROM ledger_pending") == 0


async def test_outside_a_transaction_nothing_is_appended(pool: Pool) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(AssertionError, match="belongs to the transaction of what it describes"):
            await append_entries(connection, [noted(1)])
    assert await stored(pool) == []


async def test_an_entry_without_canonical_form_is_refused_before_any_is_written(pool: Pool) -> None:
    large = msgspec.structs.replace(noted(2), body={"n": 2**53})
    with pytest.raises(UnfitEntryError):
        await append(pool, noted(1), large)
    assert await stored(pool) == []


async def test_only_an_account_acts(pool: Pool) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await append(pool, noted(1, actor="李四"))


CHANGES = {
    "an update": "UPDATE ledger_entry SET actor = 'operator'",
    "an update of nothing": "UPDATE ledger_entry SET actor = 'operator' WHERE false",
    "a deletion": "DELETE FROM ledger_entry",
    "emptying": "TRUNCATE ledger_entry CASCADE",
    "an update by INSERT": (
        "INSERT INTO ledger_entry (id, kind, subject, actor, at_ms, body) OVERRIDING SYSTEM VALUE "
        "SELECT id, kind, 'x', actor, at_ms, body FROM ledger_entry ON CONFLICT (id) DO UPDATE SET subject = 'x'"
    ),
    "a deletion as a replica does it": "SET LOCAL session_replication_role = replica; DELETE FROM ledger_entry",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_even_a_superuser_changes_no_entry(pool: Pool, what: str) -> None:
    await append(pool, noted(1))
    before = await stored(pool)
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT usesuper FROM pg_user WHERE usename = current_user")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="written once"):
            async with connection.transaction():
                await connection.execute(CHANGES[what])
    assert await stored(pool) == before


@pytest.mark.parametrize("what", CHANGES)
async def test_the_services_have_no_right_to(pool: Pool, what: str) -> None:
    await append(pool, noted(1))
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            async with connection.transaction():
                await connection.execute("SET LOCAL ROLE milepost_service")
                await connection.execute(CHANGES[what])


@pytest.mark.parametrize("what", ["SELECT id FROM ledger_pending", "DELETE FROM ledger_pending"])
async def test_the_services_only_add_to_what_waits_for_its_seal(pool: Pool, what: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_service")
        await append_entries(connection, [noted(1)])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute(what)


async def test_a_text_is_hashed_with_a_salt_of_its_own(pool: Pool) -> None:
    """So a short text, such as a name, cannot be found by trying once its salt is deleted."""
    body = hashed(text="Li", remark="Li")
    entry = LedgerEntry(kind=LedgerKind.INCIDENT_NOTE, subject="incident/1", actor="admin", body=body)
    await append(pool, entry, noted(2), entry)
    salts = {(row["entry"], row["field"]): row["salt"] for row in await pool.fetch("SELECT * FROM ledger_salt")}
    rows = await pool.fetch("SELECT id, body FROM ledger_entry WHERE subject = 'incident/1' ORDER BY id")
    said = {(row["id"], field): value for row in rows for field, value in msgspec.json.decode(row["body"]).items()}
    assert len(said) == 4 and len(set(said.values())) == 4
    assert said == {place: text_hash(salt, "Li") for place, salt in salts.items()}


async def test_a_salt_can_be_deleted_and_no_service_reads_one(pool: Pool) -> None:
    entry = LedgerEntry(kind=LedgerKind.INCIDENT_NOTE, subject="incident/1", actor="admin", body=hashed(text="Li"))
    await append(pool, entry)
    before = await stored(pool)
    for role in ("milepost_service", "milepost_api"):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {role}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT salt FROM ledger_salt")
    assert await pool.execute("DELETE FROM ledger_salt") == "DELETE 1"
    assert await stored(pool) == before
