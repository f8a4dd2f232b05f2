"""Panels as HTML, each kind by its own function. Pure."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final

import msgspec

from tests.integration.grafana.picture.charts import Box, Drawn, bands, curves, ink, points
from tests.integration.grafana.picture.fields import TEXT, Field, Panel, Rows, columns_of, number, seconds, series_of

CELL: Final = 66
"""The width of a column of Grafana's grid in px, on a screen of 1,600 px."""
RANK: Final = 38
"""The height of a row of the grid in px, and what lies between two panels."""
GAP: Final = 8
_HEAD: Final = 34
_LEGEND: Final = 28
_NARROWEST: Final = 150
"""The least width of a column of a table that names none."""


class Answer(msgspec.Struct, frozen=True):
    """What a query returned: the names of its columns and its rows."""

    names: Sequence[str]
    rows: Rows


class Window(msgspec.Struct, frozen=True):
    """The time range of a dashboard, in s since 1970."""

    begin: float
    end: float


def draw_panel(panel: Panel, answers: Sequence[Answer], window: Window) -> Drawn:
    """A panel at its place. Raises ValueError for a kind or an option that is not drawn here."""
    if panel["type"] not in KINDS or panel.get("transformations"):
        raise ValueError(f"not drawn: a panel {panel['type']} with the transformations {panel.get('transformations')}")
    grid = panel["gridPos"]
    width, height = grid["w"] * CELL - GAP, grid["h"] * RANK - GAP
    place = f"left:{grid['x'] * CELL}px;top:{grid['y'] * RANK}px;width:{width}px;height:{height}px"
    if panel["type"] == "row":
        return Drawn(f'<h2 style="{place}">{escape(panel["title"])}</h2>', 1)
    box = Box(width - 16, height - _HEAD - 8, window.begin, window.end)
    drawn = KINDS[panel["type"]](panel, answers, box)
    body = drawn.html if drawn.marks else f'<p class="none">{escape(panel["fieldConfig"]["defaults"]["noValue"])}</p>'
    note = panel.get("description", "")
    title = f'<h3 title="{escape(note)}">{escape(panel["title"])}{" ⓘ" if note else ""}</h3>'
    return Drawn(f'<section style="{place}">{title}{body}</section>', drawn.marks)


def _stat(panel: Panel, answers: Sequence[Answer], box: Box) -> Drawn:
    fields = [field for answer in answers for field in columns_of(panel, answer.rows, answer.names)]
    filled = panel["options"]["colorMode"] == "background"
    tiles = []
    for field in fields:
        shown = field.show(next((value for value in reversed(field.values) if value is not None), None))
        colour = ink(shown.colour)
        style = f"background:{colour};color:{_over(shown.colour)}" if filled else f"--value:{colour}"
        letters = sum(2 if letter > "\u2e80" else 1 for letter in shown.text)
        size = min(28, 1.7 * box.width / len(fields) / max(1, letters))
        value = f'<b style="font-size:{size:.0f}px">{escape(shown.text)}</b>'
        tiles.append(f'<div style="{style}">{value}<span>{escape(field.title)}</span></div>')
    rows = any(answer.rows for answer in answers)
    return Drawn(f'<div class="stat" style="height:{box.height}px">{"".join(tiles)}</div>', len(tiles) if rows else 0)


def _over(colour: str) -> str:
    """Black or white: what can be read on a colour."""
    if colour == TEXT or not colour.startswith("#"):
        return "white"
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return "black" if red * 299 + green * 587 + blue * 114 > 140_000 else "white"


def _table(panel: Panel, answers: Sequence[Answer], box: Box) -> Drawn:
    (answer,) = answers
    fields = [field for field in columns_of(panel, answer.rows, answer.names) if not field.hidden]
    wide = _widths(fields, box.width)
    heads = "".join(_cell("th", field, escape(field.title), wide[field.name]) for field in fields)
    body = "".join(
        f"<tr>{''.join(_cell('td', field, _content(field, n), wide[field.name]) for field in fields)}</tr>"
        for n in _order(panel, fields, len(answer.rows))
    )
    table = f'<table style="width:{sum(wide.values())}px"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return Drawn(f'<div class="table" style="height:{box.height}px">{table}</div>', len(answer.rows) * len(fields))


