"""Days of stations, and sums of areas and months."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.days.figures import Figures, StationSources, figures_between, total
from audit.days.local_days import LocalDay, local_days, month_days
from audit.days.station_days import (
    StationDay,
    area_figures,
    area_months,
    path_on,
    station_day,
    station_figures,
)
from audit.timeline import PresenceRun, StateChange, StationDecisions, UnknownInterval
from registry.facts.as_of import RegistryAsOf
from registry.facts.model import FactKind, RegistryFact
from registry.hours.calendar import ALWAYS
from tests.unit.audit.days.test_figures import require_sound
from tests.unit.audit.days.world import HOUR_MS, at, change, decided, gap, oracle

FIRST = LocalDay(date(2026, 11, 1), at(0), at(24))
COUNTY, OTHER, PROVINCE = "632122", "632123", "63"


def figures(due: int, online: int) -> Figures:
    return Figures(scheduled_ms=due, online_ms=online, service_due_ms=due, usable_ms=online)


def of_day(station: str, number: int, due: int, online: int, area: str = COUNTY, revision: int = 1) -> StationDay:
    return StationDay(
        station=station,
        day=date(2026, 11, number),
        path=(PROVINCE, area),
        revision=revision,
        figures=figures(due, online),
    )


def test_alone_and_in_a_group_of_one_it_is_the_same() -> None:
    """Icinga reports 61: alone 96.9%, in its group 100%."""
    days = [of_day("a", 1, 1000, 969)]
    (alone,) = station_figures(days).values()
    assert alone.online_rate == area_figures(days)[COUNTY].online_rate == Fraction(969, 1000)


def test_an_area_is_no_mean_of_rates() -> None:
    """Checkmk's CSV: 899.08 / 10. A station that is open for an hour weighs an hour."""
    days = [of_day("a", 1, 1, 0), of_day("b", 1, 9, 9), of_day("c", 1, 0, 0)]
    assert area_figures(days)[COUNTY].online_rate == Fraction(9, 10)


def test_a_station_that_moved_counts_for_each_area_for_its_days() -> None:
    days = [of_day("a", 1, 10, 1), of_day("a", 2, 10, 9, area=OTHER)]
    sums = area_figures(days)
    assert (sums[COUNTY].online_rate, sums[OTHER].online_rate, sums[PROVINCE].online_rate) == (
        Fraction(1, 10),
        Fraction(9, 10),
        Fraction(10, 20),
    )


def test_a_month_is_a_sum_of_days() -> None:
    days = [of_day("a", number, 10, number % 2 * 10) for number in range(1, 31)]
    later = StationDay(station="a", day=date(2026, 12, 1), path=(COUNTY,), figures=figures(10, 10))
    assert area_months([*days, later]) == {
        (PROVINCE, "2026-11"): figures(300, 150),
        (COUNTY, "2026-11"): figures(300, 150),
        (COUNTY, "2026-12"): figures(10, 10),
    }


@pytest.mark.parametrize(("clock", "running", "hours"), [(-1, True, 0), (6, True, 6), (27, True, 24), (28, False, 24)])
def test_a_running_day_is_marked_and_in_no_sum(clock: float, running: bool, hours: int) -> None:
    sources = StationSources(changes=(change(1, -1, "online"),))
    found = station_day("a", FIRST, sources, clock=at(clock), path=(COUNTY,))
    assert (found.running, found.figures.online_ms) == (running, hours * HOUR_MS)
    assert bool(area_figures([found])) is bool(station_figures([found])) is not running


def test_a_day_under_an_open_gap_is_running() -> None:
    assert station_day("a", FIRST, StationSources(), clock=at(99), open_gaps=(at(23),)).running


