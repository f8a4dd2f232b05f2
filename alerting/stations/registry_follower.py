"""Following the registry: what people change of stations, areas, calendars and closures goes into the table."""

from collections.abc import Iterable, Mapping

import asyncpg

from alerting.liveness.store import QUERIES as JUDGE_QUERIES
from alerting.stations.store import QUERIES, follow_closures, load_paths, load_states, name_bounds, to_facts
from alerting.stations.table import Field
from registry.hours.calendar_store import load_calendars
from store.pool import Connection


class RegistryFollower:
    """Finds what changed since the last call that was committed, by a horizon of transactions and two marks."""

    def __init__(self, horizon: str, areas: str, calendars: str) -> None:
        self._horizon = horizon
        self._areas = areas
        self._calendars = calendars

    @property
    def revision(self) -> str:
        """The state of the registry that was read: it holds every change of an older transaction."""
        return self._horizon

    @classmethod
    async def start(cls, connection: Connection) -> "RegistryFollower":
        """Follow from now on; call it in the snapshot in which the table is loaded."""
        areas: str = await connection.fetchval(QUERIES.areas_changed)
        calendars: str = await connection.fetchval(QUERIES.calendars_changed)
        return cls(await _read_horizon(connection), areas, calendars)

    async def follow_registry(self, connection: Connection, field: Field, applied: Mapping[int, int]) -> bool:
        """Take into the table what changed. `applied`: up to which transition of each partition the table was fed.
        Returns whether the tree of areas changed."""
        horizon = await _read_horizon(connection)
        await self._follow_calendars(connection, field)
        has_new_tree = await self._follow_areas(connection, field)
        await _register(connection, field, await connection.fetch(QUERIES.changed_stations, self._horizon), applied)
        for row in await connection.fetch(QUERIES.deleted_stations, self._horizon):
            field.remove_station(row["station"])
        await follow_closures(connection, field)
        self._horizon = horizon
        return has_new_tree

    async def _follow_calendars(self, connection: Connection, field: Field) -> None:
        calendars = await connection.fetchval(QUERIES.calendars_changed)
        if calendars != self._calendars:
            field.schedule.set_calendars(await load_calendars(connection))
            self._calendars = calendars

    async def _follow_areas(self, connection: Connection, field: Field) -> bool:
        areas = await connection.fetchval(QUERIES.areas_changed)
        if areas == self._areas:
            return False
        field.set_paths(await load_paths(connection))
        self._areas = areas
        return True


async def add_unknown_stations(
    connection: Connection, field: Field, stations: Iterable[str], applied: Mapping[int, int]
) -> None:
    """Put stations into the table that transitions name and that are not in it, as far as they are registered."""
    new = sorted({station for station in stations if station not in field})
    if new:
        await _register(connection, field, await connection.fetch(QUERIES.some_stations, new), applied)


async def _register(
    connection: Connection, field: Field, rows: Iterable[asyncpg.Record], applied: Mapping[int, int]
) -> None:
    found = []
    for row in rows:
        name_bounds(field, row)
        found.append(to_facts(row, row["path"]))
    states = await load_states(connection, [facts.station for facts in found if facts.station not in field], applied)
    for facts in found:
        field.register(facts, states.get(facts.station))


async def _read_horizon(connection: Connection) -> str:
    horizon: str = await connection.fetchval(JUDGE_QUERIES.snapshot_horizon)
    return horizon
