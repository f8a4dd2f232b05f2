"""What an import of closures would change. Pure."""

from collections.abc import Collection, Mapping

import msgspec

from registry.diff import Plan, checked, compare
from registry.model import DeclaredClosure
from registry.rows import BadCell, Row, Rows


def plan_closures(
    rows: Rows, stored: Mapping[str, DeclaredClosure], stations: Collection[str]
) -> Plan[DeclaredClosure]:
    """Compare the rows with the stored closures of the same stations and beginnings; `stations` are those there are."""
    good, bad = checked(rows, lambda row: _closure_of(row, stored.get(row.key), stations))
    return compare(good, stored, bad, [])


def _closure_of(row: Row, stored: DeclaredClosure | None, stations: Collection[str]) -> DeclaredClosure | BadCell:
    closure = msgspec.structs.replace(stored, **row.values) if stored else DeclaredClosure(**row.values)
    if closure.station not in stations:
        return BadCell(
            row.line, "station", f"{closure.station} is not registered: import the station first, or correct it"
        )
    if closure.until_at <= closure.from_at:
        return BadCell(row.line, "until", "is not after its beginning: correct one of them")
    if stored is not None and stored.approved_by is not None and closure != stored:
        approved = f"{stored.approved_by} approved this closure as it was"
        return BadCell(row.line, None, f"{approved}: withdraw it and declare another, or take out the row")
    return closure
