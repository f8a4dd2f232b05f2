"""Names of the stations and areas that incidents are about, looked up together."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from api.console.names import name_of_row
from api.console.texts import Words
from api.context import QUERIES
from store.pool import Connection


class About(Protocol):
    """What names a station, an area, or both."""

    @property
    def station(self) -> str | None: ...
    @property
    def area(self) -> str | None: ...


class Names(msgspec.Struct, frozen=True):
    """Names of stations by id and of areas by code, in the reader's language; one that is not known is its own name."""

    stations: Mapping[str, str]
    areas: Mapping[str, str]

    def station(self, station: str | None) -> str | None:
        return self.stations.get(station or "", station)

    def area(self, area: str | None) -> str | None:
        return self.areas.get(area or "", area)


async def names_of(connection: Connection, words: Words, found: Iterable[About]) -> Names:
    """The names of all that `found` is about."""
    things = list(found)
    stations = await connection.fetch(QUERIES.describe_stations, list({one.station for one in things if one.station}))
    areas = await connection.fetch(QUERIES.name_areas, list({one.area for one in things if one.area}))
    return Names(
        {row["id"]: words.pick(row["name"], row["name_en"]) for row in stations},
        {row["code"]: name_of_row(words, row).main for row in areas},
    )
