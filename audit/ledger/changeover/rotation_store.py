"""The rotation of the key that signs: an entry with the signatures of both keys, then the file.

The new key lies beside the old one before the entry commits, and takes its place after that. Who finds both, the sealer
or the next command, looks for the entry and finishes what a crash left undone.
"""

import asyncio
import secrets
from pathlib import Path
from typing import Final

from audit.ledger import key_files
from audit.ledger.keychain import rotation_body
from audit.ledger.notes import SignerKey
from audit.ledger.store import QUERIES
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Connection

_LOCK: Final = 0x6C65646765720001  # "ledger", after the lock of the sealer
_SEED: Final = 32


async def rotate_key(connection: Connection, path: Path, *, first: str, second: str) -> SignerKey:
    """Replace the key in a file by a new one; `first` and `second`: the accounts that agreed. Raises RemedyError."""
    async with connection.transaction():
        # Of two rotations at once, the later one sees the key of the earlier one.
        await connection.execute(QUERIES.lock_rotation, _LOCK)
        await finish_rotation(connection, path)
        old = await asyncio.to_thread(key_files.read_key, path)
        new = SignerKey(name=old.name, seed=secrets.token_bytes(_SEED))
        # The new key is on the disk before anything says that it is the key.
        await asyncio.to_thread(key_files.replace_key, key_files.next_key(path), new)
        body = {**rotation_body(old, new), "second": second}
        entry = LedgerEntry(kind=LedgerKind.LEDGER_KEY_ROTATED, subject="ledger", actor=first, body=body)
        await append_entries(connection, [entry])
    await finish_rotation(connection, path)
    return new


async def finish_rotation(connection: Connection, path: Path) -> bool:
    """Put the key beside `path` into its place if the entry about it committed, that of a rotation or of a log that was
    begun anew; whether it did. A key without an entry is of a rotation that goes on, or that failed: it stays, and the
    next rotation replaces it. Raises RemedyError."""
    return await asyncio.to_thread(_has_next, path) and await _finish(connection, path)


def _has_next(path: Path) -> bool:
    return key_files.next_key(path).exists()


async def _finish(connection: Connection, path: Path) -> bool:
    new = await asyncio.to_thread(key_files.read_next_key, path)
    if new is None or not await connection.fetchval(QUERIES.goes_on_with, new.verifier.text):
        return False
    return await asyncio.to_thread(key_files.take_next_key, path)
