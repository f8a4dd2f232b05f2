"""The stored calendars: made of schedules, overrides and classes of days, with their openings around today."""

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from registry.hours.calendar import (
    ALWAYS,
    FROM_ALWAYS,
    Calendar,
    Definition,
    Version,
    calendar_of,
)
from registry.hours.day_classes import DayClass, DayClasses
from registry.hours.opening_text import ScheduleError
from registry.hours.scopes import StationScope, overrides_of
from registry.model import DatedHours
from registry.store import QUERIES as REGISTRY
from store.pool import Connection
from store.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(Path(__file__).with_name("calendar_queries.sql"))

KEPT: Final = timedelta(days=8)
AHEAD: Final = timedelta(days=40)
"""The window of stored openings, before and after midnight UTC."""
MANY: Final = 20_000
"""A refresh of more stations than this looks at all stations."""
_UNREADABLE: Final = Definition((Version(FROM_ALWAYS, "unreadable"),))
_EDITION: Final = "1"
"""Increase it when the code computes other openings of the same definition: then all calendars are filled again."""

Opening = tuple[int, datetime, datetime]
"""(calendar, opens, closes)"""


class Refreshed(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a refresh, in numbers."""

    #: Calendars in use.
    calendars: int
    #: Calendars whose openings changed.
    filled: int
    #: Stations that got another calendar.
    moved: int
    #: Calendars with days whose class the state has not announced yet.
    provisional: int
    #: Problems of schedules and overrides that cannot be read; their stations keep their calendars.
    unreadable: list[str]

    @property
    def changed(self) -> bool:
        """Whether the refresh wrote anything."""
        return bool(self.filled or self.moved)


class _Group(msgspec.Struct, frozen=True):
    """Stations with the same openings: the source of these, one of the stations, and the calendars that they have."""

    source: str | None
    station: str
    calendars: frozenset[int | None]


async def refresh_calendars(
    connection: Connection, *, now: datetime, stations: Collection[str] | None = None
) -> Refreshed:
    """Give stations the calendars that follow from schedules and overrides, and store the openings around `now`.

    Writes only differences, and announces them. With `stations` it looks at these only. It runs in a transaction of
    its own, or within that of the caller.
    """
    wanted = None if stations is None or len(stations) > MANY else list(stations)
    async with connection.transaction():
        await lock_calendars(connection)
        groups = [_group(row) for row in await connection.fetch(QUERIES.opening_sources, wanted)]
        definitions, unreadable = await _definitions(connection, groups)
        ids = await _calendar_ids(connection, definitions.values(), now)
        places = {
            source: None if definition == ALWAYS.definition else ids[definition.key]
            for source, definition in definitions.items()
        }
        moved = await _place(connection, groups, places, wanted)
        if wanted is None:
            await connection.execute(QUERIES.unused_calendars)
        filled, calendars = await _fill(connection, now)
        if filled or moved:
            await connection.execute(REGISTRY.announce)
        provisional: int = await connection.fetchval(QUERIES.count_provisional)
    return Refreshed(calendars=calendars, filled=filled, moved=moved, provisional=provisional, unreadable=unreadable)


async def lock_calendars(connection: Connection) -> None:
    """Let no other transaction refresh calendars until this one ends.

    A transaction that changes stations and refreshes calendars takes this lock first: a refresh that has the lock
    waits for locked stations, so the other order would be a deadlock.
    """
    await connection.execute(QUERIES.lock_calendars)


async def fill_openings(connection: Connection, *, now: datetime) -> int:
    """Move the window of stored openings to `now`; the number of calendars whose openings changed.

    Its cost does not depend on the number of stations, and it writes only once a day.
    """
    async with connection.transaction():
        await lock_calendars(connection)
        filled, _ = await _fill(connection, now)
    return filled


async def load_calendars(connection: Connection) -> dict[int, Calendar]:
    """Every calendar by its id; a station without one is always open (`registry.hours.calendar.ALWAYS`).

    A calendar that cannot be read is included and raises ValueError when used, so that only its stations suffer.
    """
    classes = await load_day_classes(connection)
    rows = await connection.fetch(QUERIES.load_calendars)
    return {row["id"]: _read(row, classes) for row in rows}


def _read(row: asyncpg.Record, classes: DayClasses) -> Calendar:
    try:
        return Calendar(_definition(row), classes)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Calendar(_UNREADABLE, classes)


async def load_day_classes(connection: Connection) -> DayClasses:
    """The classes of days, with the overrides of table day_class."""
    return DayClasses({row["day"]: DayClass(row["class"]) for row in await connection.fetch(QUERIES.load_day_classes)})


def _group(row: asyncpg.Record) -> _Group:
    has = {row["least"], row["greatest"]} | ({None} if row["placed"] < row["stations"] else set())
    return _Group(row["source"], row["station"], frozenset(has))


async def _definitions(connection: Connection, groups: Iterable[_Group]) -> tuple[dict[str, Definition], list[str]]:
    """{source: definition}, and the problems of those that cannot be read."""
    named = {group.station: group.source for group in groups if group.source is not None}
    schedules = await connection.fetch(QUERIES.load_schedules, list(named))
    overrides = [DatedHours(**dict(row)) for row in await connection.fetch(QUERIES.load_overrides, list(named))]
    own, kinds = _versions(schedules, "station"), _versions(schedules, "kind")
    found: dict[str, Definition] = {}
    unreadable: list[str] = []
    for scope in map(_scope, await connection.fetch(QUERIES.load_places, list(named))):
        try:
            by_kind = () if scope.kind is None else kinds.get(scope.kind, ())
            calendar = calendar_of(own.get(scope.station, ()), by_kind, overrides_of(scope, overrides))
        except ScheduleError as exc:
            unreadable.append(f"station {scope.station} and those like it: {exc}")
        else:
            found[named[scope.station]] = calendar.definition
    return found, unreadable


def _versions(rows: Iterable[asyncpg.Record], of: str) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for row in rows:
        if row[of] is not None:
            found.setdefault(row[of], []).append(Version(row["valid_from"], row["rules"], row["timezone"]))
    return found


def _scope(row: asyncpg.Record) -> StationScope:
    return StationScope(station=row["station"], kind=row["kind"], path=tuple(row["path"]))


async def _calendar_ids(connection: Connection, definitions: Iterable[Definition], now: datetime) -> dict[str, int]:
    """{key: id} of the calendars; new ones are added without openings."""
    wanted = {definition.key: definition for definition in definitions if definition != ALWAYS.definition}
    texts = [msgspec.json.encode(definition).decode() for definition in wanted.values()]
    await connection.execute(QUERIES.add_calendars, list(wanted), texts, now)
    return {row["key"]: row["id"] for row in await connection.fetch(QUERIES.load_calendars)}


async def _place(
    connection: Connection,
    groups: Iterable[_Group],
    places: Mapping[str, int | None],
    stations: Sequence[str] | None,
) -> int:
    """Set the calendars of the stations that should have others; the number of these stations."""
    readable = [group for group in groups if group.source is None or group.source in places]
    if all(group.calendars == {places.get(group.source or "")} for group in readable):
        return 0
    done = await connection.execute(QUERIES.set_calendars, list(places), list(places.values()), stations)
    return int(done.split()[-1])


async def _fill(connection: Connection, now: datetime) -> tuple[int, int]:
    """Store the openings of calendars that are not up to date; the numbers of calendars that changed, and of all."""
    classes = await load_day_classes(connection)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin, end = midnight - KEPT, midnight + AHEAD
    up_to_date = begin, end, _stamp(classes, begin.date(), end.date())
    rows = await connection.fetch(QUERIES.load_calendars)
    due = {
        row["id"]: _read(row, classes)
        for row in rows
        if (row["filled_from"], row["filled_to"], row["classes"]) != up_to_date
    }
    if not due:
        return 0, len(rows)
    days = _days(begin.date(), end.date())
    computed = {number: found for number, each in due.items() if (found := _compute(number, each, begin, end, days))}
    changed = await _write_openings(connection, {number: openings for number, (openings, _) in computed.items()})
    provisional = [provisional for _, provisional in computed.values()]
    await connection.execute(QUERIES.mark_filled, list(computed), provisional, *up_to_date)
    return len(changed), len(rows)


def _compute(
    number: int, calendar: Calendar, begin: datetime, end: datetime, days: Sequence[date]
) -> tuple[Sequence[tuple[datetime, datetime]], bool] | None:
    """The openings of a calendar and whether they are provisional; None when they cannot be computed.

    Then the next refresh tries again, and the incident process reports the calendar.
    """
    try:
        return calendar.openings(begin, end), any(map(calendar.provisional, days))
    except Exception:
        log.exception("the openings of a calendar cannot be computed", extra={"calendar": number})
        return None


async def _write_openings(
    connection: Connection, calendars: Mapping[int, Sequence[tuple[datetime, datetime]]]
) -> set[int]:
    """Write the differences; the calendars that had any."""
    wanted = {(number, *opening) for number, openings in calendars.items() for opening in openings}
    stored = {_opening(row) for row in await connection.fetch(QUERIES.load_openings, list(calendars))}
    gone, new = sorted(stored - wanted), sorted(wanted - stored)
    await connection.execute(QUERIES.drop_openings, [o[0] for o in gone], [o[1] for o in gone])
    await connection.execute(QUERIES.add_openings, [o[0] for o in new], [o[1] for o in new], [o[2] for o in new])
    return {number for number, *_ in (*gone, *new)}


def _opening(row: asyncpg.Record) -> Opening:
    return row["calendar"], row["opens_at"], row["closes_at"]


def _definition(row: asyncpg.Record) -> Definition:
    value: Any = row["definition"]
    return msgspec.json.decode(value, type=Definition) if isinstance(value, str) else msgspec.convert(value, Definition)


def _stamp(classes: DayClasses, first: date, last: date) -> str:
    """A hash of everything beside the definition that decides the openings between two days."""
    said = "".join(f"{classes.class_of(day)}{classes.provisional(day):d}" for day in _days(first, last))
    return hashlib.sha256(f"{_EDITION} {said}".encode()).hexdigest()[:16]


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(-2, (last - first).days + 2)]
