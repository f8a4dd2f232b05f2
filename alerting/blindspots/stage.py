"""Blind spots and the numbers of areas in the incident process: loads, decides and stores them in each pass."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from alerting.blindspots import store as spot_store
from alerting.blindspots.area_counts import COLUMNS, StandingChange
from alerting.blindspots.by_silence import StationLookup
from alerting.blindspots.dark_areas import OpenOutage
from alerting.blindspots.settings import BlindSpotSettings
from alerting.blindspots.tracker import LOOK_BACK, BlindSpots, StartingState
from alerting.blindspots.unknown_time import Gaps
from alerting.blindspots.write import keys_to_learn, write_spots
from alerting.incidents.book import Book
from alerting.incidents.store import learn_newest
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from registry.hours.calendar import ALWAYS, Calendar
from store.pool import Connection

_EVERY: Final = timedelta(seconds=30)
"""How often records, and the areas that targets name, are read."""
_ALL: Final = 0
_ZEROS: Final = (0,) * len(COLUMNS)
_IN_SERVICE: Final = slice(0, COLUMNS.index("suspended"))
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class BlindSpotWatch:
    """The shell around `BlindSpots`. Every call runs in a transaction of the leading session.

    `outages`: the open incidents of common causes by key, up to date before each `follow`.
    """

    def __init__(self, field: Field, settings: BlindSpotSettings, outages: Mapping[str, OpenOutage]) -> None:
        self._field, self._outages = field, outages
        self._core = BlindSpots(StationLookup(field.standing, self._hours), settings)
        self._gaps = Gaps()
        self._unsaved: dict[str, Sequence[int]] = {}
        self._mark = _ALL
        self._records_due = self._targets_due = _LONG_AGO

    async def load(self, connection: Connection) -> None:
        """Begin with all stations of the field, in the database snapshot in which the field was loaded."""
        stored = await spot_store.load_counts(connection)
        start = StartingState(
            known=self._field.time,
            spots=await spot_store.load_spots(connection),
            memory=await spot_store.load_memory(connection),
            targets=await spot_store.load_targets(connection),
            had=frozenset(area for area, cells in stored.items() if any(cells[_IN_SERVICE])),
        )
        self._core.load_stations(self._field.standings(), start)
        self._gaps = Gaps(await spot_store.load_gaps(connection, self._field.time - LOOK_BACK))
        await self._note_records(connection, self._field.time)
        self._unsaved = _different(self._core.counts.take_changed(), stored)

    async def follow(
        self,
        connection: Connection,
        book: Book,
        news: StationNews,
        moment: PassTime,
    ) -> None:
        """Take the changes of a pass, decide what follows from them and from time, and store it."""
        core = self._core
        core.follow_stations(
            [StandingChange(before, after, moment.known) for before, after in news.changes], moment.known
        )
        if moment.now >= self._targets_due:
            core.set_targets(await spot_store.load_targets(connection), moment.known)
            self._targets_due = moment.now + _EVERY
        if moment.now >= self._records_due:
            await self._note_records(connection, moment.known)
            self._records_due = moment.now + _EVERY
        await self._advance(connection, moment)
        await self._write(connection, book, moment.now)
        await self._save(connection, moment)

    def _hours(self, station: str) -> Calendar:
        found = self._field.schedule.hours(station)
        return found if isinstance(found, Calendar) else ALWAYS

    async def _note_records(self, connection: Connection, known: datetime) -> None:
        records, self._mark = await spot_store.load_records(connection, self._mark)
        self._core.note_records(records, known)

    async def _advance(self, connection: Connection, moment: PassTime) -> None:
        """Decide by time. Unknown time is read only when time may decide something."""
        if self._core.may_be_due(moment.known, {outage.key for outage in self._outages.values()}):
            self._gaps.add_gaps(await spot_store.load_newer_gaps(connection, self._gaps.cursors))
            self._gaps.forget_before(moment.known - LOOK_BACK)
            self._core.find_due(moment, self._gaps, self._outages.values())
            self._core.note_reporting(await spot_store.load_reporting(connection, self._core.take_questions()))

    async def _write(self, connection: Connection, book: Book, now: datetime) -> None:
        changes = self._core.take_changes()
        if changes:
            await learn_newest(connection, book, keys_to_learn(changes))
            write_spots(book, changes, now)

    async def _save(self, connection: Connection, moment: PassTime) -> None:
        await spot_store.store_counts(connection, {**self._unsaved, **self._core.counts.take_changed()})
        self._unsaved = {}
        await spot_store.store_memory(connection, self._core.memory.take_changed())
        await spot_store.store_counts_known(connection, moment.known, moment.now)


def _different(counts: Mapping[str, Sequence[int]], stored: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """The numbers that must be written so that the stored ones are right."""
    gone = {area: _ZEROS for area, cells in stored.items() if area not in counts and any(cells)}
    return {**gone, **{area: cells for area, cells in counts.items() if tuple(cells) != tuple(stored.get(area, ()))}}
