"""The detail of an incident and the entries of its history in the reader's language. Pure."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.channels.answer_words import answer_in
from alerting.incidents.topics import shared_name
from api.console.texts import Words
from contract.figures import figure

_HIDDEN: Final = frozenset({"quiet", "children", "shelved_by"})
"""How many it concerns stands over the list of them, which is newer; how it was closed stands beside its status."""
_MOMENTS: Final = frozenset({"since", "offline_since", "unusable_since", "instant", "back_by", "as_of", "seen_at"}) | {
    "fixed_at",
    "fault_ended",
    "back_at",
}
_FAMILIES: Final = {"kind": "spot", "ended_by": "reason", "causes": "reason", "reasons": "gap"}
"""Families of the glossary whose name is another than the field's."""


class EntryText(msgspec.Struct, frozen=True):
    """`said` in the reader's words; `quoted` as a machine elsewhere answered, in its own language."""

    said: str
    quoted: str | None = None


def facts_of(words: Words, detail: Mapping[str, Any], *, hidden: Collection[str] = ()) -> list[tuple[str, str]]:
    """(label, value) of each field, as far as it is a word, a number or a list of them; numbers have their units."""
    shown = {name: value for name, value in detail.items() if name not in _HIDDEN and name not in hidden}
    return [
        (words.named("detail", name), words("comma").join(said))
        for name, value in shown.items()
        if (said := [_said(words, detail, name, one) for one in _listed(value)])
    ]


def entry_text(words: Words, text: str) -> EntryText:
    """The text of a history entry that Milepost wrote: a reason, or the phase and the target of a notification, and the
    target's answer if the delivery failed."""
    phase, arrow, rest = text.partition(" → ")
    if not arrow:
        return EntryText(words.said(text))
    target, colon, answer = rest.partition(": ")
    return EntryText(f"{words.named('phase', phase)}{arrow}{words.named('target', target)}", answer if colon else None)


def repair_text(words: Words, action: str, text: str) -> str:
    """The text of an entry that a person wrote: that of a repair begins with its cause, a word of the glossary."""
    if action not in ("fixed", "cause"):
        return text
    cause, mark, rest = text.partition(" · ")
    return f"{words.named('repair_cause', cause)}{mark}{rest}"


def _listed(value: Any) -> list[str | float]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str | int | float)]


def _said(words: Words, detail: Mapping[str, Any], name: str, value: str | float) -> str:
    special = _SPECIAL.get(name)
    if special is not None:
        return special(words, detail, value)
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if isinstance(value, str) and name in _MOMENTS:
        with suppress(ValueError):
            return words.clock(datetime.fromisoformat(value))
    if isinstance(value, int | float):
        return f"{value:,g}" if isinstance(value, float) else f"{value:,}"
    return words.named(_FAMILIES.get(name, name), value)


def _measured(words: Words, detail: Mapping[str, Any], value: str | float) -> str:
    return figure(str(detail.get("field")), value, words.language)


def _share(words: Words, detail: Mapping[str, Any], value: str | float) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else value


def _duration(words: Words, detail: Mapping[str, Any], value: str | float) -> str:
    return words.duration(timedelta(seconds=value)) if isinstance(value, int | float) else value


def _until(words: Words, detail: Mapping[str, Any], value: str | float) -> str:
    """From milliseconds since the epoch."""
    with suppress(ValueError, OverflowError, TypeError):
        return words.clock(datetime.fromtimestamp(float(value) / 1000, UTC))
    return str(value)


def _stations(words: Words, detail: Mapping[str, Any], value: str | float) -> str:
    return words("some_stations", n=value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _name(words: Words, detail: Mapping[str, Any], value: str | float) -> str:
    return shared_name(detail, words.language) or str(value)


def _answer(words: Words, detail: Mapping[str, Any], value: str | float) -> str:
    return answer_in(str(value), words.language)


_SPECIAL: Final[Mapping[str, Callable[[Words, Mapping[str, Any], str | float], str]]] = {
    "value": _measured,
    "threshold": _measured,
    "share": _share,
    "gaps_s": _duration,
    "gaps_until": _until,
    "name": _name,
    "expected": _stations,
    "stations": _stations,
    "waiting": _stations,
    "answer": _answer,
}
