"""Storms of health incidents in the incident process: restored from the incidents when the process takes the lead."""

from collections.abc import Iterable

from alerting.health.incident_rules import StandingLookup
from alerting.health.incident_write import HealthEvent
from alerting.health.store import QUERIES
from alerting.health.storms_write import StormBoard, keys_in, write_storms
from alerting.incidents.book import Book, Incident
from alerting.incidents.store import learn_newest
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.snapshot import PassTime
from store.pool import Connection


class StormWatch:
    """Finds storms among the incidents that `HealthWatch` opens in the same pass, before they are notified."""

    def __init__(self, stations: StandingLookup, settings: CauseSettings) -> None:
        self._stations = stations
        self._settings = settings
        self._board = StormBoard(stations, settings)

    async def load_storms(self, connection: Connection, open_now: Iterable[Incident]) -> None:
        """Restore the storms. `open_now`: the open health incidents of terminals."""
        self._board = StormBoard(self._stations, self._settings)
        parents = [Incident(**dict(row)) for row in await connection.fetch(QUERIES.health_parents)]
        children = await connection.fetch(QUERIES.health_children, [parent.id for parent in parents])
        self._board.restore_storms(open_now, parents, (Incident(**dict(row)) for row in children))

    async def follow_events(
        self, connection: Connection, book: Book, events: Iterable[HealthEvent], moment: PassTime
    ) -> None:
        """Take the incidents that this pass opened and closed, and write the storms that follow."""
        self._board.note_events(events, moment.now)
        plan = self._board.take_plan(moment.now)
        await learn_newest(connection, book, keys_in(plan))
        write_storms(book, plan, moment.now)
