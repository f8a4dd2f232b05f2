# ruff: noqa: S608 -- the statements of an attacker
"""A superuser of the database edits what was sealed: an export shows each edit, and says what it was."""

import asyncio
import json
from pathlib import Path

import pytest

from audit.ledger import key_files
from audit.ledger.checkpoints import SignedCheckpoint, cosign, with_signatures
from audit.ledger.export_files import verify_export
from audit.ledger.export_format import DamagedExportError
from audit.ledger.export_store import export_log
from audit.ledger.keychain import rotation_body
from audit.ledger.notes import KeyType, SignerKey
from audit.ledger.verify import LogVerdict, Trust, Wrong
from milepost import cli
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Pool
from tests.integration.audit.ledger_world import config, disarm, fall, fill, note, seal_all

WITNESS = SignerKey(name="audit.example.org/witness", seed=b"w" * 32, kind=KeyType.COSIGNATURE)


@pytest.fixture
async def older(pool: Pool, database: str, tmp_path: Path) -> SignedCheckpoint:
    """The checkpoint of a log that grew since; a witness signed it and keeps it."""
    await fill(pool)
    await seal_all(pool, config(database, tmp_path))
    signed = key_files.read_checkpoint(tmp_path / "checkpoint")
    assert signed is not None
    await note(pool, 50, 3)
    await fall(pool, 0, 301, 400)
    await seal_all(pool, config(database, tmp_path))
    return with_signatures(signed, [cosign(signed.note, WITNESS, 1_780_000_000)])


