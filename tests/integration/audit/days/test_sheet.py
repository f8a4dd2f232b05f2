"""The sheet of a station from a real ledger: made with its proof, verified without the database, and what it lacks."""

import io
import tarfile
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from audit.ledger import key_files
from audit.ledger.checkpoints import cosign, parse_checkpoint, with_signatures
from audit.ledger.export_files import verify_export
from audit.ledger.notes import KeyType, SignerKey
from audit.ledger.verify import LogVerdict, Trust
from audit.sheets.station_proof import StationProof, parse_station_proof
from milepost import cli
from store.pool import Pool
from tests.integration.api_world import World, other_account, serving
from tests.integration.api_world import config as api_config
from tests.integration.audit.days.day_world import DayWorld
from tests.integration.audit.ledger_world import config, seal_all

SHEET = "/api/v1/reports/stations/b"
EXPORT = "/api/v1/ledger/export"
WITNESS = SignerKey(name="audit.example.org", seed=b"w" * 32, kind=KeyType.COSIGNATURE)


@pytest.fixture
async def world(pool: Pool, database: str, tmp_path: Path) -> DayWorld:
    """Six days: of station b one was revised, and from the fourth on it is in another county. All but the last day is
    sealed, and a witness signed that checkpoint."""
    world = DayWorld(pool)
    await world.register(["a", "b", "c", "d"])
    await world.register(["e"], area="632123")
    for station in "abcd":
        await world.judge(station, 1, "online", usable=True)
    await world.judge("b", 24 + 9, "offline")
    await world.judge("b", 24 + 12, "online", usable=True)
    await world.keep(28 + 24 * 2)
    await world.ran("b", 24 + 9, 24 + 11)
    await world.move("b", "632123", 24 * 3 - 8)
    await world.keep(28 + 24 * 4)
    await seal_all(pool, config(database, tmp_path))
    signed = parse_checkpoint(await pool.fetchval("SELECT note FROM ledger_head"))
    cosigned = with_signatures(signed, [cosign(signed.note, WITNESS, 1_795_000_000)]).note.render()
    await pool.execute("INSERT INTO ledger_checkpoint SELECT origin, size, $1 FROM ledger_head", cosigned)
    await seal_all(pool, config(database, tmp_path))
    await world.keep(28 + 24 * 5)
    await World(pool).clock()
    return world


