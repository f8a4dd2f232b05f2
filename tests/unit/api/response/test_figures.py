"""How fast people answered: open time, means and medians, groups by area."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.read.response.figures import AnsweredIncident, Delay, MeanAndMedian, figures_by, figures_of, part_of
from api.read.response.open_time import OpenHours, hours_of, open_time
from registry.hours.calendar import SHUT, Calendar, Definition, Version
from registry.hours.day_classes import DayClasses

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(hours: float) -> datetime:
    """`hours` after Monday 08:00 in Beijing."""
    return MONDAY + timedelta(hours=hours)


NINE_TO_FIVE = OpenHours((at(24 * day + 1), at(24 * day + 9)) for day in range(5))
"""09:00 to 17:00 in Beijing, Monday to Friday."""

INTERVALS = {
    "within an opening": (2, 3, 1),
    "from before an opening": (0, 3, 2),
    "to after an opening": (8, 12, 1),
    "over a night": (8, 26, 2),
    "a whole night": (9, 25, 0),
    "before the first opening": (-9, 0, 0),
    "after the last opening": (120, 200, 0),
    "the week": (-24, 200, 40),
    "from the instant of opening to that of closing": (1, 9, 8),
    "nothing": (3, 3, 0),
    "an end before its beginning": (4, 2, 0),
}


@pytest.mark.parametrize(("begin", "end", "expected"), INTERVALS.values(), ids=list(INTERVALS))
def test_open_time_of_an_interval(begin: float, end: float, expected: float) -> None:
    assert open_time(NINE_TO_FIVE, at(begin), at(end)) == timedelta(hours=expected)


def test_a_station_that_is_always_open_has_wall_time_and_one_that_never_is_has_none() -> None:
    assert open_time(None, at(0), at(30)) == timedelta(hours=30)
    assert open_time(None, at(30), at(0)) == timedelta(0)
    assert open_time(hours_of(SHUT, at(0), at(30)), at(0), at(30)) == timedelta(0)
    unreadable = Calendar(Definition((Version(date.min, "unreadable"),)), DayClasses())
    assert open_time(hours_of(unreadable, at(0), at(30)), at(0), at(30)) == timedelta(0)


TIMES = st.integers(-2000, 12_000).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


@given(TIMES, TIMES, TIMES)
def test_open_time_adds_up_and_is_at_most_wall_time(one: datetime, two: datetime, three: datetime) -> None:
    begin, middle, end = sorted((one, two, three))
    parts = NINE_TO_FIVE.between(begin, middle) + NINE_TO_FIVE.between(middle, end)
    assert parts == NINE_TO_FIVE.between(begin, end)
    assert timedelta(0) <= parts <= end - begin


def incident(
    opened: float, acknowledged: float | None = None, ended: float | None = None, *, began: float | None = None,
    kind: str = "station_offline", area: str | None = None, hours: OpenHours | None = NINE_TO_FIVE,
) -> AnsweredIncident:  # fmt: skip
    """Hours after Monday 08:00."""
    return AnsweredIncident(
        kind=kind,
        area=area,
        hours=hours,
        began_at=at(opened if began is None else began),
        opened_at=at(opened),
        acknowledged_at=None if acknowledged is None else at(acknowledged),
        ended_at=None if ended is None else at(ended),
    )


def hour(mean: float, median: float) -> MeanAndMedian:
    return MeanAndMedian(mean * 3600, median * 3600)


NOTHING = Delay(MeanAndMedian(), MeanAndMedian())
FIGURES: dict[str, tuple[list[AnsweredIncident], int, int, Delay, Delay]] = {
    "nothing happened": ([], 0, 0, NOTHING, NOTHING),
    "nobody took it and it goes on": ([incident(2)], 0, 0, NOTHING, NOTHING),
    "over a night, open time is less": (
        [incident(8, 26, 28)], 1, 1, Delay(hour(18, 18), hour(2, 2)), Delay(hour(20, 20), hour(4, 4)),
    ),
    "the repair counts from the beginning of the fault": (
        [incident(3, 4, 5, began=1)], 1, 1, Delay(hour(1, 1), hour(1, 1)), Delay(hour(4, 4), hour(4, 4)),
    ),
    "over without an acknowledgement": ([incident(2, None, 3)], 0, 1, NOTHING, Delay(hour(1, 1), hour(1, 1))),
    "one that lasts long moves the mean and not the median": (
        [incident(1, 2), incident(1, 3), incident(1, 97, hours=None)],
        3, 0, Delay(hour(33, 2), hour(33, 2)), NOTHING,
    ),
    "the median of two lies between them": (
        [incident(1, 2, hours=None), incident(1, 4, hours=None)], 2, 0, Delay(hour(2, 2), hour(2, 2)), NOTHING,
    ),
    "a clock that was set back": (
        [incident(3, 2, 1)], 1, 1, Delay(hour(0, 0), hour(0, 0)), Delay(hour(0, 0), hour(0, 0)),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("incidents", "acknowledged", "repaired", "taking", "repairing"), FIGURES.values(), ids=list(FIGURES)
)
def test_figures(
    incidents: list[AnsweredIncident], acknowledged: int, repaired: int, taking: Delay, repairing: Delay
) -> None:
    found = figures_of(incidents)
    assert (found.incidents, found.acknowledged, found.repaired) == (len(incidents), acknowledged, repaired)
    assert found.to_acknowledge == taking
    assert found.to_repair == repairing


def test_groups_come_in_the_order_of_their_size() -> None:
    every = [incident(1, kind="health"), incident(1), incident(2), incident(3, kind="flapping")]
    found = figures_by(every, lambda one: one.kind)
    assert [(name, figures.incidents) for name, figures in found] == [
        ("station_offline", 2), ("flapping", 1), ("health", 1),
    ]  # fmt: skip
    assert sum(figures.incidents for _, figures in figures_by(every, lambda one: one.area)) == 4


PATH = ["63", "6321", "632122", "632122001"]
PARTS: dict[str, tuple[list[str], list[str], str | None]] = {
    "the whole, by province": (PATH, [], "63"),
    "a province, by prefecture": (PATH, ["63"], "6321"),
    "a county, by township": (PATH, ["632122"], "632122001"),
    "what is directly in the area": (PATH, ["632122001"], "632122001"),
    "one of several areas": (PATH, ["6402", "6321"], "6321"),
    "one of several areas, itself": (["6402"], ["6402", "6321"], "6402"),
    "no area": ([], ["63"], None),
}


@pytest.mark.parametrize(("path", "asked", "expected"), PARTS.values(), ids=list(PARTS))
def test_the_area_of_a_figure(path: list[str], asked: list[str], expected: str | None) -> None:
    assert part_of(path, asked) == expected
