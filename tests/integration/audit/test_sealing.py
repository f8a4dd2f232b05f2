"""The sealer: what committed becomes a leaf once, and a database that is not the one of its checkpoint is refused."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from audit.ledger import key_files, service
from audit.ledger.checkpoints import parse_checkpoint
from audit.ledger.leaves import leaf_bytes
from audit.ledger.merkle import leaf_hash, tree_root
from audit.ledger.notes import SignerKey, signed_by
from audit.ledger.sealing import BrokenLedgerError
from audit.ledger.store import QUERIES, read_head, read_root_at
from contract.errors import RemedyError
from store.ledger import append_entries
from store.pool import Pool
from store.signs import Signs
from tests.integration.audit.ledger_world import config, disarm, fall, fill, gap, note, seal_all, sealing, sicken


async def runs(pool: Pool) -> list[tuple[int, int, str, int, int]]:
    rows = await pool.fetch("SELECT begins, count, source, partition, first FROM ledger_run ORDER BY begins")
    return [tuple(row) for row in rows]


async def test_every_row_becomes_one_leaf_and_the_first_one_opens_the_log(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    await fill(pool)
    assert await seal_all(pool, config(database, tmp_path)) == 1 + 5 + 300 + 20 + 1 + 1
    opened, *others = await runs(pool)
    assert opened[:4] == (0, 1, "ledger_entry", 0)
    assert others == [
        (1, 5, "ledger_entry", 0, 1),
        (6, 1, "pipeline_gap", 0, 1),
        (7, 300, "transition", 0, 1),
        (307, 20, "transition", 3, 1),
        (327, 1, "health_change", 3, 1),
    ]
    kind = "SELECT kind FROM ledger_entry WHERE id = $1"
    assert await pool.fetchval(kind, opened[4]) == "ledger.opened"
    assert await pool.fetchval("SELECT count(*) FROM ledger_pending") == 0
    assert await pool.fetchval("SELECT count(*) FROM ledger_tile") == 1


async def test_a_checkpoint_lies_outside_the_database_and_is_signed(pool: Pool, database: str, tmp_path: Path) -> None:
    await fill(pool)
    await seal_all(pool, config(database, tmp_path))
    signed = key_files.read_checkpoint(tmp_path / "checkpoint")
    key = key_files.read_key(tmp_path / "key")
    assert signed is not None and signed_by(signed.note, key.verifier) is True
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    head = await read_head(pool)  # type: ignore[arg-type]
    assert head is not None and head.note is not None
    assert parse_checkpoint(head.note) == signed
    assert (signed.checkpoint.size, signed.checkpoint.root) == (head.edge.size, head.edge.root)
    assert await pool.fetchval("SELECT count(*) FROM ledger_checkpoint") == 1, "one an hour is kept"


async def test_a_leaf_is_the_bytes_of_its_row(pool: Pool, database: str, tmp_path: Path) -> None:
    from audit.ledger.leaves import TransitionRow

    await fall(pool, 0, 1, 1)
    await seal_all(pool, config(database, tmp_path))
    row = TransitionRow(
        "offline", 1_793_491_201_000, "online", None, 0, "timeout", "transition", None, 1, "main", "station-1", None,
        1_793_491_200_000, None,
    )  # fmt: skip
    head = await read_head(pool)  # type: ignore[arg-type]
    assert head is not None
    assert head.edge.tails[0][32:] == leaf_hash(leaf_bytes(row))


async def test_what_is_sealed_is_sealed_once_and_what_is_new_follows(pool: Pool, database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    await fill(pool)
    before = await seal_all(pool, settings)
    assert await seal_all(pool, settings) == before
    await fall(pool, 3, 21, 2)
    await gap(pool, 5, 1)
    await sicken(pool, 3, 2)
    await note(pool, 90)
    assert await seal_all(pool, settings) == before + 5


async def test_small_transactions_give_the_same_leaves(pool: Pool, database: str, tmp_path: Path) -> None:
    """A limit bounds a transaction, not what is sealed."""
    await fill(pool)
    assert await seal_all(pool, config(database, tmp_path, limit=7)) == 328
    sealed = await pool.fetch("SELECT source, partition, sum(count) AS n FROM ledger_run GROUP BY 1, 2 ORDER BY 1, 2")
    assert [tuple(row) for row in sealed] == [
        ("health_change", 3, 1),
        ("ledger_entry", 0, 6),
        ("pipeline_gap", 0, 1),
        ("transition", 0, 300),
        ("transition", 3, 20),
    ]


async def test_an_entry_that_commits_late_gets_a_later_leaf(pool: Pool, database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    await seal_all(pool, settings)
    async with pool.acquire() as late:
        begun = late.transaction()
        await begun.start()
        from tests.integration.store.test_ledger import noted

        await append_entries(late, [noted(1)])
        await note(pool, 2)
        assert await seal_all(pool, settings) == 2
        await begun.commit()
    assert await seal_all(pool, settings) == 3
    assert [run[4] for run in await runs(pool)][1:] == [3, 2], "ids in the order of sealing"


async def test_earlier_roots_are_found_in_the_tiles(pool: Pool, database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path)
    roots: dict[int, bytes] = {}
    for step in range(6):
        await fall(pool, 0, 1 + step * 130, 130)
        async with sealing(pool, settings) as sealer:
            head = (await sealer.seal()).head
            roots[head.edge.size] = head.edge.root
    async with pool.acquire() as connection:
        found = {size: await read_root_at(connection, head.edge, size) for size in roots}
        assert found == roots
        assert await read_root_at(connection, head.edge, 0) == tree_root([])
        assert await read_root_at(connection, head.edge, head.edge.size + 1) is None


# -- what is refused -----------------------------------------------------------------------------------------------


async def refusal(pool: Pool, database: str, folder: Path) -> str:
    with pytest.raises(RemedyError) as caught:
        await seal_all(pool, config(database, folder))
    assert caught.value.said.zh != caught.value.said.en
    return str(caught.value)


@pytest.fixture
async def sealed(pool: Pool, database: str, tmp_path: Path) -> int:
    """A log with two tiles and a checkpoint in its file."""
    await fill(pool)
    await fall(pool, 0, 301, 300)
    return await seal_all(pool, config(database, tmp_path))


@pytest.mark.usefixtures("sealed")
async def test_a_database_whose_end_was_cut_off(pool: Pool, database: str, tmp_path: Path) -> None:
    """An old copy of the database has an old head, tiles and rows: all of it fits together."""
    async with pool.acquire() as connection, connection.transaction():
        before = await connection.fetchrow("SELECT size, root, tails FROM ledger_head")
    await fall(pool, 0, 601, 10)
    await seal_all(pool, config(database, tmp_path))
    async with pool.acquire() as connection, connection.transaction():
        await disarm(connection)
        await connection.execute("DELETE FROM ledger_run WHERE begins >= $1", before["size"])
        await connection.execute("DELETE FROM transition WHERE seq > 600")
        await connection.execute("UPDATE ledger_head SET size = $1, root = $2, tails = $3", *before)
    assert "its end was cut off" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_a_database_that_was_sealed_anew_with_another_past(pool: Pool, database: str, tmp_path: Path) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await disarm(connection)
        await connection.execute("DELETE FROM ledger_run; DELETE FROM ledger_tile; DELETE FROM ledger_head")
        await connection.execute("UPDATE transition SET after = 'online' WHERE seq = 40")
    (tmp_path / "forged").mkdir()
    key = key_files.read_key(tmp_path / "key")
    key_files.replace_key(tmp_path / "forged" / "key", key)
    await fall(pool, 0, 601, 10)
    await seal_all(pool, config(database, tmp_path / "forged"))
    assert "was forked" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_a_database_without_its_ledger(pool: Pool, database: str, tmp_path: Path) -> None:
    async with pool.acquire() as connection:
        await disarm(connection)
        await connection.execute("DELETE FROM ledger_run; DELETE FROM ledger_tile; DELETE FROM ledger_head")
    assert "has no ledger" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_a_head_that_was_edited(pool: Pool, database: str, tmp_path: Path) -> None:
    await pool.execute("UPDATE ledger_head SET root = decode(repeat('00', 32), 'hex')")
    assert "root is not that of its hashes" in await refusal(pool, database, tmp_path)


async def test_tiles_that_are_gone(pool: Pool, database: str, tmp_path: Path) -> None:
    await fall(pool, 0, 1, 100)
    await seal_all(pool, config(database, tmp_path))
    old = (tmp_path / "checkpoint").read_text()
    await fall(pool, 0, 101, 300)
    await seal_all(pool, config(database, tmp_path))
    (tmp_path / "checkpoint").write_text(old)
    async with pool.acquire() as connection:
        await disarm(connection)
        await connection.execute("DELETE FROM ledger_tile")
    assert "tiles of the ledger are missing" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_a_row_that_was_deleted_before_its_seal(pool: Pool, database: str, tmp_path: Path) -> None:
    await fall(pool, 0, 601, 10)
    await pool.execute("DELETE FROM transition WHERE seq = 604")
    assert "row 604 of partition 0 is missing in transition" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_a_file_that_is_missing(pool: Pool, database: str, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").unlink()
    assert "checkpoint is missing" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_a_key_that_others_can_read(pool: Pool, database: str, tmp_path: Path) -> None:
    (tmp_path / "key").chmod(0o644)
    assert "chmod 600" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_the_key_of_another_ledger(pool: Pool, database: str, tmp_path: Path) -> None:
    key_files.replace_key(tmp_path / "key", SignerKey(name="example.org/other", seed=b"x" * 32))
    assert "is of example.org/other" in await refusal(pool, database, tmp_path)


@pytest.mark.usefixtures("sealed")
async def test_a_running_sealer_notices_another_head(pool: Pool, database: str, tmp_path: Path) -> None:
    async with sealing(pool, config(database, tmp_path)) as sealer:
        await sealer.seal()
        async with pool.acquire() as connection:
            await disarm(connection)
            await connection.execute(
                "UPDATE ledger_head SET size = 1, root = substr(tails[1], 1, 32), "
                "tails = ARRAY[substr(tails[1], 1, 32)]"
            )
        with pytest.raises(BrokenLedgerError, match="its end was cut off"):
            await sealer.seal()


# -- processes -----------------------------------------------------------------------------------------------------


async def wait_for_size(pool: Pool, size: int) -> None:
    for _ in range(500):
        if (await pool.fetchval("SELECT size FROM ledger_head")) == size:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(await pool.fetchval("SELECT size FROM ledger_head"))


async def test_one_process_seals_and_the_standby_goes_on(pool: Pool, database: str, tmp_path: Path) -> None:
    stops = [asyncio.Event(), asyncio.Event()]
    tasks = [asyncio.create_task(service.run(config(database, tmp_path), stop)) for stop in stops]
    await note(pool, 1)
    await wait_for_size(pool, 2)
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"  # noqa: E501
    assert await pool.fetchval(held) == 1
    for number, stop in enumerate(stops):
        stop.set()
        await note(pool, 10 + number)
        if number == 0:
            await wait_for_size(pool, 3)
    await asyncio.gather(*tasks)


async def test_a_sealer_whose_session_is_ended_comes_back(pool: Pool, database: str, tmp_path: Path) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(config(database, tmp_path), stop))
    await wait_for_size(pool, 1)
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'milepost audit%' AND datname = current_database()"  # noqa: E501
    await pool.fetch(ended)
    await note(pool, 1)
    await wait_for_size(pool, 2)
    stop.set()
    await task


async def test_a_commit_that_was_not_signed_is_signed_at_the_next_start(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    settings = config(database, tmp_path)
    await seal_all(pool, settings)
    old = (tmp_path / "checkpoint").read_text()
    await note(pool, 1)
    await seal_all(pool, settings)
    (tmp_path / "checkpoint").write_text(old)
    await seal_all(pool, settings)
    signed = key_files.read_checkpoint(tmp_path / "checkpoint")
    assert signed is not None and signed.checkpoint.size == 2


async def test_a_log_that_was_begun_and_never_signed_goes_on(pool: Pool, database: str, tmp_path: Path) -> None:
    async with sealing(pool, config(database, tmp_path)):
        pass
    assert not (tmp_path / "checkpoint").exists()
    assert await seal_all(pool, config(database, tmp_path)) == 1
    assert (tmp_path / "checkpoint").exists()


# -- rights --------------------------------------------------------------------------------------------------------

CHANGES = {
    "tiles": "UPDATE ledger_tile SET hashes = hashes",
    "runs": "DELETE FROM ledger_run",
    "checkpoints": "TRUNCATE ledger_checkpoint",
    "the head": "DELETE FROM ledger_head",
    "a smaller head": "UPDATE ledger_head SET size = 0",
    "another origin": "UPDATE ledger_head SET origin = 'x'",
}


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("role", ["none", "milepost_audit", "milepost_service", "milepost_api"])
@pytest.mark.parametrize("what", CHANGES)
async def test_nobody_changes_what_is_written_once(pool: Pool, what: str, role: str) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute(f"SET LOCAL ROLE {role}")
                await connection.execute(CHANGES[what])


@pytest.mark.parametrize("query", [name for name, _ in QUERIES.items()])
async def test_the_role_of_the_sealer_may_run_its_queries(pool: Pool, query: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_audit")
        await connection.execute(f"EXPLAIN (GENERIC_PLAN) {getattr(QUERIES, query)}")


async def test_the_role_of_the_sealer_seals_and_does_nothing_else(pool: Pool, database: str, tmp_path: Path) -> None:
    await fill(pool)
    async with pool.acquire() as connection:
        await connection.execute("SET ROLE milepost_audit")
        sealer = service.Sealer(config(database, tmp_path), connection)
        await sealer.begin()
        assert (await sealer.seal()).head.edge.size == 328
        await Signs("audit", "one").give(connection, "leading")
        for refused in (
            "SELECT FROM station",
            "UPDATE transition SET after = ''",
            "DELETE FROM ledger_entry",
            "SELECT password FROM account",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
        await connection.execute("RESET ROLE")


async def test_a_restored_database_begins_a_new_log_that_names_the_old_one(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    from store.ledger import end_log

    await fill(pool)
    size = await seal_all(pool, config(database, tmp_path))
    old = (tmp_path / "checkpoint").read_text()
    async with pool.acquire() as connection, connection.transaction():
        await end_log(connection)
    (tmp_path / "restored").mkdir()
    assert await seal_all(pool, config(database, tmp_path / "restored")) == size + 1
    body = await pool.fetchval("SELECT body FROM ledger_entry WHERE kind = 'ledger.opened' ORDER BY id DESC LIMIT 1")
    assert json.loads(body)["before"] == old
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM ledger_run")
