"""The figures: each complaint about other systems as a case, and what holds for any history."""

from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.days.figures import Figures, StationSources, figures_between, percent, total
from audit.timeline import StateChange
from tests.unit.audit.days.world import HOUR_MS, at, change, decided, gap, oracle, ran

ALL_DAY = (change(1, -48, "online", True),)


def day(sources: StationSources, begin: float = 0, end: float = 24) -> Figures:
    return figures_between(sources, at(begin), at(end))


def test_one_day_with_everything() -> None:
    """Open 9 to 17; closure 9 to 10; blind 10 to 11; offline 12 to 15, and ran 13 to 14; unusable from 16."""
    found = day(
        StationSources(
            changes=(*ALL_DAY, change(2, 12, "offline"), change(3, 15, "online"), change(4, 16, "online", False)),
            gaps=(gap(10, 11),),
            presence=(ran(13, 14),),
            decided=decided([(9, 17)], [(9, 10)]),
        )
    )
    hours = {name: getattr(found, name) / HOUR_MS for name in (*Figures.__struct_fields__, "due_ms")}
    assert hours == {
        "scheduled_ms": 8,
        "excused_ms": 1,
        "unknown_ms": 1,
        "due_ms": 6,
        "online_ms": 3,
        "service_due_ms": 5,
        "usable_ms": 2,
    }
    assert (found.online_rate, found.service_rate, found.coverage) == (Fraction(3, 6), Fraction(2, 5), Fraction(6, 7))


def test_a_station_from_the_middle_of_the_year_is_divided_by_its_own_time() -> None:
    """Icinga DB 834: what began in mid-year was divided by a wrong half."""
    sources = StationSources(
        changes=(change(1, 12, "online", True), change(2, 21, "offline")),
        decided=decided(lifecycles=[(0, "planned"), (12, "commissioned")]),
    )
    found = day(sources)
    assert (found.scheduled_ms, found.online_rate) == (12 * HOUR_MS, Fraction(9, 12))


def test_before_it_existed_there_is_no_rate() -> None:
    """Icinga reports 36: 100% before the host existed."""
    for nothing in (decided(openings=[]), decided(lifecycles=[(0, "planned")])):
        found = day(StationSources(decided=nothing))
        assert (found, found.online_rate, found.service_rate, found.coverage) == (Figures(), None, None, None)
        assert not found.has_headline


def test_never_over_100_percent() -> None:
    """Icinga reports 24: doubled and overlapping sources added up to more than there is."""
    found = day(StationSources(changes=ALL_DAY * 3, presence=(ran(0, 24), ran(1, 25), ran(0, 24, received=900))))
    assert [found.online_rate, found.service_rate] == [1, 1]


def test_a_downtime_that_goes_on_counts() -> None:
    """Icinga reports 3: an outage without an end was left out."""
    assert day(StationSources(changes=(*ALL_DAY, change(2, 18, "offline")))).online_rate == Fraction(18, 24)


def test_no_data_is_not_100_percent() -> None:
    """service-level-operator 19. Silence of the station is 0%, blindness of the platform is no rate."""
    silent = day(StationSources())
    assert [silent.online_rate, silent.service_rate, silent.has_headline] == [0, 0, True]
    blind = day(StationSources(changes=ALL_DAY, gaps=(gap(-1, 25),)))
    assert [blind.online_rate, blind.service_rate, blind.coverage, blind.has_headline] == [None, None, 0, False]


def test_a_station_that_was_never_heard_does_not_answer_for_a_blind_platform() -> None:
    assert day(StationSources(gaps=(gap(6, 12),))).unknown_ms == 6 * HOUR_MS


@pytest.mark.parametrize(("blind", "has_headline"), [(1.2, True), (1.2 + 1 / 3600, False), (14, False)])
def test_time_without_data_is_noticed(blind: float, has_headline: bool) -> None:
    """pyrra 448: two weeks without data changed nothing. At exactly 95% there is a headline."""
    found = day(StationSources(changes=ALL_DAY, gaps=(gap(0, blind),)))
    assert [found.online_rate, found.has_headline] == [1, has_headline]


def test_overlapping_outages_count_once() -> None:
    """aiwatch 1006. The same for closures, gaps and openings."""
    sources = StationSources(
        changes=(*ALL_DAY, change(3, 14, "offline"), change(4, 15, "offline"), change(5, 16, "online", True)),
        gaps=(gap(6, 8), gap(7, 9), gap(7, 8), gap(13, 15, silent=True)),
        decided=decided([(0, 12), (10, 20)], [(1, 3), (2, 4), (8, 8.5)]),
    )
    found = day(sources)
    assert found.scheduled_ms == 20 * HOUR_MS
    assert found.excused_ms == 3.5 * HOUR_MS
    assert found.unknown_ms == (3 - 0.5 + 1) * HOUR_MS, (
        "the closure comes before the gap; doubt holds while it is silent"
    )
    assert (found.due_ms, found.online_ms) == (13 * HOUR_MS, 12 * HOUR_MS)


def test_only_opening_hours_count() -> None:
    """OneUptime 1599: nights and weekends counted as downtime."""
    found = day(StationSources(changes=(*ALL_DAY, change(2, 17, "offline")), decided=decided([(9, 17)])))
    assert [found.scheduled_ms, found.online_rate] == [8 * HOUR_MS, 1]


def test_online_in_a_closure_is_no_time_of_its_own() -> None:
    found = day(StationSources(changes=ALL_DAY, decided=decided([(9, 17)], [(9, 13)])))
    assert (found.due_ms, found.online_ms) == (4 * HOUR_MS, 4 * HOUR_MS)