@pytest.fixture
async def client(world: DayWorld, database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(api_config(database, tmp_path)) as (client, _):
        yield client


async def asked(client: httpx.AsyncClient, form: str, headers: dict[str, str] | None = None) -> bytes:
    query = {"period": "2026-11", "format": form, "language": "en"}
    answer = await client.get(SHEET, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def unproven(proof: StationProof) -> list[tuple[int, str]]:
    return [(day.day.day, day.why) for day in proof.unproven]


async def test_a_sheet_is_verified_and_a_changed_byte_is_named(
    client: httpx.AsyncClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pdf, text = await asked(client, "pdf"), await asked(client, "proof")
    assert pdf == await asked(client, "pdf") and b"<pdfaid:part>3</pdfaid:part>" in pdf
    key = key_files.read_key(tmp_path / "key").verifier.text
    options = ["--key", key, "--witness", WITNESS.verifier.text]
    for name, raw in (("sheet.pdf", pdf), ("sheet.proof.txt", text)):
        (tmp_path / name).write_bytes(raw)
        assert cli.run(["verify", str(tmp_path / name), *options], {}) == 3, "the last day is not sealed"
        out = capsys.readouterr().out
        assert "station b, 2026-11: days from 2026-11-02 to 2026-11-07" in out
        assert "2026-11-03 leaf" in out and "revision 2: online rate 62.50%, service rate 87.50%" in out
        assert "audit.example.org was a witness at" in out
        assert "ask for an export: 2026-11-07 (the newest entry was not signed yet)" in out
    proof = parse_station_proof(text.decode())
    assert proof.digest in out and unproven(proof) == [(7, "unsealed")]
    page = bytearray(pdf)
    page[page.index(b"endstream") - 2] ^= 1
    for name, raw, status, found in (
        ("page.pdf", bytes(page), 1, "changed: the file is not the PDF"),
        ("figure.txt", text.replace(b",18000000,", b",28800000,", 1), 1, "changed: 2026-11-03: the figures in line"),
        ("cut.txt", text[:-1], 2, "this is no proof"),
        ("sheet.csv", await asked(client, "csv"), 2, "this is no proof of a station's sheet"),
    ):
        (tmp_path / name).write_bytes(raw)
        assert cli.run(["verify", str(tmp_path / name), *options], {}) == status, name
        shown = capsys.readouterr()
        assert found in shown.out + shown.err
    assert cli.run(["verify", str(tmp_path / "sheet.pdf"), "--witness", key], {}) == 1
    assert "no witness: " in capsys.readouterr().out


async def test_the_scope_is_kept(client: httpx.AsyncClient, world: DayWorld) -> None:
    """In a county the sheet proves the days that the station was there; another county gets nothing."""
    there = await other_account(world.pool, Role.AUDITOR, scope=AreaScope(areas=frozenset({"632123"})))
    proof = parse_station_proof((await asked(client, "proof", there.headers)).decode())
    whole = parse_station_proof((await asked(client, "proof")).decode())
    assert [why for _, why in unproven(proof)] == ["no-entry", "no-entry", "no-entry", "unsealed"]
    assert proof.days[3:] == whole.days[3:] and proof.signed == whole.signed
    before = await other_account(world.pool, Role.AUDITOR, "x", AreaScope(areas=frozenset({"632122"})))
    assert (await client.get(SHEET, params={"format": "proof"}, headers=before.headers)).status_code == 404
    for period in ("2026", "2026-10"):
        none = await client.get(SHEET, params={"format": "proof", "period": period})
        assert none.status_code == 409 and "a month with kept days" in none.json()["detail"]


async def test_a_figure_that_differs_from_the_ledger_is_not_proven(client: httpx.AsyncClient, world: DayWorld) -> None:
    await world.pool.execute("UPDATE day_figure SET online_ms = 1 WHERE day = $1 AND station = 'b'", date(2026, 11, 3))
    assert unproven(parse_station_proof((await asked(client, "proof")).decode())) == [(3, "not-equal"), (7, "unsealed")]


async def test_an_export_over_http_has_figures(client: httpx.AsyncClient, world: DayWorld, tmp_path: Path) -> None:
    days = {"from": "2026-11-02", "to": "2026-11-10"}

    async def exported(folder: str, **more: str) -> LogVerdict:
        answer = await client.get(EXPORT, params=days | more)
        assert answer.status_code == 200, answer.text
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            archive.extractall(tmp_path / folder, filter="data")
        return verify_export(tmp_path / folder / "ledger", Trust(key=key_files.read_key(tmp_path / "key").verifier))

    whole, part = await exported("whole"), await exported("part", area="632123")
    assert (whole.findings, part.findings) == ((), ())
    assert whole.figures is not None and part.figures is not None
    assert (whole.figures.compared, whole.figures.computed, whole.figures.waiting) == (30, 0, 2)
    assert (part.figures.compared, part.figures.waiting) == (9, 1)
    await world.pool.execute("UPDATE day_figure SET online_ms = 1 WHERE day = $1 AND station = 'b'", date(2026, 11, 3))
    found = [one.said.en for one in (await exported("edited")).findings]
    assert [line.split(":")[:2] for line in found] == [["changed", " 2026-11-03 area 63/632122"]]
    county = await other_account(world.pool, Role.AUDITOR, scope=AreaScope(areas=frozenset({"632123"})))
    assert (await client.get(EXPORT, params=days, headers=county.headers)).status_code == 403
    for query, status in (
        ({"from": "2026-11-02"}, 422), (days | {"to": "2026-12-03"}, 422), (days | {"to": "2026-11-01"}, 422),
        (days | {"area": "99"}, 404), (days | {"from": "x"}, 422),
    ):  # fmt: skip
        assert (await client.get(EXPORT, params=query)).status_code == status, query
    for _ in range(2):
        assert (await client.get(EXPORT)).status_code == 200, "a refused export leaves its place"
