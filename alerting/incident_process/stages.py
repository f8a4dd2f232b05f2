"""The parts of the incident process: each reads the news of a pass and writes into the book of that pass.

`make_parts` gives their order. Station incidents are in the book before the first part runs, so common causes can take
them as children before notifications are written. After a failed pass, all parts are made and loaded again.
"""

from collections.abc import Collection
from typing import Final, Protocol

import msgspec

from alerting.aside.rules import AsideSettings
from alerting.aside.stage import AsideWatch
from alerting.blindspots.settings import BlindSpotSettings
from alerting.blindspots.stage import BlindSpotWatch
from alerting.causes.flapping import FlappingSettings
from alerting.causes.stage import CauseWatch
from alerting.channels.stage import ChannelWatch
from alerting.health.stage import HealthWatch
from alerting.incidents.book import Book
from alerting.repairs.stage import RepairWatch
from alerting.seals.rules import SealSettings
from alerting.seals.stage import SealWatch
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from store.pool import Connection

CAUSES: Final = "causes"
BLIND_SPOTS: Final = "blind_spots"
HEALTH: Final = "health"
CHANNELS: Final = "channels"
SEALS: Final = "seals"
ASIDE: Final = "aside"
REPAIRS: Final = "repairs"


class Part(Protocol):
    """A part. Both methods are called with the leader's session, within a transaction."""

    async def load(self, connection: Connection) -> None:
        """Load the memory of the part, in the same database snapshot as the field."""

    async def follow(self, connection: Connection, book: Book, news: StationNews, moment: PassTime) -> None:
        """Decide on the news as of `moment` and write to the book; the caller stores the book and commits."""


class PartSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the parts, one field for each."""

    causes: CauseSettings = CauseSettings()
    flapping: FlappingSettings = FlappingSettings()
    blind_spots: BlindSpotSettings = BlindSpotSettings()
    seals: SealSettings = SealSettings()
    aside: AsideSettings = AsideSettings()


def make_parts(field: Field, settings: PartSettings, without: Collection[str] = ()) -> dict[str, Part]:
    """The parts by name, in their order: causes with flapping, blind spots, health, channels, seals, things set aside,
    repairs.

    `field` holds all stations; it is loaded before the parts and updated before each `follow`. The parts named in
    `without` are left out.
    """
    causes = CauseWatch(field, settings.causes, settings.flapping)
    parts: dict[str, Part] = {
        CAUSES: causes,
        BLIND_SPOTS: BlindSpotWatch(field, settings.blind_spots, causes.outages),
        HEALTH: HealthWatch(field, settings.causes),
        CHANNELS: ChannelWatch(),
        SEALS: SealWatch(settings.seals),
        ASIDE: AsideWatch(settings.aside),
        REPAIRS: RepairWatch(field),
    }
    return {name: part for name, part in parts.items() if name not in without}
