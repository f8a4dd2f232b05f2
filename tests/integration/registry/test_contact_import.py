"""Files of contacts: what the command writes, what it shows, and as which role it works."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from access.store import load_account
from registry.contacts.store import list_contacts, load_addresses, load_contacts
from registry.importing.export import write_csv
from registry.importing.importer import import_file
from registry.importing.report import ImportOptions, ImportReport
from store.pool import Connection, Pool
from tests.integration.store.scope_world import scoped

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
FILE = (
    "id,name,role,area,channels\n"
    "li,李明,technician,63,sms:13800138000 dingtalk://geheim?secret=SEC1\n"
    ",民和群,lead,63,wecom://geheim\n"
)


@pytest.fixture
async def area(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO area (code, name, level, path) VALUES ('630000000000', '青海', 'province', '{630000000000}')"
    )


async def import_text(connection: Connection, text: str, place: Path, **options: bool) -> ImportReport:
    path = place / "contacts.csv"
    path.write_text(text, encoding="utf-8")
    return await import_file(connection, "contacts", path, now=NOW, options=ImportOptions(account="admin", **options))


@pytest.mark.parametrize("role", [None, "milepost_service"])
async def test_contacts_are_imported_changed_and_retired(
    pool: Pool, area: None, tmp_path: Path, role: str | None
) -> None:
    async with pool.acquire() as connection:
        if role is not None:
            await connection.execute(f"SET ROLE {role}")
        dry = await import_text(connection, FILE, tmp_path, dry_run=True)
        assert (dry.new, dry.applied, await load_contacts(connection)) == (2, False, {})
        assert (await import_text(connection, FILE, tmp_path)).applied
        again = await import_text(connection, FILE, tmp_path)
        assert (again.new, again.changed, again.unchanged) == (0, 0, 2)
        group, li = await list_contacts(connection)
        assert group.id.startswith("c-")
        assert [each.address.text for each in (await load_addresses(connection, ["li"]))["li"]] == [
            "+8613800138000", "dingtalk://geheim?secret=SEC1",
        ]  # fmt: skip
        changed = await import_text(connection, FILE.replace("SEC1", "SEC2"), tmp_path)
        assert changed.changed == 1
        assert f"→ {li.channels[0]};dingtalk:{li.channels[1].receiver}-" in changed.text
        gone = await import_text(connection, "id,name,role,area,remove\nli,李明,technician,63,yes\n", tmp_path)
        assert (gone.removed, [each.id for each in await list_contacts(connection)]) == (1, [group.id])
        await connection.execute("RESET ROLE")
        assert not any("geheim" in report.text or "138001" in report.text for report in (dry, again, changed, gone))
        bodies = await connection.fetch("SELECT convert_from(body, 'UTF8') AS body FROM ledger_entry")
        assert not any(secret in row["body"] for row in bodies for secret in ("geheim", "138001", "李明"))


async def test_an_account_that_does_not_see_the_area_is_pointed_out(pool: Pool, area: None, tmp_path: Path) -> None:
    async with pool.acquire() as connection:
        assert "does not see" not in (await import_text(connection, FILE, tmp_path)).text
        moved = await import_text(connection, "id,name,role,area\nli,李明,technician,\n", tmp_path, clear_blank=True)
        assert moved.applied
        assert "1 contacts are responsible for an area that their account does not see (li)" in moved.text


async def test_an_export_is_imported_without_a_change(pool: Pool, area: None, tmp_path: Path) -> None:
    async with pool.acquire() as connection:
        await import_text(connection, FILE, tmp_path)
        text = write_csv("contacts", await list_contacts(connection))
        report = await import_text(connection, text, tmp_path)
        assert (report.unchanged, report.refused, "geheim" in text) == (2, False, False)


async def test_an_administrator_of_the_whole_imports_as_the_api_too(pool: Pool, area: None, tmp_path: Path) -> None:
    async with scoped(pool, "*") as connection:
        report = await import_text(connection, FILE, tmp_path)
        assert report.applied
        found = await load_contacts(connection)
        account = await load_account(connection, found["li"].account or "")
        assert account is not None
        assert account.login == "li"
