"""`milepost export`: what is written is what an import reads, and no secret."""

import csv
import io
from pathlib import Path

import pytest
from openpyxl import Workbook

from registry.importing.export_store import EXPORT_KINDS, export_file
from registry.importing.importer import import_file
from registry.importing.report import ImportOptions
from store.pool import Pool
from tests.integration.registry.test_edits import FILES, _import_text
from tests.integration.registry.test_import import NOW, milepost

ACCOUNT = "INSERT INTO contact (id, name, role, edited_by) VALUES ($1, $1, 'technician', 'operator')"
SEEN = {
    "areas": "6321",
    "stations": "border;steppe",
    "contacts": "吴",
    "duty": "63,technician,li",
    "substitutes": "li,ma,",
    "routes": "all,all,,technician",
    "successions": "632000000000,6321,2026-01-01",
}


@pytest.fixture
async def written(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.executemany(ACCOUNT, [("li",), ("ma",)])
        for kind in EXPORT_KINDS:
            await _import_text(connection, kind, FILES[kind])


@pytest.mark.timeout(300)
async def test_each_kind_is_written_and_imported_again_without_a_change(
    written: None, pool: Pool, database: str, tmp_path: Path
) -> None:
    assert {*SEEN} == {*EXPORT_KINDS}
    for kind, seen in SEEN.items():
        path = tmp_path / f"{kind}.csv"
        status, out, _ = await milepost(database, "export", kind, str(path))
        assert (status, out) == (0, f"wrote {path}\n")
        text = path.read_text(encoding="utf-8")
        assert seen in text.replace("631000000000", "63").replace("630000000000", "63").replace("632100000000", "6321")
        assert "13800138000" not in text
        _, out, _ = await milepost(database, "import", kind, str(path))
        assert "0 new" in out and "0 changed" in out, out


async def test_each_kind_is_read_from_a_workbook_too(written: None, pool: Pool, tmp_path: Path) -> None:
    for kind in EXPORT_KINDS:
        async with pool.acquire() as connection:
            rows = list(csv.reader(io.StringIO(await export_file(connection, kind))))
            book = Workbook()
            for row in rows:
                book.active.append(row)  # type: ignore[union-attr]
            book.save(tmp_path / f"{kind}.xlsx")
            options = ImportOptions(account="admin", dry_run=True)
            report = await import_file(connection, kind, tmp_path / f"{kind}.xlsx", now=NOW, options=options)
        assert (report.new, report.changed, report.unchanged, report.applied) == (0, 0, len(rows) - 1, False), kind


async def test_more_stations_than_a_page_are_written(written: None, pool: Pool) -> None:
    await pool.execute("INSERT INTO station (id, name) SELECT 'm' || n, 'm' FROM generate_series(1, 2500) n")
    async with pool.acquire() as connection:
        text = await export_file(connection, "stations")
    assert len(text.splitlines()) == 1 + 2 + 2500


async def test_a_file_that_is_there_is_not_overwritten(written: None, database: str, tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text("mine")
    status, out, err = await milepost(database, "export", "areas", str(tmp_path / "areas.csv"))
    assert (status, out) == (2, "")
    assert "is there already: name another file, or move that one away" in err
    assert (tmp_path / "areas.csv").read_text() == "mine"
    status, _, err = await milepost(database, "export", "areas", str(tmp_path / "no" / "x.csv"), locale="zh_CN.UTF-8")
    assert status == 2
    assert "请换一个位置" in err
