"""Incidents of health rules in the incident process: reads in each pass the changes that `milepost health` stored."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from alerting.health.incident_rules import (
    Firing,
    HealthBoard,
    HealthChange,
    HealthIntent,
    Place,
    StandingLookup,
    Subject,
    health_key,
    subject_of,
)
from alerting.health.incident_write import write_health
from alerting.health.store import QUERIES
from alerting.health.storms_stage import StormWatch
from alerting.incidents.book import Book, Incident
from alerting.incidents.store import learn_newest
from alerting.pipeline.transitions import put_cursors
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime, Standing
from store.pool import Connection

READER: Final = "incidents.health"
_LIMIT: Final = 500
_EVERYTHING: Final = 2**31 - 1
_CHECK_EVERY: Final = timedelta(seconds=30)


class HealthWatch:
    """Opens and closes the incidents of kind `health`. `stations`: the field, up to date before each `follow`."""

    def __init__(self, stations: StandingLookup, causes: CauseSettings) -> None:
        self._stations = stations
        self._board = HealthBoard(stations)
        self._storms = StormWatch(stations, causes)
        self._checked_at: datetime | None = None

    async def load(self, connection: Connection) -> None:
        """Load the state as of the last committed pass."""
        self._board = HealthBoard(self._stations)
        rows = await connection.fetch(QUERIES.all_firing)
        ahead = [_change(row) for row in await connection.fetch(QUERIES.read_changes, READER, _EVERYTHING)]
        open_now = [Incident(**dict(row)) for row in await connection.fetch(QUERIES.open_health)]
        self._board.restore_firing(
            firing_before({_subject(row): _firing(row) for row in rows}, ahead), map(subject_of, open_now)
        )
        await self._storms.load_storms(connection, open_now)
        self._checked_at = None

    async def follow(
        self,
        connection: Connection,
        book: Book,
        news: StationNews,
        moment: PassTime,
    ) -> None:
        """Judge the changes of rules that were stored since the last pass, and the subjects of the stations that
        changed."""
        rows = await connection.fetch(QUERIES.read_changes, READER, _LIMIT)
        found = [_change(row) for row in rows]
        is_due = self._checked_at is None or moment.now - self._checked_at >= _CHECK_EVERY
        intents = await self._judge(connection, found, news.changes, moment, is_due=is_due)
        await learn_newest(connection, book, {health_key(intent.subject) for intent in intents})
        events = write_health(book, intents, moment.now)
        await self._storms.follow_events(connection, book, events, moment)
        await put_cursors(connection, READER, {row["partition"]: row["seq"] for row in rows})

    async def _judge(
        self,
        connection: Connection,
        found: Sequence[HealthChange],
        changes: Iterable[tuple[Standing | None, Standing | None]],
        moment: PassTime,
        *,
        is_due: bool,
    ) -> list[HealthIntent]:
        if is_due or any(change.firing for change in found):
            await self._find_unregistered(connection, {change.subject[:2] for change in found})
        intents = self._board.follow_changes(found)
        intents += self._board.judge_stations(
            {known.station for pair in changes for known in pair if known is not None}
        )
        if is_due:
            # The field does not report that a terminal was registered or removed.
            self._checked_at = moment.now
            intents += self._board.judge_all()
        return intents

    async def _find_unregistered(self, connection: Connection, new: Iterable[Place]) -> None:
        """Look up which of the terminals concerned are not registered."""
        places = sorted({*self._board.places, *new})
        rows = await connection.fetch(QUERIES.unregistered_terminals, *zip(*places, strict=True)) if places else ()
        self._board.set_unregistered({(row["station"], row["terminal"]) for row in rows})


def firing_before(firing: dict[Subject, Firing], ahead: Sequence[HealthChange]) -> dict[Subject, Firing]:
    """What fired before the changes `ahead`, if `firing` is what fires after all of them."""
    before = dict(firing)
    seen: set[Subject] = set()
    for change in ahead:
        if change.subject in seen:
            continue
        seen.add(change.subject)
        if change.firing:
            before.pop(change.subject, None)
        else:
            before[change.subject] = change.state
    return before


def _subject(row: asyncpg.Record) -> Subject:
    return (row["station"], row["terminal"], row["rule"], row["subject"])


def _firing(row: asyncpg.Record) -> Firing:
    return Firing(**{name: row[name] for name in Firing.__struct_fields__})


def _change(row: asyncpg.Record) -> HealthChange:
    return HealthChange(subject=_subject(row), firing=row["firing"], reason=row["reason"], state=_firing(row))
