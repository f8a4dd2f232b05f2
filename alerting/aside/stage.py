"""The incident of data that is set aside, in the incident process: each pass checks what has waited longest."""

from alerting.aside.rules import KEY, AsideSettings, follow_aside
from alerting.aside.store import load_aside_since
from alerting.incidents.book import Book
from alerting.incidents.store import learn_newest, load_open_of_kind
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from contract.kinds import IncidentKind
from store.pool import Connection


class AsideWatch:
    """Opens and closes the incident of kind `set_aside`."""

    def __init__(self, settings: AsideSettings) -> None:
        self._settings = settings
        self._goes_on = False

    async def load(self, connection: Connection) -> None:
        """Load whether the incident goes on."""
        self._goes_on = bool(await load_open_of_kind(connection, IncidentKind.SET_ASIDE))

    async def follow(self, connection: Connection, book: Book, news: StationNews, moment: PassTime) -> None:
        """Open or close the incident by the thing that was set aside first."""
        since = await load_aside_since(connection)
        if since is None and not self._goes_on:
            return
        await learn_newest(connection, book, {KEY})
        self._goes_on = follow_aside(book, since, moment.now, self._settings)
