"""Whether a day of a station's sheet is proven. Pure.

An entry about an area and a day has the root of a tree over lines, one for each revision of each station. So two paths
lead from the figures of a station to the checkpoint: from its line to the root in the entry, and from the entry to the
root of the log. Both are computed again here.
"""

from contextlib import suppress
from datetime import date
from typing import Annotated, Final

import msgspec

from audit.days.figures import Figures
from audit.days.sealed.trees import Path
from audit.ledger.merkle import leaf_hash, root_from_inclusion
from audit.sheets.sheet_faults import SheetFault, SheetWrong, sheet_fault
from audit.sheets.station_proof import ProvenDay, ProvenLine, StationProof

_KINDS: Final = {"days.closed", "days.revised"}


class SheetDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day whose figures are proven. `stands`: the newest figures before the month was frozen."""

    day: date
    leaf: int
    revision: int
    figures: Figures
    stands: Figures


class _AreaBody(msgspec.Struct, frozen=True):
    day: date
    path: Annotated[Path, msgspec.Meta(min_length=1)]
    stations: int
    lines: int
    root: str


class _AreaEntry(msgspec.Struct, frozen=True):
    kind: str
    body: _AreaBody


_Line = tuple[str, int, str, str, bool, int, int, int, int, int, int]


class _DayFaultError(Exception):
    """A day of the sheet is not proven."""

    def __init__(self, wrong: SheetWrong, en: str, zh: str) -> None:
        super().__init__(en)
        self.fault = sheet_fault(wrong, en, zh)


def check_day(proof: StationProof, day: ProvenDay) -> SheetDay | SheetFault:
    """The figures of a day of the sheet, or what is wrong."""
    try:
        return _checked(proof, day)
    except _DayFaultError as exc:
        return exc.fault


def _checked(proof: StationProof, day: ProvenDay) -> SheetDay:
    body = _read_entry(proof, day)
    lines = [_read_line(day, body, line) for line in day.lines]
    _check_place(proof, day, body, lines)
    _check_newest(day, body, lines)
    standing = [line for line in lines if not line[4]] or lines[:1]
    newest = lines[-1]
    return SheetDay(
        day=day.day, leaf=day.leaf, revision=newest[1], figures=_figures(newest), stands=_figures(standing[-1])
    )


def _read_entry(proof: StationProof, day: ProvenDay) -> _AreaBody:
    checkpoint, leaf = proof.signed.checkpoint, leaf_hash(day.entry.encode())
    if root_from_inclusion(leaf, day.leaf, checkpoint.size, day.steps) != checkpoint.root:
        raise _DayFaultError(
            SheetWrong.NOT_IN_LOG,
            f"{day.day}: leaf {day.leaf} of the sheet, or the path from the leaf, does not lead to the checkpoint",
            f"{day.day}：报告中的第 {day.leaf} 条或其路径与检查点不符",
        )
    entry: _AreaEntry | None = None
    with suppress(msgspec.MsgspecError, RecursionError):
        entry = msgspec.json.decode(day.entry, type=_AreaEntry)
    if entry is None or entry.kind not in _KINDS:
        raise _DayFaultError(
            SheetWrong.SWAPPED,
            f"{day.day}: leaf {day.leaf} is no entry about the figures of a day",
            f"{day.day}：第 {day.leaf} 条不是某日数值的记录",
        )
    return entry.body


def _read_line(day: ProvenDay, body: _AreaBody, line: ProvenLine) -> _Line:
    root = root_from_inclusion(leaf_hash(line.data.encode()), line.index, body.lines, line.steps)
    found: _Line | None = None
    with suppress(msgspec.MsgspecError, RecursionError):
        found = msgspec.json.decode(line.data, type=_Line)
    if found is None or root is None or root.hex() != body.root:
        raise _DayFaultError(
            SheetWrong.CHANGED,
            f"{day.day}: the figures in line {line.index} are not those of leaf {day.leaf}",
            f"{day.day}：第 {line.index} 行的数值与第 {day.leaf} 条不符",
        )
    return found


def _check_place(proof: StationProof, day: ProvenDay, body: _AreaBody, lines: list[_Line]) -> None:
    """The entry is of this day, and the lines are those of this station, whose day counts for this area."""
    if body.day != day.day:
        raise _DayFaultError(
            SheetWrong.SWAPPED,
            f"{day.day}: leaf {day.leaf} has the figures of {body.day}",
            f"{day.day}：第 {day.leaf} 条是 {body.day} 的数值",
        )
    others = sorted({line[0] for line in lines} - {proof.station})
    if others:
        raise _DayFaultError(
            SheetWrong.SWAPPED,
            f"{day.day}: the figures are those of station {others[0]}, not of {proof.station}",
            f"{day.day}：数值属于服务点 {others[0]}，而非 {proof.station}",
        )
    if lines and lines[-1][2] != "/".join(body.path):
        raise _DayFaultError(
            SheetWrong.SWAPPED,
            f"{day.day}: the day counts for area {lines[-1][2] or '-'}, and leaf {day.leaf} is about area "
            f"{'/'.join(body.path)}",
            f"{day.day}：该日计入区划 {lines[-1][2] or '-'}，而第 {day.leaf} 条属于区划 {'/'.join(body.path)}",
        )


def _check_newest(day: ProvenDay, body: _AreaBody, lines: list[_Line]) -> None:
    """All revisions are shown, and no later revision exists in this tree."""
    first = day.lines[0].index if day.lines else 0
    revisions = list(range(1, len(lines) + 1))
    whole = [line[1] for line in lines] == revisions and bool(lines)
    whole = whole and [line.index for line in day.lines] == [first + n - 1 for n in revisions]
    if not whole:
        raise _DayFaultError(SheetWrong.MISSING, f"{day.day}: revisions are missing", f"{day.day}：缺少部分版次")
    is_last = body.lines == body.stations or day.lines[-1].index == body.lines - 1
    if is_last and day.following is None:
        return
    following = None if day.following is None else _read_line(day, body, day.following)
    follows = day.following is not None and day.following.index == day.lines[-1].index + 1
    if is_last or following is None or not follows or following[0] == lines[0][0]:
        raise _DayFaultError(
            SheetWrong.OLD,
            f"{day.day}: leaf {day.leaf} has a later revision than {lines[-1][1]}, or the sheet does not show that "
            "it has none",
            f"{day.day}：第 {day.leaf} 条中有比第 {lines[-1][1]} 版更新的版次，或报告未证明其没有",
        )


def _figures(line: _Line) -> Figures:
    return Figures(**dict(zip(Figures.__struct_fields__, line[5:], strict=True)))
