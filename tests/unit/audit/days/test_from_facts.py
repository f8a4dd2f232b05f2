"""From facts of the registry to figures and touched days: what an edit of people does to the past."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.days.figures import StationSources
from audit.days.local_days import LocalDay, local_days
from audit.days.revisions import next_revision, touched_days
from audit.days.station_days import path_on, station_day
from audit.decisions import decided_then
from audit.timeline import StateChange
from registry.facts.as_of import RegistryAsOf
from registry.facts.model import FactKind, RegistryFact
from tests.unit.audit.days.world import HOUR_MS

CHINA = ZoneInfo("Asia/Shanghai")
DAYS = local_days(date(2026, 11, 2), date(2026, 11, 8), lambda _: CHINA)
"""Monday to Sunday."""
CLOCK = DAYS[-1].end + timedelta(days=1)


def local(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=CHINA)


def micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def fact(number: int, kind: FactKind, subject: str, since: datetime, fields: Mapping[str, Any]) -> RegistryFact:
    whole = kind in (FactKind.STATION, FactKind.AREA)
    return RegistryFact(id=number, kind=kind, subject=subject, effective_at=since, whole=whole, fields=fields)


def hours(rules: str) -> dict[str, str]:
    return {"rules": rules, "zone": "Asia/Shanghai"}


def closed(first: int, last: int, *, approved: int | None) -> dict[str, Any]:
    """A closure for whole days, approved on a day or only declared."""
    times = {"from": local(first), "until": local(last + 1), "declared": local(first)}
    stamp = None if approved is None else micros(local(approved))
    return {
        "kind": "closure",
        **{name: micros(at) for name, at in times.items()},
        "approved": stamp,
        "withdrawn": None,
    }


KNOWN = [
    fact(1, FactKind.AREA, "632122", local(1), {"path": ["63", "632122"]}),
    fact(2, FactKind.AREA, "632123", local(1), {"path": ["63", "632123"]}),
    fact(3, FactKind.STATION, "a", local(2), {"area": "632122", "lifecycle": "commissioned"}),
    fact(4, FactKind.SCHEDULE, "a", local(2), {"2026-01-01": hours("Mo-Fr 09:00-17:00")}),
    fact(5, FactKind.CLOSURE, "a", local(2), {"7": closed(4, 5, approved=None)}),
]
SOURCES = StationSources(
    changes=(
        StateChange(seq=1, at=local(1), state="online", usable=True),
        StateChange(seq=2, at=local(4, 13), state="offline"),
    )
)
EDITS = [
    (
        "a closure that is approved later",
        fact(9, FactKind.CLOSURE, "a", local(9), {"7": closed(4, 5, approved=9)}),
        {4: ("closure", -8), 5: ("closure", -8)},
    ),
    (
        "a schedule since a past day",
        fact(9, FactKind.SCHEDULE, "a", local(9), {"2026-11-05": hours("Mo-Sa 09:00-17:00")}),
        {7: ("schedule", 8)},
    ),
    (
        "a lifecycle corrected since Wednesday noon",
        fact(9, FactKind.STATION, "a", local(4, 12), {"area": "632122", "lifecycle": "suspended"}),
        {4: ("lifecycle", -5), 5: ("lifecycle", -8), 6: ("lifecycle", -8), 7: ("lifecycle", 0), 8: ("lifecycle", 0)},
    ),
    (
        "a move that was written down late",
        fact(9, FactKind.STATION, "a", local(7), {"area": "632123", "lifecycle": "commissioned"}),
        {7: ("area", 0), 8: ("area", 0)},
    ),
]  # fmt: skip


def as_known(facts: list[RegistryFact]) -> tuple[StationSources, dict[date, tuple[str, ...]]]:
    """The sources, and the area of each day."""
    registry = RegistryAsOf(facts)
    decisions = decided_then(registry, "a", DAYS[0].begin, DAYS[-1].end)
    sources = StationSources(changes=SOURCES.changes, decided=decisions)
    return sources, {day.day: path_on(registry, "a", day) for day in DAYS}


@pytest.mark.parametrize(("why", "edit", "expected"), EDITS, ids=[row[0] for row in EDITS])
def test_an_edit_revises_exactly_its_days(why: str, edit: RegistryFact, expected: dict[int, tuple[str, int]]) -> None:
    """For each day of the month: the cause, and by how many hours the time due differs."""
    (before, areas), (after, areas_after) = as_known(KNOWN), as_known([edit, *KNOWN])
    touched = touched_days(before, after, DAYS)

    def kept(day: LocalDay, sources: StationSources, paths: dict[date, tuple[str, ...]]):  # type: ignore[no-untyped-def]
        return station_day("a", day, sources, clock=CLOCK, path=paths[day.day])

    found = {}
    for day in DAYS:
        made = next_revision(kept(day, before, areas), kept(day, after, areas_after), touched.get(day.day, ()))
        if made is not None:
            found[day.day.day] = (",".join(made.causes), made.difference.due_ms // HOUR_MS)
    assert found == expected, why


def test_a_week_of_a_station() -> None:
    """Open from Monday to Friday; offline since Wednesday at 13; the closure is only declared and excuses nothing."""
    sources, _ = as_known(KNOWN)
    week = [station_day("a", day, sources, clock=CLOCK).figures for day in DAYS]
    assert [day.due_ms // HOUR_MS for day in week] == [8, 8, 8, 8, 8, 0, 0]
    assert [day.online_ms // HOUR_MS for day in week] == [8, 8, 4, 0, 0, 0, 0]
    assert week[-1].online_rate is None
