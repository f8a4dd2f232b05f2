"""Which days later knowledge touches, and their revisions."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.days.figures import Figures, StationSources
from audit.days.local_days import LocalDay, local_days
from audit.days.revisions import RevisionCause, moved_days, next_revision, touched_days
from audit.days.station_days import StationDay, station_day
from audit.timeline import StationDecisions
from tests.unit.audit.days.test_figures import HISTORIES
from tests.unit.audit.days.world import HOUR_MS, MIDNIGHT, at, change, decided, gap, ran

DAYS = local_days(date(2026, 11, 1), date(2026, 11, 4), lambda _: ZoneInfo("UTC"))
CLOCK = MIDNIGHT.astimezone(UTC) + timedelta(days=30)
OPEN = [(24 * day + 9, 24 * day + 17) for day in range(4)]
BEFORE = StationSources(changes=(change(1, -9, "online", True), change(2, 33, "offline")), decided=decided(OPEN))
FIRST, SECOND, THIRD, FOURTH = (day.day for day in DAYS)


def having(**sources: object) -> StationSources:
    return msgspec.structs.replace(BEFORE, **sources)


def deciding(
    openings: Sequence[tuple[float, float]] = OPEN,
    closures: Sequence[tuple[float, float]] = (),
    lifecycles: Sequence[tuple[float, str]] = (),
) -> StationSources:
    return having(decided=decided(openings, closures, lifecycles))


LATER = [
    ("nothing", BEFORE, {}),
    ("presence", having(presence=(ran(34, 36),)), {SECOND: ["presence"]}),
    ("presence over midnight", having(presence=(ran(40, 60),)), {SECOND: ["presence"], THIRD: ["presence"]}),
    ("presence until midnight", having(presence=(ran(40, 48),)), {SECOND: ["presence"]}),
    ("presence of another month", having(presence=(ran(400, 480),)), {}),
    ("a closure", deciding(closures=[(50, 74)]), {THIRD: ["closure"], FOURTH: ["closure"]}),
    ("hours of one day", deciding([*OPEN[:3], (81, 90)]), {FOURTH: ["schedule"]}),
    ("always open", having(decided=StationDecisions()), {day.day: ["schedule"] for day in DAYS}),
    ("out of service since", deciding(lifecycles=[(-99, "commissioned"), (60, "suspended")]),
     {THIRD: ["lifecycle"], FOURTH: ["lifecycle"]}),
    ("a gap that was found later", having(gaps=(gap(10, 11),)), {FIRST: ["judged"]}),
    ("a replayed transition", having(changes=(*BEFORE.changes, change(3, 80, "online"))), {FOURTH: ["judged"]}),
    ("several", msgspec.structs.replace(deciding(closures=[(34, 35)]), presence=(ran(34, 36),)),
     {SECOND: ["presence", "closure"]}),
]  # fmt: skip


@pytest.mark.parametrize(("why", "after", "expected"), LATER, ids=[row[0] for row in LATER])
def test_touched_days(why: str, after: StationSources, expected: dict[date, list[str]]) -> None:
    found = touched_days(BEFORE, after, DAYS)
    assert {day: [cause.value for cause in causes] for day, causes in found.items()} == expected, why
    assert touched_days(after, BEFORE, DAYS) == found, "what is taken back touches the same days"


def test_without_days_nothing_is_touched() -> None:
    assert touched_days(BEFORE, StationSources(), []) == {}


def test_the_same_presence_again_touches_nothing() -> None:
    once, twice = (having(presence=runs) for runs in ((ran(34, 36),), (ran(34, 36), ran(34, 36, received=900))))
    assert touched_days(once, twice, DAYS) == {}


def kept(sources: StationSources) -> list[StationDay]:
    return [station_day("a", day, sources, clock=CLOCK, path=("63",)) for day in DAYS]


def test_late_presence_heals_the_past_and_overwrites_nothing() -> None:
    """checkly 278: a corrected incident cannot change the past."""
    after = having(presence=(ran(34, 36),))
    touched = touched_days(BEFORE, after, DAYS)
    both = zip(kept(BEFORE), kept(after), strict=True)
    made = [next_revision(old, new, touched.get(old.day, ())) for old, new in both]
    (one,) = [revision for revision in made if revision is not None]
    assert (one.day.day, one.day.revision, one.causes) == (SECOND, 2, (RevisionCause.PRESENCE,))
    assert one.difference == Figures(usable_ms=2 * HOUR_MS), "service only, never online"
    again = next_revision(one.day, one.day, [RevisionCause.LIFECYCLE, RevisionCause.CLOSURE])
    assert again is not None
    assert (again.day.revision, again.difference) == (3, Figures())
    assert again.causes == (RevisionCause.CLOSURE, RevisionCause.LIFECYCLE), "in one order, whatever came first"


def test_a_day_that_counts_for_another_area_is_revised() -> None:
    (old, *_) = kept(BEFORE)
    found = next_revision(old, msgspec.structs.replace(old, path=("62",)))
    assert found is not None
    assert (found.causes, found.difference) == ((RevisionCause.AREA,), Figures())


def test_another_zone_touches_the_days_whose_instants_change() -> None:
    zones = {day: ZoneInfo("Asia/Shanghai" if day >= THIRD else "UTC") for day in (FIRST, SECOND, THIRD, FOURTH)}
    zones[FOURTH + timedelta(days=1)] = zones[FOURTH]
    edited = local_days(FIRST, FOURTH, lambda day: zones.get(day, ZoneInfo("UTC")))
    found = moved_days({day.day: day for day in DAYS}, {day.day: day for day in edited})
    assert list(found) == [SECOND, THIRD, FOURTH]


@given(HISTORIES, st.randoms())
def test_any_order_of_arrival_ends_in_the_same_figures(whole: StationSources, random: Random) -> None:
    """Messages, gaps, presence, closures and edits arrive in batches, some twice; only touched days are redone."""
    arrivals = [(name, item) for name in ("changes", "gaps", "presence") for item in getattr(whole, name)]
    arrivals += [("closures", item) for item in whole.decided.closures]
    arrivals += [("edit", (whole.decided.openings, whole.decided.lifecycles))]
    arrivals += random.sample(arrivals, len(arrivals) // 3)
    random.shuffle(arrivals)
    days = [LocalDay(FIRST + timedelta(days=n), at(n / 2 - 1), at(n / 2 - 0.5)) for n in range(6)]
    held = StationSources()
    latest = {day.day: station_day("a", day, held, clock=CLOCK) for day in days}
    while arrivals:
        before, batch = held, [arrivals.pop() for _ in range(min(len(arrivals), random.randint(1, 4)))]
        for name, item in batch:
            held = with_one(held, name, item)
        touched = touched_days(before, held, days)
        for day in (day for day in days if day.day in touched):
            fresh = station_day("a", day, held, clock=CLOCK)
            made = next_revision(latest[day.day], fresh, touched[day.day])
            assert made is not None
            assert latest[day.day].figures + made.difference == made.day.figures
            latest[day.day] = made.day
    assert [latest[day.day].figures for day in days] == [
        station_day("a", day, whole, clock=CLOCK).figures for day in days
    ]


def with_one(held: StationSources, name: str, item: Any) -> StationSources:
    """The sources and one more."""
    if name == "closures":
        closed = msgspec.structs.replace(held.decided, closures=(*held.decided.closures, item))
        return msgspec.structs.replace(held, decided=closed)
    if name == "edit":
        edited = msgspec.structs.replace(held.decided, openings=item[0], lifecycles=item[1])
        return msgspec.structs.replace(held, decided=edited)
    return msgspec.structs.replace(held, **{name: (*getattr(held, name), item)})


@given(HISTORIES, HISTORIES, st.randoms())
def test_what_nothing_touches_stays(one: StationSources, other: StationSources, random: Random) -> None:
    """Any mixture of two histories: what differs between days computed anew is always named."""
    names = [name for name in StationSources.__struct_fields__ if random.random() < 0.5]
    after = msgspec.structs.replace(one, **{name: getattr(other, name) for name in names})
    half = timedelta(minutes=30)
    starts = [MIDNIGHT + n * half for n in range(-2, 4)]
    hours = [LocalDay(FIRST + timedelta(days=n), begin, begin + half) for n, begin in enumerate(starts)]
    touched = touched_days(one, after, hours)
    for day in hours:
        before, now = (station_day("a", day, sources, clock=CLOCK).figures for sources in (one, after))
        assert before == now or day.day in touched
