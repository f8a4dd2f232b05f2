"""The values of an incident for pages of people who travel to the station. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from api.console.names import topic_of, where
from api.console.texts import Words
from api.read.response.schemas import FiguresDocument, MiddleDocument, WorkItem
from contract.home import HOME

Shown = Callable[[str], str]
"""The name of an account."""


class NamesOfPlaces(Protocol):
    """The names of stations and areas."""

    def station(self, station: str | None, /) -> str | None:
        """Of a station by its id; None for none."""

    def area(self, area: str | None, /) -> str | None:
        """Of an area by its code; None for none."""


def work_row(item: WorkItem, named: NamesOfPlaces, words: Words, who: Shown) -> dict[str, Any]:
    """One incident: what and where it is, how old, whose."""
    area = named.area(item.area)
    station = named.station(item.station)
    return {
        "item": item,
        "what": where(topic_of(words, item.kind, item.detail), station or area),
        "where": where(*([area, item.station, item.address] if item.station else [])),
        "geo": f"{item.lat:.5f},{item.lon:.5f}" if item.lat is not None and item.lon is not None else None,
        "open_age": _length(words, item.open_age_s),
        "age": _length(words, item.age_s),
        "eta": words.day_hour(item.eta_at) if item.eta_at else None,
        "owner": _owner(words, item, who),
        "why": words("comma").join(words(f"why_mine.{why}") for why in item.why),
        "openings": openings_text(words, item),
    }


def _owner(words: Words, item: WorkItem, who: Shown) -> str:
    """Whom it is assigned to, else who acknowledged it; empty: nobody."""
    if item.assignee:
        return f"{words('assignee')} {who(item.assignee)}"
    return words("taken_by", person=who(item.acknowledged_by)) if item.acknowledged_by else ""


def openings_text(words: Words, item: WorkItem) -> str | None:
    """When the station is open until the end of tomorrow, in Beijing time; None: there is no station."""
    if item.station is None:
        return None
    if item.openings is None:
        return words("open_always")
    spans = [_span(one.begin.astimezone(HOME), one.end.astimezone(HOME)) for one in item.openings]
    return f"{words('openings_next')} {words('comma').join(spans)}" if spans else words("not_open_soon")


def _span(begin: datetime, end: datetime) -> str:
    """The end is named with its day if that is another one."""
    return (
        f"{begin:%m-%d %H:%M}–{end:%H:%M}" if begin.date() == end.date() else f"{begin:%m-%d %H:%M}–{end:%m-%d %H:%M}"
    )


def figure_cells(words: Words, figures: FiguresDocument) -> list[str]:
    """The times to acknowledge and to repair, each in wall time and in open time."""
    delays = (figures.to_acknowledge, figures.to_repair)
    return [_cell(words, middle) for delay in delays for middle in (delay.wall, delay.open)]


def _cell(words: Words, middle: MiddleDocument) -> str:
    if middle.mean is None or middle.median is None:
        return "–"
    return f"{_length(words, middle.mean)} ({_length(words, middle.median)})"


def _length(words: Words, seconds: float) -> str:
    return words.duration(timedelta(seconds=seconds))
