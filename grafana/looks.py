"""How values look in panels: colours by limits, what stands for a missing one, widths, the lines of series. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from contract.said import Said
from grafana.fields import COLOURS, COLUMNS, DURATION, MOMENT, Json, mappings
from grafana.palette import GREEN, GREY, NEUTRAL, ORANGE, SERIES, VERMILION

NO_DATA: Final = Said("No data", "无数据")
NONE: Final = Said("None known", "未发现")
"""What an empty list of troubles says: nothing is wrong, which differs from no data."""
EMPTY: Final = "–"
"""A cell of a table without a value."""
NARROWEST: Final = 70
"""px of a column of a table. Grafana's own least width pushes columns out of sight."""
_WIDTHS: Final = {MOMENT: 165, DURATION: 110, "none": 110}
"""px of columns by unit: what is as long in every row."""
_LONGEST_HEADING: Final = 14
"""Letters of a heading for which these are wide enough."""
_DASHES: Final[Sequence[Sequence[int]]] = ([], [10, 6], [3, 5], [16, 5, 3, 5])

Limits = Mapping[str, Sequence[float]]
"""Of a column: from where its number is orange, and from where it is vermilion. If they fall, low numbers are bad."""


def cell(name: str) -> Json:
    """Of a column of a table: its width, or the colours of its words. The background has the colour, because yellow
    letters cannot be read on white."""
    width = NARROWEST if name == "id" else _WIDTHS.get(COLUMNS[name].unit or "")
    if width is not None and len(COLUMNS[name].label.en) <= _LONGEST_HEADING:
        return {"custom.width": width}
    if COLUMNS[name].family in COLOURS:
        return {"custom.cellOptions": {"type": "color-background", "mode": "basic"}}
    return {}


def series(name: str, place: int, language: str, *, several: bool, below: bool) -> Json:
    """How the series of a column look that is at a place, from 0, of a panel. `several`: there is one for each value of
    the column `metric`; `below`: it is drawn downwards from zero."""
    label, dash = COLUMNS[name].label.text(language), _DASHES[place % len(_DASHES)]
    look: Json = {
        "color": {"mode": "shades" if several else "fixed", "fixedColor": SERIES[place % len(SERIES)]},
        "custom.lineStyle": {"fill": "dash", "dash": dash} if dash else {"fill": "solid"},
    }
    if several:
        look["displayName"] = f"{label} · ${{__field.labels.metric}}"
    if below:
        look["custom.transform"] = "negative-Y"
    return look


def number(name: str, bounds: Sequence[float] | None, language: str) -> Json:
    """A column of a panel of numbers: the words of its values, and its colours by limits, if it has any."""
    family = COLUMNS[name].family
    known = mappings(family, language) if family is not None else []
    limited = {} if bounds is None else {"thresholds": thresholds(bounds)}
    return {"mappings": [*known, *without_value(language)], **limited}


def without_value(language: str) -> list[Json]:
    """Mappings of a number that is missing, and of an empty text."""
    missing = {"text": NO_DATA.text(language), "color": GREY, "index": 0}
    empty = {"text": EMPTY, "color": GREY, "index": 1}
    return [
        {"type": "special", "options": {"match": "null+nan", "result": missing}},
        {"type": "special", "options": {"match": "empty", "result": empty}},
    ]


def thresholds(bounds: Sequence[float]) -> Json:
    """Steps for Grafana: green, then orange, then vermilion; the other way round if the bounds fall. Without bounds a
    number is neither good nor bad."""
    colours = (GREEN, ORANGE, VERMILION) if bounds else (NEUTRAL,)
    if len(bounds) > 1 and bounds[0] > bounds[1]:
        bounds, colours = tuple(reversed(bounds)), (VERMILION, ORANGE, GREEN)
    steps: list[Json] = [{"value": None, "color": colours[0]}]
    steps += [{"value": bound, "color": colour} for bound, colour in zip(bounds, colours[1:], strict=False)]
    return {"mode": "absolute", "steps": steps}


def stat_options(colour_mode: str) -> Json:
    """The options of a panel of numbers. `colour_mode`: `value` or `background`."""
    return {
        "colorMode": colour_mode,
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "value_and_name",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
    }


def legend(show: bool) -> Json:
    """A legend below the panel."""
    return {"displayMode": "list", "placement": "bottom", "showLegend": show, "calcs": []}
