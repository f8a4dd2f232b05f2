"""Figures in an export of the ledger: verified without the database, and what a superuser edited is named."""

import json
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from audit.days.sealed.figure_export_store import WantedFigures
from audit.findings.rules import CorrectionStatus, CountsAs, NewCorrection
from audit.findings.store import decide_correction, propose_correction
from audit.ledger import key_files
from audit.ledger.export_files import verify_export
from audit.ledger.export_format import MANIFEST
from audit.ledger.export_store import export_log
from audit.ledger.verify import LogVerdict, Trust
from milepost import cli
from store.author import Author
from store.pool import Pool
from tests.integration.audit.days.day_world import DayWorld, at
from tests.integration.audit.ledger_world import config, disarm, seal_all

EVERY = WantedFigures(first=date(2026, 1, 1), last=date(2030, 1, 1))
SEALED = "figures or revisions of its stations are not those of leaf"


@pytest.fixture
async def world(pool: Pool) -> DayWorld:
    """Five days of three stations with everything that figures are made of: transitions, a gap, presence, a closure, a
    correction, a move, a retirement, and quiet days."""
    world = DayWorld(pool)
    await world.register(["a", "b", "q", "r"])
    await world.register(["c"], area="632123")
    for station in ("a", "b", "q", "r"):
        await world.judge(station, 1, "online", usable=True)
    await world.judge("a", 24 + 9, "offline")
    await world.keep(28 + 24 * 5)
    await world.ran("a", 24 + 10, 24 + 12)
    await world.closure("a", 24 + 13, 48 + 13)
    await world.move("b", "632123", 50)
    await world.retire("r", 60)
    await world.gap(9, 11)
    await world.keep()
    new = NewCorrection(
        station="q", finding=None, from_at=at(72 + 9), until_at=at(72 + 12), counts_as=CountsAs.DOWN, reason="r"
    )
    async with pool.acquire() as connection:
        made = await propose_correction(connection, new, Author("admin"), at(100))
        await decide_correction(connection, made.id, CorrectionStatus.APPROVED, None, Author("operator"), at(101))
    await world.keep()
    assert await world.wrong() == []
    return world


async def exported(world: DayWorld, database: str, folder: Path) -> Path:
    await seal_all(world.pool, config(database, folder))
    async with world.pool.acquire() as connection:
        await export_log(connection, folder / "export", EVERY)
    return folder / "export"


def verified(export: Path) -> LogVerdict:
    return verify_export(export, Trust(key=key_files.read_key(export.parent / "key").verifier))


def told(verdict: LogVerdict) -> list[str]:
    assert all(finding.said.en != finding.said.zh for finding in verdict.findings)
    return [finding.said.en for finding in verdict.findings]


