"""The process that seals the ledger: one leads, standbys wait.

The leader holds a PostgreSQL advisory lock of one session and seals through the same session. It signs after the
commit, and writes each checkpoint first to a file outside the database, then into the database. At its start, and when
the database has another head than it left, it compares the two.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from alerting.delivery.senders.address_target import SenderConfig
from alerting.delivery.texts import Language
from audit.ledger import key_files
from audit.ledger.changeover.rotation_store import finish_rotation
from audit.ledger.checkpoints import Checkpoint, SignedCheckpoint, sign_checkpoint, with_signatures
from audit.ledger.copies import CopyPlace
from audit.ledger.copy_store import Copiers
from audit.ledger.cosign_store import EVERY, Cosigners
from audit.ledger.notes import SignerKey
from audit.ledger.sealing import BrokenLedgerError, require_same_log
from audit.ledger.store import QUERIES, LogHead, SealResult, open_log, read_head, read_root_at, seal_committed
from audit.ledger.witness import Witness
from contract.errors import RemedyError
from store.leading import LeaderLock, compete
from store.migrate import require_current
from store.pool import Connection, open_pool
from store.signs import Signs
from store.tasks import finish_after_stop, wait_at_most

log = logging.getLogger(__name__)

LOCK: Final = 0x6C65646765720000  # "ledger"
_DRAIN: Final = 2.0
_CHECKED: Final = 3600.0
"""Seconds after which the database is compared with the file again, without a cause."""


class AuditConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process; times in seconds.

    `key`: the file of the key that signs. `checkpoint`: the file with the newest checkpoint, outside the database;
    `copies`: the places of its copies; `mail`: the gateway for copies by mail, which are in `language`. `witnesses`:
    offices that cosign, each asked at most every `cosign_every`. `limit`: rows of each partition that one transaction
    seals. `sign_every`: the time after which a checkpoint is signed and published again, even if the log did not grow.
    """

    database_url: str
    key: Path
    checkpoint: Path
    copies: tuple[CopyPlace, ...] = ()
    mail: SenderConfig | None = None
    language: Language = "en"
    witnesses: tuple[Witness, ...] = ()
    cosign_every: float = EVERY
    instance: str = "audit"
    poll: float = 2.0
    limit: int = 10_000
    sign_every: float = 3600.0
    standby_poll: float = 1.0
    frozen_after: float = 60.0
    max_backoff: float = 5.0


async def run(config: AuditConfig, stop: asyncio.Event) -> None:
    """Seal or stand by until `stop`.

    Raises RemedyError when the database cannot be reached at the start, and for a key or a database that are not what
    the checkpoint outside of it says.
    """
    async with open_pool(config.database_url, name=f"audit {config.instance}"[:60], size=2) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
        signs = Signs("audit", config.instance)
        work = compete(
            pool, _lock(config), stop, lead=partial(_lead, config, signs, stop), stand_by=partial(_stand_by, signs)
        )
        await finish_after_stop(asyncio.create_task(work, name="audit"), stop, pool, _DRAIN)


def _lock(config: AuditConfig) -> LeaderLock:
    return LeaderLock(
        number=LOCK,
        frozen_after=config.frozen_after,
        standby_poll=config.standby_poll,
        max_backoff=config.max_backoff,
        away="the ledger is not sealed: the database cannot be reached",
    )


async def _stand_by(signs: Signs, connection: Connection) -> None:
    await signs.give(connection, "standby")


async def _lead(config: AuditConfig, signs: Signs, stop: asyncio.Event, connection: Connection) -> None:
    log.info("sealing", extra={"instance": config.instance})
    sealer, cosigners = Sealer(config, connection), Cosigners(config.witnesses, config.cosign_every)
    copiers = Copiers(config.copies, config.mail, config.language)
    try:
        await sealer.begin()
        while not stop.is_set():
            result = await sealer.seal()
            if sealer.newest is not None:
                await sealer.keep_cosigned(await cosigners.turn(connection, result.head, sealer.newest))
                copiers.turn(sealer.newest)
            await signs.give(connection, "leading")
            await wait_at_most(stop, 0 if result.more else config.poll)
    finally:
        await cosigners.close()
        await copiers.close()