def _widths(fields: Sequence[Field], whole: float) -> dict[str, float]:
    """Those that are given, and the rest in equal parts that are not too narrow."""
    given = {field.name: float(width) for field in fields if (width := field.options.get("custom.width"))}
    part = (whole - sum(given.values())) / max(1, len(fields) - len(given))
    least = {field.name: field.options.get("custom.minWidth", _NARROWEST) for field in fields}
    return {name: given.get(name, max(each, part)) for name, each in least.items()}


def _order(panel: Panel, fields: Sequence[Field], rows: int) -> list[int]:
    """The places of the rows, sorted as the panel says."""
    places = list(range(rows))
    for sort in panel["options"].get("sortBy", ()):
        (field,) = (field for field in fields if field.title == sort["displayName"])
        places.sort(key=lambda n: number(field.values[n]) or 0.0, reverse=sort["desc"])
    return places


def _cell(tag: str, field: Field, content: str, width: float) -> str:
    side = "right" if field.is_number() else "left"
    return f'<{tag} style="width:{width:.0f}px;text-align:{side}">{content}</{tag}>'


def _content(field: Field, n: int) -> str:
    shown = field.show(field.values[n])
    text = escape(shown.text)
    if field.options.get("custom.cellOptions", {}).get("type") == "color-background":
        return f'<b style="background:{ink(shown.colour)};color:{_over(shown.colour)}">{text}</b>'
    return f"<a>{text}</a>" if field.options.get("links") else text


def _curves(panel: Panel, answers: Sequence[Answer], box: Box) -> Drawn:
    (answer,) = answers
    moments, fields = series_of(panel, answer.rows, answer.names)
    if not moments:
        return Drawn("", 0)
    drawn = curves(Box(box.width, box.height - _LEGEND, box.begin, box.end), moments, fields)
    keys = (_key(field.colour(None), field.title, field.options.get("custom.lineStyle", {})) for field in fields)
    return Drawn(f'{drawn.html}<div class="legend">{"".join(keys)}</div>', drawn.marks)


def _key(colour: str, text: str, style: Mapping[str, Any] | None = None) -> str:
    line = {"dash": "dashed", "dot": "dotted"}.get((style or {}).get("fill", ""), "solid")
    return f'<span><i style="border-top:4px {line} {ink(colour)}"></i>{escape(text)}</span>'


def _bands(panel: Panel, answers: Sequence[Answer], box: Box) -> Drawn:
    frames = []
    for answer in answers:
        moments = [seconds(row["time"]) for row in answer.rows]
        fields = columns_of(panel, answer.rows, [name for name in answer.names if name != "time"])
        frames += [(moments, field) for field in fields if moments]
    return bands(box, frames)


def _map(panel: Panel, answers: Sequence[Answer], box: Box) -> Drawn:
    (answer,) = answers
    (layer,) = panel["options"]["layers"]
    fields = {field.name: field for field in columns_of(panel, answer.rows, answer.names)}
    style, location = layer["config"]["style"], layer["location"]
    drawn = points(
        Box(box.width, box.height - _LEGEND),
        fields[location["latitude"]],
        fields[location["longitude"]],
        {part: fields[style[part]["field"]] for part in ("color", "size", "text")},
        (style["size"]["min"], style["size"]["max"]),
    )
    coloured = fields[style["color"]["field"]]
    return Drawn(f'{drawn.html}<div class="legend">{_steps(coloured)}</div>', drawn.marks)


def _steps(field: Field) -> str:
    """The legend that Grafana draws of a field's thresholds, if there are several."""
    steps = field.options.get("thresholds", {"steps": []})["steps"]
    if len(steps) < 2:
        return ""
    lowest = _key(steps[0]["color"], f"< {field.show(steps[1]['value']).text}")
    return lowest + "".join(_key(step["color"], f"≥ {field.show(step['value']).text}") for step in steps[1:])


KINDS: Final[Mapping[str, Callable[[Panel, Sequence[Answer], Box], Drawn]]] = {
    "row": _table,
    "stat": _stat,
    "table": _table,
    "timeseries": _curves,
    "state-timeline": _bands,
    "geomap": _map,
}
"""The kinds of panels that are drawn. A row is only a heading."""
