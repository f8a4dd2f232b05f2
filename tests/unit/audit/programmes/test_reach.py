"""Promises as of a day, through a merger, a split and a renumbering of counties."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import count, permutations

import pytest

from audit.programmes.reach import TargetMeasures, TargetReach, TargetStatus, TargetTally, furthest_first, reach, tally
from audit.programmes.standings import PromisedAreas, StationsThen
from contract.home import HOME
from registry.facts.model import FactKind, RegistryFact
from registry.facts.successions import AreaSuccessions
from registry.model import METRICS, Target

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)
BEFORE, AFTER = date(2024, 12, 31), date(2026, 6, 30)
MERGED = SPLIT = RENUMBERED = date(2025, 7, 1)
_ids = count(1)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=HOME).astimezone(UTC)


def fact(kind: FactKind, subject: str, at: datetime = ALWAYS, *, whole: bool = False, **fields: object) -> RegistryFact:
    return RegistryFact(id=next(_ids), kind=kind, subject=subject, effective_at=at, whole=whole, fields=fields)


def area(code: str) -> RegistryFact:
    path = ["63"] if code == "63" else ["63", code]
    return fact(FactKind.AREA, code, whole=True, path=path)


def station(
    name: str, county: str, *moves: tuple[date, str], since: datetime = ALWAYS, **fields: object
) -> list[RegistryFact]:
    """A station, registered `since`, and its moves to other counties."""
    counties = [area(code) for code in ("63", county, *(code for _, code in moves))]
    own = fact(FactKind.STATION, name, since, whole=True, area=county, **fields)
    return [*counties, own, *(fact(FactKind.STATION, name, midnight(day), area=code) for day, code in moves)]


def successions(*known: tuple[str, str, date]) -> list[RegistryFact]:
    return [fact(FactKind.SUCCESSION, old, midnight(on), **{new: on.isoformat()}) for old, new, on in known]


def target(metric: str = "stations", *areas: str, **fields: object) -> Target:
    return Target(id="t", name="t", metric=metric, areas=areas or ("63",), **fields)  # type: ignore[arg-type]


def reached(
    asked: Target,
    day: date,
    facts: Sequence[RegistryFact],
    known: Sequence[RegistryFact] = (),
    *,
    levels: Mapping[str, str] | None = None,
) -> TargetReach:
    then, after = StationsThen(facts), AreaSuccessions(known)
    areas = PromisedAreas(levels or {}, [area(code) for code in levels or {}], after)
    units = {asked.id: areas.units(asked, day)}
    found = tally([asked], units, then.standings(day), after, then.path)
    return reach(asked, units[asked.id], found[asked.id], TargetMeasures(), day)


MERGER = successions(("A", "C", MERGED), ("B", "C", MERGED))
"""Two counties become one, with a station of A, two of B, and one that came later."""
OF_MERGER = [
    *station("a", "A", (MERGED, "C")),
    *station("b1", "B", (MERGED, "C")),
    *station("b2", "B", (MERGED, "C")),
    *station("new", "C", since=midnight(date(2026, 1, 1))),
]


@pytest.mark.parametrize(
    ("code", "day", "number"),
    [
        ("A", BEFORE, 1),
        ("B", BEFORE, 2),
        ("C", BEFORE, 3),
        ("C", AFTER, 4),
        # The stations that were in A, and those of which nobody can say where they would have been.
        ("A", AFTER, 2),
        ("B", AFTER, 3),
        ("A", MERGED - timedelta(days=1), 1),
        ("C", MERGED, 3),
    ],
)
def test_a_merger(code: str, day: date, number: int) -> None:
    assert reached(target("stations", code), day, OF_MERGER, MERGER).reached == number


APART = successions(("A", "B", SPLIT), ("A", "C", SPLIT))
OF_SPLIT = [
    *station("b", "A", (SPLIT, "B")),
    *station("c1", "A", (SPLIT, "C")),
    *station("c2", "A", (SPLIT, "C")),
    *station("gone", "A", lifecycle="retired"),
]


@pytest.mark.parametrize(
    ("code", "day", "number"),
    [("A", BEFORE, 3), ("A", AFTER, 3), ("B", BEFORE, 1), ("B", AFTER, 1), ("C", BEFORE, 2), ("C", AFTER, 2)],
)
def test_a_split(code: str, day: date, number: int) -> None:
    assert reached(target("stations", code), day, OF_SPLIT, APART).reached == number


@pytest.mark.parametrize(("code", "day"), [(code, day) for code in ("A", "B") for day in (BEFORE, AFTER)])
def test_a_renumbering(code: str, day: date) -> None:
    """Also for a station that the registry still has under the old code."""
    facts = [*station("moved", "A", (RENUMBERED, "B")), *station("late", "A", (AFTER + timedelta(days=90), "B"))]
    renumbered = successions(("A", "B", RENUMBERED))
    assert reached(target("stations", code), day, facts, renumbered).reached == 2


def test_a_chain_of_changes() -> None:
    """Renumbered, then merged with another, then split."""
    chain = successions(
        ("A", "B", date(2022, 1, 1)),
        *((old, "D", date(2023, 1, 1)) for old in ("B", "C")),
        *(("D", new, date(2024, 1, 1)) for new in ("E", "F")),
    )
    facts = [
        *station("a", "A", (date(2022, 1, 1), "B"), (date(2023, 1, 1), "D"), (date(2024, 1, 1), "E")),
        *station("c", "C", (date(2023, 1, 1), "D"), (date(2024, 1, 1), "F")),
    ]
    for year in range(2021, 2026):
        for code in ("A", "B", "C", "E", "F"):
            assert reached(target("stations", code), date(year, 6, 1), facts, chain).reached == 1, (code, year)
        assert reached(target("stations", "D"), date(year, 6, 1), facts, chain).reached == 2, year


def test_an_area_that_keeps_its_code_while_another_joins() -> None:
    joined = successions(("A", "A", MERGED), ("B", "A", MERGED))
    facts = [*station("a", "A"), *station("b", "B", (MERGED, "A"))]
    for code in "AB":
        assert [reached(target("stations", code), day, facts, joined).reached for day in (BEFORE, AFTER)] == [1, 1]


def test_the_order_of_facts_does_not_matter() -> None:
    for order in permutations(MERGER):
        assert AreaSuccessions(order).lineage("A", AFTER) == AreaSuccessions(MERGER).lineage("A", AFTER)


def test_a_removed_or_corrected_succession_counts_no_more() -> None:
    later = fact(FactKind.SUCCESSION, "A", midnight(MERGED), C="2027-01-01")
    gone = fact(FactKind.SUCCESSION, "A", midnight(MERGED), C=None)
    for known in ([*MERGER, later], [*MERGER, gone]):
        assert AreaSuccessions(known).lineage("A", AFTER).codes == {"A"}


def test_counties_that_were_promised_one_by_one_stay_as_many_after_a_merger() -> None:
    found = reached(target("covered_areas", "A", "B", threshold=2), AFTER, OF_MERGER, MERGER)
    assert (found.reached, found.units, found.status) == (2, 2, TargetStatus.REACHED)


@pytest.mark.parametrize(("day", "units", "lacking"), [(BEFORE, 3, ("D",)), (AFTER, 2, ("D",))])
def test_the_areas_of_a_level_are_those_of_the_day(day: date, units: int, lacking: tuple[str, ...]) -> None:
    levels = dict.fromkeys("ABCD", "county") | {"63": "province"}
    found = reached(target("covered", "63", level="county"), day, OF_MERGER, MERGER, levels=levels)
    assert (found.units, found.lacking) == (units, lacking)
    assert found.reached == Fraction(units - 1, units)


@pytest.mark.parametrize(
    ("fields", "since", "number"),
    [
        ({}, ALWAYS, 1),
        ({"lifecycle": "planned"}, ALWAYS, 0),
        ({"lifecycle": "suspended"}, ALWAYS, 0),
        ({"lifecycle": "retired"}, ALWAYS, 0),
        ({}, midnight(AFTER), 0),
        # Registered later, and in service before that.
        ({"commissioned_at": int(midnight(date(2024, 1, 1)).timestamp()) * 10**6}, midnight(AFTER), 1),
        ({"commissioned_at": int(midnight(date(2025, 1, 1)).timestamp()) * 10**6}, midnight(AFTER), 0),
        ({"commissioned_at": int(midnight(date(2025, 1, 1)).timestamp()) * 10**6}, ALWAYS, 0),
    ],
)
def test_who_was_in_service(fields: dict[str, object], since: datetime, number: int) -> None:
    assert reached(target(), BEFORE, station("a", "A", since=since, **fields)).reached == number


def test_only_stations_of_the_programme_on_that_day_count() -> None:
    facts = [
        *station("a", "A"),
        fact(FactKind.PROGRAMME, "a", border=True),
        fact(FactKind.PROGRAMME, "a", midnight(date(2025, 6, 1)), border=None),
        *station("b", "A"),
    ]
    asked = target(programme="border")
    assert [reached(asked, day, facts).reached for day in (BEFORE, AFTER)] == [1, 0]
    assert reached(target(), AFTER, facts).reached == 2


def test_a_share_of_stations_in_service() -> None:
    facts = [*station("a", "A"), *station("b", "A", lifecycle="planned"), *station("c", "A", lifecycle="retired")]
    found = reached(target("in_service", threshold=0.5), BEFORE, facts)
    assert (found.reached, found.waiting, found.status) == (Fraction(1, 2), 1, TargetStatus.REACHED)


@pytest.mark.parametrize(
    ("threshold", "deadline", "status"),
    [
        (None, None, TargetStatus.NO_PROMISE),
        (1, None, TargetStatus.REACHED),
        (2, None, TargetStatus.OPEN),
        (2, BEFORE + timedelta(days=1), TargetStatus.OPEN),
        (2, BEFORE, TargetStatus.MISSED),
        (1, BEFORE, TargetStatus.REACHED),
    ],
)
def test_the_status(threshold: float | None, deadline: date | None, status: TargetStatus) -> None:
    asked = target(threshold=threshold, deadline=deadline)
    assert reached(asked, BEFORE, station("a", "A")).status is status


def test_what_nobody_measured_has_no_progress() -> None:
    found = reached(target("sessions", threshold=10), BEFORE, [])
    assert (found.progress, found.status) == (None, TargetStatus.UNMEASURED)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_is_known(metric: str) -> None:
    measured = TargetMeasures(sessions=7, content={"p": 10, "q": 5})
    found = reach(target(metric), ("A",), TargetTally(), measured, BEFORE)
    expected = {
        "stations": 0, "in_service": None, "covered": Fraction(0), "covered_areas": 0, "online_rate": None,
        "service_rate": None, "sessions": 7, "content_bytes": 15, "content_titles": 2,
    }  # fmt: skip
    assert found.reached == expected[metric]


def test_the_least_progress_comes_first_and_equal_ones_share_a_rank() -> None:
    facts = [fact for number in range(3) for fact in station(f"s{number}", "A")]
    asked = {"c": 4.0, "a": 6.0, "b": 6.0, "none": None, "over": 1.0}
    found = [
        reached(Target(id=name, name=name, metric="stations", areas=("63",), threshold=threshold), BEFORE, facts)
        for name, threshold in asked.items()
    ]
    assert [(rank, one.target.id) for rank, one in furthest_first(found)] == [
        (1, "a"), (1, "b"), (3, "c"), (4, "over"), (None, "none"),
    ]  # fmt: skip
