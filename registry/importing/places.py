"""Finds implausible coordinates of stations: outside the province of the area's code, far from the other stations of
the area, exchanged, 0,0, or of a map service (GCJ-02). Pure.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import cos, hypot, pi, radians, sin, sqrt
from statistics import median
from typing import Final

import msgspec

from contract.said import Said
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows
from registry.model import Station

Place = tuple[float, float]
"""Degrees: latitude, longitude."""

# South, north, west and east of each province, by the first two digits of its code.
_PROVINCES: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "11": (39.4, 41.1, 115.4, 117.6),
    "12": (38.5, 40.3, 116.7, 118.1),
    "13": (36.0, 42.7, 113.4, 119.9),
    "14": (34.5, 40.8, 110.2, 114.6),
    "15": (37.4, 53.4, 97.1, 126.1),
    "21": (38.7, 43.5, 118.8, 125.8),
    "22": (40.8, 46.4, 121.6, 131.4),
    "23": (43.4, 53.6, 121.1, 135.1),
    "31": (30.6, 31.9, 120.8, 122.2),
    "32": (30.7, 35.2, 116.3, 122.0),
    "33": (27.0, 31.2, 118.0, 123.2),
    "34": (29.3, 34.7, 114.8, 119.7),
    "35": (23.5, 28.4, 115.8, 120.8),
    "36": (24.4, 30.1, 113.5, 118.5),
    "37": (34.3, 38.5, 114.7, 122.8),
    "41": (31.3, 36.4, 110.3, 116.7),
    "42": (29.0, 33.3, 108.3, 116.2),
    "43": (24.6, 30.2, 108.7, 114.3),
    "44": (20.1, 25.6, 109.6, 117.4),
    "45": (20.8, 26.4, 104.4, 112.1),
    "46": (3.3, 20.2, 108.5, 118.0),
    "50": (28.1, 32.3, 105.2, 110.2),
    "51": (26.0, 34.4, 97.3, 108.6),
    "52": (24.6, 29.3, 103.6, 109.6),
    "53": (21.1, 29.3, 97.5, 106.2),
    "54": (26.8, 36.5, 78.3, 99.2),
    "61": (31.7, 39.6, 105.4, 111.3),
    "62": (32.5, 42.9, 92.2, 108.8),
    "63": (31.5, 39.3, 89.3, 103.1),
    "64": (35.2, 39.4, 104.2, 107.7),
    "65": (34.3, 49.2, 73.4, 96.4),
    "71": (10.3, 26.4, 114.3, 124.6),
    "81": (22.1, 22.6, 113.8, 114.5),
    "82": (22.0, 22.3, 113.5, 113.7),
}
_MARGIN: Final = 0.5
"""Tolerance in degrees, because the extents are rounded."""
_FARTHEST: Final = {"village": 50, "township": 200, "county": 500, "prefecture": 1000}
"""The greatest plausible distance, in kilometres, from the middle of an area's other stations; areas of the west are
large."""
_ENOUGH_STORED: Final = 3
_ENOUGH_IN_FILE: Final = 5
"""How many other stations a check needs."""
_KM_PER_DEGREE: Final = 111.2
_SAME_PLACE: Final = 0.03
_MOVED: Final = 0.1
"""Kilometres: up to the first two places are the same, from the second on a place differs from the stored one."""
_ENOUGH_SHIFTED: Final = 2


class Middle(msgspec.Struct, frozen=True):
    """The median place of some stations."""

    stations: int
    lat: float
    lon: float


class Surroundings(msgspec.Struct, frozen=True):
    """The areas of a file and all areas above them.

    `paths`: {area: codes from the root to itself}; `levels`: {code: level}; `middles`: {code: the middle of its
    stations that are not in the file}.
    """

    paths: Mapping[str, Sequence[str]]
    levels: Mapping[str, str]
    middles: Mapping[str, Middle]


def set_aside_places(rows: Rows, stored: Mapping[str, Station], around: Surroundings) -> tuple[Rows, list[BadCell]]:
    """The rows of stations, without coordinates that are in doubt, and the doubts."""
    given = {row.key: place for row in rows.good if (place := _given(row, stored.get(row.key)))}
    check = _PlaceCheck(rows, given, around)
    shifted = _shifted(given, stored)
    doubts: dict[str, Said] = {}
    for row in rows.good:
        if row.key in given and (doubt := shifted.get(row.key) or check.doubt(given[row.key], row.values["area"])):
            doubts[row.key] = doubt
    cells = [
        BadCell(row.line, "lat", _left_out(given[row.key], doubts[row.key], stored.get(row.key)))
        for row in rows.good
        if row.key in doubts
    ]
    good = [_without_place(row) if row.key in doubts else row for row in rows.good]
    return msgspec.structs.replace(rows, good=good), cells


def _given(row: Row, stored: Station | None) -> Place | None:
    """The place of a row, if it differs from the stored one."""
    lat, lon = row.values.get("lat"), row.values.get("lon")
    if lat is None or lon is None or (stored is not None and (stored.lat, stored.lon) == (lat, lon)):
        return None
    return lat, lon


def _without_place(row: Row) -> Row:
    values = {name: value for name, value in row.values.items() if name not in ("lat", "lon")}
    return msgspec.structs.replace(row, values=values)


def _left_out(place: Place, why: Said, stored: Station | None) -> Said:
    shown = f"{place[0]:g}, {place[1]:g}"
    if stored is not None and stored.lat is not None:
        return Said(f"{shown} {why.en}: the place stays as it is stored", f"{shown} {why.zh}：保留已存的坐标")
    return Said(f"{shown} {why.en}: left off the map", f"{shown} {why.zh}：暂不显示在地图上")


class _PlaceCheck:
    """Checks places by the province and by the other stations."""

    def __init__(self, rows: Rows, given: Mapping[str, Place], around: Surroundings) -> None:
        self._around = around
        self._in_file = _middles_in_file(rows, given, around)

    def doubt(self, place: Place, area: str) -> Said | None:
        if max(map(abs, place)) < 0.01:
            return Said("is no place in China but the zero of the map", "是坐标原点，不是实际位置")
        why = self._outside(place, area) or self._far(place, area)
        exchanged = (place[1], place[0])
        if why and abs(place[1]) <= 90 and not self._outside(exchanged, area) and not self._far(exchanged, area):
            return Said("look exchanged (latitude and longitude)", "纬度和经度像是填反了")
        return why

    def _outside(self, place: Place, area: str) -> Said | None:
        box = _PROVINCES.get(area[:2]) if len(area) == 12 and area.isdigit() else None
        if box is None:
            return None
        south, north, west, east = box
        if south - _MARGIN <= place[0] <= north + _MARGIN and west - _MARGIN <= place[1] <= east + _MARGIN:
            return None
        return Said(f"lies outside the province of area {area}", f"不在区划 {area} 所在的省级范围内")

    def _far(self, place: Place, area: str) -> Said | None:
        for code in reversed(self._around.paths.get(area, ())):
            farthest = _FARTHEST.get(self._around.levels.get(code, ""))
            middle = self._around.middles.get(code)
            if middle is None or middle.stations < _ENOUGH_STORED:
                middle = self._in_file.get(code)
            if middle is None or farthest is None:
                continue
            distance = kilometres(place, (middle.lat, middle.lon))
            if distance <= farthest:
                return None
            return Said(
                f"lies {distance:.0f} km from the other stations of area {code}",
                f"距区划 {code} 的其他服务点 {distance:.0f} 公里",
            )
        return None


def _middles_in_file(rows: Rows, given: Mapping[str, Place], around: Surroundings) -> dict[str, Middle]:
    places: defaultdict[str, list[Place]] = defaultdict(list)
    for row in rows.good:
        if row.key in given:
            for code in around.paths.get(row.values["area"], ()):
                places[code].append(given[row.key])
    return {
        code: Middle(len(found), median(lat for lat, _ in found), median(lon for _, lon in found))
        for code, found in places.items()
        if len(found) >= _ENOUGH_IN_FILE
    }


def _shifted(given: Mapping[str, Place], stored: Mapping[str, Station]) -> dict[str, Said]:
    """Places that differ from the stored ones as GCJ-02 does. If all moved places do, new places are in doubt too."""
    known = {key: before for key in given if (before := _stored_place(stored.get(key)))}
    moved = [key for key, before in known.items() if kilometres(before, given[key]) > _MOVED]
    found = [key for key in moved if kilometres(gcj02(known[key]), given[key]) < _SAME_PLACE]
    doubts = dict.fromkeys(
        found,
        Said(
            "is the stored place as a map service shows it (GCJ-02)", "是已存位置的 GCJ-02（火星坐标）形式，不是 WGS-84"
        ),
    )
    if len(found) >= _ENOUGH_SHIFTED and len(found) == len(moved):
        others = Said("may be GCJ-02, as other rows of the file are", "可能是 GCJ-02（火星坐标），文件中其他行就是")
        doubts |= dict.fromkeys(given.keys() - known.keys(), others)
    return doubts


def _stored_place(station: Station | None) -> Place | None:
    if station is None or station.lat is None or station.lon is None:
        return None
    return station.lat, station.lon


def kilometres(one: Place, other: Place) -> float:
    """The approximate distance; accurate enough within one country."""
    narrowing = cos(radians((one[0] + other[0]) / 2))
    return _KM_PER_DEGREE * hypot(one[0] - other[0], (one[1] - other[1]) * narrowing)


_AXIS: Final = 6378245.0
_ECCENTRICITY: Final = 0.00669342162296594323
"""Of the Krasovsky ellipsoid: metres, and squared."""


def gcj02(place: Place) -> Place:
    """A place of WGS-84 in GCJ-02, as map services of China show it, by the publicly known formula; accurate to some
    metres."""
    lat, lon = place
    x, y = lon - 105.0, lat - 35.0
    waves = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += _sum_of_waves(y, (20.0, 1.0), (40.0, 1 / 3), (160.0, 1 / 12), (320.0, 1 / 30))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += _sum_of_waves(x, (20.0, 1.0), (40.0, 1 / 3), (150.0, 1 / 12), (300.0, 1 / 30))
    phi = radians(lat)
    root = 1 - _ECCENTRICITY * sin(phi) ** 2
    north_degrees = north * 180.0 / (_AXIS * (1 - _ECCENTRICITY) / (root * sqrt(root)) * pi)
    return lat + north_degrees, lon + east * 180.0 / (_AXIS / sqrt(root) * cos(phi) * pi)


def _sum_of_waves(at: float, *waves: tuple[float, float]) -> float:
    return sum(height * sin(at * pi * turns) for height, turns in waves) * 2.0 / 3.0
