"""Importing a file into the registry: read it, compare it with the database, write it in one transaction."""

import asyncio
import hashlib
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

from contract.errors import RemedyError
from registry.edits import registry_edit
from registry.hours.calendar_store import lock_calendars
from registry.importing.kinds import IMPORT_KINDS
from registry.importing.report import ImportOptions, ImportReport, describe
from registry.importing.rows import Kind, Rows, parse_rows
from registry.importing.sheets.sheet import MAX_BYTES
from registry.importing.sheets.sheet_process import read_apart
from registry.store import QUERIES
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Connection

_DEFAULT_OPTIONS: Final = ImportOptions()


async def import_file(
    connection: Connection, kind: Kind, path: Path, *, now: datetime, options: ImportOptions = _DEFAULT_OPTIONS
) -> ImportReport:
    """Import a CSV or XLSX file. `report.text` is for the user of the command; `report.refused`: it was not applied.

    Raises RemedyError for a file that cannot be read as a file of this kind.
    """
    try:
        digest, rows = await asyncio.to_thread(_read_with_hash, path, kind)
    except RemedyError as exc:
        raise RemedyError(f"{path}: {exc.said.text(options.language)}") from exc
    async with connection.transaction(readonly=options.dry_run):
        if not options.dry_run:
            await connection.execute(QUERIES.lock_imports)
            await lock_calendars(connection)
        report = await _import_rows(connection, kind, rows, options, now)
        if report.applied:
            await append_entries(connection, [_entry(report, options.account, digest)])
        return report


def _entry(report: ImportReport, account: str, digest: str) -> LedgerEntry:
    body = {"new": report.new, "changed": report.changed, "moved": report.moved, "file_sha256": digest}
    body |= {"removed": report.removed} if report.removed else {}
    return LedgerEntry(kind=LedgerKind.IMPORT_APPLIED, subject=f"import/{report.kind}", actor=account, body=body)


async def _import_rows(
    connection: Connection, kind: Kind, rows: Rows, options: ImportOptions, now: datetime
) -> ImportReport:
    imported = IMPORT_KINDS[kind]
    found = await imported.compare(connection, rows, options)
    blank = _empty_cells(rows, found.unwritten)
    report = describe(
        found.plan, kind, options, layout=rows.layout, blank=blank, doubts=found.doubts, notes=found.notes
    )
    if report.applied:
        async with registry_edit(connection, Author(options.account)):
            await imported.write(connection, found.plan, now, options.account)
    return report


def read_rows(path: Path, kind: Kind) -> Rows:
    """Read and check a file on its own, without a database. Raises RemedyError."""
    return parse_rows(read_apart(_content_of(path)), kind)


def _read_with_hash(path: Path, kind: Kind) -> tuple[str, Rows]:
    """The SHA-256 of the file in hex, and its rows."""
    content = _content_of(path)
    return hashlib.sha256(content).hexdigest(), parse_rows(read_apart(content), kind)


def _content_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise RemedyError(
            f"cannot be read ({exc.strerror}): check the name and the permissions",
            f"无法读取（{exc.strerror}）：请检查文件名和权限",
        ) from exc


def _empty_cells(rows: Rows, unwritten: Collection[str]) -> dict[str, frozenset[str]]:
    """{key: the fields whose cell is empty}, without entries that no person has edited: an empty cell may clear a
    value that a person gave."""
    return {row.key: row.blank for row in rows.good if row.blank and row.key not in unwritten}
