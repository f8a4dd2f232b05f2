"""Routes in the database, and everything that decides who is told, in one snapshot. Every change of a route has an
entry in the ledger, in its transaction."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from contract.errors import RemedyError
from registry.contacts.store import load_contacts
from registry.duty.store import load_duties, load_substitutes
from registry.hours.day_classes import DayClass
from registry.hours.schedule_store import load_days
from registry.routes.checks import sound_route
from registry.routes.model import Route, RouteStep
from registry.routes.routing import RouteSubject, Routing
from registry.routes.steps import steps_text
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import load_queries
from store.troubles import said

QUERIES: Final = load_queries(Path(__file__).with_name("queries.sql"))


async def load_routes(connection: Connection, ids: Collection[str] | None = None) -> dict[str, Route]:
    """Routes by their ids, in order; None: all that apply in the scope of the connection."""
    rows = await connection.fetch(QUERIES.load_routes, None if ids is None else list(ids))
    return {row["id"]: route_of(row) for row in rows}


async def _load_readable_routes(connection: Connection) -> tuple[tuple[Route, ...], dict[str, str]]:
    """The routes, and the reasons of those that cannot be read, by id."""
    routes, unreadable = [], {}
    for row in await connection.fetch(QUERIES.load_routes, None):
        try:
            routes.append(route_of(row))
        except (msgspec.ValidationError, TypeError, ValueError) as exc:
            unreadable[row["id"]] = said(exc)
    return tuple(routes), unreadable


async def load_routing(connection: Connection, *, since: datetime | None = None) -> Routing:
    """Everything that decides who is told, in one snapshot. Substitutes that are over at `since` are left out.

    A route that cannot be read applies to nothing. Within a scope that is not the whole, contacts and duties outside it
    are not seen; `Routing.scope` says so.
    """
    async with _one_snapshot(connection):
        scope = await connection.fetchval(QUERIES.seen_scope)
        contacts = await load_contacts(connection)
        routes, unreadable = await _load_readable_routes(connection)
        return Routing(
            contacts=dict(sorted(contacts.items())),
            duties=await load_duties(connection),
            substitutes=await load_substitutes(connection, since=since),
            routes=routes,
            unreadable=unreadable,
            days={day.day: DayClass(day.day_class) for day in (await load_days(connection)).values()},
            scope=None if scope is None else frozenset(scope),
        )


async def put_routes(connection: Connection, routes: Sequence[Route], *, by: Author) -> list[str]:
    """Make or change routes, each once; returns the ids of those that were written.

    Raises SaidError for a route that cannot be, RemedyError for an area that is not there or outside the scope, which
    is answered alike.
    """
    sound = {route.id: route for route in map(sound_route, routes)}
    try:
        async with connection.transaction():
            await _require_areas(connection, {route.area for route in sound.values() if route.area is not None})
            rows = await connection.fetch(QUERIES.put_routes, *_columns(list(sound.values())), by.account)
            entries = [
                _entry(LedgerKind.ROUTE_MADE if row["made"] else LedgerKind.ROUTE_CHANGED, sound[row["id"]], by)
                for row in rows
            ]
            await append_entries(connection, entries)
    except (asyncpg.ForeignKeyViolationError, asyncpg.InsufficientPrivilegeError) as exc:
        raise _not_yours(sound) from exc
    return [row["id"] for row in rows]


async def remove_routes(connection: Connection, ids: Collection[str], *, by: Author) -> list[str]:
    """Remove routes; returns the ids of those that there were in the scope."""
    async with connection.transaction():
        gone = [row["id"] for row in await connection.fetch(QUERIES.remove_routes, list(ids))]
        await append_entries(connection, [_ledger_entry(LedgerKind.ROUTE_REMOVED, name, by, {}) for name in gone])
        return gone


async def has_stored_default(connection: Connection) -> bool:
    """Whether some stored route takes every incident, wherever it is."""
    return bool(await connection.fetchval(QUERIES.has_default_route))


async def known_levels(connection: Connection) -> set[str]:
    """The levels that the division tree has."""
    return {row["level"] for row in await connection.fetch(QUERIES.known_levels)}


async def load_subject(
    connection: Connection, *, station: str | None = None, area: str | None = None, kind: str, severity: str
) -> RouteSubject | None:
    """The subject of an incident of a station or an area; None: there is no such one in the scope."""
    row = None if station is None else await connection.fetchrow(QUERIES.load_station_place, station)
    if station is not None and row is None:
        return None
    place = area if row is None else row["area"]
    above = await connection.fetch(QUERIES.load_place, place)
    if station is None and not above:
        return None
    return RouteSubject(
        kind=kind,
        severity=severity,
        station=station,
        path=tuple(each["code"] for each in above),
        levels={each["code"]: each["level"] for each in above},
        station_kind=None if row is None else row["kind"],
        programmes=frozenset(() if row is None else row["programmes"]),
    )


async def load_station_openings(
    connection: Connection, station: str, begin: datetime, end: datetime
) -> list[tuple[datetime, datetime]] | None:
    """The openings of a station that touch an interval, in order; None: it is always open."""
    calendar = await connection.fetchval(QUERIES.station_calendar, station)
    if calendar is None:
        return None
    rows = await connection.fetch(QUERIES.station_openings, calendar, begin, end)
    return [(row["opens_at"], row["closes_at"]) for row in rows]


@asynccontextmanager
async def _one_snapshot(connection: Connection) -> AsyncIterator[None]:
    """A transaction of one snapshot; the caller's, where there is one."""
    if connection.is_in_transaction():
        yield
        return
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


