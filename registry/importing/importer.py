"""Importing areas, stations, closures and targets from a file: reads it, compares, applies in one transaction."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

from contract.errors import RemedyError
from registry.closures.store import import_closures, stored_closures
from registry.hours.calendar_store import lock_calendars, refresh_calendars
from registry.hours.schedule_store import (
    load_days,
    load_kind_schedules,
    load_overrides,
    put_days,
    put_kind_schedules,
    put_overrides,
    put_schedules,
)
from registry.importing.closure_plan import plan_closures
from registry.importing.diff import Plan, plan_areas, plan_stations
from registry.importing.hours_plan import plan_days, plan_overrides, plan_schedules
from registry.importing.layout import BadCell
from registry.importing.lost_zeros import may_lack_zeros, set_aside_ids
from registry.importing.places import set_aside_places
from registry.importing.report import Asked, ImportReport, describe
from registry.importing.rows import Kind, Rows, parse_rows
from registry.importing.sheet import MAX_BYTES
from registry.importing.sheet_process import read_apart
from registry.importing.store import load_surroundings, load_zero_ids
from registry.importing.target_plan import plan_targets
from registry.model import ALWAYS_OPEN, Area, DatedHours, DeclaredClosure, KindSchedule, NamedDay, Station, Target
from registry.store import (
    QUERIES,
    known_areas,
    known_stations,
    list_areas,
    load_stations,
    upsert_areas,
    upsert_stations,
)
from registry.target_store import load_targets, upsert_targets
from store.pool import Connection

_PLAINLY: Final = Asked()


async def import_file(
    connection: Connection, kind: Kind, path: Path, *, now: datetime, asked: Asked = _PLAINLY
) -> ImportReport:
    """Import a CSV or XLSX file; `report.text` is for the person, `report.refused` says that it was not applied.

    Raises RemedyError for a file that cannot be read as one of this kind at all.
    """
    try:
        rows = await asyncio.to_thread(read_rows, path, kind)
    except RemedyError as exc:
        raise RemedyError(f"{path}: {exc.said.text(asked.language)}") from exc
    async with connection.transaction(readonly=asked.dry_run):
        if not asked.dry_run:
            await connection.execute(QUERIES.lock_imports)
            await lock_calendars(connection)
        return await _IMPORTS[kind](connection, rows, asked, now)


def read_rows(path: Path, kind: Kind) -> Rows:
    """Read and check a file on its own, without a database. Raises RemedyError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise RemedyError(
            f"cannot be read ({exc.strerror}): check the name and the permissions",
            f"无法读取（{exc.strerror}）：请检查文件名和权限",
        ) from exc
    return parse_rows(read_apart(content), kind)


def _blank(rows: Rows, heard: Collection[str] = ()) -> dict[str, frozenset[str]]:
    """The empty cells of each row, which may clear what a person wrote; nobody wrote what is known by hearsay only."""
    return {row.key: row.blank for row in rows.good if row.blank and row.key not in heard}


async def _import_areas(connection: Connection, rows: Rows, asked: Asked, now: datetime) -> ImportReport:
    plan: Plan[Area] = plan_areas(rows, await list_areas(connection))
    report = describe(plan, "areas", asked, layout=rows.layout, blank=_blank(rows))
    if report.applied:
        await upsert_areas(connection, plan.writes, at=now)
        if plan.moved:
            await refresh_calendars(connection, now=now)
    return report


