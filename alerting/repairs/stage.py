"""Repairs in the incident process: each pass verifies those that wait, and closes the incidents of those that held."""

from msgspec.structs import replace

from alerting.incidents.book import Book
from alerting.repairs.effects import apply_verdict, facts_of_repair
from alerting.repairs.rules import stable_for, verify_repair
from alerting.repairs.store import StoredRepair, load_waiting, postpone_repair, settle_repair
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from store.pool import Connection


class RepairWatch:
    """The part `repairs` of a pass: runs after all parts that open and close incidents. It has no memory of its own."""

    def __init__(self, field: Field) -> None:
        self._field = field

    async def load(self, connection: Connection) -> None:
        """Nothing: each pass reads the repairs that wait."""

    async def follow(self, connection: Connection, book: Book, news: StationNews, moment: PassTime) -> None:
        """Verify the repairs that wait."""
        waiting = await load_waiting(connection)
        book.learn(stored.incident for stored in waiting)
        for stored in waiting:
            await self._verify(connection, book, stored, moment)

    async def _verify(self, connection: Connection, book: Book, stored: StoredRepair, moment: PassTime) -> None:
        incident = book.get(stored.incident.id) or stored.incident
        standing = self._field.standing(incident.station or "")
        facts = facts_of_repair(incident, standing, moment, has_newer=stored.newer is not None)
        stable = stable_for(stored.repair.stable, self._field.promise_of(incident.station or ""))
        verdict = verify_repair(replace(stored.repair, stable=stable), facts, moment.now)
        if verdict.outcome is not None:
            apply_verdict(book, incident, verdict.outcome, moment.now)
            await settle_repair(connection, stored, verdict, moment.now)
        elif verdict.verify_at is not None and verdict.verify_at != stored.verify_at:
            await postpone_repair(connection, stored.repair.id, verdict.verify_at)
