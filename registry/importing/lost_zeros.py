"""Ids of stations that may have lost their leading zeros in a spreadsheet program. Pure.

A program that reads `0012` as a number keeps 12. Only a person can say whether both are one station.
"""

from collections.abc import Iterable, Mapping

import msgspec

from contract.said import Said
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows


class ZeroIds(msgspec.Struct, frozen=True):
    """Ids of digits that begin with zero, of registered stations or of stations that were heard.

    `same`: {an id of the file: the id that differs from it by leading zeros only}; `longest`: {area: its longest id}.
    """

    same: Mapping[str, str]
    longest: Mapping[str, str]


def may_lack_zeros(station: str) -> bool:
    """Whether an id could be a number that had zeros before it."""
    return station.isascii() and station.isdigit() and not station.startswith("0")


def set_aside_ids(rows: Rows, registered: Iterable[str], known: ZeroIds) -> Rows:
    """The rows of stations; a row whose id is in doubt becomes a bad one. `registered` ids are never in doubt."""
    trusted = set(registered)
    beside = max((row.key for row in rows.good if _is_zero_led(row.key)), key=len, default="")
    doubts = {row.key: doubt for row in rows.good if row.key not in trusted and (doubt := _doubt(row, beside, known))}
    return msgspec.structs.replace(
        rows, good=[row for row in rows.good if row.key not in doubts], bad=[*rows.bad, *doubts.values()]
    )


def _is_zero_led(station: str) -> bool:
    return station.isascii() and station.isdigit() and station.startswith("0")


def _doubt(row: Row, beside: str, known: ZeroIds) -> BadCell | None:
    if not may_lack_zeros(row.key):
        return None
    if same := known.same.get(row.key):
        return BadCell(row.line, "id", _lost(row.key, f"{same} is known", f"已有 {same}"))
    for other in (beside, known.longest.get(row.values["area"], "")):
        if len(other) > len(row.key):
            seen = Said(f"others have {len(other)} digits, such as {other}", f"其他编号有 {len(other)} 位，如 {other}")
            return BadCell(row.line, "id", _lost(row.key, seen.en, seen.zh))
    return None


def _lost(station: str, why: str, why_zh: str) -> Said:
    return Said(
        f"{station} may have lost leading zeros ({why}): format the column as text and write them again, or confirm "
        "the ids of this file with --ids-as-written",
        f"{station} 可能丢了前面的 0（{why_zh}）：请把该列设为文本格式后补上，或加 --ids-as-written 确认编号无误",
    )
