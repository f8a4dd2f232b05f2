"""The ledger over HTTP: what an auditor gets verifies without Milepost, and a county shows nothing of another one."""

import io
import tarfile
from pathlib import Path

import httpx
import pytest

from access.roles import Role
from access.scope import AreaScope
from api.service import open_app
from api.v1.ledger import examples
from audit.ledger import key_files
from audit.ledger.checkpoints import parse_checkpoint
from audit.ledger.export_files import verify_export
from audit.ledger.merkle import leaf_hash
from audit.ledger.notes import signed_by
from audit.ledger.proof_text import parse_proof
from audit.ledger.verify import LogVerdict, Trust
from milepost.commands.verify import lines_of
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Pool
from tests.integration.api_world import World, calling, config, other_account, serving
from tests.integration.audit.ledger_world import config as ledger_config
from tests.integration.audit.ledger_world import fall, gap, seal_all, sicken

V1 = "/api/v1/ledger"


async def write(pool: Pool, *subjects: str) -> None:
    """An entry about each subject."""
    entries = [
        LedgerEntry(kind=LedgerKind.INCIDENT_NOTE, subject=subject, actor="admin", body={"n": n})
        for n, subject in enumerate(subjects)
    ]
    async with pool.acquire() as connection, connection.transaction():
        await append_entries(connection, entries)


def test_the_example_of_a_proof_holds() -> None:
    proof = parse_proof(examples.PROOF["proof"])  # type: ignore[arg-type]
    assert proof.holds_for(leaf_hash(examples.PROOF["leaf"].encode()))  # type: ignore[attr-defined]
    assert proof.signed.note.render() == examples.CHECKPOINT["note"]


@pytest.fixture
async def county(pool: Pool) -> dict[str, str]:
    """Two counties with a station each, rows about both; the headers of an auditor of the first."""
    world = World(pool)
    for code, station in (("6321", "station-1"), ("6322", "station-2")):
        await world.area(code, code)
        await world.station(station, "offline", area=code)
    numbers = [await world.incident("station_offline", station=f"station-{n}") for n in (1, 2)]
    closures = [await world.closure(-1, 2, approved=False, station=f"station-{n}") for n in (1, 2)]
    await write(
        pool, "station/station-1", "station/station-2", *(f"incident/{n}" for n in numbers),
        *(f"closure/{n}" for n in closures), "import/stations", "incident/999999", "incident/x", "registry",
        *(f"area_{part}/{code}/2026-11" for part in ("day", "month") for code in ("6321", "6322", "63")),
    )  # fmt: skip
    await fall(pool, 0, 1, 300)
    await gap(pool, 0, 1)
    await sicken(pool, 3, 1)
    return (await other_account(pool, Role.AUDITOR, "county", AreaScope(areas=frozenset({"6321"})))).headers


