"""What an import of targets or of successions of areas would change. Pure."""

from collections.abc import Collection, Mapping

import msgspec

from contract.said import Said
from registry.importing.diff import Plan, checked, compare
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows
from registry.model import SHARES, AreaSuccession, Target


def plan_targets(rows: Rows, stored: Mapping[str, Target], areas: Collection[str]) -> Plan[Target]:
    """Compare the rows with the stored targets of the same ids; `areas`: those of their codes that are in the
    database."""
    good, bad = checked(rows, lambda row: _target_of(row, stored.get(row.key), areas))
    return compare(good, stored, bad, [])


def _target_of(row: Row, stored: Target | None, areas: Collection[str]) -> Target | BadCell:
    target = msgspec.structs.replace(stored, **row.values) if stored else Target(**row.values)
    unknown = [code for code in target.areas if code not in areas]
    if unknown:
        shown = ", ".join(unknown[:3])
        return BadCell(
            row.line,
            "areas",
            Said(
                f"{shown}: not an area of the database: import its areas first, or correct it",
                f"数据库中没有区划 {shown}：请先导入行政区划，或改正",
            ),
        )
    if target.metric in SHARES and target.threshold is not None and not 0 <= target.threshold <= 1:
        return BadCell(
            row.line,
            "threshold",
            Said(
                f"{target.threshold:g} is not a share: write 50% as 0.5",
                f"{target.threshold:g} 不是比例：请写 50% 或 0.5",
            ),
        )
    return target


def plan_successions(rows: Rows, stored: Mapping[str, AreaSuccession]) -> Plan[AreaSuccession]:
    """Compare the rows with the stored successions of the same codes; a row may say to remove one."""
    gone = {row.key for row in rows.good if row.values.get("remove")}
    kept = msgspec.structs.replace(rows, good=[row for row in rows.good if row.key not in gone])
    good, bad = checked(kept, _succession_of)
    removed = [stored[key] for key in sorted(gone & stored.keys())]
    return msgspec.structs.replace(compare(good, stored, bad, []), removed=removed)


def _succession_of(row: Row) -> AreaSuccession:
    return AreaSuccession(old=row.values["old"], new=row.values["new"], on=row.values["on"])
