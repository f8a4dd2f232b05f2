"""Importing areas and stations from a file: reads it, compares, applies in one transaction."""

import asyncio
from datetime import datetime
from pathlib import Path

from contract.errors import RemedyError
from registry.diff import Plan, plan_areas, plan_stations
from registry.model import Area, Station
from registry.report import ImportReport, describe
from registry.rows import Kind, Rows, parse_rows
from registry.sheet import MAX_BYTES, read_sheet
from registry.store import QUERIES, known_areas, list_areas, load_stations, upsert_areas, upsert_stations
from store.pool import Connection


async def import_file(
    connection: Connection, kind: Kind, path: Path, *, now: datetime, dry_run: bool = False, skip_bad: bool = False
) -> ImportReport:
    """Import a CSV or XLSX file; `report.text` is for the person, `report.refused` says that bad rows stopped it.

    Raises RemedyError for a file that cannot be read as one of this kind at all.
    """
    try:
        rows = await asyncio.to_thread(read_rows, path, kind)
    except RemedyError as exc:
        raise RemedyError(f"{path}: {exc}") from exc
    async with connection.transaction(readonly=dry_run):
        if not dry_run:
            await connection.execute(QUERIES.lock_imports)
        if kind == "stations":
            return await _import_stations(connection, rows, dry_run=dry_run, skip_bad=skip_bad)
        return await _import_areas(connection, rows, dry_run=dry_run, skip_bad=skip_bad, now=now)


def read_rows(path: Path, kind: Kind) -> Rows:
    """Read and check a file on its own, without a database. Raises RemedyError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise RemedyError(f"cannot be read ({exc.strerror}): check the name and the permissions") from exc
    return parse_rows(read_sheet(content), kind)


async def _import_areas(
    connection: Connection, rows: Rows, *, dry_run: bool, skip_bad: bool, now: datetime
) -> ImportReport:
    plan: Plan[Area] = plan_areas(rows, await list_areas(connection))
    report = describe(plan, "areas", dry_run=dry_run, skip_bad=skip_bad)
    if report.applied:
        await upsert_areas(connection, plan.writes, at=now)
    return report


async def _import_stations(connection: Connection, rows: Rows, *, dry_run: bool, skip_bad: bool) -> ImportReport:
    stored = await load_stations(connection, [row.key for row in rows.good])
    areas = await known_areas(connection, {row.values["area"] for row in rows.good})
    plan: Plan[Station] = plan_stations(rows, stored, areas)
    report = describe(plan, "stations", dry_run=dry_run, skip_bad=skip_bad)
    if report.applied:
        await upsert_stations(connection, plan.writes)
    return report
