"""The short form of a notification: one SMS, which holds 70 units of UTF-16 where a character is Chinese. Pure."""

import unicodedata
from typing import Final

import msgspec

MOST_UNITS: Final = 70
"""Units of UTF-16 in one SMS segment."""
_CUT: Final = "…"
_JOINER: Final = "\u200d"
_FEWEST: Final = 3
"""Clusters of a name that are worth showing when the rest is cut."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the short form says, in the order in which it stands there; an empty part is left out."""

    tag: str
    topic: str
    area: str
    name: str
    ident: str
    count: str
    when: str
    number: str


_ALWAYS: Final = ("tag", "when", "number")
_IF_THERE_IS_ROOM: Final = ("count", "ident", "topic")
"""Whole or not at all, the most important first."""
_CUT_IF_NEEDED: Final = ("name", "area")


def short_text(parts: Parts) -> str:
    """At most 70 units. Ids, times and numbers are whole; names are cut, the area's before the station's."""
    chosen = {name: getattr(parts, name) for name in _ALWAYS}
    for name in _IF_THERE_IS_ROOM:
        with_it = chosen | {name: getattr(parts, name)}
        if units(_joined(with_it)) <= MOST_UNITS:
            chosen = with_it
    for name in _CUT_IF_NEEDED:
        room = MOST_UNITS - units(_joined(chosen)) - 1
        chosen[name] = cut(getattr(parts, name).strip(), room)
    return _joined(chosen)


def _joined(chosen: dict[str, str]) -> str:
    said = [chosen[name] for name in Parts.__struct_fields__ if chosen.get(name)]
    # A Chinese bracket brings its own space.
    return said[0] + ("" if said[0].endswith("】") else " ") + " ".join(said[1:])


def units(text: str) -> int:
    """How many units of UTF-16 a text has, which is what a segment counts."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, room: int) -> str:
    """The text in at most `room` units, with an ellipsis where it is cut: never inside what is read as one character.
    Empty where too little would be left."""
    if units(text) <= room:
        return text
    kept, left = [], room - units(_CUT)
    for cluster in clusters(text):
        left -= units(cluster)
        if left < 0:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + _CUT if len(kept) >= _FEWEST else ""


def clusters(text: str) -> list[str]:
    """The text in pieces that are read as one character: a letter with its marks, as in Tibetan, or joined signs."""
    found: list[str] = []
    for character in text:
        if found and (_continues(character) or found[-1].endswith(_JOINER)):
            found[-1] += character
        else:
            found.append(character)
    return found


def _continues(character: str) -> bool:
    # Marks, the joiner, and the colours of skin.
    return (
        unicodedata.category(character).startswith("M")
        or character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
