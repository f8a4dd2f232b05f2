"""Schedules, overrides of single days and announced days in the database. Refresh the calendars after a change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from contract.home import HOME_ZONE
from registry.hours.calendar import FROM_ALWAYS, Version
from registry.hours.opening_text import AS_KIND, parse_dated, parse_rules
from registry.model import DatedHours, KindSchedule, NamedDay
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("schedule_queries.sql"))


async def put_schedules(connection: Connection, schedules: Mapping[str, str], *, now: datetime, by: str) -> None:
    """Give stations new schedules, {station: rules}: the first one for all time, a later one from today in its zone.

    Raises ScheduleError.
    """
    had = {row["station"] for row in await connection.fetch(QUERIES.own_schedules, list(schedules))}
    given = sorted(
        (station, _version(rules, None if station not in had else now)) for station, rules in schedules.items()
    )
    await connection.execute(
        QUERIES.put_schedules,
        [station for station, _ in given],
        [version.valid_from for _, version in given],
        [version.rules for _, version in given],
        [version.zone for _, version in given],
        by,
    )


async def load_kind_schedules(connection: Connection) -> dict[str, KindSchedule]:
    """All schedules of kinds, by key."""
    rows = await connection.fetch(QUERIES.load_kind_schedules)
    return {entry.id: entry for entry in (KindSchedule(**dict(row)) for row in rows)}


async def put_kind_schedules(connection: Connection, schedules: Sequence[KindSchedule], *, by: str) -> None:
    """Give kinds schedules, which apply to stations without one of their own. Raises ScheduleError."""
    zones = [_zone(entry.rules) for entry in schedules]
    columns = (_column(schedules, name) for name in ("kind", "valid_from", "rules"))
    await connection.execute(QUERIES.put_kind_schedules, *columns, zones, by)


async def load_overrides(connection: Connection) -> dict[str, DatedHours]:
    """All overrides of single days, by key."""
    rows = await connection.fetch(QUERIES.load_overrides)
    return {entry.id: entry for entry in (DatedHours(**dict(row)) for row in rows)}


async def put_overrides(connection: Connection, overrides: Sequence[DatedHours], *, by: str) -> None:
    """Add overrides of single days, or replace those of the same scope and days. Raises ScheduleError."""
    for override in overrides:
        parse_dated(override.rules)
    names = ("station", "kind", "area", "first", "last", "rules", "reason")
    await connection.execute(QUERIES.put_overrides, *(_column(overrides, name) for name in names), by)


async def load_days(connection: Connection) -> dict[str, NamedDay]:
    """The days whose class was given by a person, by key."""
    return {day.id: day for day in (NamedDay(**dict(row)) for row in await connection.fetch(QUERIES.load_days))}


async def put_days(connection: Connection, days: Sequence[NamedDay]) -> None:
    """Give days a class, which comes before that of the state's calendar."""
    await connection.execute(QUERIES.put_days, *(_column(days, name) for name in ("day", "day_class", "title")))


def _version(rules: str, now: datetime | None) -> Version:
    """A schedule as it is stored: from today in its zone, or (None) for all time."""
    zone = _zone(rules)
    return Version(FROM_ALWAYS if now is None else now.astimezone(ZoneInfo(zone)).date(), rules, zone)


def _zone(rules: str) -> str:
    return (None if rules == AS_KIND else parse_rules(rules).zone) or HOME_ZONE


def _column(entries: Sequence[Any], name: str) -> list[Any]:
    return [getattr(entry, name) for entry in entries]
