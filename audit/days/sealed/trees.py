"""One hash over the figures of all stations of an area on a day. Pure.

A line contains one revision of a station's day; docs/ledger.md defines its form. The lines of an area are sorted by
station (by code points) and revision. They are the leaves of a Merkle tree (RFC 6962), so the figures of one station
can be proven without the figures of the others. A station whose day once counted for an area keeps all its revisions in
the lines of this area: the lines then show that the day counts for another area now.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from audit.days.figures import Figures, total
from audit.ledger.merkle import leaf_hash, tree_root

_ENCODER: Final = msgspec.json.Encoder()

Path = tuple[str, ...]
"""An area and all areas above it, the highest first."""


class DayLine(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a day of a station. `addendum`: it was written after its month was frozen."""

    station: str
    revision: int
    path: Path
    causes: tuple[str, ...] = ()
    addendum: bool = False
    figures: Figures

    @property
    def data(self) -> bytes:
        """The bytes of the line, by RFC 8785."""
        return b"[" + _ENCODER.encode(self.station) + self.tail

    @property
    def tail(self) -> bytes:
        """The line without its station; it is the same for quiet stations of a group."""
        figures = [getattr(self.figures, name) for name in Figures.__struct_fields__]
        rest = [self.revision, "/".join(self.path), " ".join(self.causes), self.addendum, *figures]
        return b"," + _ENCODER.encode(rest)[1:]


class QuietGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Stations of an area with the same figures, in their first revision."""

    path: Path
    figures: Figures
    stations: Sequence[str]


class AreaTree(msgspec.Struct, frozen=True, kw_only=True):
    """The entry of the ledger about the direct stations of an area on a day. `stations`: number of stations that count
    for the area; `figures`: their sum."""

    day: date
    path: Path
    stations: int
    lines: int
    root: bytes
    figures: Figures

    @property
    def subject(self) -> str:
        """The subject of the entry."""
        return f"area_day/{self.path[-1]}/{self.day}"

    @property
    def body(self) -> dict[str, Any]:
        """The body of the entry."""
        return {
            "day": str(self.day),
            "path": list(self.path),
            "stations": self.stations,
            "lines": self.lines,
            "root": self.root.hex(),
            "figures": msgspec.structs.asdict(self.figures),
        }


class _Growing:
    """The lines of an area so far, with the number and the figures of the stations that count for the area."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, bytes]] = []
        self.stations = 0
        self.sums: list[Figures] = []

    def add_quiet(self, group: QuietGroup, stations: Sequence[str]) -> None:
        tail = DayLine(station="", revision=1, path=group.path, figures=group.figures).tail
        self.lines += [(station, 1, b"[" + _ENCODER.encode(station) + tail) for station in stations]
        self.stations += len(stations)
        self.sums.append(group.figures.times(len(stations)))

    def add(self, lines: Sequence[DayLine], counts: Figures | None) -> None:
        self.lines += [(line.station, line.revision, line.data) for line in lines]
        if counts is not None:
            self.stations += 1
            self.sums.append(counts)

    def ordered(self) -> list[tuple[str, int, bytes]]:
        return sorted(self.lines)

    def tree(self, day: date, path: Path) -> AreaTree:
        root = tree_root([leaf_hash(data) for _, _, data in self.ordered()])
        return AreaTree(
            day=day,
            path=path,
            stations=self.stations,
            lines=len(self.lines),
            root=root,
            figures=total(self.sums),
        )


def area_trees(day: date, groups: Iterable[QuietGroup], lines: Iterable[DayLine]) -> list[AreaTree]:
    """The trees of all areas of the groups and lines, in the order of their paths.

    `lines`: all revisions of the stations that are not quiet on this day. If such a station is in a group too, only its
    lines count.
    """
    areas = _grown(groups, lines)
    return [areas[path].tree(day, path) for path in sorted(areas)]


def area_lines(path: Path, groups: Iterable[QuietGroup], lines: Iterable[DayLine]) -> list[tuple[str, int, bytes]]:
    """The lines of one area in the order of its tree, as (station, revision, bytes); the arguments are those of
    `area_trees`."""
    found = _grown(groups, lines).get(path)
    return [] if found is None else found.ordered()


def _grown(groups: Iterable[QuietGroup], lines: Iterable[DayLine]) -> dict[Path, _Growing]:
    own: dict[str, list[DayLine]] = {}
    for line in lines:
        own.setdefault(line.station, []).append(line)
    areas: dict[Path, _Growing] = {}
    for group in groups:
        quiet = [station for station in group.stations if station not in own]
        areas.setdefault(group.path, _Growing()).add_quiet(group, quiet)
    for revisions in own.values():
        newest = max(revisions, key=lambda line: line.revision)
        for path in {line.path for line in revisions if line.path}:
            areas.setdefault(path, _Growing()).add(revisions, newest.figures if newest.path == path else None)
    return areas
