"""What an import of schedules of kinds, of overrides or of announced days would change. Pure."""

from collections.abc import Collection, Mapping

import msgspec

from contract.said import Said
from registry.importing.diff import NONE_MEANT, Plan, checked, compare, no_area, no_station
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows
from registry.model import DatedHours, KindSchedule, NamedDay


def plan_schedules(rows: Rows, stored: Mapping[str, KindSchedule]) -> Plan[KindSchedule]:
    """Compare the rows with the stored schedules of kinds."""
    good: tuple[dict[str, KindSchedule], list[BadCell]] = checked(rows, lambda row: KindSchedule(**row.values))
    return compare(good[0], stored, good[1], [])


def plan_days(rows: Rows, stored: Mapping[str, NamedDay]) -> Plan[NamedDay]:
    """Compare the rows with the stored days."""
    good, bad = checked(rows, lambda row: _named(row, stored.get(row.key)))
    return compare(good, stored, bad, [])


def plan_overrides(
    rows: Rows,
    stored: Mapping[str, DatedHours],
    areas: Collection[str],
    stations: Collection[str],
    meant: Mapping[str, str] = NONE_MEANT,
) -> Plan[DatedHours]:
    """Compare the rows with the stored overrides of the same scope and days.

    `areas` and `stations`: those that are in the database. `meant`: {an id that may have lost leading zeros: that with
    them}.
    """
    good, bad = checked(rows, lambda row: _dated(row, stored.get(row.key), areas, stations, meant))
    return compare(good, stored, bad, [])


def _named(row: Row, stored: NamedDay | None) -> NamedDay:
    return msgspec.structs.replace(stored, **row.values) if stored else NamedDay(**row.values)


def _dated(
    row: Row,
    stored: DatedHours | None,
    areas: Collection[str],
    stations: Collection[str],
    meant: Mapping[str, str],
) -> DatedHours | BadCell:
    hours = msgspec.structs.replace(stored, **row.values) if stored else DatedHours(**row.values)
    if sum(scope is not None for scope in (hours.station, hours.kind, hours.area)) > 1:
        return BadCell(
            row.line,
            None,
            Said(
                "names more than one of station, kind and area: give one, or none for everywhere",
                "服务点、类型、区划填了不止一个：只填一个；都不填表示各处",
            ),
        )
    if hours.area is not None and hours.area not in areas:
        return BadCell(row.line, "area", no_area(hours.area))
    if hours.station is not None and hours.station not in stations:
        return BadCell(row.line, "station", no_station(hours.station, meant))
    if hours.last < hours.first:
        return BadCell(
            row.line,
            "until",
            Said(f"{hours.last} is before {hours.first}: exchange them", f"{hours.last} 早于 {hours.first}：请对调"),
        )
    return hours
