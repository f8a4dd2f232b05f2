"""The map of the board: where markers lie, which are drawn as one, which carry a name. Pure.

Equirectangular: a degree of longitude is as wide as the cosine of the middle latitude makes it, which for a prefecture
or a province is as good as any projection. Lengths are in units of the drawing, which is WIDTH of them wide.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from alerting.verdict import Verdict

WIDTH: Final = 1000.0
_LOWEST, _HIGHEST = 0.55, 0.75
_MARGIN: Final = 60.0
_SMALLEST_SPAN: Final = 0.02
_KM_PER_DEGREE: Final = 111.32
_MOST_MARKS: Final = 400
_CELL: Final = 36.0
_MOST_NAMES: Final = 12
_FEW: Final = 150
_MOST_PLACES: Final = 24
_LETTER: Final = {"wide": 21.0, "narrow": 11.0}
_LINE: Final = 27.0

ORDER: Final = (
    Verdict.OFFLINE,
    Verdict.UNUSABLE,
    Verdict.UNKNOWN,
    Verdict.AWAY,
    Verdict.NEVER_SEEN,
    Verdict.EXCUSED,
    Verdict.CLOSED,
    Verdict.ONLINE,
    Verdict.SUSPENDED,
)
"""The gravest first; the map draws them the other way round, so that the gravest lie on top."""
_NAMED: Final = (Verdict.OFFLINE, Verdict.UNUSABLE)
GRAVITY: Final[Mapping[Verdict, int]] = {verdict: len(ORDER) - place for place, verdict in enumerate(ORDER)}

SHAPES: Final[Mapping[str, str]] = {
    "online": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z",
    "unusable": "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0zM-4.5-1.6h9v3.2h-9z",
    "offline": "M-8-8h16v16h-16zM-5-3.4-1.6 0-5 3.4-3.4 5 0 1.6 3.4 5 5 3.4 1.6 0 5-3.4 3.4-5 0-1.6-3.4-5z",
    "away": "M0-8 8 0 0 8-8 0zM0-4V4L4 0z",
    "closed": "M-7-3h14v6h-14z",
    "excused": "M-7 6 0-7 7 6zM-3 3.5h6L0-2.5z",
    "unknown": "M-4-8h8l4 8-4 8h-8l-4-8zM-2.6-5-5 0l2.4 5h5.2L5 0 2.6-5z",
    "never_seen": "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0zM-4 0a4 4 0 1 1 8 0a4 4 0 1 1-8 0z",
    "suspended": "M-5-6h4V6h-4zM1-6h4V6h-4z",
}
"""What a verdict looks like where there is no room for its word: paths around 0,0 that fit into ±8, holes even-odd."""


def outline(verdict: str) -> str:
    """The shape of a verdict without its holes, to write a number on."""
    path = SHAPES[verdict]
    return path if verdict == "suspended" else path[: path.index("z") + 1]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Some stations of one verdict at one place; `id` and `name` are those of the only one, or of any."""

    lat: float
    lon: float
    verdict: Verdict
    stations: int = 1
    id: str = ""
    name: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An area and the middle of its stations."""

    level: str
    code: str
    name: str
    lat: float
    lon: float


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A marker at x, y; `size` times the shape's own size."""

    x: float
    y: float
    verdict: Verdict
    stations: int
    id: str
    name: str

    @property
    def size(self) -> float:
        return round(min(1.5 + 0.3 * math.log2(self.stations), 3.2), 2)


class Label(msgspec.Struct, frozen=True):
    """A name at x, y; `anchor` is start, middle or end; `look` is a verdict, for the name of a station."""

    x: float
    y: float
    text: str
    anchor: str
    code: str = ""
    look: str = ""


class Scale(msgspec.Struct, frozen=True):
    """A bar of `length` units that stands for `km`."""

    length: float
    km: float