async def test_entries_are_listed_with_their_leaves(pool: Pool, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        for path in ("checkpoint", "export"):
            early = await client.get(f"{V1}/{path}")
            assert early.status_code == 409 and "milepost audit" in early.json()["detail"]
        await write(pool, *(f"incident/{n}" for n in range(25)))
        assert {one["leaf"] for one in (await client.get(f"{V1}/entries")).json()["items"]} == {None}
        await seal_all(pool, ledger_config(database, tmp_path))
        await write(pool, "incident/99")
        listed = await entries(client, "?limit=7")
        assert [one["subject"] for one in listed if "incident/" in one["subject"]] == [
            "incident/99", *(f"incident/{n}" for n in reversed(range(25))),
        ]  # fmt: skip
        assert [one["leaf"] is None for one in listed] == [True] + [False] * (len(listed) - 1)
        for query, found in (
            ("?subject=incident/7", ["incident/7"]), ("?kind=ledger.opened", ["ledger"]),
            ("?kind=ledger.opened&to=2020-01-01", []), ("?from=2020-01-01&subject=ledger", ["ledger"]),
        ):  # fmt: skip
            assert [one["subject"] for one in await entries(client, query)] == found, query
        late = await client.get(f"{V1}/entries/{listed[0]['id']}/proof")
        assert late.status_code == 409 and "ask again" in late.json()["detail"]


async def entries(client: httpx.AsyncClient, query: str = "", headers: dict[str, str] | None = None) -> list[dict]:  # type: ignore[type-arg]
    found: list[dict] = []  # type: ignore[type-arg]
    cursor: str | None = ""
    while cursor is not None:
        answer = (await client.get(f"{V1}/entries{query}{cursor}", headers=headers)).json()
        found += answer["items"]
        cursor = None if answer["next"] is None else f"{'&' if query else '?'}cursor={answer['next']}"
    return found


async def test_a_proof_leads_to_the_checkpoint(pool: Pool, database: str, tmp_path: Path) -> None:
    """Also when the log grew after the checkpoint, and over a full tile."""
    await write(pool, *(f"incident/{n}" for n in range(300)))
    await seal_all(pool, ledger_config(database, tmp_path))
    note = await pool.fetchval("SELECT note FROM ledger_head")
    await write(pool, *(f"incident/{n}" for n in range(300)))
    await seal_all(pool, ledger_config(database, tmp_path))
    key = key_files.read_key(tmp_path / "key").verifier
    async with serving(config(database, tmp_path)) as (client, _):
        for newest in (await pool.fetchval("SELECT note FROM ledger_head"), note):
            await pool.execute("UPDATE ledger_head SET note = $1", newest)
            shown = (await client.get(f"{V1}/checkpoint")).json()
            assert shown["note"] == newest and signed_by(parse_checkpoint(newest).note, key) is True
            for one in [await entries(client, f"?subject=incident/{n}") for n in (0, 7, 255, 299)]:
                asked = await client.get(f"{V1}/entries/{one[-1]['id']}/proof")
                proof = parse_proof(asked.json()["proof"])
                assert proof.index == asked.json()["index"] == one[-1]["leaf"]
                assert proof.holds_for(leaf_hash(asked.json()["leaf"].encode()))
                assert not proof.holds_for(leaf_hash(b"another"))
        assert shown["unsigned"] == 300
        assert (await client.get(f"{V1}/entries/9999999/proof")).status_code == 404


async def exported(client: httpx.AsyncClient, folder: Path, headers: dict[str, str] | None = None) -> LogVerdict:
    answer = await client.get(f"{V1}/export", headers=headers)
    assert answer.status_code == 200, answer.text
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        archive.extractall(folder, filter="data")
    key = key_files.read_key(folder.parent / "key").verifier
    return verify_export(folder / "ledger", Trust(key=key))


async def test_exports_of_the_whole_and_of_a_county_verify(
    pool: Pool, database: str, tmp_path: Path, county: dict[str, str]
) -> None:
    size = await seal_all(pool, ledger_config(database, tmp_path))
    async with serving(config(database, tmp_path)) as (client, _):
        whole = await exported(client, tmp_path / "whole")
        assert (whole.findings, whole.leaves, whole.shown, whole.scope) == ((), size, size, None)
        part = await exported(client, tmp_path / "part", county)
        assert (part.findings, part.leaves, part.scope) == ((), size, ("6321",))
        texts = (tmp_path / "part" / "ledger" / "leaves-000000.ndjson").read_text()
        seen = [one["subject"] for one in await entries(client, headers=county)]
        ours = await pool.fetchrow("SELECT min(i.id), min(c.id) FROM incident i, closure c")
        assert ours is not None
        assert sorted(seen) == sorted(
            [f"closure/{ours[1]}", f"incident/{ours[0]}", "ledger", "station/station-1",
             "area_day/6321/2026-11", "area_month/6321/2026-11",
             *(one for one in seen if one.startswith(("account/", "token/")))]
        )  # fmt: skip
        assert texts.count('"row":"ledger_entry"') == len(seen)
        assert texts.count('"row":"transition"') == 1 and '"station":"station-1"' in texts
        assert texts.count('"row":"pipeline_gap"') == 1, "about the platform, for everybody"
        assert "station-2" not in texts and part.shown == len(seen) + 2
        said = [line.en for line in lines_of(part, Trust())]
        assert any(f"of {size - part.shown} other leaves it has only the hashes" in line for line in said)
        await pool.execute("UPDATE transition SET after = 'online' WHERE seq IN (1, 2)")
        later = await exported(client, tmp_path / "later", county)
        assert ["transition 1 of partition 0" in one.said.en for one in later.findings] == [True], "the other is hidden"


async def test_a_late_seal_is_a_warning(pool: Pool, database: str, tmp_path: Path) -> None:
    settings = ledger_config(database, tmp_path)

    async def warned() -> list[str]:
        async with serving(config(database, tmp_path)) as (client, _):
            answer = (await client.get("/readyz")).json()["warnings"]
        return [line.partition(" for ")[0] for line in answer if "seal" in line]

    await World(pool).clock()
    await pool.execute(
        "INSERT INTO ledger_entry (kind, subject, actor, at_ms, body) VALUES ('a.b', 'x/1', 'admin', 1, '{}')"
    )
    assert await warned() == [], "nothing was ever sealed"
    await pool.execute("INSERT INTO ledger_pending SELECT id FROM ledger_entry ON CONFLICT DO NOTHING")
    await seal_all(pool, settings)
    assert await warned() == []
    await fall(pool, 0, 1, 3)
    await pool.execute("UPDATE transition SET written_at = now() + interval '1 h'")
    assert await warned() == [], "they wait no time yet, however slow this machine is"
    await pool.execute("UPDATE transition SET written_at = now() - interval '11 s'")
    assert await warned() == ["rows wait"]
    await seal_all(pool, settings)
    assert await warned() == []


async def test_two_exports_at_once(pool: Pool, database: str, tmp_path: Path) -> None:
    await seal_all(pool, ledger_config(database, tmp_path))
    async with open_app(config(database, tmp_path)) as (app, _), calling(app) as client:
        for _ in range(2):
            app.state.exports.take()
        busy = await client.get(f"{V1}/export")
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "60")
        app.state.exports.give_back()
        for _ in range(3):
            await exported(client, tmp_path / "export")
