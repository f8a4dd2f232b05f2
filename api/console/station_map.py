"""The map of the board: positions of markers, clusters of markers, and names. Pure.

Equirectangular: a degree of longitude is as wide as the cosine of the middle latitude makes it, which for a prefecture
or a province is as good as any projection. Lengths are in units of the drawing, which is WIDTH of them wide.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from alerting.stations.verdict import Verdict

WIDTH: Final = 1000.0
_LOWEST, _HIGHEST = 0.55, 0.75
_MARGIN: Final = 60.0
_SMALLEST_SPAN: Final = 0.02
_KM_PER_DEGREE: Final = 111.32
_MOST_MARKS: Final = 400
_CELL: Final = 36.0
_MOST_NAMES: Final = 12
_MOST_SPARED: Final = 40
_MOST_PLACES: Final = 24
_EDGE: Final = 4.0
_HALO: Final = 6.0
"""The light edge of letters, on both sides together."""

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
"""The most severe first; the map draws them in reverse order, so that the most severe lie on top."""
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
        """How many times the shape's own size it is drawn; more stations make it larger."""
        return round(min(1.5 + 0.3 * math.log2(self.stations), 3.2), 2)


class MapLabel(msgspec.Struct, frozen=True):
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


class StationMap(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is drawn, the gravest last. `places` are written in the letters of a desk or a wall, `phone` the
    same in those of a phone, which has no room for the names of stations."""

    width: float
    height: float
    marks: list[Mark]
    labels: list[MapLabel]
    places: list[MapLabel]
    phone: list[MapLabel]
    scale: Scale


class Lettering(msgspec.Struct, frozen=True, kw_only=True):
    """How names are written: `size` of the letters and `spacing` after each, in units of the drawing, as page.css has
    them; `marks` times its own size is how large a marker is drawn beside them."""

    size: float
    spacing: float = 0.0
    marks: float = 1.0

    def width(self, text: str) -> float:
        """About how wide a name is drawn, rather too wide: a Chinese character is wider than a letter."""
        wide = sum(self.size if ord(letter) > _LAST_NARROW else self.size * 0.64 for letter in text)
        return wide + self.spacing * len(text) + _HALO

    @property
    def line(self) -> float:
        """The height of a line, in units of the drawing."""
        return self.size * 1.3


_LAST_NARROW: Final = 0x2E7F
STATIONS: Final = Lettering(size=20.0)
PLACES: Final = Lettering(size=22.0, spacing=1.76)
PHONE: Final = Lettering(size=38.0, spacing=3.04, marks=1.7)
_SCALES: Final = {PLACES: Lettering(size=16.0), PHONE: Lettering(size=30.0)}


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


def draw(points: Sequence[Point], places: Iterable[Place] = ()) -> StationMap | None:
    """The map of some points; None when there are none."""
    if not points:
        return None
    project = Projection(points)
    marks = [_mark(point, project) for point in points]
    if len(marks) > _MOST_MARKS:
        marks = cluster(marks, _CELL)
    marks.sort(key=lambda mark: (GRAVITY[mark.verdict], mark.stations, mark.id))
    scale = scale_bar(project.units_per_degree)
    few = _few(places)
    sheet = LabelSheet(project.height, marks, scale, PLACES)
    labels = name_marks(marks, sheet)
    return StationMap(
        width=WIDTH,
        height=project.height,
        marks=marks,
        labels=labels,
        places=name_places(few, project, sheet),
        phone=name_places(few, project, LabelSheet(project.height, marks, scale, PHONE)),
        scale=scale,
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


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class LabelSheet:
    """Where names may be written: inside, on no other name and not on the scale; on markers only where there is no
    better place, and on none of what is offline or not usable unless that is very many. Names lie over markers."""

    def __init__(self, height: float, marks: Sequence[Mark], scale: Scale, lettering: Lettering) -> None:
        self.lettering = lettering
        self._height = height
        number = _SCALES[lettering].width(f"{scale.km:g} 公里")
        self._taken: list[Box] = [(20.0, height - 34 - _SCALES[lettering].line / 2, 44 + scale.length + number, height)]
        self._markers = MarkerIndex()
        grave = [mark for mark in marks if mark.verdict in _NAMED]
        spared = set(map(id, grave)) if len(grave) <= _MOST_SPARED else set()
        for mark in marks:
            reach = 8 * mark.size * lettering.marks
            box = (mark.x - reach, mark.y - reach, mark.x + reach, mark.y + reach)
            self._markers.add_box(box)
            if id(mark) in spared:
                self._taken.append(box)

    def write(self, tries: Iterable[MapLabel], lettering: Lettering) -> MapLabel | None:
        """The name in the best of the places where there is room, moved inside, which it then takes."""
        best: tuple[int, MapLabel, Box] | None = None
        for wish in tries:
            label, box = self._inside(wish, lettering)
            if any(_touch(box, other) for other in self._taken):
                continue
            covered = self._markers.touched_by(box)
            if best is None or covered < best[0]:
                best = covered, label, box
            if not covered:
                break
        if best is None:
            return None
        self._taken.append(best[2])
        return best[1]

    def _inside(self, label: MapLabel, lettering: Lettering) -> tuple[MapLabel, Box]:
        left, top, right, bottom = _around(label.x, label.y, lettering.width(label.text), label.anchor, lettering.line)
        x = max(_EDGE - left, 0.0) or min(WIDTH - _EDGE - right, 0.0)
        y = max(_EDGE - top, 0.0) or min(self._height - _EDGE - bottom, 0.0)
        moved = msgspec.structs.replace(label, x=round(label.x + x, 1), y=round(label.y + y, 1))
        return moved, (left + x, top + y, right + x, bottom + y)


class MarkerIndex:
    """Boxes by the squares of the drawing that they touch, so that few are looked at for each place."""

    def __init__(self) -> None:
        self._squares: dict[tuple[int, int], list[tuple[int, Box]]] = defaultdict(list)
        self._boxes = 0

    def add_box(self, box: Box) -> None:
        """Take a box in."""
        self._boxes += 1
        for square in _squares_of(box):
            self._squares[square].append((self._boxes, box))

    def touched_by(self, box: Box) -> int:
        """How many of the boxes taken in touch a box."""
        near = {number: other for square in _squares_of(box) for number, other in self._squares.get(square, ())}
        return sum(_touch(box, other) for other in near.values())


def _squares_of(box: Box) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = (int(edge // _CELL) for edge in box)
    return ((column, row) for column in range(left, right + 1) for row in range(top, bottom + 1))


def name_marks(marks: Sequence[Mark], sheet: LabelSheet) -> list[MapLabel]:
    """The names of stations that are offline or not usable where there is room, the offline ones first; none when
    there are too many to read them."""
    fallen = [mark for verdict in _NAMED for mark in marks if mark.verdict is verdict and mark.stations == 1]
    if len(fallen) > _MOST_NAMES:
        return []
    found = [sheet.write(_beside(mark), STATIONS) for mark in fallen]
    return [label for label in found if label is not None]


def _beside(mark: Mark) -> Iterator[MapLabel]:
    gap = 8 * mark.size + 8
    above = gap + STATIONS.line / 2
    for x, y, anchor in ((gap, 0, "start"), (-gap, 0, "end"), (0, -above, "middle"), (0, above, "middle")):
        yield MapLabel(mark.x + x, mark.y + y, mark.name, anchor, mark.id, mark.verdict.value)


_LEVELS: Final = ("county", "prefecture", "province")


def _few(places: Iterable[Place]) -> list[Place]:
    """The smallest areas that are few enough to be named; of a single one, nothing."""
    by_level: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_level[place.level].append(place)
    return next((by_level[level] for level in _LEVELS if 1 < len(by_level[level]) <= _MOST_PLACES), [])


def name_places(places: Iterable[Place], project: Projection, sheet: LabelSheet) -> list[MapLabel]:
    """The names of areas near their middles, where there is room."""
    found = [sheet.write(_near(place, project, sheet.lettering), sheet.lettering) for place in places]
    return [label for label in found if label is not None]


def _near(place: Place, project: Projection, lettering: Lettering) -> Iterator[MapLabel]:
    x, y = project(place.lat, place.lon)
    beside = lettering.width(place.name) / 2
    for line in (0.0, -1.1, 1.1, -2.2, 2.2):
        for side in (0.0, beside, -beside):
            yield MapLabel(x + side, y + line * lettering.line, place.name, "middle", place.code)


def _around(x: float, y: float, width: float, anchor: str, line: float) -> Box:
    left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
    return left, y - line / 2, left + width, y + line / 2


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def scale_bar(units_per_degree: float) -> Scale:
    """The longest of 1, 2, 5, 10, … km that takes at most a fifth of the width."""
    most = WIDTH / 5 / units_per_degree * _KM_PER_DEGREE
    power = 10.0 ** math.floor(math.log10(most))
    km = max(step * power for step in (1, 2, 5) if step * power <= most)
    return Scale(round(km / _KM_PER_DEGREE * units_per_degree, 1), km)