class Atlas(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is drawn, the gravest last."""

    width: float
    height: float
    marks: list[Mark]
    labels: list[Label]
    places: list[Label]
    scale: Scale


class Projection:
    """Degrees to units, fitted to a bounding box."""

    def __init__(self, points: Sequence[Point]) -> None:
        lats, lons = [point.lat for point in points], [point.lon for point in points]
        self._lat, self._lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
        self._narrowing = max(math.cos(math.radians(self._lat)), 0.01)
        wide = max((max(lons) - min(lons)) * self._narrowing, _SMALLEST_SPAN)
        high = max(max(lats) - min(lats), _SMALLEST_SPAN)
        self.height = round(WIDTH * min(max(high / wide, _LOWEST), _HIGHEST))
        self.units_per_degree = min((WIDTH - 2 * _MARGIN) / wide, (self.height - 2 * _MARGIN) / high)

    def __call__(self, lat: float, lon: float) -> tuple[float, float]:
        x = WIDTH / 2 + (lon - self._lon) * self._narrowing * self.units_per_degree
        y = self.height / 2 - (lat - self._lat) * self.units_per_degree
        return round(x, 1), round(y, 1)


def draw(points: Sequence[Point], places: Iterable[Place] = ()) -> Atlas | None:
    """The map of some points; None when there are none."""
    if not points:
        return None
    project = Projection(points)
    marks = [_mark(point, project) for point in points]
    if len(marks) > _MOST_MARKS:
        marks = cluster(marks, _CELL)
    marks.sort(key=lambda mark: (GRAVITY[mark.verdict], mark.stations, mark.id))
    taken: list[Box] = []
    labels = name_marks(marks, taken)
    few = marks if len(marks) <= _FEW else []
    around = [_around(mark.x, mark.y, 12 * mark.size, "middle") for mark in few]
    places_named = name_places(places, project, taken, around)
    return Atlas(
        width=WIDTH,
        height=project.height,
        marks=marks,
        labels=labels,
        places=places_named,
        scale=scale_bar(project.units_per_degree),
    )


def _mark(point: Point, project: Projection) -> Mark:
    x, y = project(point.lat, point.lon)
    return Mark(x=x, y=y, verdict=point.verdict, stations=point.stations, id=point.id, name=point.name)


def cluster(marks: Iterable[Mark], cell: float) -> list[Mark]:
    """One mark for those of a verdict in the same square of `cell` units, in the middle of them.

    Verdicts are never mixed: an offline station among a hundred others keeps a mark of its own.
    """
    squares: dict[tuple[int, int, Verdict], list[Mark]] = defaultdict(list)
    for mark in marks:
        squares[int(mark.x // cell), int(mark.y // cell), mark.verdict].append(mark)
    return [_together(found) for found in squares.values()]


def _together(marks: Sequence[Mark]) -> Mark:
    if len(marks) == 1:
        return marks[0]
    stations = sum(mark.stations for mark in marks)
    x = sum(mark.x * mark.stations for mark in marks) / stations
    y = sum(mark.y * mark.stations for mark in marks) / stations
    return msgspec.structs.replace(marks[0], x=round(x, 1), y=round(y, 1), stations=stations)


def text_width(text: str) -> float:
    """About how wide a name is drawn: a Chinese character is twice as wide as a letter."""
    return sum(_LETTER["wide" if ord(letter) > 0x2E7F else "narrow"] for letter in text)


Box = tuple[float, float, float, float]


def name_marks(marks: Sequence[Mark], taken: list[Box]) -> list[Label]:
    """The names of stations that are offline or not usable where there is room, the offline ones first; none when
    there are too many to read them.

    `taken` is where nothing else may be written; what is written here is added to it.
    """
    fallen = [mark for verdict in _NAMED for mark in marks if mark.verdict is verdict and mark.stations == 1]
    taken.extend(_around(mark.x, mark.y, 8 * mark.size, "middle") for mark in fallen)
    if len(fallen) > _MOST_NAMES:
        return []
    beside = [
        [
            Label(mark.x + side * 20, mark.y, mark.name, anchor, mark.id, mark.verdict.value)
            for anchor, side in (("start", 1), ("end", -1))
        ]
        for mark in fallen
    ]
    return [label for tries in beside if (label := _write(tries, taken)) is not None]


_LEVELS: Final = ("county", "prefecture", "province")
_SHIFTS: Final = (0, -30, 30, -60, 60)


def name_places(
    places: Iterable[Place], project: Projection, taken: list[Box], around: Sequence[Box] = ()
) -> list[Label]:
    """The names of the smallest areas that are few enough, where there is room; of a single one, nothing.

    Nothing is written on what is `taken`, and on what is `around` only where there is no better place.
    """
    by_level: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_level[place.level].append(place)
    few = next((by_level[level] for level in _LEVELS if 1 < len(by_level[level]) <= _MOST_PLACES), [])
    found = []
    for place in few:
        x, y = project(place.lat, place.lon)
        tries = [Label(x, y + shift, place.name, "middle", place.code) for shift in _SHIFTS]
        found.append(_write(tries, taken, around) or _write(tries, taken))
    return [label for label in found if label is not None]


def _write(tries: Iterable[Label], taken: list[Box], around: Sequence[Box] = ()) -> Label | None:
    """The first of the places for a name where there is room, which it then takes."""
    for label in tries:
        box = _around(label.x, label.y, text_width(label.text), label.anchor)
        if box[0] >= 0 and box[2] <= WIDTH and not any(_touch(box, other) for other in (*taken, *around)):
            taken.append(box)
            return label
    return None


def _around(x: float, y: float, width: float, anchor: str) -> Box:
    left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
    return left, y - _LINE / 2, left + width, y + _LINE / 2


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def scale_bar(units_per_degree: float) -> Scale:
    """The longest of 1, 2, 5, 10, … km that takes at most a fifth of the width."""
    most = WIDTH / 5 / units_per_degree * _KM_PER_DEGREE
    power = 10.0 ** math.floor(math.log10(most))
    km = max(step * power for step in (1, 2, 5) if step * power <= most)
    return Scale(round(km / _KM_PER_DEGREE * units_per_degree, 1), km)
