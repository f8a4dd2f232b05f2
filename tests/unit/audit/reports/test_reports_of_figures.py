"""What reports say of figures: reasons, ranking, hours."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.days.figures import Figures
from audit.reports.hour_signs import hour_state, legend
from audit.reports.reasons import LostDays, reasons
from audit.reports.uptime_report import ReportedPlace, worst_first

HOUR = 3_600_000


def figures(due: int, online: int, usable: int, *, unknown: int = 0, excused: int = 0, silent: int = 0) -> Figures:
    """Hours; `silent`: online hours in which no terminal said whether it is usable."""
    return Figures(
        scheduled_ms=(due + unknown + excused) * HOUR,
        excused_ms=excused * HOUR,
        unknown_ms=unknown * HOUR,
        online_ms=online * HOUR,
        service_due_ms=(due - silent) * HOUR,
        usable_ms=usable * HOUR,
    )


@pytest.mark.parametrize(
    ("found", "causes", "said"),
    [
        (figures(10, 10, 10), (), ""),
        (figures(10, 0, 0), (), "never online"),
        (figures(10, 8, 8), ("power", "uplink"), "not online 2:00 of 10:00; causes found: power, network"),
        (figures(10, 10, 7), (), "online and not usable, at least 3:00"),
        (figures(10, 8, 7), (), "not online 2:00 of 10:00; online and not usable, at least 1:00"),
        (figures(10, 6, 8), (), "not online 4:00 of 10:00; link down while it served, at least 2:00"),
        (figures(99, 99, 99, unknown=1), (), "the platform cannot tell 1:00"),
        (figures(9, 9, 9, unknown=1), (), "the platform cannot tell 1:00; coverage below 95%: no rate alone"),
        (figures(0, 0, 0, excused=8), (), "nothing was due; approved closures 8:00"),
        (figures(0, 0, 0), (), "nothing was due"),
        (figures(10, 10, 0, silent=10), (), ""),
    ],
)
def test_the_reason(found: Figures, causes: tuple[str, ...], said: str) -> None:
    assert reasons(found, causes, "en") == said
    assert bool(reasons(found, causes, "zh-CN")) is bool(said)


def test_the_days_that_lost_most_are_named_and_incidents_without_a_cause() -> None:
    lost = LostDays(5, ((date(2026, 11, 17), 5 * HOUR), (date(2026, 11, 4), HOUR)))
    found = figures(100, 92, 92)
    assert reasons(found, ("power",), "en", unexplained=2, lost=lost) == (
        "not online 8:00 of 100:00; days with losses: 5, the most on 11-17 (5:00), 11-04 (1:00); "
        "causes found: power; incidents without a cause: 2"
    )
    assert reasons(found, ("power",), "zh-CN", unexplained=2, lost=lost) == (
        "应在线 100:00，不在线 8:00；5 天有损失，最多的是 11-17（5:00）、11-04（1:00）；"
        "已查明原因：供电；2 起事件原因未查明"
    )
    assert reasons(figures(10, 0, 0), (), "en", lost=lost) == "never online", "every day is one of its days"


def test_the_worst_come_first_and_equal_ones_share_a_rank() -> None:
    places = {
        "all": figures(10, 10, 10),
        "none due": figures(0, 0, 0, excused=8),
        "half": figures(10, 5, 5),
        "half, but longer": figures(20, 10, 10),
        "half, less online": figures(10, 4, 5),
        "never": figures(10, 0, 0),
    }
    ranked = worst_first(ReportedPlace(id=name, name=name, figures=found) for name, found in places.items())
    assert [(rank, place.id) for rank, place in ranked] == [
        (1, "never"), (2, "half, less online"), (2, "half, but longer"), (2, "half"), (5, "all"), (None, "none due"),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12), st.randoms())
def test_the_order_of_arrival_does_not_matter(hours: list[tuple[int, int]], randoms: random.Random) -> None:
    places = [
        ReportedPlace(id=f"{number}", name="", figures=figures(due, min(due, lost), min(due, lost)))
        for number, (due, lost) in enumerate(hours)
    ]
    shuffled = places.copy()
    randoms.shuffle(shuffled)
    found = worst_first(shuffled)
    assert found == worst_first(places)
    rates = [place.figures.service_rate for _, place in found if place.figures.service_rate is not None]
    assert rates == sorted(rates)
    assert all(rank is not None for rank, _ in found[: len(rates)])


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Figures(), "not_open"),
        (figures(1, 1, 1), "served"),
        (figures(1, 0, 0), "offline"),
        (figures(1, 1, 0), "unusable"),
        (figures(1, 0, 1), "ran"),
        (figures(0, 0, 0, unknown=1), "unknown"),
        (figures(0, 0, 0, excused=1), "excused"),
        (figures(1, 1, 0, silent=1), "served"),
        (Figures(scheduled_ms=HOUR, online_ms=40, service_due_ms=HOUR, usable_ms=HOUR // 2), "offline"),
    ],
)
def test_an_hour_is_what_took_most_of_it(found: Figures, state: str) -> None:
    assert hour_state(found) == state
    for language in ("zh-CN", "en"):
        (sign,) = [sign for sign in legend(language) if sign.key == state]
        assert (sign.word and sign.word != state) or language == "en"


def test_signs_differ_without_colour() -> None:
    """Only what is in service and what is not open have no sign; their fields are full and empty."""
    signs = [entry.sign for entry in legend("en") if entry.sign]
    assert len(signs) == len(set(signs)) == 5
