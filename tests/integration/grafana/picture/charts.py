"""Charts as SVG: curves and bars over time, bands of states, points on a map. Pure.

A chart is drawn in a box of pixels and says how many marks it has.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from tests.integration.grafana.picture.fields import TEXT, Field, number
from tests.integration.grafana.picture.units import formatted

_LEFT: Final = 76
_FOOT: Final = 22
_GRID: Final = "#d5d5d5"
_INK: Final = "#24292e"
_DASH_DEFAULT: Final = (10, 10)


class Drawn(NamedTuple):
    """A drawing, and how many marks it has that stand for values."""

    html: str
    marks: int


class Box(msgspec.Struct, frozen=True):
    """The place of a chart in px, and the time in s that it shows."""

    width: float
    height: float
    begin: float = 0
    end: float = 1

    def x(self, moment: float) -> float:
        return _LEFT + (moment - self.begin) / (self.end - self.begin) * (self.width - 2 * _LEFT)

    def y(self, part: float) -> float:
        """`part`: 0 at the foot, 1 at the top."""
        return (self.height - _FOOT - 6) * (1 - part) + 6


def ink(colour: str) -> str:
    """A colour as the page has it."""
    return _INK if colour == TEXT else escape(colour)


def words(x: float, y: float, text: str, anchor: str = "middle", colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink(colour)}">{escape(text)}</text>'


def svg(box: Box, parts: Sequence[str]) -> str:
    return f'<svg width="{box.width:.0f}" height="{box.height:.0f}">{"".join(parts)}</svg>'


def curves(box: Box, moments: Sequence[float], fields: Sequence[Field]) -> Drawn:
    """Series over time, with an axis for each unit: the first at the left, the second at the right."""
    units = list(dict.fromkeys(field.unit for field in fields))
    parts, marks = list(_time_axis(box)), 0
    for place, unit in enumerate(units):
        mine = [field for field in fields if field.unit == unit]
        scale = _scale(mine)
        parts += _value_axis(box, mine[0], scale, box.width - _LEFT if place else _LEFT, last=bool(place))
        piled = [0.0] * len(moments)
        for field in mine:
            drawn = list(_series(box, moments, field, scale, piled))
            parts += drawn
            marks += sum(part.count("data-mark") for part in drawn)
    return Drawn(svg(box, parts), marks)


def _signed(field: Field) -> list[float | None]:
    sign = -1 if field.options.get("custom.transform") == "negative-Y" else 1
    return [None if (found := number(value)) is None else sign * found for value in field.values]


def _is_stacked(field: Field) -> bool:
    return bool(field.options.get("custom.stacking", {}).get("mode") == "normal")


def _scale(fields: Sequence[Field]) -> tuple[float, float]:
    """The lowest and the highest value of an axis."""
    columns = [_signed(field) for field in fields]
    tops = [max(row, default=0) for row in zip(*[[v or 0 for v in one] for one in columns], strict=True)]
    lows = [min(row, default=0) for row in zip(*[[v or 0 for v in one] for one in columns], strict=True)]
    if any(_is_stacked(field) for field in fields):
        tops = [sum(v for v in row if v and v > 0) for row in zip(*columns, strict=True)]
        lows = [sum(v for v in row if v and v < 0) for row in zip(*columns, strict=True)]
    low = min(0.0, *lows, *(field.options.get("min", 0) for field in fields))
    high = max(low + 1e-9, *tops, *(field.options.get("max", 0) for field in fields))
    return low, high


def _value_axis(box: Box, field: Field, scale: tuple[float, float], x: float, *, last: bool) -> Iterator[str]:
    low, high = scale
    for step in range(5):
        y = box.y(step / 4)
        if not last:
            yield f'<path d="M{x} {y:.1f}H{box.width - _LEFT}" stroke="{_GRID}"/>'
        text = formatted(low + (high - low) * step / 4, field.unit, field.options.get("decimals"))
        yield words(x + (6 if last else -6), y + 4, text, "start" if last else "end")


def _time_axis(box: Box) -> Iterator[str]:
    for step in range(5):
        moment = box.begin + (box.end - box.begin) * step / 4
        text = formatted(moment * 1000, "dateTimeAsIso")
        yield words(box.x(moment), box.height - 6, text[:10] if box.end - box.begin > 4e5 else text[5:16])


def _series(
    box: Box, moments: Sequence[float], field: Field, scale: tuple[float, float], piled: list[float]
) -> Iterator[str]:
    low, high = scale
    colour = ink(field.colour(None))
    at = [None if value is None else box.y((value - low) / (high - low)) for value in _signed(field)]
    if field.options.get("custom.drawStyle") == "bars":
        yield from _bars(box, moments, field, scale, piled)
        return
    path, pen_down = "", False
    for moment, y in zip(moments, at, strict=True):
        if y is not None:
            path += f"{'L' if pen_down else 'M'}{box.x(moment):.1f} {y:.1f}"
            yield f'<circle data-mark cx="{box.x(moment):.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'
        pen_down = y is not None or (pen_down and bool(field.options.get("custom.spanNulls")))
    style = field.options.get("custom.lineStyle", {})
    dash = " ".join(map(str, style.get("dash", _DASH_DEFAULT))) if style.get("fill") in ("dash", "dot") else ""
    width = field.options.get("custom.lineWidth", 1)
    yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"/>'


def _bars(
    box: Box, moments: Sequence[float], field: Field, scale: tuple[float, float], piled: list[float]
) -> Iterator[str]:
    low, high = scale
    steps = [after - before for before, after in pairwise(moments)]
    wide = max(3.0, min([40.0, *((box.x(box.begin + step) - _LEFT) * 0.7 for step in steps)]))
    for n, (moment, value) in enumerate(zip(moments, _signed(field), strict=True)):
        if value is None:
            continue
        foot = piled[n] if _is_stacked(field) and piled[n] * value > 0 else 0.0
        piled[n] = foot + value
        upper, lower = (box.y((each - low) / (high - low)) for each in (max(foot, piled[n]), min(foot, piled[n])))
        yield (
            f'<rect data-mark x="{box.x(moment) - wide / 2:.1f}" y="{upper:.1f}" width="{wide:.1f}" '
            f'height="{max(1.0, lower - upper):.1f}" fill="{ink(field.colour(None))}" fill-opacity="0.7"/>'
        )


def bands(box: Box, frames: Sequence[tuple[Sequence[float], Field]]) -> Drawn:
    """A band for each field, whose states last until the next one."""
    parts, marks = list(_time_axis(box)), 0
    high = (box.height - _FOOT) / max(1, len(frames))
    for place, (moments, field) in enumerate(frames):
        y = place * high + 4
        parts.append(words(_LEFT - 6, y + high / 2, field.title, "end"))
        for moment, until, value in zip(moments, [*moments[1:], box.end], field.values, strict=True):
            shown, wide = field.show(value), box.x(until) - box.x(moment)
            parts.append(
                f'<rect x="{box.x(moment):.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high * 0.8:.1f}" '
                f'fill="{ink(shown.colour)}" fill-opacity="0.8"/>'
            )
            if wide > 12 * len(shown.text):
                parts.append(words(box.x(moment) + wide / 2, y + high / 2, shown.text))
            marks += 1
    return Drawn(svg(box, parts), marks)


def points(box: Box, latitude: Field, longitude: Field, style: dict[str, Field], sizes: tuple[float, float]) -> Drawn:
    """Points by their coordinates, without the map below them. `style`: the fields of `color`, `size` and `text`."""
    places = [(number(x), number(y)) for x, y in zip(longitude.values, latitude.values, strict=True)]
    known = [(x, y) for x, y in places if x is not None and y is not None]
    if not known:
        return Drawn("", 0)
    west, south = min(x for x, _ in known) - 0.5, min(y for _, y in known) - 0.5
    span = max(max(x for x, _ in known) - west, max(y for _, y in known) - south) + 0.5
    parts = [f'<rect width="{box.width:.0f}" height="{box.height:.0f}" fill="#eaf0f2"/>']
    for n, (x, y) in enumerate(places):
        if x is None or y is None:
            continue
        at = 40 + (x - west) / span * (box.width - 80), 20 + (1 - (y - south) / span) * (box.height - 40)
        shown, text = style["color"].show(style["color"].values[n]), style["text"].show(style["text"].values[n])
        radius = _radius(style["size"], n, sizes)
        parts.append(
            f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}" '
            f'fill="{ink(shown.colour)}" fill-opacity="0.8"/>'
        )
        parts.append(words(at[0], at[1] + radius + 12, text.text))
    return Drawn(svg(box, parts), len(known))


def _radius(field: Field, n: int, sizes: tuple[float, float]) -> float:
    found = [number(value) or 0.0 for value in field.values]
    part = (found[n] - min(found)) / ((max(found) - min(found)) or 1)
    return sizes[0] + part * (sizes[1] - sizes[0])