@given(st.lists(st.integers(0, 99), min_size=1, max_size=20), st.randoms())
def test_sums_of_areas_do_not_depend_on_order_or_repetition(online: list[int], random: Random) -> None:
    days = [of_day(f"s{n % 3}", 1 + n // 3, 100, ms) for n, ms in enumerate(online)]
    older = [of_day(day.station, day.day.day, 100, 100, revision=0) for day in days[:4]]
    mixed = random.sample([*days, *days, *older], 2 * len(days) + len(older))
    assert area_figures(mixed) == area_figures(days)
    assert area_figures(days)[COUNTY] == total(day.figures for day in days)


def fact(number: int, kind: FactKind, subject: str, since: datetime, fields: dict[str, object]) -> RegistryFact:
    return RegistryFact(id=number, kind=kind, subject=subject, effective_at=since, whole=True, fields=fields)


def test_the_area_of_a_day_is_that_of_its_beginning() -> None:
    registry = RegistryAsOf(
        [
            fact(1, FactKind.AREA, COUNTY, at(-99), {"path": [PROVINCE, COUNTY]}),
            fact(2, FactKind.AREA, OTHER, at(-99), {"path": [PROVINCE, OTHER]}),
            fact(3, FactKind.STATION, "a", at(9), {"area": COUNTY}),
            fact(4, FactKind.STATION, "a", at(48), {"area": OTHER}),
        ]
    )
    days = [LocalDay(date(2026, 10, 31) + timedelta(days=n), at(24 * n - 24), at(24 * n)) for n in range(4)]
    assert [path_on(registry, "a", day)[1:] for day in days] == [(), (COUNTY,), (COUNTY,), (OTHER,)]


def random_sources(random: Random, begin: datetime, days: int) -> StationSources:
    """Outages, gaps, presence and closures of some days, at whole seconds."""

    def pairs(number: int, longest: int) -> list[tuple[datetime, datetime]]:
        starts = [begin + timedelta(seconds=random.randrange(days * 86_400)) for _ in range(number)]
        return [(start, start + timedelta(seconds=random.randrange(1, longest))) for start in starts]

    changes = [
        StateChange(
            seq=n,
            at=begin + timedelta(seconds=random.randrange(-86_400, days * 86_400)),
            state=random.choice(["online", "online", "offline", "away", "unproven"]),
            usable=random.choice([True, True, False, None]),
        )
        for n in range(3 * days)
    ]
    return StationSources(
        changes=tuple(changes),
        gaps=tuple(
            UnknownInterval(began_at=since, ended_at=until, silent=random.random() < 0.5)
            for since, until in pairs(days, 9_000)
        ),
        presence=tuple(
            PresenceRun(began_at=since, ended_at=until, usable=random.choice([True, None, False]), received_at=until)
            for since, until in pairs(2 * days, 20_000)
        ),
        decided=StationDecisions(
            openings=tuple(pairs(2 * days, 40_000)),
            closures=tuple(pairs(days // 2, 30_000)),
            lifecycles=((begin, "planned"), (begin + timedelta(seconds=50_001), "commissioned")),
        ),
    )


@pytest.mark.parametrize(("seed", "zone"), [(1, "Asia/Shanghai"), (2, "Europe/Berlin"), (3, "America/St_Johns")])
def test_weeks_with_changes_of_clocks_against_the_oracle(seed: int, zone: str) -> None:
    days = local_days(date(2026, 10, 22), date(2026, 11, 4), lambda _: ZoneInfo(zone))
    sources = random_sources(Random(seed), days[0].begin, len(days))
    found = [station_day("a", day, sources, clock=days[-1].end + timedelta(hours=4)) for day in days]
    assert [day.figures for day in found] == [oracle(sources, day.begin, day.end) for day in days]
    whole = figures_between(sources, days[0].begin, days[-1].end)
    require_sound(whole)
    assert station_figures(found) == {"a": whole}


def test_a_month_has_its_last_second() -> None:
    """Reports elsewhere ended the month at 23:59:59. Here days add up to the whole month."""
    days = month_days(2026, 11, ALWAYS.zone_on)
    last = days[-1].end - timedelta(seconds=1)
    sources = StationSources(
        changes=(
            StateChange(seq=1, at=datetime(2026, 1, 1, tzinfo=UTC), state="online"),
            StateChange(seq=2, at=last, state="offline"),
        )
    )
    found = total(figures_between(sources, day.begin, day.end) for day in days)
    assert (found.due_ms, found.due_ms - found.online_ms) == (30 * 24 * HOUR_MS, 1000)


def test_decisions_of_facts_feed_the_figures() -> None:
    """A gap in a closure is excused, a closure outside opening hours is nothing."""
    found = figures_between(
        StationSources(gaps=(gap(9, 11),), decided=decided([(9, 17)], [(8, 10), (20, 21)])), at(0), at(24)
    )
    assert (found.excused_ms, found.unknown_ms) == (HOUR_MS, HOUR_MS)
