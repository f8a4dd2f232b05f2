"""The text of one SMS: the short form and, where there is room, the link last. Pure."""

from typing import Final

from alerting.delivery.facts import AlertMessage
from alerting.delivery.short import MOST_UNITS, cut, units

_FEWEST: Final = 24
"""Units of the short form without which a link helps nobody."""


def sms_text(message: AlertMessage) -> str:
    """The text in at most 70 UTF-16 units, which is one SMS; a link is whole or left out."""
    text = " ".join((message.short or message.title).split())
    link = message.link or ""
    if not link or text.endswith(link):
        return cut(text, MOST_UNITS)
    room = MOST_UNITS - units(link) - 1
    if room < min(units(text), _FEWEST):
        return cut(text, MOST_UNITS)
    return f"{cut(text, room)} {link}"