async def attack(pool: Pool, *statements: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await disarm(connection)
        await connection.execute("ALTER TABLE transition DISABLE TRIGGER ALL")
        for statement in statements:
            await connection.execute(statement)


async def verified(pool: Pool, folder: Path, older: SignedCheckpoint | None, **trust: object) -> LogVerdict:
    """The verdict of an auditor who has the key of the log, and perhaps an older checkpoint."""
    async with pool.acquire() as connection:
        await export_log(connection, folder / "export")
    known = () if older is None else (older,)
    key = key_files.read_key(folder / "key").verifier
    return verify_export(
        folder / "export", Trust(**{"key": key, "witnesses": (WITNESS.verifier,), "older": known, **trust})
    )  # type: ignore[arg-type]


def found(verdict: LogVerdict) -> dict[Wrong, list[str]]:
    by_kind: dict[Wrong, list[str]] = {}
    for finding in verdict.findings:
        assert finding.said.zh != finding.said.en
        by_kind.setdefault(finding.wrong, []).append(finding.said.en)
    return by_kind


async def test_a_log_that_nobody_edited(pool: Pool, tmp_path: Path, older: SignedCheckpoint) -> None:
    verdict = await verified(pool, tmp_path, older)
    assert found(verdict) == {}
    assert verdict.leaves == verdict.shown == verdict.checkpoint.size == 328 + 403
    assert verdict.cosigned == ((WITNESS.name, 1_780_000_000),)
    assert verdict.key == key_files.read_key(tmp_path / "key").verifier.text


# (what was done, what is found, with which words)
EDITS: dict[str, tuple[list[str], Wrong, str]] = {
    "a transition is changed": (
        ["UPDATE transition SET after = 'online' WHERE partition = 0 AND seq = 40"],
        Wrong.CHANGED,
        "transition 40 of partition 0",
    ),
    "a time is moved by a ms": (
        ["UPDATE transition SET at = at + interval '1 ms' WHERE partition = 3 AND seq = 5"],
        Wrong.CHANGED,
        "transition 5 of partition 3",
    ),
    "a body is changed": (
        ["UPDATE ledger_entry SET body = '{\"n\":99}' WHERE subject = 'incident/2'"],
        Wrong.CHANGED,
        "ledger_entry 3",
    ),
    "a body is no JSON any more": (
        ["UPDATE ledger_entry SET body = E'a\\nb' WHERE subject = 'incident/2'"],
        Wrong.CHANGED,
        "a row that cannot be read",
    ),
    "an actor is changed": (
        ["UPDATE ledger_entry SET actor = 'operator' WHERE subject = 'incident/2'"],
        Wrong.CHANGED,
        "ledger_entry 3",
    ),
    "a row is deleted": (
        ["DELETE FROM transition WHERE partition = 0 AND seq = 40"],
        Wrong.MISSING,
        "transition 40 of 0",
    ),
    "an entry is deleted": (
        ["DELETE FROM ledger_entry WHERE subject = 'incident/2'"],
        Wrong.MISSING,
        "ledger_entry 3",
    ),
    "a table is emptied": (["TRUNCATE health_change"], Wrong.MISSING, "health_change 1 of 3"),
    "an entry is inserted, and never waited": (
        [
            "INSERT INTO ledger_entry (kind, subject, actor, at_ms, body) "
            "VALUES ('incident.note', 'x', 'admin', 1, '{}')",
        ],
        Wrong.INSERTED,
        "ledger_entry",
    ),
    "a transition is inserted before others": (
        [
            "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
            "VALUES (0, 0, 's', 'a', 'b', now(), now(), 'main', 'r')",
        ],
        Wrong.INSERTED,
        "transition 0",
    ),
    "two leaves change places": (
        [
            "UPDATE ledger_run SET begins = -1 WHERE source = 'pipeline_gap'",
            "UPDATE ledger_run SET begins = 6 WHERE source = 'health_change'",
            "UPDATE ledger_run SET begins = 327 WHERE source = 'pipeline_gap'",
        ],
        Wrong.REORDERED,
        "pipeline_gap 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
async def test_an_edit_of_the_past(pool: Pool, tmp_path: Path, older: SignedCheckpoint, what: str) -> None:
    statements, wrong, words = EDITS[what]
    await attack(pool, *statements)
    findings = found(await verified(pool, tmp_path, older))
    assert set(findings) == {wrong}, findings
    assert any(words in one for one in findings[wrong]), findings


async def keep(pool: Pool) -> list[str]:
    """Statements that bring the head back to what it is now."""
    row = await pool.fetchrow("SELECT size, encode(root, 'hex') AS root, tails, note FROM ledger_head")
    tails = ", ".join(f"decode('{tail.hex()}', 'hex')" for tail in row["tails"])
    quoted = row["note"].replace("'", "''")
    return [
        f"DELETE FROM ledger_run WHERE begins >= {row['size']}",
        f"DELETE FROM ledger_tile WHERE (number + 1) * 256 > {row['size']} AND level = 0",
        f"UPDATE ledger_head SET size = {row['size']}, root = decode('{row['root']}', 'hex'), tails = ARRAY[{tails}], "
        f"note = '{quoted}'",
    ]


async def test_the_end_is_cut_off_or_an_old_database_is_put_back(pool: Pool, database: str, tmp_path: Path) -> None:
    await fill(pool)
    await seal_all(pool, config(database, tmp_path))
    before = await keep(pool)
    await fall(pool, 0, 301, 400)
    await seal_all(pool, config(database, tmp_path))
    newer = key_files.read_checkpoint(tmp_path / "checkpoint")
    await attack(pool, "DELETE FROM transition WHERE seq > 300", *before)
    verdict = await verified(pool, tmp_path, newer)
    assert set(found(verdict)) == {Wrong.CUT_OFF}
    assert verdict.leaves == 328


async def test_the_head_alone_is_cut(pool: Pool, tmp_path: Path, older: SignedCheckpoint) -> None:
    """Without the key the newest checkpoint stays, and it says more leaves."""
    await attack(
        pool,
        "DELETE FROM ledger_run WHERE begins > 0",
        "DELETE FROM ledger_tile",
        "UPDATE ledger_head SET size = 1, root = digest, tails = ARRAY[digest] "
        "FROM (SELECT decode(repeat('ab', 32), 'hex') AS digest) AS d",
    )
    assert Wrong.CUT_OFF in found(await verified(pool, tmp_path, older))


async def rebuild(pool: Pool, database: str, folder: Path, key: SignerKey, *edits: str) -> None:
    """Seal another history from its beginning, with a key."""
    await attack(
        pool,
        "INSERT INTO ledger_pending SELECT id FROM ledger_entry",
        *(f"DELETE FROM {table}" for table in ("ledger_run", "ledger_tile", "ledger_head", "ledger_checkpoint")),
        *edits,
    )
    (folder / "forged").mkdir()
    key_files.replace_key(folder / "forged" / "key", key)
    await seal_all(pool, config(database, folder / "forged"))


EDIT = "UPDATE transition SET after = 'online' WHERE partition = 0 AND seq = 40"


async def test_the_past_is_sealed_anew_with_a_stolen_key(
    pool: Pool, database: str, tmp_path: Path, older: SignedCheckpoint
) -> None:
    await rebuild(pool, database, tmp_path, key_files.read_key(tmp_path / "key"), EDIT)
    findings = found(await verified(pool, tmp_path, older))
    assert set(findings) == {Wrong.FORKED, Wrong.RESIGNED}
    assert "audit.example.org/witness saw the other one" in findings[Wrong.RESIGNED][0]


async def test_without_a_kept_checkpoint_a_stolen_key_is_not_found(
    pool: Pool, database: str, tmp_path: Path, older: SignedCheckpoint
) -> None:
    """What docs/ledger.md says is not proven; the verdict says that no witness signed."""
    await rebuild(pool, database, tmp_path, key_files.read_key(tmp_path / "key"), EDIT)
    verdict = await verified(pool, tmp_path, None)
    assert found(verdict) == {} and verdict.cosigned == ()


async def test_the_past_is_sealed_anew_with_another_key(
    pool: Pool, database: str, tmp_path: Path, older: SignedCheckpoint
) -> None:
    own = key_files.read_key(tmp_path / "key")
    await rebuild(pool, database, tmp_path, SignerKey(name=own.name, seed=b"x" * 32), EDIT)
    assert Wrong.SIGNATURE in found(await verified(pool, tmp_path, None))


async def test_the_past_is_rebuilt_from_the_middle_without_the_key(
    pool: Pool, database: str, tmp_path: Path, older: SignedCheckpoint
) -> None:
    """The hashes are made anew, and the old checkpoint is put back."""
    text = await pool.fetchval("SELECT note FROM ledger_head")
    await rebuild(pool, database, tmp_path, key_files.read_key(tmp_path / "key"), EDIT)
    await attack(pool, "DELETE FROM ledger_checkpoint", "UPDATE ledger_head SET note = '" + text + "'")
    findings = found(await verified(pool, tmp_path, older))
    assert Wrong.FORKED in findings and Wrong.RESIGNED not in findings


async def test_a_tile_is_changed(pool: Pool, tmp_path: Path, older: SignedCheckpoint) -> None:
    await attack(pool, "UPDATE ledger_tile SET hashes = overlay(hashes placing decode('00', 'hex') from 5 for 1)")
    assert {Wrong.FORKED, Wrong.CHANGED} <= set(found(await verified(pool, tmp_path, older)))


async def test_an_export_that_was_edited_afterwards(pool: Pool, tmp_path: Path, older: SignedCheckpoint) -> None:
    await verified(pool, tmp_path, older)
    path = tmp_path / "export" / "leaves-000000.ndjson"
    path.write_bytes(path.read_bytes().replace(b'"offline"', b'"online"', 1))
    with pytest.raises(DamagedExportError, match="is not what was exported"):
        verify_export(tmp_path / "export", Trust())
    manifest = json.loads((tmp_path / "export" / "manifest.json").read_text())
    from audit.ledger.export_format import digest

    manifest["parts"][0]["sha256"] = digest(path.read_bytes())
    (tmp_path / "export" / "manifest.json").write_text(json.dumps(manifest))
    assert set(found(verify_export(tmp_path / "export", Trust()))) == {Wrong.CHANGED}


async def test_the_key_that_the_auditor_has_is_another(pool: Pool, tmp_path: Path, older: SignedCheckpoint) -> None:
    other = SignerKey(name=key_files.read_key(tmp_path / "key").name, seed=b"o" * 32)
    verdict = await verified(pool, tmp_path, older, key=other.verifier)
    assert set(found(verdict)) == {Wrong.SIGNATURE}


async def test_a_rotated_key_goes_on_with_the_signature_of_the_old_one(
    pool: Pool, database: str, tmp_path: Path, older: SignedCheckpoint
) -> None:
    old = key_files.read_key(tmp_path / "key")
    new = SignerKey(name=old.name, seed=b"n" * 32)
    async with pool.acquire() as connection, connection.transaction():
        body = {**rotation_body(old, new), "second": "admin"}
        await append_entries(
            connection,
            [LedgerEntry(kind=LedgerKind.LEDGER_KEY_ROTATED, subject="ledger", actor="operator", body=body)],
        )
    key_files.replace_key(tmp_path / "key", new)
    await seal_all(pool, config(database, tmp_path))
    assert found(await verified(pool, tmp_path, older, key=old.verifier)) == {}
    assert found(verify_export(tmp_path / "export", Trust(key=new.verifier, older=(older,)))) == {}


async def test_a_key_that_came_without_the_signature_of_the_old_one(
    pool: Pool, database: str, tmp_path: Path, older: SignedCheckpoint
) -> None:
    old = key_files.read_key(tmp_path / "key")
    key_files.replace_key(tmp_path / "key", SignerKey(name=old.name, seed=b"n" * 32))
    await note(pool, 70)
    await seal_all(pool, config(database, tmp_path))
    assert set(found(await verified(pool, tmp_path, older, key=old.verifier))) == {Wrong.SIGNATURE}


async def test_what_the_command_says(
    pool: Pool,
    tmp_path: Path,
    older: SignedCheckpoint,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await verified(pool, tmp_path, older)
    key_files.write_checkpoint(tmp_path / "older", older)
    words = ["verify", str(tmp_path / "export"), "--witness", WITNESS.verifier.text, "--older", str(tmp_path / "older")]
    assert await asyncio.to_thread(cli.run, words, {}) == 0
    said = capsys.readouterr().out
    assert "731 leaves, 731 of them shown" in said and "was a witness at" in said and "nothing is wrong" in said
    await attack(pool, EDIT)
    async with pool.acquire() as connection:
        await export_log(connection, tmp_path / "second")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert await asyncio.to_thread(cli.run, ["verify", str(tmp_path / "second")], {}) == 1
    said = capsys.readouterr().out
    assert "被改动：第" in said and "没有见证方" in said
    assert await asyncio.to_thread(cli.run, ["verify", str(tmp_path / "nowhere")], {}) == 2
