"""What the incident process is made of: parts that look at what changed in a pass and write into its book.

The order is that of `make_parts`: station incidents are in the book before it begins, so causes can take them as
children before anybody is told. After a pass that failed every part is made anew and loaded again.
"""

from collections.abc import Collection
from typing import Final, Protocol

import msgspec

from alerting.blindspots.settings import BlindSpotSettings
from alerting.blindspots.stage import BlindSpotWatch
from alerting.causes.flapping import FlappingSettings
from alerting.causes.stage import CauseWatch
from alerting.health.stage import HealthWatch
from alerting.incidents.book import Book
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from store.pool import Connection

CAUSES: Final = "causes"
BLIND_SPOTS: Final = "blind_spots"
HEALTH: Final = "health"


class Part(Protocol):
    """One of them. Both are called with the session that leads, within a transaction."""

    async def load(self, connection: Connection) -> None:
        """Read what is needed when the lead is taken, in one snapshot with the field as it is then."""

    async def follow(self, connection: Connection, book: Book, news: StationNews, moment: PassTime) -> None:
        """Decide what the news mean at `moment`; the caller stores the book and commits."""


class PartSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the parts are told, a field each."""

    causes: CauseSettings = CauseSettings()
    flapping: FlappingSettings = FlappingSettings()
    blind_spots: BlindSpotSettings = BlindSpotSettings()


def make_parts(field: Field, settings: PartSettings, without: Collection[str] = ()) -> dict[str, Part]:
    """The parts by their names, in their order: causes, flapping, areas and blind spots, health. `field` holds all
    stations, loaded before them and up to date before each `follow`. Those named in `without` are left out."""
    causes = CauseWatch(field, settings.causes, settings.flapping)
    parts: dict[str, Part] = {
        CAUSES: causes,
        BLIND_SPOTS: BlindSpotWatch(field, settings.blind_spots, causes.outages),
        HEALTH: HealthWatch(field, settings.causes),
    }
    return {name: part for name, part in parts.items() if name not in without}
