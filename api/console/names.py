"""Names of stations and areas on the pages: one in the reader's language, the others beside it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from alerting.incidents.topics import shared_name, topic_word
from api.console.texts import Words
from api.read.rows import DatabaseRow
from contract.glossary import WORDS
from contract.kinds import SHARED_BY_STATIONS, IncidentKind

_ROLES: Final = {said.zh: name for name, said in WORDS["duty_role"].items()}


def role_named(text: str) -> str:
    """The role that a person wrote in a form; the roles of Milepost may be written in Chinese."""
    return _ROLES.get(text.strip(), text)


class Name(msgspec.Struct, frozen=True):
    """`main` to be read; `others` with their languages, the Tibetan one always among them."""

    main: str
    others: list[tuple[str, str]]


def name_of(words: Words, name: str, name_en: str | None = None, name_bo: str | None = None) -> Name:
    """A name in the reader's language, with the names in the other languages."""
    main = words.pick(name, name_en)
    known = {"zh-CN": name, "en": name_en, "bo": name_bo}
    return Name(main, [(language, text) for language, text in known.items() if text and text != main])


def name_of_row(words: Words, row: DatabaseRow) -> Name:
    """The same from a row with `name`, `name_en` and `name_bo`."""
    return name_of(words, row["name"], row["name_en"], row["name_bo"])


def where(*places: str | None) -> str:
    """The known parts of a place, each once; a station without a name is called by its id."""
    return " · ".join(dict.fromkeys(place for place in places if place))


def topic_of(words: Words, kind: str, detail: Mapping[str, Any]) -> str | None:
    """What distinguishes an incident from others of its kind: the kind of blind spot, the health rule, what the
    stations have in common; for a conflict the terminal and the reason, because a station may have several; for a dead
    channel the contact and the kind of the channel."""
    if kind == IncidentKind.IDENTITY_CONFLICT:
        terminal, reason = detail.get("terminal"), detail.get("reason")
        return where(
            f"{words('terminal')} {terminal}" if isinstance(terminal, str) else None,
            words.named("reason", reason) if isinstance(reason, str) else None,
        )
    if kind == IncidentKind.CHANNEL_DEAD:
        contact, channel = detail.get("contact"), detail.get("channel")
        return where(
            contact if isinstance(contact, str) else None,
            words.named("channel", channel) if isinstance(channel, str) else None,
        )
    if kind in SHARED_BY_STATIONS:
        return shared_name(detail, words.language)
    if detail.get("stage") == LAST_ONE:
        return words.named("stage", LAST_ONE)
    return topic_word(kind, detail, words.language)


LAST_ONE: Final = "last_one"
"""The stage of an area in which only one station is left: a warning, no blind spot yet."""
