"""The key is rotated, also when a crash cuts the rotation off; a log that does not grow is signed again."""

from pathlib import Path

import msgspec
import pytest

from audit.ledger import key_files
from audit.ledger.changeover.rotation_store import finish_rotation, rotate_key
from audit.ledger.keychain import rotation_body
from audit.ledger.notes import SignerKey, signed_by
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Pool
from tests.integration.audit.ledger_world import config, note, seal_all, sealing


async def cut_off(pool: Pool, folder: Path, *, committed: bool) -> tuple[SignerKey, SignerKey]:
    """A rotation that ended after it wrote the new key, or after its commit: the old key and the new one."""
    old = key_files.read_key(folder / "key")
    new = SignerKey(name=old.name, seed=b"n" * 32)
    key_files.replace_key(folder / "key.new", new)
    body = {**rotation_body(old, new), "second": "admin"}
    entry = LedgerEntry(kind=LedgerKind.LEDGER_KEY_ROTATED, subject="ledger", actor="operator", body=body)
    if committed:
        async with pool.acquire() as connection, connection.transaction():
            await append_entries(connection, [entry])
    return old, new


@pytest.mark.parametrize("by", ["the sealer at its start", "a running sealer", "the next rotation"])
async def test_a_rotation_that_was_cut_off_after_its_commit(pool: Pool, database: str, tmp_path: Path, by: str) -> None:
    settings = config(database, tmp_path)
    await seal_all(pool, settings)
    if by == "a running sealer":
        async with sealing(pool, settings) as sealer:
            _, new = await cut_off(pool, tmp_path, committed=True)
            await sealer.seal()
    else:
        _, new = await cut_off(pool, tmp_path, committed=True)
        if by == "the next rotation":
            async with pool.acquire() as connection:
                again = await rotate_key(connection, tmp_path / "key", first="admin", second="operator")
            new = again
        await seal_all(pool, settings)
    assert key_files.read_key(tmp_path / "key") == new and not (tmp_path / "key.new").exists()
    signed = key_files.read_checkpoint(tmp_path / "checkpoint")
    assert signed is not None and signed_by(signed.note, new.verifier) is True
    olds = [body["old"] for body in await rotations(pool)]
    assert len(olds) == len(set(olds)), "each rotation goes on from the key of the one before"


async def rotations(pool: Pool) -> list[dict[str, str]]:
    rows = await pool.fetch("SELECT body FROM ledger_entry WHERE kind = 'ledger.key_rotated' ORDER BY id")
    return [msgspec.json.decode(row["body"]) for row in rows]


async def test_a_rotation_that_was_cut_off_before_its_commit_did_not_happen(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    settings = config(database, tmp_path)
    await seal_all(pool, settings)
    old, _ = await cut_off(pool, tmp_path, committed=False)
    await seal_all(pool, settings)
    async with pool.acquire() as connection:
        assert not await finish_rotation(connection, tmp_path / "key")
        assert key_files.read_key(tmp_path / "key") == old
        new = await rotate_key(connection, tmp_path / "key", first="admin", second="operator")
    assert key_files.read_key(tmp_path / "key") == new
    assert [(body["old"], body["new"]) for body in await rotations(pool)] == [(old.verifier.text, new.verifier.text)]


async def test_a_log_that_does_not_grow_is_signed_again(pool: Pool, database: str, tmp_path: Path) -> None:
    """The file is written anew, so that a lost one comes back; how often: a setting of the test."""
    settings = config(database, tmp_path)
    await note(pool, 1)
    for every, again in ((3600.0, False), (0.0, True)):
        async with sealing(pool, msgspec.structs.replace(settings, sign_every=every)) as sealer:
            await sealer.seal()
            (tmp_path / "checkpoint").unlink()
            await sealer.seal()
            assert (tmp_path / "checkpoint").exists() is again
            await sealer.begin() if again else key_files.write_checkpoint(tmp_path / "checkpoint", sealer.newest)  # type: ignore[arg-type]
