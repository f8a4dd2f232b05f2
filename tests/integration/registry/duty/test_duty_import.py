"""Files of duties and of substitutes: what the command writes, and that a dry run writes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import openpyxl

from registry.duty.store import load_duties, load_substitutes
from registry.importing.export import write_csv
from registry.importing.importer import import_file
from registry.importing.report import ImportOptions, ImportReport
from registry.importing.rows import Kind
from store.pool import Connection, Pool

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
DUTY = "area,role,contact,times,remove\n63,technician,li,WD 08:00-18:00,\n63,technician,马军,18:00-08:00,\n"
AWAY = "contact,substitute,from,until,reason\nli,ma,2026-12-07,2026-12-11,训练\n"


async def prepare(connection: Connection) -> None:
    await connection.execute(
        "INSERT INTO area (code, name, level, path) VALUES ('630000000000', '青海', 'province', '{630000000000}')"
    )
    row = "INSERT INTO contact (id, name, role, edited_by) VALUES ($1, $2, 'technician', 'operator')"
    await connection.executemany(row, [("li", "李明"), ("ma", "马军")])


async def import_text(connection: Connection, kind: Kind, text: str, place: Path, **options: bool) -> ImportReport:
    path = place / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    return await import_file(connection, kind, path, now=NOW, options=ImportOptions(account="admin", **options))


async def test_duties_are_imported_changed_and_removed(pool: Pool, tmp_path: Path) -> None:
    async with pool.acquire() as connection:
        await prepare(connection)
        dry = await import_text(connection, "duty", DUTY, tmp_path, dry_run=True)
        assert (dry.new, dry.applied, await load_duties(connection)) == (2, False, ())
        assert (await import_text(connection, "duty", DUTY, tmp_path)).applied
        li, ma = await load_duties(connection)
        assert (li.contact, li.times, ma.contact, ma.times) == ("li", "WD 08:00-18:00", "ma", "Mo-Su 18:00-08:00")
        assert (await import_text(connection, "duty", write_csv("duty", [li, ma]), tmp_path)).unchanged == 2
        gone = await import_text(connection, "duty", DUTY.replace("18:00,\n", "18:00,yes\n", 1), tmp_path)
        assert (gone.removed, gone.unchanged, await load_duties(connection)) == (1, 1, (ma,))
        kinds = (
            "SELECT kind, actor, convert_from(body, 'UTF8') AS body FROM ledger_entry WHERE kind !~ 'facts' ORDER BY id"
        )
        told = [(row["kind"], row["actor"]) for row in await connection.fetch(kinds)]
        assert told == [
            *[("duty.given", "admin")] * 2,
            *[("import.applied", "admin")] * 2,
            *[("duty.removed", "admin"), ("import.applied", "admin")],
        ]
        body = msgspec.json.decode((await connection.fetch(kinds))[-1]["body"])
        assert (body["new"], body["removed"]) == (0, 1)


async def test_substitutes_are_imported(pool: Pool, tmp_path: Path) -> None:
    async with pool.acquire() as connection:
        await prepare(connection)
        assert (await import_text(connection, "substitutes", AWAY, tmp_path)).applied
        [stored] = await load_substitutes(connection)
        assert stored.until_at == datetime(2026, 12, 11, 16, tzinfo=UTC)
        assert (
            await import_text(connection, "substitutes", write_csv("substitutes", [stored]), tmp_path)
        ).unchanged == 1
        refused = await import_text(
            connection, "substitutes", "contact,substitute,from,until,reason\nli,ma,2026-12-07,2026-12-11,\n", tmp_path
        )
        assert (refused.refused, refused.cleared, await load_substitutes(connection)) == (True, 1, (stored,))


async def test_a_bad_row_stops_the_file_or_is_left_out(pool: Pool, tmp_path: Path) -> None:
    async with pool.acquire() as connection:
        await prepare(connection)
        text = DUTY + "63,technician,sun,,\n"
        report = await import_text(connection, "duty", text, tmp_path)
        assert (report.refused, await load_duties(connection)) == (True, ())
        assert "line 4, column contact: 'sun' is not the id or the name of a contact" in report.text
        assert (await import_text(connection, "duty", text, tmp_path, skip_bad=True)).applied
        assert len(await load_duties(connection)) == 2


async def test_a_workbook_names_the_cell(pool: Pool, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for cells in (
        ["区划代码", "角色", "联系人", "生效日期"],
        ["63", "技术员", "李明", datetime(2026, 12, 1)],
        ["63", "技术员", "孙", None],
    ):
        book.active.append(cells)
    book.save(tmp_path / "duty.xlsx")
    async with pool.acquire() as connection:
        await prepare(connection)
        report = await import_file(
            connection, "duty", tmp_path / "duty.xlsx", now=NOW, options=ImportOptions(language="zh-CN", skip_bad=True)
        )
        assert "单元格 C3（联系人）：没有编号或姓名为“孙”的联系人" in report.text
        [stored] = await load_duties(connection)
        assert (stored.contact, str(stored.valid_from)) == ("li", "2026-12-01")
