"""What a page says of one incident to somebody who goes there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.console.response.rows import openings_text, work_row
from api.console.texts import Words
from api.read.response.schemas import WorkItem
from api.read.schemas import Opening


class Names:
    """Each thing is called by its id in capitals."""

    def station(self, station: str | None, /) -> str | None:
        return station and station.upper()

    def area(self, area: str | None, /) -> str | None:
        return area and area.upper()


def item(**more: Any) -> WorkItem:
    fields = {
        "id": 7, "kind": "station_offline", "severity": "warning", "status": "open", "station": "s1", "name": None,
        "name_en": None, "address": None, "lat": None, "lon": None, "area": "town", "township": "town",
        "began_at": datetime(2026, 11, 27, tzinfo=UTC), "age_s": 7300.0, "open_age_s": 59.0, "acknowledged_by": None,
        "eta_at": None, "overdue": False, "assignee": None, "stations_down": 0, "detail": {}, "why": [], "openings": [],
    }  # fmt: skip
    return WorkItem(**{**fields, **more})


def opening(begin: str, end: str) -> Opening:
    return Opening(
        begin=datetime.fromisoformat(f"2026-11-{begin}+00:00"), end=datetime.fromisoformat(f"2026-11-{end}+00:00")
    )


OPENINGS = {
    "none until the end of tomorrow": ([], "not open until the end of tomorrow"),
    "always open": (None, "always open"),
    "one in Beijing time": ([opening("28T01:00", "28T09:30")], "open 11-28 09:00–17:30"),
    "two": (
        [opening("28T01:00", "28T04:00"), opening("28T06:00", "28T09:30")], "open 11-28 09:00–12:00, 11-28 14:00–17:30",
    ),
    "over midnight": ([opening("28T12:00", "28T18:00")], "open 11-28 20:00–11-29 02:00"),
}  # fmt: skip


@pytest.mark.parametrize(("openings", "expected"), OPENINGS.values(), ids=list(OPENINGS))
def test_openings(openings: list[Opening] | None, expected: str) -> None:
    assert openings_text(Words("en"), item(openings=openings)) == expected


def test_an_incident_without_a_station_has_no_openings() -> None:
    assert openings_text(Words("en"), item(station=None, openings=None)) is None


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nobody's": ({}, {"owner": "", "eta": None, "why": "", "geo": None, "where": "TOWN · s1", "what": "S1"}),
    "assigned, whoever acknowledged it": ({"assignee": "li", "acknowledged_by": "ma"}, {"owner": "assigned to <li>"}),
    "acknowledged": ({"acknowledged_by": "ma"}, {"owner": "acknowledged by <ma>"}),
    "an expected end in Beijing time": ({"eta_at": datetime(2026, 11, 28, 20, tzinfo=UTC)}, {"eta": "11-29 04:00"}),
    "on the equator": ({"lat": 0.0, "lon": -0.5}, {"geo": "0.00000,-0.50000"}),
    "half a place": ({"lat": 36.1}, {"geo": None}),
    "reasons": ({"why": ["assigned", "duty"]}, {"why": "assigned, on duty"}),
    "ages": ({}, {"age": "2 h 1 min", "open_age": "59 s"}),
    "of an area": ({"station": None}, {"what": "TOWN", "where": ""}),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), ROWS.values(), ids=list(ROWS))
def test_rows(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    found = work_row(item(**fields), Names(), Words("en"), lambda account: f"<{account}>")
    assert {name: found[name] for name in expected} == expected
