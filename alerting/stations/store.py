"""Loading the field and following the registry: rows to stations and back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from alerting.liveness.store import QUERIES as JUDGE_QUERIES
from alerting.stations.model import Facts, Judged, StationChange
from alerting.stations.snapshot import ClockName
from alerting.stations.table import Field
from contract.bounds import EARLIEST, LATEST
from registry.closures import store as closure_store
from registry.closures.rules import Closure
from registry.hours.calendar_store import load_calendars
from store.pool import Connection
from store.sql import load_queries
from store.troubles import MOST

QUERIES = load_queries(Path(__file__).with_name("queries.sql"))
_CHUNK = 5_000
_LATELY = timedelta(days=2)
_CORRECT = f"times must lie between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d}"


def to_change(row: asyncpg.Record) -> StationChange:
    """A row of `transition`."""
    return StationChange(**dict(row))


async def load_known(connection: Connection) -> datetime | None:
    """Up to when the last pass that was committed had decided; None: there was none."""
    known: datetime | None = await connection.fetchval(QUERIES.read_known)
    return known


async def set_known(connection: Connection, known: datetime) -> None:
    await connection.execute(QUERIES.set_known, known)


async def load_field(connection: Connection, time: datetime, applied: Mapping[int, int]) -> Field:
    """Every registered station as it stood when the transitions up to `applied` were taken in; in one snapshot."""
    field = Field(time, await load_calendars(connection))
    paths = await load_paths(connection)
    async for row in connection.cursor(QUERIES.all_stations, prefetch=_CHUNK):
        _name_bounds(field, row)
        field.restore(_facts(row, paths.get(row["area"])))
    async for row in connection.cursor(QUERIES.all_states, prefetch=_CHUNK):
        _restore_state(field, row["station"], _judged(row))
    for station, judged in (await _states_behind(connection, applied, None)).items():
        _restore_state(field, station, judged)
    async for row in connection.cursor(QUERIES.all_promises, prefetch=_CHUNK):
        field.note_promise(row["station"], row["every"])
    await _follow_closures(connection, field)
    for row in await connection.fetch(QUERIES.recent_gaps, time):
        field.resume((row["partition"], row["shard"]), row["ended_at"])
    field.take()
    return field


def _restore_state(field: Field, station: str, judged: Judged) -> None:
    """A state that cannot be read costs its station, which stands as never seen then."""
    try:
        field.restore_state(station, judged)
    except Exception as exc:
        field.troubles.put("station", station, exc)


def _name_bounds(field: Field, row: asyncpg.Record) -> None:
    """Name a station that was registered with a date that nothing can be reckoned with."""
    if row["out_of_bounds"]:
        field.troubles.put("commissioned", row["station"], f"read as {row['commissioned_at']}: {_CORRECT}")
    else:
        field.troubles.drop("commissioned", row["station"])


async def _follow_closures(connection: Connection, field: Field) -> None:
    """Take over all closures, and name those that begin or end where nothing can be."""
    field.schedule.set_closures(await load_closures(connection, field.time))
    field.troubles.drop_kind("closure")
    for row in await connection.fetch(closure_store.QUERIES.closures_out_of_bounds, MOST):
        why = f"from {row['from_at']} until {row['until_at']}: withdraw it and declare it again; {_CORRECT}"
        field.troubles.put("closure", str(row["id"]), why)


async def load_paths(connection: Connection) -> dict[str, tuple[str, ...]]:
    return {row["code"]: tuple(row["path"]) for row in await connection.fetch(QUERIES.area_paths)}


async def load_closures(connection: Connection, time: datetime) -> list[Closure]:
    """Those that go on or come, and those that ended lately: they still say since when a station is expected."""
    return await closure_store.load_closures(connection, since=time - _LATELY)


async def meet(connection: Connection, field: Field, stations: Iterable[str], applied: Mapping[int, int]) -> None:
    """Put stations into the field that transitions name and it does not know; nobody may have registered them."""
    new = sorted({station for station in stations if station not in field})
    if not new:
        return
    rows = await connection.fetch(QUERIES.some_stations, new)
    await _register(connection, field, rows, applied)


async def follow_promises(connection: Connection, field: Field, stations: Iterable[str]) -> None:
    """How often these stations promise to be heard; those of which something changed."""
    known = sorted({station for station in stations if station in field})
    for row in await connection.fetch(QUERIES.some_promises, known) if known else ():
        field.note_promise(row["station"], row["every"])


async def follow_clocks(
    connection: Connection, field: Field, clocks: Iterable[ClockName], untrusted: frozenset[ClockName]
) -> None:
    """Stations whose clock says nothing may be heard through another shard by now, where that says something."""
    sound = {partition for partition, shard in clocks if (partition, shard) not in untrusted}
    resting = field.resting_on(clock for clock in untrusted if clock[0] in sound)
    for row in await connection.fetch(QUERIES.clock_of_stations, resting) if resting else ():
        field.note_clock(row["station"], (row["partition"], row["shard"]))


class Registry:
    """Follows what people change: stations, areas, calendars, closures."""

    def __init__(self, horizon: str, areas: str, calendars: str) -> None:
        self._horizon = horizon
        self._areas = areas
        self._calendars = calendars

    @property
    def revision(self) -> str:
        """What the registry was like: every change of an older transaction is in it."""
        return self._horizon

    @classmethod
    async def load(cls, connection: Connection) -> "Registry":
        """Where to go on; in the snapshot in which the field is loaded."""
        areas: str = await connection.fetchval(QUERIES.areas_changed)
        calendars: str = await connection.fetchval(QUERIES.calendars_changed)
        return cls(await _horizon(connection), areas, calendars)

    async def follow(self, connection: Connection, field: Field, applied: Mapping[int, int]) -> None:
        """Take into the field what changed since the last call that was committed."""
        horizon = await _horizon(connection)
        await self._follow_calendars(connection, field)
        await self._follow_areas(connection, field)
        await _register(connection, field, await connection.fetch(QUERIES.changed_stations, self._horizon), applied)
        for row in await connection.fetch(QUERIES.deleted_stations, self._horizon):
            field.forget(row["station"])
        await _follow_closures(connection, field)
        self._horizon = horizon

    async def _follow_calendars(self, connection: Connection, field: Field) -> None:
        calendars = await connection.fetchval(QUERIES.calendars_changed)
        if calendars != self._calendars:
            field.schedule.set_calendars(await load_calendars(connection))
            self._calendars = calendars

    async def _follow_areas(self, connection: Connection, field: Field) -> None:
        areas = await connection.fetchval(QUERIES.areas_changed)
        if areas != self._areas:
            field.set_paths(await load_paths(connection))
            self._areas = areas


async def _register(
    connection: Connection, field: Field, rows: Iterable[asyncpg.Record], applied: Mapping[int, int]
) -> None:
    found = []
    for row in rows:
        _name_bounds(field, row)
        found.append(_facts(row, row["path"]))
    new = [facts.station for facts in found if facts.station not in field]
    states = _by_station(await connection.fetch(QUERIES.some_states, new)) if new else {}
    states |= await _states_behind(connection, applied, new) if new else {}
    for facts in found:
        field.register(facts, states.get(facts.station))


async def _horizon(connection: Connection) -> str:
    horizon: str = await connection.fetchval(JUDGE_QUERIES.snapshot_horizon)
    return horizon


async def _states_behind(
    connection: Connection, applied: Mapping[int, int], stations: list[str] | None
) -> dict[str, Judged]:
    query = QUERIES.states_behind
    return _by_station(await connection.fetch(query, list(applied), list(applied.values()), stations))


def _by_station(rows: Iterable[asyncpg.Record]) -> dict[str, Judged]:
    return {row["station"]: _judged(row) for row in rows}


def _judged(row: asyncpg.Record) -> Judged:
    return Judged(
        partition=row["partition"],
        state=row["state"],
        since=row["since"],
        usable=row["usable"],
        unusable_since=row["unusable_since"],
        shard=row["shard"],
        seen_at=row["seen_at"],
        reason=row["reason"],
    )


def _facts(row: asyncpg.Record, path: Sequence[str] | None) -> Facts:
    return Facts(
        station=row["station"],
        area=row["area"],
        path=tuple(path or ()),
        kind=row["kind"],
        isp=row["isp"],
        feeder=row["feeder"],
        lifecycle=row["lifecycle"],
        commissioned_at=row["commissioned_at"],
        calendar=row["calendar"],
        programmes=tuple(row["programmes"]),
    )
