"""The short form of a notification: one SMS, which holds 70 UTF-16 units when it contains Chinese. Pure."""

import unicodedata
from typing import Final

import msgspec

MOST_UNITS: Final = 70
"""UTF-16 units in one SMS segment."""
_CUT: Final = "…"
_JOINER: Final = "\u200d"
_ROOM: Final = 18
"""Units that a link has to leave for an id and a name."""
_FEWEST: Final = 3
"""The fewest characters of a name to show when the rest is cut."""


class ShortParts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the short form, in their order; an empty part is left out."""

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
"""Parts that are shown whole or not at all, the most important first."""
_CUT_IF_NEEDED: Final = ("name", "area")


def with_link(parts: ShortParts, link: str | None, taken: int = 0) -> ShortParts:
    """The same with the link in the place of the number, which it ends with, if that leaves room to say what it is.
    `taken`: units of what is added to the short form."""
    linked = msgspec.structs.replace(parts, number=link or parts.number)
    return linked if _leaves_room(linked, taken) else parts


class ShortEnds(msgspec.Struct, frozen=True):
    """How short forms may end: with the link of one person, with that of the console, or with neither."""

    own: str | None
    link: str | None

    def put_on(self, parts: ShortParts) -> ShortParts:
        """The parts of a short form with the best end that leaves room. The link of a person is longer: if need be it
        stands without the time, which its page shows."""
        for when in () if self.own is None else (parts.when, ""):
            linked = msgspec.structs.replace(parts, when=when, number=self.own)
            if _leaves_room(linked, 0):
                return linked
        return with_link(parts, self.link)

    def end_of(self, parts: ShortParts, taken: int) -> str:
        """The end of another text with `taken` units beside its values."""
        if self.own is not None and units(self.own) + 1 + taken <= MOST_UNITS - _ROOM:
            return self.own
        return with_link(parts, self.link, taken).number


def _leaves_room(parts: ShortParts, taken: int) -> bool:
    always = _joined({name: getattr(parts, name) for name in _ALWAYS})
    return units(always) + taken <= MOST_UNITS - _ROOM


def short_text(parts: ShortParts, most: int = MOST_UNITS) -> str:
    """The short form in at most `most` units. Ids, times and numbers are never cut; names are, the area before the
    station."""
    chosen = {name: getattr(parts, name) for name in _ALWAYS}
    for name in _IF_THERE_IS_ROOM:
        with_it = chosen | {name: getattr(parts, name)}
        if units(_joined(with_it)) <= most:
            chosen = with_it
    for name in _CUT_IF_NEEDED:
        room = most - units(_joined(chosen)) - 1
        chosen[name] = cut(getattr(parts, name).strip(), room)
    return _joined(chosen)


def _joined(chosen: dict[str, str]) -> str:
    shown = [chosen[name] for name in ShortParts.__struct_fields__ if chosen.get(name)]
    # A Chinese bracket includes a space.
    return shown[0] + ("" if shown[0].endswith("】") else " ") + " ".join(shown[1:])


def units(text: str) -> int:
    """The length of a text in UTF-16 units, which an SMS segment counts."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, room: int) -> str:
    """The text in at most `room` units, with an ellipsis where it is cut.

    It is never cut inside one visible character, and between words or syllables where the script has them. Empty when
    too little would be left.
    """
    if not text or units(text) <= room:
        return text
    whole, kept, left = clusters(text), 0, room - units(_CUT)
    while left >= units(whole[kept]):
        left -= units(whole[kept])
        kept += 1
    kept = _between_words(whole, kept)
    return "".join(whole[:kept]).rstrip() + _CUT if kept >= _FEWEST else ""


def _between_words(whole: list[str], kept: int) -> int:
    """Where to cut instead of after `kept` clusters, if that is inside a word that begins in their second half."""
    if not 0 < kept < len(whole) or not (_is_in_word(whole[kept - 1]) and _is_in_word(whole[kept])):
        return kept
    start = next((at for at in range(kept, 0, -1) if not _is_in_word(whole[at - 1])), 0)
    return start if start >= max(_FEWEST, kept // 2) else kept


def _is_in_word(cluster: str) -> bool:
    """Whether it is a letter of a script with words: a letter that is not as wide as a Chinese character."""
    return cluster[0].isalnum() and unicodedata.east_asian_width(cluster[0]) not in "WF"


def clusters(text: str) -> list[str]:
    """The text in visible characters: a letter with its marks, as in Tibetan, or joined emoji."""
    found: list[str] = []
    for character in text:
        if found and (_continues(character) or found[-1].endswith(_JOINER)):
            found[-1] += character
        else:
            found.append(character)
    return found


def _continues(character: str) -> bool:
    # Combining marks, the joiner, and skin tones of emoji.
    return (
        unicodedata.category(character).startswith("M")
        or character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
