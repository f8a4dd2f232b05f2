"""Incidents of dead channels in the incident process: reads in each pass what the delivery stored."""

from alerting.channels.rules import OpenDeadChannel, dead_channel_intents
from alerting.channels.store import load_dead_channels
from alerting.channels.write import write_dead_channels
from alerting.incidents.book import Book
from alerting.incidents.store import learn_newest, load_open_of_kind
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from contract.kinds import IncidentKind
from store.pool import Connection


class ChannelWatch:
    """Opens and closes the incidents of kind `channel_dead`."""

    def __init__(self) -> None:
        self._going_on: frozenset[str] = frozenset()

    async def load(self, connection: Connection) -> None:
        """Load which of the incidents go on."""
        found = await load_open_of_kind(connection, IncidentKind.CHANNEL_DEAD)
        self._going_on = frozenset(incident.key for incident in found)

    async def follow(self, connection: Connection, book: Book, news: StationNews, moment: PassTime) -> None:
        """Compare the dead channels with the incidents that go on."""
        intents = dead_channel_intents(await load_dead_channels(connection), self._going_on)
        if not intents:
            return
        opened = {intent.key for intent in intents if isinstance(intent, OpenDeadChannel)}
        closed = {intent.key for intent in intents} - opened
        await learn_newest(connection, book, opened | closed)
        write_dead_channels(book, intents, moment.now)
        self._going_on = (self._going_on - closed) | opened
