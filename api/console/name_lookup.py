"""Names of stations and areas in the reader's language, and of accounts, looked up together."""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec

from access.links.rules import VIA_LINK
from access.rules import BUILT_IN
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


class AccountNames(msgspec.Struct, frozen=True):
    """Names of accounts by id. One that the reader may not see is called by its id.

    Before there were accounts, histories had free text in their place: it is no id, and is shown as it stands.
    """

    words: Words
    names: Mapping[str, str]

    def shown(self, account: str | None, remark: str | None = None) -> str:
        """An account and the person for whom it acted, as the client said."""
        name = self.names.get(account or "", account or "")
        if remark == VIA_LINK:
            return f"{name} · {self.words('via_link')}"
        return self.words("acting_for", account=name, person=remark) if remark else name


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


async def load_account_names(connection: Connection, words: Words, accounts: Iterable[str | None]) -> AccountNames:
    """The names of accounts, as far as the reader may see them."""
    return account_names(words, await name_accounts(connection, accounts))


async def name_accounts(connection: Connection, accounts: Iterable[str | None]) -> dict[str, str]:
    """{id: name} of accounts, before a language is chosen."""
    rows = await connection.fetch(QUERIES.name_accounts, list({one for one in accounts if one}))
    return {row["id"]: row["name"] for row in rows}


def account_names(words: Words, names: Mapping[str, str]) -> AccountNames:
    """The names of accounts in the reader's language: those of Milepost's own accounts are words."""
    return AccountNames(words, {**names, **{one: words(f"account_{one}") for one in BUILT_IN}})


async def describe_stations(connection: Connection, rows: Sequence[DatabaseRow]) -> Described:
    """More about the stations of some rows with `id` and `area`."""
    stations = await connection.fetch(QUERIES.describe_stations, [row["id"] for row in rows])
    areas = await connection.fetch(QUERIES.name_areas, list({row["area"] for row in rows if row["area"]}))
    return Described({row["id"]: row for row in stations}, {row["code"]: row for row in areas})


async def load_area_path(connection: Connection, words: Words, area: str | None) -> list[tuple[str, str]]:
    """(code, name) of an area and of those above it, the highest first; no code of one above the scope, which has no
    page for the reader."""
    return [
        (row["code"] if row["in_scope"] else "", name_of_row(words, row).main)
        for row in await connection.fetch(QUERIES.area_path, area)
    ]
