"""What differs between kinds of import files: how rows are compared with the database, and how a plan is written."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, Generic

import msgspec

from contract.said import Said
from registry.closures.store import import_closures, stored_closures
from registry.contacts.model import Contact
from registry.contacts.store import (
    account_ids,
    beyond_accounts,
    fingerprints_of,
    load_contacts,
    new_contact_id,
    put_contacts,
    retire_contact,
)
from registry.duty.model import Duty, Substitute
from registry.duty.store import (
    load_contact_names,
    load_duties,
    load_substitutes,
    put_duties,
    put_substitutes,
    remove_duties,
    remove_substitutes,
)
from registry.hours.calendar_store import refresh_calendars
from registry.hours.schedule_store import (
    load_days,
    load_kind_schedules,
    load_overrides,
    put_days,
    put_kind_schedules,
    put_overrides,
    put_schedules,
)
from registry.importing.closure_plan import approvals_note, plan_closures
from registry.importing.diff import Plan, T, plan_areas, plan_stations
from registry.importing.hours_plan import plan_days, plan_overrides, plan_schedules
from registry.importing.layout import BadCell
from registry.importing.lost_zeros import may_lack_zeros, set_aside_ids
from registry.importing.places import set_aside_places
from registry.importing.report import ImportOptions
from registry.importing.routing.contact_plan import (
    ContactContext,
    ImportedContact,
    namesakes_note,
    plan_contacts,
    reach_note,
)
from registry.importing.routing.duty_plan import plan_duties, plan_substitutes
from registry.importing.routing.route_plan import plan_routes, route_notes
from registry.importing.rows import Kind, Rows
from registry.importing.store import load_surroundings, load_zero_ids
from registry.importing.target_plan import plan_successions, plan_targets
from registry.model import (
    ALWAYS_OPEN,
    Area,
    AreaSuccession,
    DatedHours,
    DeclaredClosure,
    KindSchedule,
    NamedDay,
    Station,
    Target,
)
from registry.routes.model import Route
from registry.routes.store import known_levels, load_routes, put_routes, remove_routes
from registry.store import known_areas, known_stations, list_areas, load_stations, upsert_areas, upsert_stations
from registry.target_store import (
    load_successions,
    load_targets,
    put_successions,
    remove_successions,
    upsert_targets,
)
from store.author import Author
from store.pool import Connection


class Compared(msgspec.Struct, Generic[T], frozen=True):
    """A file compared with the database.

    `unwritten`: the keys of entries that no person has written yet, so that an empty cell clears nothing of theirs.
    `doubts`: cells that are left out of good rows. `notes`: what else the person should know.
    """

    plan: Plan[T]
    unwritten: Collection[str] = ()
    doubts: list[BadCell] = []
    notes: list[Said] = []


class ImportKind(msgspec.Struct, frozen=True):
    """One kind of import files. Both functions run in the transaction of the import."""

    compare: Callable[[Connection, Rows, ImportOptions], Awaitable[Compared[Any]]]
    #: Write a plan as of a time, by an account.
    write: Callable[[Connection, Plan[Any], datetime, str], Awaitable[None]]


async def _compare_areas(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[Area]:
    return Compared(plan_areas(rows, await list_areas(connection)))


async def _write_areas(connection: Connection, plan: Plan[Area], now: datetime, _: str) -> None:
    await upsert_areas(connection, plan.writes, at=now)
    if plan.moved:
        await refresh_calendars(connection, now=now)


async def _compare_stations(connection: Connection, rows: Rows, options: ImportOptions) -> Compared[Station]:
    stored = await load_stations(connection, [row.key for row in rows.good])
    areas = {row.values["area"] for row in rows.good}
    if not options.ids_as_written:
        bare = [row.key for row in rows.good if may_lack_zeros(row.key)]
        rows = set_aside_ids(rows, stored, await load_zero_ids(connection, bare, areas))
    doubts: list[BadCell] = []
    if not options.places_as_written:
        around = await load_surroundings(connection, areas, [row.key for row in rows.good])
        rows, doubts = set_aside_places(rows, stored, around)
    plan = plan_stations(rows, stored, await known_areas(connection, areas))
    unwritten = {key for key, station in stored.items() if station.auto_registered}
    return Compared(plan, unwritten, doubts)


async def _write_stations(connection: Connection, plan: Plan[Station], now: datetime, by: str) -> None:
    await upsert_stations(connection, plan.writes)
    await put_schedules(connection, new_schedules(plan), now=now, by=by)
    await refresh_calendars(connection, now=now, stations=[station.id for station in plan.writes])


def new_schedules(plan: Plan[Station]) -> dict[str, str]:
    """{station: rules} of the stations that get another schedule; a new station is open always without one."""
    rules = {station.id: station.schedule for station in plan.writes}
    new = [station.id for station in plan.new if station.schedule != ALWAYS_OPEN]
    return {station: rules[station] for station in (*new, *(c.key for c in plan.changes if "schedule" in c.fields))}


async def _compare_closures(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[DeclaredClosure]:
    named = _named(rows, "station")
    stored = await stored_closures(connection, named)
    known = await known_stations(connection, named)
    plan = plan_closures(rows, stored, known, await _with_zeros(connection, named - known))
    return Compared(plan, notes=approvals_note(rows, stored))


async def _write_closures(connection: Connection, plan: Plan[DeclaredClosure], now: datetime, by: str) -> None:
    await import_closures(connection, new=plan.new, changed=plan.changed, at=now, by=by)


async def _compare_targets(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[Target]:
    areas = await known_areas(connection, {code for row in rows.good for code in row.values["areas"]})
    return Compared(plan_targets(rows, await load_targets(connection), areas))


async def _write_targets(connection: Connection, plan: Plan[Target], _now: datetime, _by: str) -> None:
    await upsert_targets(connection, plan.writes)


async def _compare_successions(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[AreaSuccession]:
    return Compared(plan_successions(rows, await load_successions(connection)))


async def _write_successions(connection: Connection, plan: Plan[AreaSuccession], _now: datetime, _by: str) -> None:
    await remove_successions(connection, plan.removed)
    await put_successions(connection, plan.writes)


async def _compare_schedules(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[KindSchedule]:
    return Compared(plan_schedules(rows, await load_kind_schedules(connection)))


async def _write_schedules(connection: Connection, plan: Plan[KindSchedule], now: datetime, by: str) -> None:
    await put_kind_schedules(connection, plan.writes, by=by)
    await refresh_calendars(connection, now=now)


async def _compare_overrides(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[DatedHours]:
    areas = await known_areas(connection, _named(rows, "area"))
    named = _named(rows, "station")
    stations = await known_stations(connection, named)
    meant = await _with_zeros(connection, named - stations)
    return Compared(plan_overrides(rows, await load_overrides(connection), areas, stations, meant))


async def _write_overrides(connection: Connection, plan: Plan[DatedHours], now: datetime, by: str) -> None:
    await put_overrides(connection, plan.writes, by=by)
    await refresh_calendars(connection, now=now)


async def _compare_days(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[NamedDay]:
    return Compared(plan_days(rows, await load_days(connection)))


async def _write_days(connection: Connection, plan: Plan[NamedDay], now: datetime, _: str) -> None:
    await put_days(connection, plan.writes)
    await refresh_calendars(connection, now=now)


async def _compare_contacts(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[Contact]:
    stored = await load_contacts(connection)
    addresses = sorted({each for row in rows.good for each in row.values.get("channels") or ()}, key=lambda a: a.text)
    around = ContactContext(
        stored=stored,
        channels=dict(zip(addresses, await fingerprints_of(connection, addresses), strict=True)),
        areas=await known_areas(connection, _named(rows, "area")),
        accounts=await account_ids(connection, _named(rows, "account")),
    )
    plan = plan_contacts(rows, around, new_contact_id)
    beyond = await beyond_accounts(connection, plan.writes)
    return Compared(plan, notes=[*namesakes_note(rows, stored), *reach_note(beyond)])


async def _write_contacts(connection: Connection, plan: Plan[Contact], _now: datetime, by: str) -> None:
    edits = [contact.edit for contact in plan.writes if isinstance(contact, ImportedContact)]
    await put_contacts(connection, edits, by=Author(by))
    for contact in plan.removed:
        await retire_contact(connection, contact.id, by=Author(by))


async def _compare_duty(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[Duty]:
    areas = await known_areas(connection, _named(rows, "area"))
    contacts = await load_contact_names(connection)
    return Compared(plan_duties(rows, await load_duties(connection), contacts, areas))


async def _write_duty(connection: Connection, plan: Plan[Duty], _now: datetime, by: str) -> None:
    await remove_duties(connection, [duty.id for duty in plan.removed if duty.id is not None], by=Author(by))
    await put_duties(connection, plan.writes, by=Author(by))


async def _compare_substitutes(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[Substitute]:
    contacts = await load_contact_names(connection)
    return Compared(plan_substitutes(rows, await load_substitutes(connection), contacts))


async def _write_substitutes(connection: Connection, plan: Plan[Substitute], _now: datetime, by: str) -> None:
    await remove_substitutes(connection, [each.id for each in plan.removed if each.id is not None], by=Author(by))
    await put_substitutes(connection, plan.writes, by=Author(by))


async def _compare_routes(connection: Connection, rows: Rows, _: ImportOptions) -> Compared[Route]:
    stored = await load_routes(connection)
    plan = plan_routes(rows, stored, await known_areas(connection, _named(rows, "area")))
    return Compared(plan, notes=route_notes(plan, stored, await known_levels(connection)))


async def _write_routes(connection: Connection, plan: Plan[Route], _now: datetime, by: str) -> None:
    await remove_routes(connection, [route.id for route in plan.removed], by=Author(by))
    await put_routes(connection, plan.writes, by=Author(by))


def _named(rows: Rows, field: str) -> set[str]:
    """What the good rows name in a field."""
    return {name for row in rows.good if (name := row.values.get(field)) is not None}


async def _with_zeros(connection: Connection, unknown: Collection[str]) -> Mapping[str, str]:
    """{an unknown id that may have lost its leading zeros: the registered id with them}."""
    return (await load_zero_ids(connection, unknown, ())).same


IMPORT_KINDS: Final[Mapping[Kind, ImportKind]] = {
    "areas": ImportKind(_compare_areas, _write_areas),
    "stations": ImportKind(_compare_stations, _write_stations),
    "closures": ImportKind(_compare_closures, _write_closures),
    "targets": ImportKind(_compare_targets, _write_targets),
    "schedules": ImportKind(_compare_schedules, _write_schedules),
    "overrides": ImportKind(_compare_overrides, _write_overrides),
    "days": ImportKind(_compare_days, _write_days),
    "contacts": ImportKind(_compare_contacts, _write_contacts),
    "duty": ImportKind(_compare_duty, _write_duty),
    "substitutes": ImportKind(_compare_substitutes, _write_substitutes),
    "routes": ImportKind(_compare_routes, _write_routes),
    "successions": ImportKind(_compare_successions, _write_successions),
}
"""A new kind of import files is an entry here, its columns in `rows.COLUMNS` and its word in the glossary."""
