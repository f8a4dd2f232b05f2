"""What an import of closures would change. Pure."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from contract.said import Said
from registry.importing.diff import NONE_MEANT, Plan, checked, compare, no_station
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows
from registry.model import DeclaredClosure

_NOT_AFTER: Final = Said("is not after its beginning: correct one of them", "不晚于开始时间：请改正其中一个")


def plan_closures(
    rows: Rows,
    stored: Mapping[str, DeclaredClosure],
    stations: Collection[str],
    meant: Mapping[str, str] = NONE_MEANT,
) -> Plan[DeclaredClosure]:
    """Compare the rows with the stored closures of the same stations and beginnings.

    `stations`: those that are registered. `meant`: {an id that may have lost leading zeros: that with them}.
    An approval that a row names is ignored (`approvals_note`).
    """
    good, bad = checked(rows, lambda row: _closure_of(row, stored.get(row.key), stations, meant))
    return compare(good, stored, bad, [])


def approvals_note(rows: Rows, stored: Mapping[str, DeclaredClosure]) -> list[Said]:
    """What to say of the approvals that a file names but an import does not give; nothing where there are none."""
    named = [row for row in rows.good if row.values.get("approved_by") is not None]
    waiting = sum((known := stored.get(row.key)) is None or known.approved_by is None for row in named)
    if not waiting:
        return []
    return [
        Said(
            f"{waiting} closures name who approved them. An import approves nothing: they stay declared "
            "until an account that is not the importing one approves them.",
            f"有 {waiting} 项报备注明了批准人。导入不会批准任何报备：它们仍为“待批准”，须由导入者以外的账户批准。",
        )
    ]


def _closure_of(
    row: Row, stored: DeclaredClosure | None, stations: Collection[str], meant: Mapping[str, str]
) -> DeclaredClosure | BadCell:
    values = {name: value for name, value in row.values.items() if name != "approved_by"}
    closure = msgspec.structs.replace(stored, **values) if stored else DeclaredClosure(**values)
    if closure.station not in stations:
        return BadCell(row.line, "station", no_station(closure.station, meant))
    if closure.until_at <= closure.from_at:
        return BadCell(row.line, "until", _NOT_AFTER)
    if stored is not None and stored.approved_by is not None and closure != stored:
        return BadCell(
            row.line,
            None,
            Said(
                "this closure is approved as it was: withdraw it and declare another, or take out the row",
                "此项报备已按原内容批准：请先撤回再重新申报，或删去此行",
            ),
        )
    return closure
