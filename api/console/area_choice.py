"""Which area the filter of a page means: a code, or a name, whole or in part, in any of its languages."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec
from fastapi import Request

from api.console.names import where
from api.console.pages import link
from api.console.queries import QUERIES
from api.console.texts import Words
from api.http.parameters import area_codes
from api.read.areas import find_area_row
from api.read.rows import DatabaseRow
from store.pool import Connection

MOST: Final = 30
"""Areas that are offered to choose from."""
_NAMES: Final = ("name", "name_en", "name_bo")
_KEPT: Final = frozenset({"q", "verdict", "status", "kind", "station"})
"""What else of a query stays when an area is chosen."""


_N = TypeVar("_N", bound=DatabaseRow)


def settle(asked: str, found: Sequence[_N]) -> list[_N]:
    """The areas that `asked` may mean, the likeliest first; a single one is the answer.

    Whole names come before names that begin with the text, and these before names that contain it.
    """
    wanted = asked.casefold()
    whole = [area for area in found if wanted in _folded(area)]
    if len(whole) == 1:
        return whole
    begins = [area for area in found if any(name.startswith(wanted) for name in _folded(area))]
    return list({id(area): area for area in (*whole, *begins, *found)}.values())


def _folded(area: DatabaseRow) -> Iterator[str]:
    return (area[name].casefold() for name in _NAMES if area[name])


class Choice(msgspec.Struct, frozen=True):
    """One of several areas: its name, where it lies, and the page with it chosen."""

    code: str
    name: str
    where: str
    href: str


class AreaFound(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a filter. `codes`: the areas for queries, None without a filter. `code`, `name`: the area meant.
    `choices`: the candidates if several match; `more`: there are others. `unknown`: no area has this name."""

    codes: list[str] | None = None
    code: str = ""
    name: str = ""
    choices: list[Choice] = []
    more: bool = False
    unknown: bool = False


async def find_area(connection: Connection, request: Request, asked: str, words: Words) -> AreaFound:
    """The area that the filter of a page means."""
    text = asked.strip()
    if not text:
        return AreaFound()
    codes = area_codes(text)
    exact = await find_area_row(connection, text)
    found = [exact] if exact else settle(text, await connection.fetch(QUERIES.find_areas_named, text, MOST + 1))
    above = await connection.fetch(QUERIES.names_above, [area["code"] for area in found[:MOST]])
    if not found:
        return AreaFound(codes=codes, unknown=True)
    if len(found) == 1:
        return AreaFound(codes=[found[0]["code"]], code=found[0]["code"], name=_name(words, found[0]))
    places = {
        row["code"]: where(*(words.pick(*one) for one in zip(row["names"], row["names_en"], strict=True)))
        for row in above
    }
    return AreaFound(
        codes=[],
        choices=[_choice(area, places.get(area["code"], ""), request, words) for area in found[:MOST]],
        more=len(found) > MOST,
    )


def _name(words: Words, area: DatabaseRow) -> str:
    return words.pick(area["name"], area["name_en"])


def _choice(area: DatabaseRow, place: str, request: Request, words: Words) -> Choice:
    kept = {name: value for name, value in request.query_params.items() if name in _KEPT}
    return Choice(
        area["code"], _name(words, area), where(place, area["code"]), link(request.url.path, **kept, area=area["code"])
    )
