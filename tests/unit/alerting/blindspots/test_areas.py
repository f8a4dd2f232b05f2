"""Numbers of areas, kept up as stations change."""

from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.blindspots.area_counts import COLUMNS, AreaCounts, StandingChange, add_up, column_of, is_waited_for
from alerting.stations.snapshot import Standing
from tests.unit.alerting.blindspots.blindspot_kit import START

PATHS = ((), ("63",), ("63", "6321"), ("63", "6321", "632122"), ("63", "6322"), ("xj",))

standings = st.builds(
    lambda path, **facts: Standing(path=path, area=path[-1] if path else None, **facts),
    path=st.sampled_from(PATHS),
    station=st.just("S"),
    lifecycle=st.sampled_from(("planned", "commissioned", "suspended", "retired")),
    state=st.sampled_from(("never_seen", "online", "away", "offline", "unproven")),
    since=st.just(START),
    usable=st.sampled_from((None, True, False)),
    open=st.booleans(),
    excused=st.booleans(),
    silenced=st.booleans(),
    partition=st.sampled_from((0, 1, None)),
    shard=st.just("main"),
)


def recount(stations: dict[str, Standing]) -> dict[str, Counter[str]]:
    """The numbers by looking at every station but the retired: the rules once more, in words."""
    found: dict[str, Counter[str]] = {}
    for s in stations.values():
        if s.lifecycle == "retired":
            continue
        if s.lifecycle != "commissioned":
            verdict = "suspended"
        elif s.state == "online":
            verdict = "unusable" if s.usable is False else "online"
        elif s.state in ("never_seen", "unproven"):
            verdict = "unknown" if s.state == "unproven" else s.state
        else:
            verdict = "closed" if not s.open else "excused" if s.excused else s.state
        for area in s.path:
            cells = found.setdefault(area, Counter())
            cells[verdict] += 1
            cells["working"] += s.lifecycle == "commissioned" and s.state == "online" and s.usable is not False
    return found


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.none() | standings), max_size=40), st.randoms())
def test_counts_equal_a_recount_however_the_changes_are_cut_into_passes(
    events: list[tuple[str, Standing | None]], random: object
) -> None:
    stations: dict[str, Standing] = {}
    counts, whole = AreaCounts(), AreaCounts()
    steps: list[StandingChange] = []
    every: list[StandingChange] = []
    for name, standing in events:
        after = None if standing is None else msgspec.structs.replace(standing, station=name)
        step = StandingChange(stations.get(name), after, START)
        if after is None:
            stations.pop(name, None)
        else:
            stations[name] = after
        steps.append(step)
        every.append(step)
        if random.random() < 0.3:  # type: ignore[attr-defined]
            counts.add_tallies(add_up(steps))
            steps = []
    counts.add_tallies(add_up(steps))
    whole.add_tallies(add_up(every))
    wanted = recount(stations)
    for area in {area for path in PATHS for area in path}:
        expected = [wanted.get(area, Counter())[name] for name in COLUMNS]
        assert list(counts.numbers_of(area)) == expected
        assert list(whole.numbers_of(area)) == expected
        assert counts.in_service(area) == sum(expected[:8])


@given(standings)
def test_whoever_works_is_not_waited_for(standing: Standing) -> None:
    assert not (standing.working and is_waited_for(standing))
    if is_waited_for(standing):
        column = column_of(standing)
        assert column is not None
        assert COLUMNS[column] in ("unusable", "offline", "away", "unknown")


def test_only_changed_areas_are_written() -> None:
    counts = AreaCounts()
    one = Standing(station="A", path=("63", "6321"), state="online")
    counts.add_tallies(
        add_up(
            [StandingChange(None, one, START), StandingChange(None, msgspec.structs.replace(one, path=("64",)), START)]
        )
    )
    assert set(counts.take_changed()) == {"63", "6321", "64"}
    counts.add_tallies(add_up([StandingChange(one, msgspec.structs.replace(one, state="offline"), START)]))
    assert set(counts.take_changed()) == {"63", "6321"}
    counts.add_tallies(add_up([StandingChange(one, one, START)]))
    assert counts.take_changed() == {}


@pytest.mark.parametrize(
    ("name", "before", "after", "fell", "came"),
    [
        ("offline holds since its own time", {}, {"state": "offline"}, START - timedelta(minutes=3), None),
        ("so does online", {"state": "offline"}, {}, None, START - timedelta(minutes=3)),
        ("unusable since it was said", {}, {"usable": False}, START, None),
        ("out of service nobody fell", {}, {"lifecycle": "retired"}, None, None),
    ],
)
def test_times(name: str, before: dict[str, object], after: dict[str, object], fell: object, came: object) -> None:
    base = Standing(station="A", path=("63",), state="online", since=START - timedelta(minutes=3))
    steps = [StandingChange(msgspec.structs.replace(base, **before), msgspec.structs.replace(base, **after), START)]
    found = add_up(steps)[("63",)]
    assert (found.fell_at, found.came_at) == (fell, came), name
