"""What the days of stations are made of, in the database: recorded rows and new facts."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from asyncpg import Record

from audit.days.recorded import Recorded, TerminalRun
from audit.days.revisions import RevisionCause
from audit.days.touches import FAR, LONG_AGO, OF_STATION, FactTouch, anything, touches_of
from audit.findings.store import load_corrections
from audit.timeline import PresenceRun, StateChange, UnknownInterval
from registry.facts.model import FactKind, RegistryFact
from registry.facts.store import fact_of
from store.pool import Connection
from store.sql import queries_beside

log = logging.getLogger(__name__)

QUERIES: Final = queries_beside(__file__)


class StationTouch(msgspec.Struct, frozen=True, kw_only=True):
    """A station may have other figures between two moments, and is computed by itself until `wakes`."""

    station: str
    began_at: datetime
    ended_at: datetime
    wakes: datetime
    cause: RevisionCause


async def load_recorded(
    connection: Connection, stations: Sequence[str], begin: datetime, end: datetime
) -> dict[str, Recorded]:
    """What is recorded about stations in a window; a station of which nothing is recorded is left out."""
    names = list(stations)
    changes: dict[str, list[StateChange]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.changes_of, names, begin, end):
        change = StateChange(seq=row["seq"], at=row["at"], state=row["after"], usable=row["usable"])
        changes[row["station"]].append(change)
    gaps = await _load_gaps(connection, names, begin, end)
    presence: dict[str, list[TerminalRun]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.presence_of, names, begin, end):
        run = PresenceRun(
            began_at=row["ts"], ended_at=row["until"], usable=row["usable"], received_at=row["received_at"]
        )
        presence[row["station"]].append(TerminalRun(row["terminal"], run))
    corrections = await load_corrections(connection, names, begin, end)
    return {
        station: Recorded(
            changes=tuple(changes.get(station, ())),
            gaps=tuple(gaps.get(station, ())),
            presence=tuple(presence.get(station, ())),
            corrections=tuple(corrections.get(station, ())),
        )
        for station in changes.keys() | gaps.keys() | presence.keys() | corrections.keys()
    }


async def _load_gaps(
    connection: Connection, stations: list[str], begin: datetime, end: datetime
) -> dict[str, list[UnknownInterval]]:
    found: dict[str, list[UnknownInterval]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.suspicions_of, stations, begin, end):
        silent = UnknownInterval(began_at=row["began_at"], ended_at=row["ended_at"], silent=True)
        found[row["station"]].append(silent)
    if await connection.fetchval(QUERIES.any_gap, begin, end):
        for row in await connection.fetch(QUERIES.gaps_of, stations, begin, end):
            found[row["station"]].append(UnknownInterval(began_at=row["began_at"], ended_at=row["ended_at"]))
    return found


async def take_news(connection: Connection, since: int, cut: int) -> list[StationTouch]:
    """What is new since the last call: rows of the judges, what triggers noted, and facts after `since` up to `cut`.

    It is taken when the transaction commits.
    """
    return [
        *await _judged(connection),
        *(_noted(row) for row in await connection.fetch(QUERIES.take_touches)),
        *await _of_facts(connection, since, cut),
    ]


async def untold_stations(connection: Connection) -> set[str]:
    """Stations with new facts that their figures do not include yet, without new facts of the registry."""
    news = await _new_rows(connection, await connection.fetch(QUERIES.tails))
    noted = await connection.fetch(QUERIES.touched)
    return {touch.station for touch in news} | {row["station"] for row in noted}


async def _judged(connection: Connection) -> list[StationTouch]:
    tails = await connection.fetch(QUERIES.tails)
    columns = ([row[name] for row in tails] for name in ("source", "partition", "until"))
    await connection.execute(QUERIES.keep_seen, *columns)
    return await _new_rows(connection, tails)


async def _new_rows(connection: Connection, tails: list[Record]) -> list[StationTouch]:
    return [
        # A decision holds until the next one, which may be far away; a gap ends.
        *(_judged_touch(row, FAR) for row in await _newer(connection, tails, "transition", QUERIES.new_changes)),
        *(_judged_touch(row, FAR) for row in await _newer(connection, tails, "shard_move", QUERIES.new_moves)),
        *(_judged_touch(row, None) for row in await _newer(connection, tails, "pipeline_gap", QUERIES.new_gaps)),
    ]


async def _newer(connection: Connection, tails: list[Record], source: str, query: str) -> list[Record]:
    own = [row for row in tails if row["source"] == source]
    if not own:
        return []
    return await connection.fetch(query, *([row[name] for row in own] for name in ("partition", "since", "until")))


def _judged_touch(row: Record, ended_at: datetime | None) -> StationTouch:
    return StationTouch(
        station=row["station"],
        began_at=row["began_at"],
        ended_at=row["wakes"] if ended_at is None else ended_at,
        wakes=row["wakes"],
        cause=RevisionCause.JUDGED,
    )


def _noted(row: Record) -> StationTouch:
    return StationTouch(
        station=row["station"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        # A suspicion that goes on is among what is recorded.
        wakes=row["ended_at"] if row["ended_at"] < FAR else LONG_AGO,
        cause=RevisionCause(row["cause"]) if row["cause"] in set(RevisionCause) else RevisionCause.JUDGED,
    )


async def _of_facts(connection: Connection, since: int, cut: int) -> list[StationTouch]:
    rows = await connection.fetch(QUERIES.new_facts, since, cut) if cut > since else []
    found: list[StationTouch] = []
    facts, unreadable = _readable(rows)
    for touch in (*touches_of(facts, since), *unreadable):
        found.extend(_spread(station, touch) for station in await _stations(connection, touch))
    return found


def _readable(rows: Iterable[Record]) -> tuple[list[RegistryFact], list[FactTouch]]:
    """The readable facts; for each unreadable fact of a station, a touch of the whole time of that station."""
    facts: list[RegistryFact] = []
    unreadable: list[FactTouch] = []
    for row in rows:
        try:
            fact = fact_of(row)
            touches_of([fact], fact.id - 1)
            facts.append(fact)
        except Exception:
            log.exception("a fact of the registry cannot be read", extra={"fact": row["id"]})
            if row["kind"] in OF_STATION:
                unreadable.append(anything(FactKind(row["kind"]), row["subject"]))
    return facts, unreadable


def _spread(station: str, touch: FactTouch) -> StationTouch:
    return StationTouch(
        station=station, began_at=touch.began_at, ended_at=touch.ended_at, wakes=LONG_AGO, cause=touch.cause
    )


_OF_KIND: Final = {FactKind.KIND_SCHEDULE, FactKind.KIND_OVERRIDE}
_OF_AREA: Final = {FactKind.AREA, FactKind.AREA_OVERRIDE, FactKind.AREA_CLOSURE}


async def _stations(connection: Connection, touch: FactTouch) -> Collection[str]:
    """The stations that a fact may concern: all that ever were what it is about."""
    if touch.kind in OF_STATION:
        return (touch.subject,)
    if touch.kind in _OF_KIND:
        rows = await connection.fetch(QUERIES.stations_of_kind, touch.subject)
    elif touch.kind in _OF_AREA:
        rows = await connection.fetch(QUERIES.stations_of_area, touch.subject)
    elif touch.kind is FactKind.PROGRAMME_CLOSURE:
        rows = await connection.fetch(QUERIES.stations_of_programme, touch.subject)
    else:
        rows = await connection.fetch(QUERIES.all_stations)
    return [row["subject"] for row in rows]
