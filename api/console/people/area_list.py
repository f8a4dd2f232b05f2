"""The areas that a person writes into the form of a scope: codes or names, one a line."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from fastapi import Request

from api.console.area_choice import Choice, find_area
from api.console.texts import Words
from api.read.people.schemas import ScopeDocument
from store.pool import Connection

MOST: Final = 200
_LINES: Final = re.compile(r"[\n,，、;；]+")
_SHOWN: Final = " · "
"""Between a code and the name of its area, in the lines of the form."""
_CODE: Final = re.compile(r"\d{2,12}")


class AreasRead(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines mean. `asked`: the line that may mean several areas, or none; `choices`: which."""

    codes: list[str]
    text: str
    asked: str = ""
    choices: list[Choice] = []
    more: bool = False


async def read_areas(connection: Connection, request: Request, text: str, pick: str, words: Words) -> AreasRead:
    """The codes of the areas that the lines name. `pick`: the code that was chosen for the first doubtful line."""
    codes: list[str] = []
    lines = [line.strip() for line in _LINES.split(text) if line.strip()][: MOST + 1]
    for place, line in enumerate(lines):
        named = list(_codes(line))
        if named:
            codes += named
            continue
        found = await find_area(connection, request, line, words)
        if found.code or (pick and found.choices):
            codes.append(found.code or pick)
            pick = pick if found.code else ""
            continue
        rest = "\n".join([*codes, *lines[place:]])
        return AreasRead(codes=[], text=rest, asked=line, choices=found.choices, more=found.more)
    return AreasRead(codes=codes, text="\n".join(codes))


def _codes(line: str) -> Iterator[str]:
    """The codes of a line: several codes, or one with the name of its area."""
    before, is_shown, _ = line.partition(_SHOWN)
    if is_shown:
        yield before.strip()
        return
    first, *rest = line.split()
    if not _CODE.fullmatch(first):
        return
    yield first
    if all(_CODE.fullmatch(one) for one in rest):
        yield from rest


def as_lines(scope: ScopeDocument, words: Words) -> str:
    """The areas of a scope as lines of the form."""
    return "\n".join(f"{area.code}{_SHOWN}{words.pick(area.name, area.name_en)}" for area in scope.areas)