async def _require_areas(connection: Connection, areas: set[str]) -> None:
    """A foreign key does not look at the scope, and the policy of routes does; both answers are this one."""
    seen = {row["code"] for row in await connection.fetch(QUERIES.known_places, list(areas))}
    if lacking := sorted(areas - seen):
        shown = ", ".join(lacking[:3])
        raise RemedyError(f"there is no area {shown}: correct it", f"没有区划 {shown}：请改正")


def _not_yours(routes: Collection[str]) -> RemedyError:
    shown = ", ".join(sorted(routes)[:3])
    return RemedyError(
        f"the route {shown} cannot be written: name an area of your scope, and an id that is not taken",
        f"无法写入路由 {shown}：请填写您管辖范围内的区划，并使用未被占用的编号",
    )


def _entry(kind: LedgerKind, route: Route, by: Author) -> LedgerEntry:
    body = {
        "area": route.area,
        "kinds": list(route.kinds),
        "severities": list(route.severities),
        "programme": route.programme,
        "station_kind": route.station_kind,
        "steps": steps_text(route.steps),
        "tell_past": route.tell_past,
        **hashed(name=route.name),
    }
    return _ledger_entry(kind, route.id, by, body)


def _ledger_entry(kind: LedgerKind, route: str, by: Author, body: dict[str, Any]) -> LedgerEntry:
    return LedgerEntry(kind=kind, subject=f"route/{route}", actor=by.account, body={**body, **by.remarked})


def _columns(routes: Sequence[Route]) -> list[list[Any]]:
    return [
        [route.id for route in routes],
        [route.name for route in routes],
        [route.area for route in routes],
        [",".join(route.kinds) for route in routes],
        [",".join(route.severities) for route in routes],
        [route.programme for route in routes],
        [route.station_kind for route in routes],
        [msgspec.to_builtins(route.steps) for route in routes],
        [route.tell_past for route in routes],
    ]


def route_of(row: asyncpg.Record) -> Route:
    """A route of a row with all its columns."""
    fields = {**dict(row), "kinds": tuple(row["kinds"]), "severities": tuple(row["severities"])}
    return Route(**{**fields, "steps": msgspec.convert(row["steps"], tuple[RouteStep, ...])})
