"""`milepost ledger`: the keys of the ledger, and an export."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from audit.ledger import key_files
from audit.ledger.notes import KeyType, NoteError, SignerKey, VerifierKey, parse_verifier
from contract.errors import RemedyError
from contract.said import Said, said_by
from milepost.language import show
from milepost.settings import Settings, require

if TYPE_CHECKING:
    from store.pool import Connection


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Do `arguments.action`. Raises RemedyError."""
    if arguments.action == "witness":
        await _witness(arguments, stop)
        return
    if arguments.action == "export":
        await _export(_database(settings), arguments)
        return
    path = Path(require(str(settings.ledger_key or ""), "MILEPOST_LEDGER_KEY", "the file of the key"))
    if arguments.action == "reopen":
        given = str(settings.ledger_checkpoint or "")
        checkpoint = Path(require(given, "MILEPOST_LEDGER_CHECKPOINT", "the file of the newest checkpoint"))
        await _reopen(_database(settings), path, checkpoint, arguments)
        return
    if arguments.step == "new":
        if arguments.name is None:
            raise RemedyError(
                "name the ledger: `milepost ledger key new example.org/ledger`",
                "请给出账本名称：`milepost ledger key new example.org/ledger`",
            )
        _show_key(key_files.make_key(path, arguments.name))
    elif arguments.step == "show":
        _show_key(key_files.read_key(path))
    else:
        await _rotate(_database(settings), path, arguments.account, arguments.second)


def _database(settings: Settings) -> str:
    url = settings.database_url
    return require(
        None if url is None else url.value, "MILEPOST_DATABASE_URL", "postgresql://user:password@host:port/name"
    )


def _show_key(key: SignerKey) -> None:
    text = key.verifier.text
    show(Said(f"public key, for auditors and witnesses: {text}", f"公钥，供审计和见证方使用：{text}"))


async def _export(url: str, arguments: argparse.Namespace) -> None:
    from audit.days.sealed.figure_export_store import WantedFigures
    from audit.ledger.export_store import export_log

    folder, first, last = arguments.folder, arguments.from_day, arguments.to_day
    if (first is None) != (last is None) or (first is None and arguments.area is not None):
        raise RemedyError(
            "name both days of the figures: `--from 2026-11-01 --to 2026-11-30`",
            "请给出数值的起止日期：`--from 2026-11-01 --to 2026-11-30`",
        )
    wanted = None if first is None else WantedFigures(first=first, last=last, area=arguments.area)
    async with _connected(url) as connection:
        manifest = await export_log(connection, folder, wanted)
    show(
        Said(
            f"{folder}: {manifest.size} leaves in {len(manifest.parts)} files; verify: `milepost verify {folder}`",
            f"{folder}：{manifest.size} 条，{len(manifest.parts)} 个文件；请用 `milepost verify {folder}` 核验",
        )
    )


async def _witness(arguments: argparse.Namespace, stop: asyncio.Event) -> None:
    """Cosign until `stop`. The key is made at the first start."""
    from audit.ledger.witness_files import WitnessDesk, witness_server

    path = arguments.folder / "key"
    if await asyncio.to_thread(path.exists):
        key = key_files.read_key(path)
    else:
        key = key_files.make_key(path, arguments.name, KeyType.COSIGNATURE)
    if (key.name, key.kind) != (arguments.name, KeyType.COSIGNATURE):
        raise RemedyError(
            f"the key in {path} is of {key.name}: give this --name, or another folder",
            f"{path} 中的密钥属于 {key.name}：请用此名称作 --name，或另指目录",
        )
    logs = [_log_key(text) for text in arguments.log]
    try:
        server = witness_server(WitnessDesk(arguments.folder, key, logs), arguments.host, arguments.port)
    except OSError as exc:
        raise RemedyError(
            f"{arguments.host}:{arguments.port} cannot be listened on ({exc.strerror}): give another --port",
            f"无法监听 {arguments.host}:{arguments.port}（{exc.strerror}）：请换一个 --port",
        ) from exc
    _show_key(key)
    serving = asyncio.create_task(asyncio.to_thread(server.serve_forever, 0.1), name="witness")
    try:
        await stop.wait()
    finally:
        await asyncio.to_thread(server.shutdown)
        await serving
        server.server_close()


def _log_key(text: str) -> VerifierKey:
    try:
        return parse_verifier(text)
    except NoteError as exc:
        raise RemedyError(f"--log: {exc}", f"--log：{said_by(exc).zh}") from exc


async def _rotate(url: str, path: Path, account: str | None, second: str | None) -> None:
    """Another key from now on."""
    from audit.ledger.changeover.rotation_store import rotate_key

    async with _connected(url) as connection:
        first, other = await _two_persons(connection, account, second)
        new = await rotate_key(connection, path, first=first, second=other)
    _show_key(new)


async def _reopen(url: str, path: Path, checkpoint: Path, arguments: argparse.Namespace) -> None:
    """Another log from now on."""
    from audit.ledger.changeover.reopen_store import LedgerFiles, reopen_log
    from audit.ledger.service import LOCK

    files = LedgerFiles(key=path, checkpoint=checkpoint)
    async with _connected(url) as connection:
        first, second = await _two_persons(connection, arguments.account, arguments.second)
        key = await reopen_log(connection, files, LOCK, datetime.now(UTC), first=first, second=second)
    show(
        Said(
            f"the ledger is now {key.name}; its first entry says what is missing of the one before. Start "
            "`milepost audit`, and give witnesses the new key",
            f"账本现为 {key.name}，其首条记录说明了前一账本缺失的内容。请启动 `milepost audit`，并将新公钥交给见证方",
        )
    )
    _show_key(key)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator["Connection"]:
    from store.migrate import require_current
    from store.pool import open_pool

    async with open_pool(url, name="ledger", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        yield connection


async def _two_persons(connection: "Connection", account: str | None, second: str | None) -> tuple[str, str]:
    """The ids of two accounts that act together. Raises RemedyError."""
    from access.store import require_acting

    first, other = [await require_acting(connection, login) for login in (account, second)]
    if account is None or second is None or first == other:
        raise RemedyError(
            "two persons do this: name two accounts with --account and --second",
            "此操作需要两人：请用 --account 和 --second 给出两个账户",
        )
    return first, other
