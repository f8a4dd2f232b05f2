"""The incident of a late seal in the incident process: each pass checks the oldest row that is not sealed."""

from alerting.incidents.book import Book
from alerting.incidents.store import learn_newest, load_open_of_kind
from alerting.seals.rules import KEY, SealSettings, WaitingRow, follow_seal, see_waiting
from alerting.seals.store import load_waiting_since
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from contract.kinds import IncidentKind
from store.pool import Connection


class SealWatch:
    """Opens and closes the incident of kind `seal_late`."""

    def __init__(self, settings: SealSettings) -> None:
        self._settings = settings
        self._goes_on = False
        self._waiting: WaitingRow | None = None

    async def load(self, connection: Connection) -> None:
        """Load whether the incident is open."""
        self._goes_on = bool(await load_open_of_kind(connection, IncidentKind.SEAL_LATE))

    async def follow(self, connection: Connection, book: Book, news: StationNews, moment: PassTime) -> None:
        """Open or close the incident by the oldest row that is not sealed."""
        since = await load_waiting_since(connection)
        self._waiting = see_waiting(self._waiting, since, moment.now, self._settings)
        if since is None and not self._goes_on:
            return
        await learn_newest(connection, book, {KEY})
        self._goes_on = follow_seal(book, self._waiting, moment.now, self._settings)
