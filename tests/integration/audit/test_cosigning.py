"""A witness over HTTP: it cosigns what goes on from what it saw, and refuses another history."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from audit.ledger import key_files, service
from audit.ledger.checkpoints import cosigned_at, parse_checkpoint
from audit.ledger.notes import KeyType, SignerKey
from audit.ledger.service import AuditConfig
from audit.ledger.witness import Witness
from audit.ledger.witness_files import WitnessDesk, witness_server
from store.pool import Pool
from tests.integration.audit.ledger_world import config, disarm, fall, fill

WITNESS = SignerKey(name="audit.example.org/witness", seed=b"w" * 32, kind=KeyType.COSIGNATURE)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[AuditConfig, Path]]:
    """The settings of a sealer whose ledger another office witnesses, and the folder of that office."""
    key = key_files.make_key(tmp_path / "key", "example.org/ledger")
    folder = tmp_path / "office"
    folder.mkdir()
    server = witness_server(WitnessDesk(folder, WITNESS, [key.verifier]), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="witness")
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        yield (
            msgspec.structs.replace(
                config("", tmp_path), witnesses=(Witness(WITNESS.verifier, url),), cosign_every=0.1
            ),
            folder,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forks(folder: Path) -> list[Path]:
    """What the witness kept as evidence."""
    return list(folder.glob("fork-*.checkpoint"))


async def run_until_cosigned(pool: Pool, settings: AuditConfig, size: int, folder: Path) -> bool:
    """Seal until a kept checkpoint of this size has a cosignature, or the witness found a fork: then False."""
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(settings, stop))
    try:
        async with asyncio.timeout(60):
            while True:
                refused = forks(folder) != []
                if task.done():
                    task.result()
                for row in await pool.fetch("SELECT note FROM ledger_checkpoint WHERE size = $1", size):
                    if cosigned_at(parse_checkpoint(row["note"]).note, WITNESS.verifier):
                        return True
                if refused:
                    return False
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await asyncio.wait([task], timeout=10)


async def test_a_log_that_grows_is_cosigned_again(pool: Pool, database: str, office: tuple[AuditConfig, Path]) -> None:
    settings = msgspec.structs.replace(office[0], database_url=database)
    await fill(pool)
    assert await run_until_cosigned(pool, settings, 328, office[1])
    newest = key_files.read_checkpoint(settings.checkpoint)
    assert newest is not None and cosigned_at(newest.note, WITNESS.verifier)
    await fall(pool, 0, 301, 50)
    assert await run_until_cosigned(pool, settings, 378, office[1]), (
        "a sealer that started anew asks from what the witness knows"
    )


async def test_another_history_with_the_same_key_is_not_cosigned(
    pool: Pool, database: str, office: tuple[AuditConfig, Path]
) -> None:
    settings = msgspec.structs.replace(office[0], database_url=database)
    await fill(pool)
    assert await run_until_cosigned(pool, settings, 328, office[1])
    async with pool.acquire() as connection, connection.transaction():
        await disarm(connection)
        await connection.execute("INSERT INTO ledger_pending SELECT id FROM ledger_entry")
        await connection.execute("DELETE FROM ledger_run; DELETE FROM ledger_tile; DELETE FROM ledger_head")
        await connection.execute("DELETE FROM ledger_checkpoint")
        await connection.execute("UPDATE transition SET after = 'online' WHERE seq = 40")
    settings.checkpoint.unlink()
    assert not await run_until_cosigned(pool, settings, 329, office[1])
    (evidence,) = forks(office[1])
    forked = key_files.read_checkpoint(evidence)
    assert forked is not None and forked.checkpoint.size == 329
