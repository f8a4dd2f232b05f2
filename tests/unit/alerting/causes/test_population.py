"""How many stations of a group are online, and which of them are asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.causes.common_cause import Opening
from alerting.causes.evidence import Group
from alerting.causes.groups import Population, expected_in
from alerting.stations.model import Facts, Judged
from alerting.stations.table import Field
from tests.unit.alerting.field_kit import CALENDARS, at, closure, facts, judged

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
STATES = ("online", "offline", "away", "never_seen")

STATION = st.fixed_dictionaries(
    {
        "county": st.sampled_from(["01", "02"]),
        "isp": st.sampled_from(["a", "b", None]),
        "feeder": st.sampled_from(["f1", "f2", None]),
        "agent": st.sampled_from(["1.0", "2.0", None]),
        "shard": st.sampled_from(["main", "other"]),
        "partition": st.integers(0, 1),
        "state": st.sampled_from(STATES),
        "lifecycle": st.sampled_from(["commissioned", "suspended"]),
    }
)


def fielded(stations: list[dict[str, object]]) -> tuple[Field, Population]:
    field = Field(NOW)
    for number, one in enumerate(stations):
        path = ("00", str(one["county"]))
        named = {name: one[name] for name in ("isp", "feeder", "lifecycle")}
        judged = Judged(partition=one["partition"], state=one["state"], since=NOW, shard=one["shard"])  # type: ignore[arg-type]
        field.restore_station(Facts(station=f"S{number}", area=path[-1], path=path, **named), judged)  # type: ignore[arg-type]
    population = Population(field)
    population.note_agents({f"S{n}": str(one["agent"]) for n, one in enumerate(stations) if one["agent"]})
    population.look(frozenset())
    return field, population


def by_hand(stations: list[dict[str, object]], group: Group) -> list[str]:
    cause, name = group
    return [
        f"S{number}"
        for number, one in enumerate(stations)
        if one["state"] == "online" and one["lifecycle"] == "commissioned"
        if (name in ("00", one["county"]) if cause == "area" else one[{"uplink": "isp"}.get(cause, cause)] == name)
    ]  # fmt: skip


GROUPS = [
    ("area", "00"), ("area", "01"), ("area", "02"), ("uplink", "a"), ("uplink", "b"), ("feeder", "f1"),
    ("feeder", "f2"), ("agent", "1.0"), ("agent", "2.0"), ("shard", "main"), ("shard", "other"), ("area", "unheard of"),
    ("agent", "unheard of"), ("shard", "unheard of"), ("feeder", "unheard of"),
]  # fmt: skip


@given(st.lists(STATION, max_size=30))
def test_counts_and_samples_are_those_of_a_recount(stations: list[dict[str, object]]) -> None:
    _, population = fielded(stations)
    for group in GROUPS:
        expected = by_hand(stations, group)
        assert population.online(group) == len(expected), group
        assert population.sample(group, 1000) == expected, group
        few = population.sample(group, 3)
        assert len(few) == len(set(few)) == min(3, len(expected))
        assert set(few) <= set(expected)


def test_a_sample_comes_from_all_over() -> None:
    _, population = fielded([_station(county="01" if number < 50 else "02") for number in range(100)])
    counties = [int(station[1:]) < 50 for station in population.sample(("area", "00"), 10)]
    assert counties.count(True) == 5


def test_stations_on_clocks_that_say_nothing_are_not_online() -> None:
    _, population = fielded([_station(partition=number % 2) for number in range(10)])
    population.look(frozenset({(1, "main"), (7, "nobody rests on it")}))
    assert population.online(("area", "00")) == 5


def test_what_changes_counts_in_the_next_pass() -> None:
    field, population = fielded([_station() for _ in range(3)])
    assert population.online(("area", "01")) == 3
    field.remove_station("S0")
    field.restore_station(
        Facts(station="S9", area="03", path=("00", "03")), Judged(partition=0, state="online", shard="main")
    )
    population.look(frozenset())
    assert (population.online(("area", "01")), population.online(("area", "00"))) == (2, 3)
    population.note_agents({"S9": "3.0", "nobody": "3.0"})
    population.look(frozenset())
    assert population.online(("agent", "3.0")) == 1


GROUPS_OF = [
    ("all of it", {},
     (("area", "00"), ("area", "01"), ("uplink", "a"), ("feeder", "f1"), ("agent", "1.0"), ("shard", "main"))),
    ("nothing is known but where", {"isp": None, "feeder": None, "agent": None},
     (("area", "00"), ("area", "01"), ("shard", "main"))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "known", "expected"), GROUPS_OF, ids=[case[0] for case in GROUPS_OF])
def test_the_groups_of_a_station(name: str, known: dict[str, object], expected: tuple[Group, ...]) -> None:
    _, population = fielded([_station(**known)])
    assert population.groups_of("S0") == expected, name
    assert population.groups_of("nobody") == ()


def _station(**known: object) -> dict[str, object]:
    usual = {"county": "01", "isp": "a", "feeder": "f1", "agent": "1.0", "shard": "main", "partition": 0}
    return {**usual, "state": "online", "lifecycle": "commissioned", **known}


class _Shuts:
    """Opening hours that end at `NOW`."""

    def is_open(self, at: datetime) -> bool:
        return at < NOW

    def next_change(self, at: datetime) -> datetime | None:
        return NOW if at < NOW else None

    def next_opening(self, at: datetime) -> datetime | None:
        return None

    def last_change(self, at: datetime) -> datetime | None:
        return NOW if at >= NOW else None


@pytest.mark.parametrize(
    ("calendar", "due", "overdue", "fell"),
    [
        pytest.param(1, 10, True, False, id="switched off at the wall as it closed"),
        pytest.param(1, -10, True, True, id="silent before it closed"),
        pytest.param(None, 10, True, True, id="open all day"),
        pytest.param(None, 10, False, False, id="heard in time"),
    ],
)
def test_one_that_is_closed_when_it_is_due_did_not_fall(
    calendar: int | None, due: int, overdue: bool, fell: bool
) -> None:
    field = Field(NOW - timedelta(hours=1), {1: _Shuts()})
    facts = Facts(station="S0", area="01", path=("00", "01"), calendar=calendar)
    field.restore_station(facts, Judged(partition=0, state="online", since=NOW - timedelta(hours=1), shard="main"))
    until = NOW + timedelta(minutes=due)
    peer = Population(field).peer("S0", until - timedelta(minutes=30), until, overdue, 1800.0)
    assert peer.overdue is fell


def test_the_opening_of_a_station_is_that_of_its_calendar_unless_a_closure_excuses_it() -> None:
    field = Field(at("10:00"), CALENDARS)
    field.restore_station(facts(), judged("offline", at("09:10")))
    expected = expected_in(field)
    opened = at("09:00")
    assert expected("A") == Opening(expected=True, began=opened)
    assert expected("unheard of") == Opening()
    field.schedule.set_closures(
        [closure(1, at("10:00"), at("11:00"), station="A", approved_by="b", approved_at=at("09:00"))]
    )
    assert expected("A") == Opening(expected=False)
    field.schedule.advance(at("11:00"))
    assert expected("A") == Opening(expected=True, began=opened)
    field.schedule.advance(at("23:00"))
    assert expected("A") == Opening(expected=False, began=at("14:00"))
    field.schedule.advance(at("10:00", 1))
    assert expected("A") == Opening(expected=True, began=at("09:00", 1))
