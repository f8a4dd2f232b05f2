"""The reasons why a station was not in service, as text, from its figures. Pure.

The figures are sums, so two of the times are only lower bounds: a station that was online and not usable for an hour,
and that served visitors for an hour while its link was down, lost the same online time as service time.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from audit.days.figures import Figures
from audit.reports.cell_text import time_text
from audit.reports.texts import text
from contract.glossary import word


class LostDays(msgspec.Struct, frozen=True):
    """How many days of a month lost a minute or more, and the worst of them, each with its milliseconds without
    service (or not online, if these are more)."""

    number: int
    worst: tuple[tuple[date, int], ...]


def not_online_ms(figures: Figures) -> int:
    """Time due in which the station was not online."""
    return figures.due_ms - figures.online_ms


def not_served_ms(figures: Figures) -> int:
    """Service time due in which the station was not usable."""
    return figures.service_due_ms - figures.usable_ms


def reasons(
    figures: Figures,
    causes: Sequence[str],
    language: str,
    *,
    unexplained: int = 0,
    lost: LostDays | None = None,
) -> str:
    """The reasons from the figures, the days that lost most, and the causes that technicians found; empty when no time
    was lost. `unexplained`: the number of incidents without a cause."""
    found = [
        *_of_figures(figures, language),
        *([] if lost is None or not figures.online_ms else _of_days(lost, language)),
        *_of_causes(causes, unexplained, language),
    ]
    return text("separator", language).join(found)


def _of_figures(figures: Figures, language: str) -> Iterator[str]:
    away, idle = not_online_ms(figures), not_served_ms(figures)
    if not figures.due_ms:
        yield text("nothing_due", language)
    elif not figures.online_ms:
        yield text("never_online", language)
    elif away:
        yield text("was_offline", language, time=time_text(away), due=time_text(figures.due_ms))
    if idle > away:
        yield text("was_unusable", language, time=time_text(idle - away))
    if away > idle and figures.service_due_ms:
        yield text("link_was_down", language, time=time_text(away - idle))
    if figures.unknown_ms:
        yield text("was_unknown", language, time=time_text(figures.unknown_ms))
    if figures.due_ms and not figures.has_headline:
        yield text("few_known", language)
    if figures.excused_ms:
        yield text("was_excused", language, time=time_text(figures.excused_ms))


def _of_days(lost: LostDays, language: str) -> Iterator[str]:
    named = [text("lost_on", language, day=f"{day:%m-%d}", time=time_text(ms)) for day, ms in lost.worst]
    yield text("lost_days", language, n=lost.number, days=text("comma", language).join(named))


def _of_causes(causes: Sequence[str], unexplained: int, language: str) -> Iterator[str]:
    if causes:
        named = text("comma", language).join(word("repair_cause", cause, language) for cause in causes)
        yield text("found_causes", language, causes=named)
    if unexplained:
        yield text("no_causes", language, n=unexplained)
