"""Loading the table of stations, and what follows them in the database: rows to stations."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from alerting.stations.model import Facts, Judged, StationChange
from alerting.stations.snapshot import ClockName
from alerting.stations.table import Field
from contract.bounds import EARLIEST, LATEST
from registry.closures import store as closure_store
from registry.hours.calendar_store import load_calendars
from store.pool import Connection
from store.sql import queries_beside
from store.troubles import MOST

QUERIES = queries_beside(__file__)
_CHUNK = 5_000
_LATELY = timedelta(days=2)
_CORRECT = f"times must lie between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d}"


def to_change(row: asyncpg.Record) -> StationChange:
    """A row of `transition`."""
    return StationChange(**dict(row))


async def load_known_time(connection: Connection) -> datetime | None:
    """The `known` time of the last pass that was committed; None: there was none."""
    known: datetime | None = await connection.fetchval(QUERIES.read_known)
    return known


async def save_known_time(connection: Connection, known: datetime) -> None:
    """Write the `known` time of a pass, unless a later one is stored."""
    await connection.execute(QUERIES.set_known, known)


async def load_field(connection: Connection, time: datetime, applied: Mapping[int, int]) -> Field:
    """Every registered station as it stood after the transitions up to `applied` (partition: number); in one
    snapshot."""
    field = Field(time, await load_calendars(connection))
    paths = await load_paths(connection)
    async for row in connection.cursor(QUERIES.all_stations, prefetch=_CHUNK):
        name_bounds(field, row)
        field.restore_station(to_facts(row, paths.get(row["area"])))
    async for row in connection.cursor(QUERIES.all_states, prefetch=_CHUNK):
        _restore_state(field, row["station"], _to_judged(row))
    for station, judged in (await _load_states_behind(connection, applied, None)).items():
        _restore_state(field, station, judged)
    async for row in connection.cursor(QUERIES.all_promises, prefetch=_CHUNK):
        field.note_promise(row["station"], row["every"])
    await follow_closures(connection, field)
    for row in await connection.fetch(QUERIES.recent_gaps, time):
        field.resume((row["partition"], row["shard"]), row["ended_at"])
    field.take_changes()
    return field


def _restore_state(field: Field, station: str, judged: Judged) -> None:
    """A state that cannot be read costs its station only, which then stands as never seen."""
    try:
        field.restore_state(station, judged)
    except Exception as exc:
        field.troubles.put("station", station, exc)


def name_bounds(field: Field, row: asyncpg.Record) -> None:
    """Name a station in the troubles while it is registered with a date out of bounds."""
    if row["out_of_bounds"]:
        field.troubles.put("commissioned", row["station"], f"read as {row['commissioned_at']}: {_CORRECT}")
    else:
        field.troubles.drop("commissioned", row["station"])


async def follow_closures(connection: Connection, field: Field) -> None:
    """Take over the closures that hold, come, or ended lately: until then they say since when a station is expected.
    Those with a time out of bounds are named in the troubles."""
    field.schedule.set_closures(await closure_store.load_closures(connection, since=field.time - _LATELY))
    field.troubles.drop_kind("closure")
    for row in await connection.fetch(closure_store.QUERIES.closures_out_of_bounds, MOST):
        why = f"from {row['from_at']} until {row['until_at']}: withdraw it and declare it again; {_CORRECT}"
        field.troubles.put("closure", str(row["id"]), why)


async def load_paths(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The path of each area, by its code: the codes of the areas around it, the root first, and its own."""
    return {row["code"]: tuple(row["path"]) for row in await connection.fetch(QUERIES.area_paths)}


async def load_states(connection: Connection, stations: list[str], applied: Mapping[int, int]) -> dict[str, Judged]:
    """How stations stood after the transitions up to `applied`; without those that were never heard."""
    if not stations:
        return {}
    states = _by_station(await connection.fetch(QUERIES.some_states, stations))
    return states | await _load_states_behind(connection, applied, stations)


async def load_promise(connection: Connection, station: str | None) -> float | None:
    """The interval of a station's slowest terminal that counts, s; None: not known, or no station."""
    row = await connection.fetchrow(QUERIES.some_promises, [station])
    return None if row is None else row["every"]


async def follow_promises(connection: Connection, field: Field, stations: Iterable[str]) -> None:
    """Take over the intervals that stations promise; `stations`: those of which something changed."""
    known = sorted({station for station in stations if station in field})
    for row in await connection.fetch(QUERIES.some_promises, known) if known else ():
        field.note_promise(row["station"], row["every"])


async def follow_clocks(
    connection: Connection, field: Field, clocks: Iterable[ClockName], untrusted: frozenset[ClockName]
) -> None:
    """Stations that rest on an untrusted clock may be heard through another shard by now: if its clock in the same
    partition is trusted, they rest on that."""
    sound = [clock for clock in clocks if clock not in untrusted]
    partitions = {partition for partition, _ in sound}
    resting = field.resting_on(clock for clock in untrusted if clock[0] in partitions)
    if not resting:
        return
    sound_clocks = [partition for partition, _ in sound], [shard for _, shard in sound]
    for row in await connection.fetch(QUERIES.clock_of_stations, resting, *sound_clocks):
        field.note_clock(row["station"], (row["partition"], row["shard"]))


async def _load_states_behind(
    connection: Connection, applied: Mapping[int, int], stations: list[str] | None
) -> dict[str, Judged]:
    query = QUERIES.states_behind
    return _by_station(await connection.fetch(query, list(applied), list(applied.values()), stations))


def _by_station(rows: Iterable[asyncpg.Record]) -> dict[str, Judged]:
    return {row["station"]: _to_judged(row) for row in rows}


def _to_judged(row: asyncpg.Record) -> Judged:
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


def to_facts(row: asyncpg.Record, path: Sequence[str] | None) -> Facts:
    """A row of `all_stations` and its like; `path`: of the station's area."""
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
