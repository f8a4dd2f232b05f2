"""The reasons why a station was not in service, as text, from its figures. Pure.

The figures are sums, so two of the times are only lower bounds: a station that was online and not usable for an hour,
and that served visitors for an hour while its link was down, lost the same online time as service time.
"""

from collections.abc import Iterator, Sequence

from audit.days.figures import Figures
from audit.reports.cell_text import time_text
from audit.reports.texts import text
from contract.glossary import word


def not_online_ms(figures: Figures) -> int:
    """Time due in which the station was not online."""
    return figures.due_ms - figures.online_ms


def not_served_ms(figures: Figures) -> int:
    """Service time due in which the station was not usable."""
    return figures.service_due_ms - figures.usable_ms


def reasons(figures: Figures, causes: Sequence[str], language: str) -> str:
    """The reasons from the figures, and the causes that technicians found; empty when no time was lost."""
    return text("separator", language).join(_reasons(figures, causes, language))


def _reasons(figures: Figures, causes: Sequence[str], language: str) -> Iterator[str]:
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
    if causes:
        named = text("comma", language).join(word("repair_cause", cause, language) for cause in causes)
        yield text("found_causes", language, causes=named)
