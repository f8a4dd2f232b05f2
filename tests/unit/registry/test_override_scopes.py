"""Which dated overrides of opening hours apply to a station, and in which order."""

from datetime import date
from typing import Any

import pytest

from registry.hours.calendar import Override
from registry.hours.scopes import StationScope, applies, overrides_of
from registry.model import DatedHours

DAY = date(2026, 10, 1)
STATION = StationScope(station="S1", kind="library", path=("63", "6321"))


def override(rules: str = "off", **scope: Any) -> DatedHours:
    return DatedHours(first=DAY, last=DAY, rules=rules, **scope)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param({}, True, id="everywhere"),
        pytest.param({"station": "S1"}, True, id="the station"),
        pytest.param({"station": "S2"}, False, id="another station"),
        pytest.param({"kind": "library"}, True, id="its kind"),
        pytest.param({"kind": "clinic"}, False, id="another kind"),
        pytest.param({"area": "6321"}, True, id="its area"),
        pytest.param({"area": "63"}, True, id="an area above"),
        pytest.param({"area": "6322"}, False, id="an area beside"),
    ],
)
def test_what_applies(scope: dict[str, Any], expected: bool) -> None:
    assert applies(override(**scope), STATION) is expected


def test_a_station_of_no_kind_and_no_area_has_its_own_and_those_for_everywhere() -> None:
    alone = StationScope(station="S1")
    given = [override(), override(kind="library"), override(area="63"), override(station="S1")]
    assert [applies(one, alone) for one in given] == [True, False, False, True]


def test_the_rank_is_the_place_among_those_that_apply() -> None:
    given = [override("off"), override("24x7", kind="clinic"), override("08:00-10:00", area="63")]
    assert overrides_of(STATION, given) == [Override(DAY, DAY, "off", 0), Override(DAY, DAY, "08:00-10:00", 1)]
