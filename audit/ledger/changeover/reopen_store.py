"""Ends a log that cannot go on, and begins another one that names it: after a restore, or when somebody changed the
database or lost the key. Two persons do it."""

import asyncio
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from audit.ledger import key_files
from audit.ledger.changeover.reopening import EndOfLog, end_of_log, reopening_body
from audit.ledger.changeover.rotation_store import finish_rotation
from audit.ledger.checkpoints import SignedCheckpoint
from audit.ledger.notes import SignerKey
from audit.ledger.sealing import BrokenLedgerError
from audit.ledger.store import QUERIES, open_log, read_head, read_root_at
from contract.errors import RemedyError
from store.leading import try_lock
from store.ledger import end_log
from store.pool import Connection

_SEED: Final = 32


class LedgerFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a sealer: its key, and the newest checkpoint."""

    key: Path
    checkpoint: Path


async def reopen_log(
    connection: Connection, files: LedgerFiles, lock: int, now: datetime, *, first: str, second: str
) -> SignerKey:
    """End the log and begin one with a new name and a new key, whose first entry says what is missing; the key.

    `lock`: of the sealer, which must not run. `first` and `second`: the accounts that agreed. Needs the owner of the
    tables. Raises RemedyError, also for a log that can go on.
    """
    if not await try_lock(connection, lock):
        raise RemedyError(
            "`milepost audit` works with this ledger: stop it, then run this again",
            "`milepost audit` 正在使用此账本：请先停止它，再运行本命令",
        )
    await finish_rotation(connection, files.key)
    kept = await asyncio.to_thread(key_files.read_checkpoint, files.checkpoint)
    size, end = await _examine(connection, files, kept)
    key = SignerKey(name=f"milepost-ledger-{secrets.token_hex(8)}", seed=secrets.token_bytes(_SEED))
    await asyncio.to_thread(key_files.replace_key, key_files.next_key(files.key), key)
    try:
        async with connection.transaction():
            await end_log(connection)
            why = reopening_body(end, kept, size, second)
            await open_log(connection, key.verifier, now, actor=first, why=why)
    except asyncpg.InsufficientPrivilegeError as exc:
        raise RemedyError(
            f"only the owner of the tables ends a log ({exc}): set MILEPOST_DATABASE_URL to the login of "
            "`milepost migrate`",
            f"只有数据表的所有者能结束账本（{exc}）：请将 MILEPOST_DATABASE_URL 设为 `milepost migrate` 的登录账户",
        ) from exc
    await finish_rotation(connection, files.key)
    return key


async def _examine(connection: Connection, files: LedgerFiles, kept: SignedCheckpoint | None) -> tuple[int, EndOfLog]:
    """How many leaves the database has, and why its log cannot go on. Raises RemedyError for one that can."""
    key_name = await asyncio.to_thread(_key_name, files.key)
    row = await connection.fetchrow(QUERIES.read_head)
    if row is None:
        return 0, _required(end_of_log(kept, None, 0, None, key_name))
    try:
        head = await read_head(connection)
        root = None if head is None or kept is None else await read_root_at(connection, head.edge, kept.checkpoint.size)
    except BrokenLedgerError:
        root = None
    return row["size"], _required(end_of_log(kept, row["origin"], row["size"], root, key_name))


def _key_name(path: Path) -> str | None:
    return key_files.read_key(path).name if path.exists() else None


def _required(end: EndOfLog | None) -> EndOfLog:
    if end is None:
        raise RemedyError(
            "the ledger goes on from its last checkpoint, so there is nothing to begin anew: start `milepost audit`",
            "账本与其最新检查点一致，无需重新开始：请启动 `milepost audit`",
        )
    return end
