"""Names of stations and areas in the reader's language, looked up together."""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec

from api.console.names import name_of_row
from api.console.queries import QUERIES
from api.console.texts import Words
from api.read.rows import DatabaseRow
from store.pool import Connection


class PlaceNames(msgspec.Struct, frozen=True):
    """Names of stations by id and of areas by code, in the reader's language. One without a name is called by its id or
    code."""

    stations: Mapping[str, str]
    areas: Mapping[str, str]

    def station(self, station: str | None) -> str | None:
        """What a station is called; None for none."""
        return self.stations.get(station or "", station)

    def area(self, area: str | None) -> str | None:
        """What an area is called; None for none."""
        return self.areas.get(area or "", area)


class Described(msgspec.Struct, frozen=True):
    """More about stations by id (names, address, coordinates), and the names of their areas by code."""

    stations: Mapping[str, asyncpg.Record]
    areas: Mapping[str, asyncpg.Record]


async def load_names(connection: Connection, words: Words, rows: Iterable[DatabaseRow]) -> PlaceNames:
    """The names of the stations and areas that rows are about: their columns `station` and `area`."""
    return await load_names_of(connection, words, [(row["station"], row["area"]) for row in rows])


async def load_names_of(
    connection: Connection, words: Words, places: Sequence[tuple[str | None, str | None]]
) -> PlaceNames:
    """The names of (station, area) pairs."""
    stations = await connection.fetch(QUERIES.describe_stations, list({one for one, _ in places if one}))
    areas = await connection.fetch(QUERIES.name_areas, list({one for _, one in places if one}))
    return PlaceNames(
        {row["id"]: words.pick(row["name"], row["name_en"]) for row in stations},
        {row["code"]: name_of_row(words, row).main for row in areas},
    )


async def describe_stations(connection: Connection, rows: Sequence[DatabaseRow]) -> Described:
    """More about the stations of some rows with `id` and `area`."""
    stations = await connection.fetch(QUERIES.describe_stations, [row["id"] for row in rows])
    areas = await connection.fetch(QUERIES.name_areas, list({row["area"] for row in rows if row["area"]}))
    return Described({row["id"]: row for row in stations}, {row["code"]: row for row in areas})


async def load_area_path(connection: Connection, words: Words, area: str | None) -> list[tuple[str, str]]:
    """(code, name) of an area and of those above it, the highest first."""
    return [(row["code"], name_of_row(words, row).main) for row in await connection.fetch(QUERIES.area_path, area)]