SERVING = [
    # state, usable, presence, (online, service due, usable), why
    ("online", True, None, (24, 24, 24), "usable"),
    ("online", False, None, (24, 24, 0), "unusable is online and no service"),
    ("online", None, None, (24, 0, 0), "nobody said: not due"),
    ("offline", True, None, (0, 24, 0), "what it said before is no proof"),
    ("offline", None, ran(0, 6), (0, 24, 6), "link down, running"),
    ("offline", None, ran(0, 6, None), (0, 24, 0), "it ran and said nothing"),
    ("offline", None, ran(0, 6, False), (0, 24, 0), "it ran and could not serve"),
    ("online", False, ran(0, 6), (24, 24, 0), "presence is for time without a link"),
    ("away", True, ran(0, 6), (0, 24, 0), "away is not online"),
    ("never_seen", None, ran(0, 6), (0, 24, 0), "never heard"),
    ("unproven", None, ran(0, 6), (0, 0, 0), "unknown, so not due"),
]


@pytest.mark.parametrize(("state", "usable", "run", "hours", "why"), SERVING, ids=[row[-1] for row in SERVING])
def test_what_serves(state: str, usable: bool | None, run: object, hours: tuple[int, int, int], why: str) -> None:
    runs = () if run is None else (run,)
    found = day(StationSources(changes=(change(1, -1, state, usable),), presence=runs))  # type: ignore[arg-type]  # rows
    assert (found.online_ms, found.service_due_ms, found.usable_ms) == tuple(n * HOUR_MS for n in hours), why


def test_a_running_day_of_no_length_has_no_figures() -> None:
    assert day(StationSources(changes=ALL_DAY), 5, 5) == day(StationSources(), 5, 4) == Figures()


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(None, None), (Fraction(1), "100.00%"), (Fraction(99_999_999, 10**8), "99.99%"), (Fraction(1, 3), "33.33%")],
)
def test_only_100_percent_is_shown_as_100_percent(rate: Fraction | None, shown: str | None) -> None:
    assert percent(rate) == shown


HOURS = st.integers(-1800, 5400).map(lambda seconds: seconds / 3600)
PAIRS = st.lists(st.tuples(HOURS, HOURS), max_size=4)
STATES = st.sampled_from(["online", "away", "offline", "never_seen", "unproven", "set_aside"])
USABLES = st.sampled_from([True, False, None])
LIFECYCLES = st.lists(
    st.tuples(HOURS, st.sampled_from(["planned", "commissioned", "suspended"])), max_size=3, unique_by=lambda e: e[0]
)
HISTORIES = st.builds(
    StationSources,
    changes=st.lists(
        st.builds(change, st.integers(1, 50), HOURS, STATES, USABLES), max_size=8, unique_by=lambda c: c.seq
    ).map(tuple),
    gaps=st.lists(st.builds(gap, HOURS, HOURS, silent=st.booleans()), max_size=5).map(tuple),
    presence=st.lists(st.builds(ran, HOURS, HOURS, USABLES, st.integers(200, 203)), max_size=5).map(tuple),
    decided=st.builds(decided, st.none() | PAIRS, PAIRS, LIFECYCLES),
)


def require_sound(found: Figures) -> None:
    """The identities that hold for any figures."""
    assert found.scheduled_ms == found.excused_ms + found.unknown_ms + found.due_ms
    assert 0 <= found.online_ms <= found.due_ms
    assert 0 <= found.usable_ms <= found.service_due_ms <= found.due_ms
    assert all(rate is None or 0 <= rate <= 1 for rate in (found.online_rate, found.service_rate, found.coverage))
    assert (found.online_rate is None) == (found.due_ms == 0)


@given(HISTORIES)
def test_an_oracle_that_walks_every_second_says_the_same(sources: StationSources) -> None:
    found = day(sources, 0, 1)
    require_sound(found)
    assert found == oracle(sources, at(0), at(1))


@given(HISTORIES, st.randoms())
def test_neither_order_nor_repetition_changes_a_figure(sources: StationSources, random: Random) -> None:
    def mixed(items: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(random.sample([*items, *items[:2]], len(items) + len(items[:2])))

    again = StationSources(
        changes=mixed(sources.changes),  # type: ignore[arg-type]  # the same items
        gaps=mixed(sources.gaps),  # type: ignore[arg-type]
        presence=mixed(sources.presence),  # type: ignore[arg-type]
        decided=type(sources.decided)(
            openings=None if sources.decided.openings is None else mixed(sources.decided.openings),  # type: ignore[arg-type]
            closures=mixed(sources.decided.closures),  # type: ignore[arg-type]
            lifecycles=mixed(sources.decided.lifecycles),  # type: ignore[arg-type]
        ),
    )
    assert day(again, 0, 1) == day(sources, 0, 1)


@given(HISTORIES, st.lists(st.integers(1, 3_599_999_999), max_size=4, unique=True), st.integers(0, 999_999))
def test_parts_add_up_to_the_whole(sources: StationSources, cuts: list[int], fraction: int) -> None:
    """To the millisecond, also where sources have microseconds."""
    later = timedelta(microseconds=fraction)
    shifted = tuple(StateChange(seq=c.seq, at=c.at + later, state=c.state) for c in sources.changes)
    finer = StationSources(changes=shifted, gaps=sources.gaps, presence=sources.presence, decided=sources.decided)
    moments: list[datetime] = [at(0), *(at(0) + timedelta(milliseconds=cut // 1000) for cut in sorted(cuts)), at(1)]
    parts = [figures_between(finer, begin, end) for begin, end in pairwise(moments)]
    require_sound(total(parts))
    assert total(parts) == day(finer, 0, 1)
