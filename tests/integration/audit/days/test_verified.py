"""Figures in an export of the ledger: verified without the database, and what a superuser edited is named."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

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
LEAVES = "leaves-000000.ndjson"
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


MALFORMED = (7, "x", {"1": 7})


def damaged(value: Any) -> Iterator[Any]:
    """The value with each part of it, of lists the first element, replaced by something that is never there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for place, part in inner:
        for odd in (*damaged(part), *MALFORMED):
            copy = value.copy()
            copy[place] = odd
            yield copy


def replace_leaf(export: Path, lines: list[bytes], index: int, leaf: bytes) -> None:
    """Write the leaves with one that is edited, and the manifest to it."""
    raw = b"".join(line + b"\n" for line in [*lines[:index], leaf, *lines[index + 1 :]])
    (export / LEAVES).write_bytes(raw)
    manifest = json.loads((export / MANIFEST).read_bytes())
    next(part for part in manifest["parts"] if part["name"] == LEAVES)["sha256"] = sha256(raw).hexdigest()
    (export / MANIFEST).write_text(json.dumps(manifest))


async def test_a_leaf_of_any_other_shape_is_named_and_the_others_are_verified(
    world: DayWorld, database: str, tmp_path: Path
) -> None:
    export = await exported(world, database, tmp_path)
    lines = (export / LEAVES).read_bytes().split(b"\n")[:-1]
    sorts: dict[tuple[Any, ...], int] = {}
    for index, line in enumerate(lines):
        row = json.loads(line)
        facts = {fact["kind"] for fact in row["body"]["facts"]} if row.get("kind") == "registry.facts" else ()
        sorts.setdefault((row["row"], row.get("kind"), *sorted(facts)), index)
    deep = b'{"row":' + b"[" * 5000 + b"]" * 5000 + b"}"
    for index in sorts.values():
        for row in [*damaged(json.loads(lines[index])), None]:
            replace_leaf(export, lines, index, deep if row is None else json.dumps(row).encode())
            assert any(f"leaf {index}," in line for line in told(verified(export))), row


async def test_a_station_whose_entries_cannot_be_read_is_named(
    world: DayWorld, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = await exported(world, database, tmp_path)
    lines = (export / LEAVES).read_bytes().split(b"\n")[:-1]
    index = next(index for index, line in enumerate(lines) if b'"kind":"closure"' in line and b"facts" in line)
    row = json.loads(lines[index])
    row["body"]["facts"][0]["fields"] = {"1": 7}
    replace_leaf(export, lines, index, json.dumps(row).encode())
    assert cli.run(["verify", str(export)], {}) == 1
    out = capsys.readouterr().out
    why = "its figures cannot be computed again, because an entry cannot be read"
    assert f"changed: leaf {index}, ledger_entry" in out
    assert f"unreadable: 2026-11-03 station a: {why}" in out
    assert "station q" not in out


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
    assert verdict.figures.computed == verdict.figures.compared, "what is not sealed yet is not in the export either"
    assert not verdict.is_whole


# (what is forged in the manifest or in the records, beside an edited figure)
FORGED: dict[str, Any] = {
    "the entry waits for its seal": {"waiting": ["area_day/632122/2026-11-03"]},
    "newer facts follow": {},
    "sources are deleted": {"sources_from": "2026-12-01"},
    "the export is not whole": {"whole": False, "waiting": ["area_day/632122/2026-11-03"]},
    "other days": {"first": "2026-12-01", "last": "2026-12-31", "figures": []},
    "no figures": None,
}


@pytest.mark.parametrize("forged", list(FORGED))
async def test_what_nobody_signed_hides_no_edited_figure(
    world: DayWorld, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], forged: str
) -> None:
    """A superuser edits a figure, and then the files of the export, so that the figure is not computed again."""
    await seal_all(world.pool, config(database, tmp_path))
    await world.pool.execute(
        "UPDATE day_figure SET online_ms = online_ms + 3600000 WHERE station = 'a' AND day = '2026-11-03' "
        "AND revision = (SELECT max(revision) FROM day_figure WHERE station = 'a' AND day = '2026-11-03')"
    )
    async with world.pool.acquire() as connection:
        await export_log(connection, tmp_path / "export", EVERY)
    manifest = json.loads((tmp_path / "export" / MANIFEST).read_bytes())
    manifest["figures"] = FORGED[forged] if FORGED[forged] is None else manifest["figures"] | FORGED[forged]
    if forged == "newer facts follow":
        manifest["figures"]["waiting"] = ["area_day/632122/2026-11-03"]
        part = manifest["figures"]["records"][0]
        lines = (tmp_path / "export" / part["name"]).read_bytes().split(b"\n")[:-1]
        raw = b"".join(json.dumps(json.loads(line) | {"follows": True}).encode() + b"\n" for line in lines)
        (tmp_path / "export" / part["name"]).write_bytes(raw)
        part["sha256"] = sha256(raw).hexdigest()
    (tmp_path / "export" / MANIFEST).write_text(json.dumps(manifest))
    status = cli.run(["verify", str(tmp_path / "export")], {})
    out = capsys.readouterr().out
    assert status in {1, 3}
    assert "nothing is wrong" not in out
    assert status == 1 or "figures were verified" in out


async def test_a_frozen_month_is_compared_whatever_the_manifest_says_of_the_first_day(
    world: DayWorld, database: str, tmp_path: Path
) -> None:
    await world.keep(24 * (29 + 10) + 5)
    await seal_all(world.pool, config(database, tmp_path))
    async with world.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        await disarm(connection)
        await connection.execute("UPDATE day_figure SET addendum = true WHERE station = 'b' AND day = '2026-11-02'")
        await export_log(connection, tmp_path / "export", EVERY)
    manifest = json.loads((tmp_path / "export" / MANIFEST).read_bytes())
    manifest["figures"]["begun"] = "2026-11-01"
    (tmp_path / "export" / MANIFEST).write_text(json.dumps(manifest))
    assert any("the frozen figures of leaf" in line for line in told(verified(tmp_path / "export")))


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
