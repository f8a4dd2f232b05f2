"""What the page of uptime says of figures. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from api.console.texts import Words
from api.read.uptime.schemas import DayRevised, UptimeFigures

COLUMNS: Final = ("online_rate", "service_rate", "coverage", "due_ms", "unknown_ms", "excused_ms")
"""Words of the family `figure`, one for each column."""
_TENTH_MS: Final = 360_000


def figure_row(words: Words, name: str, figures: UptimeFigures, **more: Any) -> dict[str, Any]:
    """A line of a table. `weak`: the rates may not stand alone."""
    cells = (
        *map(percent_text, (figures.online_percent, figures.service_percent, figures.coverage_percent)),
        *(_time(words, ms) for ms in (figures.due_ms, figures.unknown_ms, figures.excused_ms)),
    )
    weak = figures.due_ms > 0 and not figures.headline
    return {
        "name": name,
        "cells": cells,
        "weak": weak,
        "code": None,
        "station": None,
        "revisions": (),
        "day": None,
        **more,
    }


def percent_text(percent: float | None) -> str:
    """A rate with two decimals; a dash where nothing was due."""
    return "–" if percent is None else f"{percent:.2f}%"


def revision_lines(words: Words, revisions: Sequence[DayRevised]) -> list[str]:
    """Of each further revision: which, when, why, and what it changed."""
    return [_revision(words, one) for one in revisions]


def _revision(words: Words, one: DayRevised) -> str:
    causes = words("comma").join(words.named("revision_cause", cause) for cause in one.causes)
    changed = words("comma").join(
        f"{words.named('figure', name)} {'+' if ms > 0 else '−'}{_time(words, abs(ms))}"
        for name, ms in one.difference.items()
    )
    text = words("uptime_revision", n=one.revision, when=words.day_hour(one.recorded_at), why=causes)
    addendum = f" {words('uptime_addendum')}" if one.addendum else ""
    return f"{text}{addendum} {changed}".strip()


def _time(words: Words, ms: int) -> str:
    """Hours, so that columns can be compared; what is shorter than a tenth of one in full."""
    if 0 < ms < _TENTH_MS:
        return words.duration(timedelta(milliseconds=ms))
    tenths = ms // _TENTH_MS
    return words("uptime_hours", n=f"{tenths // 10:,}" + (f".{tenths % 10}" if tenths % 10 else ""))