async def test_figures_that_nobody_edited(
    world: DayWorld, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = await exported(world, database, tmp_path)
    verdict = verified(export)
    assert told(verdict) == []
    days = await world.pool.fetchval("SELECT count(*) FROM station_day WHERE cardinality(path) > 0")
    assert verdict.figures is not None
    assert (verdict.figures.compared, verdict.figures.computed, verdict.figures.waiting) == (days, days, 0)
    assert cli.run(["verify", str(export)], {}) == 0
    assert f"{days} days of stations compared with the ledger, {days} of them computed again" in capsys.readouterr().out


# (what a superuser does, what verification says)
EDITS: dict[str, tuple[str, list[str]]] = {
    "the newest figure": (
        "UPDATE day_figure SET online_ms = online_ms + 3600000 WHERE station = 'a' AND day = '2026-11-03' "
        "AND revision = (SELECT max(revision) FROM day_figure WHERE station = 'a' AND day = '2026-11-03')",
        [
            f"changed: 2026-11-03 area 63/632122: {SEALED}",
            "changed: 2026-11-03 station a: kept -> computed from the entries: online_ms 3600000 -> 0",
        ],
    ),
    "an old revision": (
        "UPDATE day_figure SET online_ms = 5 WHERE station = 'a' AND day = '2026-11-02' AND revision = 1",
        [f"changed: 2026-11-02 area 63/632122: {SEALED}"],
    ),
    "figures that stations share": (
        "UPDATE share_day SET usable_ms = 0 WHERE day = '2026-11-06' AND usable_ms > 0",
        [
            f"changed: 2026-11-06 area 63/632122: {SEALED}",
            f"changed: 2026-11-06 area 63/632123: {SEALED}",
            "changed: 2026-11-06 station q: kept -> computed from the entries: usable_ms 0 -> 28800000",
        ],
    ),
    "a day of an area is deleted": (
        "DELETE FROM area_day WHERE day = '2026-11-04' AND area = '632123'",
        ["missing: 2026-11-04 area 63/632123: the figures of leaf"],
    ),
    "a day of an area is inserted": (
        "INSERT INTO area_day VALUES ('2026-11-04', '63', '{63}', 0, 0, 0, 0, 0, 0)",
        ["inserted: 2026-11-04 area 63: the ledger has no entry of these figures"],
    ),
    "a transition": (
        "UPDATE transition SET at = at + interval '1 hour' WHERE station = 'a' AND after = 'offline'",
        [
            "changed: leaf",
            "changed: 2026-11-03 station a: kept -> computed from the entries: online_ms 0 -> 3600000",
        ],
    ),
    "a correction": (
        "UPDATE ledger_entry SET body = convert_to(replace(convert_from(body, 'UTF8'), 'down', 'up'), 'UTF8') "
        "WHERE kind = 'correction.proposed'",
        ["changed: leaf", "changed: 2026-11-05 station q: kept -> computed from the entries: online_ms 18000000"],
    ),
    "a leaf about figures": (
        "UPDATE ledger_entry SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"stations\":', "
        "'\"stations\":1'), 'UTF8') WHERE subject = 'area_day/632123/2026-11-02'",
        ["changed: leaf", f"changed: 2026-11-02 area 63/632123: {SEALED}"],
    ),
}  # fmt: skip


async def test_what_a_superuser_edits_is_named(world: DayWorld, database: str, tmp_path: Path) -> None:
    await seal_all(world.pool, config(database, tmp_path))
    async with world.pool.acquire() as connection:
        for number, (statement, found) in enumerate(EDITS.values()):
            attack = connection.transaction(isolation="repeatable_read")
            await attack.start()
            await disarm(connection)
            await connection.execute("ALTER TABLE transition DISABLE TRIGGER ALL")
            await connection.execute(statement)
            await export_log(connection, tmp_path / str(number), EVERY)
            await attack.rollback()
            said = sorted(told(verified(tmp_path / str(number))))
            begun = [line.startswith(begin) for line, begin in zip(said, sorted(found), strict=False)]
            assert len(said) == len(found) and all(begun), said


async def test_figures_edited_in_the_files_are_named(world: DayWorld, database: str, tmp_path: Path) -> None:
    export = await exported(world, database, tmp_path)
    manifest = json.loads((export / MANIFEST).read_bytes())
    part = manifest["figures"]["figures"][0]
    head, told_online, tail = (export / part["name"]).read_bytes().rpartition(b'"online_ms":28800000')
    raw = head + told_online[:-1] + b"1" + tail
    (export / part["name"]).write_bytes(raw)
    assert cli.run(["verify", str(export)], {}) == 2, "the file is not that of the manifest"
    part["sha256"] = sha256(raw).hexdigest()
    (export / MANIFEST).write_text(json.dumps(manifest))
    assert {line.split(":")[0] for line in told(verified(export))} == {"changed"}


async def test_what_is_not_sealed_or_not_followed_yet_is_no_finding(
    world: DayWorld, database: str, tmp_path: Path
) -> None:
    await seal_all(world.pool, config(database, tmp_path))
    await world.keep(28 + 24 * 6)
    await world.ran("a", 24 + 14, 24 + 15)
    await world.judge("q", 24 * 2 + 9, "offline")
    await world.closure("b", 24 * 2, 24 * 3)
    async with world.pool.acquire() as connection:
        await export_log(connection, tmp_path / "export", EVERY)
    verdict = verified(tmp_path / "export")
    assert told(verdict) == []
    assert verdict.figures is not None
    assert verdict.figures.waiting == 2
    assert verdict.figures.computed < verdict.figures.compared


async def test_frozen_months_are_the_sums_of_their_days(world: DayWorld, database: str, tmp_path: Path) -> None:
    await world.keep(24 * (29 + 10) + 5)
    await world.closure("q", 24, 48)
    await world.keep()
    export = await exported(world, database, tmp_path)
    assert told(verified(export)) == [], "an addendum is beside the frozen figure"
    async with world.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        await disarm(connection)
        await connection.execute(
            "UPDATE ledger_entry SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"unknown_ms\":', "
            "'\"unknown_ms\":1'), 'UTF8') WHERE subject = 'area_month/632123/2026-11'"
        )
        await export_log(
            connection, tmp_path / "second", WantedFigures(first=date(2026, 11, 1), last=date(2026, 12, 1))
        )
    said = told(verify_export(tmp_path / "second", Trust()))
    assert [line.split(": ", 1)[0] for line in said] == ["changed"] * 2
    assert said[1].startswith("changed: 2026-11 area 63/632123: the frozen figures of leaf")


async def test_figures_of_an_area_alone(world: DayWorld, database: str, tmp_path: Path) -> None:
    await seal_all(world.pool, config(database, tmp_path))
    wanted = WantedFigures(first=EVERY.first, last=EVERY.first + timedelta(days=999), area="632123")
    async with world.pool.acquire() as connection:
        await export_log(connection, tmp_path / "export", wanted)
    verdict = verified(tmp_path / "export")
    assert told(verdict) == []
    assert verdict.figures is not None
    assert verdict.figures.compared == await world.pool.fetchval(
        "SELECT count(*) FROM station_day WHERE path = '{63,632123}'"
    )
