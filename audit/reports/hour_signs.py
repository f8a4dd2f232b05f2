"""The main state of a station in an hour, as an entry of a heat strip. Pure.

People with red-green colour blindness can distinguish the colours (the palette of Okabe and Ito, lightened). Each state
also has a sign, for prints in black and white.
"""

from typing import Final

from audit.days.figures import Figures
from audit.reports.document import StripSign
from audit.reports.reasons import not_online_ms, not_served_ms
from audit.reports.texts import text
from contract.glossary import word

SERVED: Final = "served"
NOT_OPEN: Final = "not_open"
RAN: Final = "ran"

_SIGNS: Final = (
    (SERVED, "", "#bfe3d6"),
    (RAN, "~", "#e3edc9"),
    ("offline", "×", "#e8a07c"),
    ("unusable", "!", "#f2d58a"),
    ("unknown", "?", "#d5c3dd"),
    ("excused", "e", "#b5d4ea"),
    (NOT_OPEN, "", "#ffffff"),
)


def hour_state(figures: Figures) -> str:
    """The key of the state with the longest time in the hour; if times are equal, the worse state."""
    if not figures.scheduled_ms:
        return NOT_OPEN
    away, idle = not_online_ms(figures), not_served_ms(figures)
    parts = {
        "offline": min(away, idle) if figures.service_due_ms else away,
        "unusable": max(0, idle - away),
        "unknown": figures.unknown_ms,
        "excused": figures.excused_ms,
        RAN: max(0, away - idle) if figures.service_due_ms else 0,
        SERVED: max(0, figures.due_ms - max(away, idle)),
    }
    return max(parts, key=lambda key: parts[key])


def legend(language: str) -> tuple[StripSign, ...]:
    """All entries of the legend, with the words of the glossary."""
    own = {
        SERVED: text("strip_served", language),
        RAN: text("strip_ran", language),
        NOT_OPEN: text("strip_not_open", language),
    }
    return tuple(
        StripSign(key=key, word=own.get(key) or word("verdict", key, language), sign=sign, colour=colour)
        for key, sign, colour in _SIGNS
    )