class Sealer:
    """Seals and signs through the session that holds the lock."""

    def __init__(self, config: AuditConfig, connection: Connection) -> None:
        self._config = config
        self._connection = connection
        self._known: LogHead | None = None
        self.newest: SignedCheckpoint | None = None
        self._checked = self._signed = 0.0

    async def begin(self) -> None:
        """Compare the database with the checkpoint outside of it, and begin a log where there is none.

        Raises BrokenLedgerError, and RemedyError for a key that is not of this log.
        """
        head = await read_head(self._connection)
        if head is None:
            if key_files.read_checkpoint(self._config.checkpoint) is not None:
                raise _empty(self._config.checkpoint)
            key = self._first_key()
            await open_log(self._connection, key.verifier, datetime.now(UTC))
            head = await read_head(self._connection)
            assert head is not None  # noqa: S101 -- it was made
        await self._compare(head)

    async def seal(self) -> SealResult:
        """One pass: seal what committed, then sign what grew. Raises as `begin`."""
        head = await read_head(self._connection)
        if head is None or self._known is None or not _same(head, self._known) or self._is_old_check():
            if head is None:
                raise _empty(self._config.checkpoint)
            await self._compare(head)
        result = await seal_committed(self._connection, self._config.limit)
        self._known = result.head
        await self._end_rotation()
        # A mass fall is signed when it is sealed as a whole, or each second.
        if self._is_due(result.head):
            await self._keep(result.head, self._publish(result.head))
        return result

    def _is_due(self, head: LogHead) -> bool:
        if self.newest is None or head.edge.size != self.newest.checkpoint.size:
            return True
        return time.monotonic() - self._signed > self._config.sign_every

    async def _end_rotation(self) -> None:
        """A rotation that a crash cut off has its entry, and the new key lies beside the old one."""
        if await finish_rotation(self._connection, self._config.key):
            log.warning("a rotation of the key was cut off, and is finished", extra={"key": str(self._config.key)})

    def _is_old_check(self) -> bool:
        return time.monotonic() - self._checked > _CHECKED

    async def _compare(self, head: LogHead) -> None:
        await self._end_rotation()
        kept = key_files.read_checkpoint(self._config.checkpoint)
        if kept is not None and await self._is_of_the_log_before(head, kept):
            kept = None
        # A log of which no checkpoint was ever written has nothing to be compared with.
        if kept is not None or head.note is not None:
            checkpoint = None if kept is None else kept.checkpoint
            then = None if kept is None else await read_root_at(self._connection, head.edge, kept.checkpoint.size)
            require_same_log(checkpoint, head.origin, head.edge, then, str(self._config.checkpoint))
        self._require_key(head)
        self._known = head
        self._checked = time.monotonic()

    async def _is_of_the_log_before(self, head: LogHead, kept: SignedCheckpoint) -> bool:
        """Whether two persons ended the log of this checkpoint, and nothing is signed of the one that follows. Nobody
        pretends that from the database alone, because the key has the name of the log."""
        if kept.checkpoint.origin == head.origin:
            return False
        return bool(await self._connection.fetchval(QUERIES.names_before, kept.note.render()))

    def _first_key(self) -> SignerKey:
        """The key of a log that begins; made here where there is none."""
        if self._config.key.exists():
            return key_files.read_key(self._config.key)
        key = key_files.make_key(self._config.key, f"milepost-ledger-{secrets.token_hex(8)}")
        log.info("a key was made", extra={"key": key.verifier.text})
        return key

    def _require_key(self, head: LogHead) -> SignerKey:
        key = key_files.read_key(self._config.key)
        if key.name != head.origin:
            raise RemedyError(
                f"the key in {self._config.key} is of {key.name}, the ledger is {head.origin}: set MILEPOST_LEDGER_KEY "
                "to the key of this ledger",
                f"{self._config.key} 中的密钥属于 {key.name}，而账本为 {head.origin}："
                "请将 MILEPOST_LEDGER_KEY 设为此账本的密钥",
            )
        return key

    def _publish(self, head: LogHead) -> SignedCheckpoint:
        """Sign what is committed, and write it outside the database."""
        checkpoint = Checkpoint(origin=head.origin, size=head.edge.size, root=head.edge.root)
        signed = sign_checkpoint(checkpoint, [self._require_key(head)])
        key_files.write_checkpoint(self._config.checkpoint, signed)
        self._signed = time.monotonic()
        return signed

    async def _keep(self, head: LogHead, signed: SignedCheckpoint) -> None:
        """Write a checkpoint into the database, for readers."""
        text, size = signed.note.render(), head.edge.size
        await self._connection.execute(QUERIES.keep_note, head.origin, text, size)
        await self._connection.execute(QUERIES.keep_checkpoint, head.origin, size, text, False)
        self.newest = signed

    async def keep_cosigned(self, cosigned: Sequence[SignedCheckpoint]) -> None:
        """Keep checkpoints that witnesses signed."""
        for one in cosigned:
            checkpoint = one.checkpoint
            newest = self.newest
            if newest is not None and newest.checkpoint == checkpoint:
                self.newest = with_signatures(newest, one.note.signatures)
                key_files.write_checkpoint(self._config.checkpoint, self.newest)
                text = self.newest.note.render()
                await self._connection.execute(QUERIES.keep_note, checkpoint.origin, text, checkpoint.size)
            text = one.note.render()
            await self._connection.execute(QUERIES.keep_checkpoint, checkpoint.origin, checkpoint.size, text, True)


def _same(one: LogHead, other: LogHead) -> bool:
    return one.origin == other.origin and one.edge == other.edge


def _empty(path: Path) -> BrokenLedgerError:
    return BrokenLedgerError(
        f"this database has no ledger, and {path} has a checkpoint of one: the database is another one, or the ledger "
        "was dropped; restore it, or set MILEPOST_LEDGER_CHECKPOINT to a new file for a new database",
        f"此数据库没有账本，而 {path} 中有账本的检查点：数据库不是原来的，或账本被删除；"
        "请恢复数据库；若为新数据库，请将 MILEPOST_LEDGER_CHECKPOINT 设为新文件",
    )