async def _import_stations(connection: Connection, rows: Rows, asked: Asked, now: datetime) -> ImportReport:
    stored = await load_stations(connection, [row.key for row in rows.good])
    areas = {row.values["area"] for row in rows.good}
    if not asked.ids_as_written:
        bare = [row.key for row in rows.good if may_lack_zeros(row.key)]
        rows = set_aside_ids(rows, stored, await load_zero_ids(connection, bare, areas))
    doubts: list[BadCell] = []
    if not asked.places_as_written:
        around = await load_surroundings(connection, areas, [row.key for row in rows.good])
        rows, doubts = set_aside_places(rows, stored, around)
    heard = {key for key, station in stored.items() if station.auto_registered}
    plan: Plan[Station] = plan_stations(rows, stored, await known_areas(connection, areas))
    report = describe(plan, "stations", asked, layout=rows.layout, blank=_blank(rows, heard), doubts=doubts)
    if report.applied:
        await upsert_stations(connection, plan.writes)
        await put_schedules(connection, _new_schedules(plan), now=now, by="import")
        await refresh_calendars(connection, now=now, stations=[station.id for station in plan.writes])
    return report


def _new_schedules(plan: Plan[Station]) -> dict[str, str]:
    rules = {station.id: station.schedule for station in plan.writes}
    new = [station.id for station in plan.new if station.schedule != ALWAYS_OPEN]
    return {station: rules[station] for station in (*new, *(c.key for c in plan.changes if "schedule" in c.fields))}


async def _import_closures(connection: Connection, rows: Rows, asked: Asked, now: datetime) -> ImportReport:
    stations = {row.values["station"] for row in rows.good}
    stored = await stored_closures(connection, stations)
    known = await known_stations(connection, stations)
    meant = (await load_zero_ids(connection, stations - known, ())).same
    plan: Plan[DeclaredClosure] = plan_closures(rows, stored, known, meant)
    report = describe(plan, "closures", asked, layout=rows.layout, blank=_blank(rows))
    if report.applied:
        await import_closures(connection, new=plan.new, changed=plan.changed, at=now)
    return report


async def _import_targets(connection: Connection, rows: Rows, asked: Asked, now: datetime) -> ImportReport:
    areas = await known_areas(connection, {code for row in rows.good for code in row.values["areas"]})
    plan: Plan[Target] = plan_targets(rows, await load_targets(connection), areas)
    report = describe(plan, "targets", asked, layout=rows.layout, blank=_blank(rows))
    if report.applied:
        await upsert_targets(connection, plan.writes)
    return report


async def _import_schedules(connection: Connection, rows: Rows, asked: Asked, now: datetime) -> ImportReport:
    plan: Plan[KindSchedule] = plan_schedules(rows, await load_kind_schedules(connection))
    report = describe(plan, "schedules", asked, layout=rows.layout, blank=_blank(rows))
    if report.applied:
        await put_kind_schedules(connection, plan.writes, by="import")
        await refresh_calendars(connection, now=now)
    return report


async def _import_overrides(connection: Connection, rows: Rows, asked: Asked, now: datetime) -> ImportReport:
    areas = await known_areas(connection, _named(rows, "area"))
    stations = await known_stations(connection, _named(rows, "station"))
    meant = (await load_zero_ids(connection, _named(rows, "station") - stations, ())).same
    plan: Plan[DatedHours] = plan_overrides(rows, await load_overrides(connection), areas, stations, meant)
    report = describe(plan, "overrides", asked, layout=rows.layout, blank=_blank(rows))
    if report.applied:
        await put_overrides(connection, plan.writes, by="import")
        await refresh_calendars(connection, now=now)
    return report


def _named(rows: Rows, field: str) -> set[str]:
    return {name for row in rows.good if (name := row.values.get(field)) is not None}


async def _import_days(connection: Connection, rows: Rows, asked: Asked, now: datetime) -> ImportReport:
    plan: Plan[NamedDay] = plan_days(rows, await load_days(connection))
    report = describe(plan, "days", asked, layout=rows.layout, blank=_blank(rows))
    if report.applied:
        await put_days(connection, plan.writes)
        await refresh_calendars(connection, now=now)
    return report


_IMPORTS: Final = {
    "areas": _import_areas,
    "stations": _import_stations,
    "closures": _import_closures,
    "targets": _import_targets,
    "schedules": _import_schedules,
    "overrides": _import_overrides,
    "days": _import_days,
}
