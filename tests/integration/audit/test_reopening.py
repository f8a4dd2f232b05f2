"""A log that cannot go on is ended by two persons, and the next one names it."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from audit.ledger import key_files
from audit.ledger.changeover.reopen_store import LedgerFiles, reopen_log
from audit.ledger.changeover.rotation_store import rotate_key
from audit.ledger.export_files import verify_export
from audit.ledger.export_store import export_log
from audit.ledger.notes import SignerKey
from audit.ledger.service import LOCK
from audit.ledger.verify import Trust
from contract.errors import RemedyError
from store.pool import Pool
from tests.integration.audit.ledger_world import config, disarm, fall, fill, seal_all


async def reopen(pool: Pool, folder: Path) -> SignerKey:
    async with pool.acquire() as connection:
        try:
            files = LedgerFiles(key=folder / "key", checkpoint=folder / "checkpoint")
            return await reopen_log(connection, files, LOCK, datetime.now(UTC), first="operator", second="admin")
        finally:
            await connection.execute("SELECT pg_advisory_unlock_all()")


async def cut_off(pool: Pool, database: str, folder: Path) -> tuple[int, str]:
    """A database that lost ten leaves, as an old copy has: its size, and the checkpoint that is known."""
    await fill(pool)
    await seal_all(pool, config(database, folder))
    async with pool.acquire() as connection:
        await rotate_key(connection, folder / "key", first="operator", second="admin")
    await seal_all(pool, config(database, folder))
    before = await pool.fetchrow("SELECT size, root, tails FROM ledger_head")
    assert before is not None
    await fall(pool, 0, 301, 10)
    await seal_all(pool, config(database, folder))
    async with pool.acquire() as connection, connection.transaction():
        await disarm(connection)
        await connection.execute("DELETE FROM ledger_run WHERE begins >= $1", before["size"])
        await connection.execute("DELETE FROM transition WHERE seq > 300")
        await connection.execute("UPDATE ledger_head SET size = $1, root = $2, tails = $3", *before)
    return before["size"], (folder / "checkpoint").read_text()


@pytest.mark.parametrize("crash", [False, True])
async def test_an_old_copy_begins_a_new_log_that_says_what_is_missing(
    pool: Pool, database: str, tmp_path: Path, *, crash: bool
) -> None:
    size, known = await cut_off(pool, database, tmp_path)
    with pytest.raises(RemedyError, match="its end was cut off"):
        await seal_all(pool, config(database, tmp_path))
    old = key_files.read_key(tmp_path / "key")
    key = await reopen(pool, tmp_path)
    if crash:  # after the commit, before the key took its place
        key_files.replace_key(tmp_path / "key", old)
        key_files.replace_key(tmp_path / "key.new", key)
    assert await seal_all(pool, config(database, tmp_path)) == size + 1
    row = await pool.fetchrow("SELECT actor, body FROM ledger_entry WHERE kind = 'ledger.opened' ORDER BY id DESC")
    assert row is not None
    body = msgspec.json.decode(row["body"])
    assert (row["actor"], body["second"], body["why"]) == ("operator", "admin", "older")
    assert (body["before"], body["restored_size"], body["missing"]) == (known, size, 10)
    assert key_files.read_key(tmp_path / "key") == key != old
    async with pool.acquire() as connection:
        await export_log(connection, tmp_path / "export")
    assert verify_export(tmp_path / "export", Trust(key=key.verifier)).findings == ()
    with pytest.raises(RemedyError, match="nothing to begin anew"):
        await reopen(pool, tmp_path)


async def test_what_is_refused(pool: Pool, database: str, tmp_path: Path) -> None:
    await cut_off(pool, database, tmp_path)
    async with pool.acquire() as leading:
        await leading.execute("SELECT pg_advisory_lock($1)", LOCK)
        with pytest.raises(RemedyError, match="stop it"):
            await reopen(pool, tmp_path)
        await leading.execute("SELECT pg_advisory_unlock_all()")
    async with pool.acquire() as connection:
        await connection.execute("SET ROLE milepost_audit")
        files = LedgerFiles(key=tmp_path / "key", checkpoint=tmp_path / "checkpoint")
        with pytest.raises(RemedyError, match="only the owner"):
            await reopen_log(connection, files, LOCK, datetime.now(UTC), first="operator", second="admin")
        await connection.execute("RESET ROLE; SELECT pg_advisory_unlock_all()")
    with pytest.raises(RemedyError, match="its end was cut off"):
        await seal_all(pool, config(database, tmp_path))


async def test_a_checkpoint_of_another_log_is_no_log_before(pool: Pool, database: str, tmp_path: Path) -> None:
    """Who only changes the database cannot make the sealer forget the checkpoint in its file."""
    await cut_off(pool, database, tmp_path)
    async with pool.acquire() as connection, connection.transaction():
        await disarm(connection)
        await connection.execute("DELETE FROM ledger_run; DELETE FROM ledger_tile; DELETE FROM ledger_head")
    with pytest.raises(RemedyError, match="has no ledger"):
        await seal_all(pool, config(database, tmp_path))
