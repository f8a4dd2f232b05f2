"""What an import would change: from stored entries and the rows of a file to a plan. Pure."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from contract.errors import RemedyError
from contract.said import Said
from registry.codes import level_of
from registry.contacts.model import Contact
from registry.duty.model import Duty, Substitute
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows
from registry.importing.tree import MAX_DEPTH, cycles, depths, paths, unrooted
from registry.model import (
    LEVELS,
    Area,
    AreaSuccession,
    DatedHours,
    DeclaredClosure,
    KindSchedule,
    NamedDay,
    Station,
    Target,
)
from registry.routes.model import Route

T = TypeVar(
    "T",
    bound=Area
    | Station
    | DeclaredClosure
    | Target
    | KindSchedule
    | DatedHours
    | NamedDay
    | Duty
    | Substitute
    | Contact
    | Route
    | AreaSuccession,
)

# `path` follows from the parents; the others are not in import files.
_SILENT: Final = frozenset({"path", "quorum", "auto_registered"})


NONE_MEANT: Final[Mapping[str, str]] = {}


class Change(msgspec.Struct, frozen=True):
    """A stored entry that the file changes: {field: (stored value, value of the file)}."""

    key: str
    fields: dict[str, tuple[Any, Any]]


class Plan(msgspec.Struct, Generic[T], frozen=True):
    """What an import would write. `moved`: areas whose path changes with that of a parent. `removed`: what rows say to
    remove."""

    new: list[T]
    changed: list[T]
    moved: list[T]
    changes: list[Change]
    unchanged: int
    bad: list[BadCell]
    removed: list[T] = []

    @property
    def writes(self) -> list[T]:
        """All entries that are written."""
        return [*self.new, *self.changed, *self.moved]


def plan_areas(rows: Rows, stored: Mapping[str, Area]) -> Plan[Area]:
    """Compare the rows with the whole stored tree. A row that would break the tree is a bad one."""
    good, bad = checked(rows, lambda row: _area_of(row, stored.get(row.key)))
    lines = {row.key: row.line for row in rows.good}
    while True:
        parents = {code: area.parent for code, area in stored.items()}
        parents |= {code: area.parent for code, area in good.items()}
        faults = _faults(parents, good)
        if not faults:
            break
        bad += [BadCell(lines[code], "parent", what) for code, what in faults.items()]
        good = {code: area for code, area in good.items() if code not in faults}
    path = paths(parents)
    wanted = {code: msgspec.structs.replace(area, path=path[code]) for code, area in good.items()}
    moved = [
        msgspec.structs.replace(area, path=path[code])
        for code, area in stored.items()
        if code not in wanted and area.path != path[code]
    ]
    return compare(wanted, stored, bad, moved)


def plan_stations(rows: Rows, stored: Mapping[str, Station], areas: Collection[str]) -> Plan[Station]:
    """Compare the rows with the stored stations of the same ids; `areas`: those of their areas that are known."""
    good, bad = checked(rows, lambda row: _station_of(row, stored.get(row.key), areas))
    return compare(good, stored, bad, [])


def checked(rows: Rows, build: Callable[[Row], T | BadCell]) -> tuple[dict[str, T], list[BadCell]]:
    """The entries that `build` makes of the good rows, by key, and the bad cells of the file and of `build`."""
    good: dict[str, T] = {}
    bad = list(rows.bad)
    for row in rows.good:
        built = build(row)
        if isinstance(built, BadCell):
            bad.append(built)
        else:
            good[row.key] = built
    return good, bad


def _area_of(row: Row, stored: Area | None) -> Area | BadCell:
    values = dict(row.values)
    derived = level_of(row.key)
    values["level"] = values.get("level") or (stored.level if stored and "level" not in values else derived)
    if values["level"] is None:
        return BadCell(
            row.line,
            "level",
            Said(
                f"the level of {row.key} does not follow from its code: name it here",
                f"由代码 {row.key} 看不出级别：请在此填写",
            ),
        )
    if derived is not None and values["level"] not in LEVELS:
        known = ", ".join(LEVELS)
        return BadCell(
            row.line,
            "level",
            Said(
                f"{values['level']!r} is not a level of a 12-digit code: use one of {known}",
                f"“{values['level']}”不是 12 位代码的级别：请用省、市、县、乡镇或村",
            ),
        )
    area = msgspec.structs.replace(stored, **values) if stored else Area(**values)
    if area.valid_from and area.valid_to and area.valid_to < area.valid_from:
        return BadCell(
            row.line,
            "valid_to",
            Said(
                f"{area.valid_to} is before valid_from {area.valid_from}: exchange them",
                f"{area.valid_to} 早于生效日期 {area.valid_from}：请对调",
            ),
        )
    return area


def _station_of(row: Row, stored: Station | None, areas: Collection[str]) -> Station | BadCell:
    station = msgspec.structs.replace(stored, **row.values, auto_registered=False) if stored else Station(**row.values)
    if station.area not in areas:
        return BadCell(row.line, "area", no_area(station.area))
    if (station.lat is None) != (station.lon is None):
        lacking, given = ("lat", "lon") if station.lat is None else ("lon", "lat")
        return BadCell(
            row.line,
            lacking,
            Said(
                f"is missing while {given} is given: give both or neither",
                "经纬度缺一个：请两个都填或都不填",
            ),
        )
    return station


def no_area(code: str | None) -> Said:
    """The problem of an area that is not in the database."""
    return Said(
        f"{code} is not an area of the database: import its areas first, or correct it",
        f"数据库中没有区划 {code}：请先导入行政区划，或改正",
    )


def no_station(station: str | None, meant: Mapping[str, str]) -> Said:
    """The problem of a station that is not registered. `meant`: {an id that may have lost zeros: that with them}."""
    if same := meant.get(station or ""):
        return Said(
            f"{station} is not registered, but {same} is: format the column as text and write the zeros again",
            f"服务点 {station} 没有登记，但有 {same}：请把该列设为文本格式后补上前面的 0",
        )
    return Said(
        f"{station} is not registered: import the station first, or correct it",
        f"服务点 {station} 没有登记：请先导入服务点，或改正",
    )


def _faults(parents: Mapping[str, str | None], good: Mapping[str, Area]) -> dict[str, Said]:
    """{code: the problem with its parent} of rows that would break the tree; the first kind of problem only."""
    return _ringed(parents, good) or _lost(parents, good) or _deep(parents, good)


def _ringed(parents: Mapping[str, str | None], good: Mapping[str, Area]) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for ring in cycles(parents):
        shown = " → ".join([*ring[:MAX_DEPTH], ring[0]])
        mine = [code for code in ring if code in good]
        if not mine:
            raise RemedyError(
                f"stored areas are each other's parents ({shown}): mend table area",
                f"已存的区划互为上级（{shown}）：请修正 area 表",
            )
        if len(ring) == 1:
            what = Said(f"{ring[0]} is its own parent: correct it", f"{ring[0]} 的上级是它自己：请改正")
        else:
            what = Said(f"the areas are each other's parents ({shown}): correct it", f"区划互为上级（{shown}）：请改正")
        found |= dict.fromkeys(mine, what)
    return found


def _lost(parents: Mapping[str, str | None], good: Mapping[str, Area]) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for code, missing in unrooted(parents).items():
        if code not in good:
            continue
        above = "" if parents[code] == missing else f"{parents[code]} lies below "
        above_zh = "" if parents[code] == missing else f"{parents[code]} 属于 "
        found[code] = Said(
            f"{above}{missing}, which neither the database nor a good row of the file has: add it, or correct it",
            f"{above_zh}{missing}，而数据库和文件的有效行中都没有它：请补上，或改正",
        )
    return found


def _deep(parents: Mapping[str, str | None], good: Mapping[str, Area]) -> dict[str, Said]:
    """Rows that are too far from the root, or that would move stored areas too far from it."""
    found: dict[str, Said] = {}
    for code, depth in depths(parents).items():
        if depth <= MAX_DEPTH:
            continue
        nearest: str | None = code
        while nearest is not None and nearest not in good:
            nearest = parents[nearest]
        if nearest is not None:
            found[nearest] = Said(
                f"puts areas {depth} levels below a root, allowed are {MAX_DEPTH}: correct the parents",
                f"使区划层级达到 {depth} 级，最多 {MAX_DEPTH} 级：请改正上级",
            )
    return found


def compare(wanted: Mapping[str, T], stored: Mapping[str, T], bad: list[BadCell], moved: list[T]) -> Plan[T]:
    """The plan that turns the stored entries into the wanted ones."""
    plan: Plan[T] = Plan(new=[], changed=[], moved=moved, changes=[], unchanged=0, bad=sorted(bad, key=_place))
    unchanged = 0
    for key, entry in wanted.items():
        before = stored.get(key)
        if before is None:
            plan.new.append(entry)
        elif fields := _difference(before, entry):
            plan.changed.append(entry)
            plan.changes.append(Change(key, fields))
        else:
            unchanged += 1
            if isinstance(entry, Area) and isinstance(before, Area) and entry.path != before.path:
                moved.append(entry)
    return msgspec.structs.replace(plan, unchanged=unchanged)


def _place(cell: BadCell) -> tuple[int, str]:
    return cell.line, cell.column or ""


def _difference(before: T, after: T) -> dict[str, tuple[Any, Any]]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in before.__struct_fields__)
    return {name: (old, new) for name, old, new in pairs if name not in _SILENT and old != new}
