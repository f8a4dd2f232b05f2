"""Common causes: what falls together pages once, on the way out and on the way back."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerting.causes.common_cause import CommonCause, Opening
from alerting.causes.evidence import Evidence, Fallen, Peer, common, overlap, weigh
from alerting.causes.membership import Membership
from alerting.causes.steps import Joined, Opened
from alerting.causes.tracker import Causes
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.common_interval import CommonInterval
from tests.cause_world import Station, World, second, station_key

TOP = ("area:000000", "area:630000")
PATIENT = CauseSettings()


def region(world: World, county: str, number: int, *others: str, every: int = 60) -> list[Station]:
    return world.add(number, *TOP, f"area:{county}", *others, "agent:1.0", "shard:main", every=every)


def two_counties(**options: object) -> tuple[World, list[Station], list[Station]]:
    """31 stations in one county, 40 in another; all have been up for a while."""
    world = World(**options)  # type: ignore[arg-type]
    counties = region(world, "632122", 31, "uplink:a"), region(world, "632123", 40, "uplink:a")
    world.run(100)
    return world, *counties


COUNTY = "area_outage:area:632122"


def test_a_county_falls_and_returns_with_one_page_each() -> None:
    world, county, _ = two_counties()
    world.cut(county)
    world.run(200)
    (outage,) = world.outages()
    assert world.story() == [f"opened {COUNTY}"]
    assert world.children(outage) == [station.id for station in county]
    assert (outage.area, outage.detail["cause"], outage.detail["expected"]) == ("632122", "area", 31)
    assert outage.began_at < second(161), "it began with the first heartbeat that was missed"
    world.mend(county)
    world.run(400)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]
    (closed,) = world.outages()
    assert closed.detail["ended_by"] == "all_back"
    assert closed.ended_at == second(300 + 20), "it was over when the last was back"


def test_the_page_does_not_wait_for_the_second_to_fall() -> None:
    world, county, _ = two_counties()
    world.cut(county)
    while not world.pages:
        world.run(1)
    assert len(world.causes.members.outages[COUNTY].children) == 1


def test_a_blip_that_one_did_not_survive_becomes_its_own() -> None:
    """The others were overdue when the first fell, and then heard again."""
    world, county, _ = two_counties()
    world.cut(county)
    while not world.pages:
        world.run(1)
    world.mend([station for station in county if not station.offline])
    world.run(600)
    (fallen,) = [station.id for station in county if station.offline]
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}", f"opened station_offline:{fallen}"]


def test_single_falls_page_singly() -> None:
    world, county, _ = two_counties()
    for station in county[:4]:
        world.cut([station])
        world.run(61)
    world.run(200)
    assert world.story() == [f"opened station_offline:{station.id}" for station in county[:4]]


def test_those_that_paged_alone_are_adopted() -> None:
    """Nobody could be asked about the others: the first ones page, until the evidence is enough."""
    world, county, _ = two_counties(asks=False)
    world.cut(county)
    world.run(300)
    (outage,) = world.outages()
    assert len(world.children(outage)) == 31
    assert 4 <= len(world.pages) < 31
    world.mend(county)
    world.run(400)
    assert [page for page in world.story() if page.startswith("closed")] == [f"closed {COUNTY}"]


def test_one_that_stays_down_alone_becomes_its_own() -> None:
    world, county, _ = two_counties()
    world.cut(county)
    world.run(300)
    world.mend(county[1:])
    world.run(500)
    lost = f"station_offline:{county[0].id}"
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}", f"opened {lost}"]
    world.mend(county[:1])
    world.run(60)
    assert world.story()[-1] == f"closed {lost}"


def test_one_that_a_running_cause_explains_joins_it_when_its_own_cause_ends() -> None:
    """A county and a feeder that reaches into it fail at the same instant; the county is back first."""
    world = World()
    county = region(world, "632122", 40, "feeder:n")
    within = region(world, "632122", 4, "feeder:f")
    beyond = region(world, "632123", 12, "feeder:f")
    region(world, "632123", 40, "feeder:n")
    world.run(100)
    world.cut([*county, *within, *beyond])
    world.run(300)
    feeder = "area_outage:feeder:f"
    assert sorted(world.story()) == [f"opened {COUNTY}", f"opened {feeder}"]
    world.mend(county)
    world.run(500)
    assert world.story()[-1] == f"closed {COUNTY}"
    assert set(world.causes.members.outages[feeder].children) == {station.id for station in [*within, *beyond]}
    world.mend([*within, *beyond])
    world.run(500)
    assert world.story()[-1] == f"closed {feeder}"
    assert len(world.story()) == 4, "no station was told apart from its cause"


def test_stations_that_closed_before_the_end_have_time_from_their_next_opening_on() -> None:
    """Such stations may be switched off, so no notification says that they stay down."""
    world, county, _ = two_counties()
    closed = county[:3]
    world.cut(county)
    world.run(300)
    world.openings = {station.id: Opening(expected=False, began=second(0)) for station in closed}
    world.mend(county[3:])
    world.run(5000)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]
    opened = Opening(expected=True, began=second(world.now))
    world.openings = {station.id: opened for station in closed}
    world.run(60)
    world.mend(closed[:2])
    world.run(int(PATIENT.patience(60)) - 70)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]
    world.run(70)
    assert world.story()[2:] == [f"opened station_offline:{closed[2].id}"], "this one did not come at its opening"


def test_an_opening_without_a_return_was_time_enough() -> None:
    """Also an opening that is shorter than the time to come back."""
    world, county, _ = two_counties()
    world.cut(county)
    world.run(300)
    lost = county[0].id
    world.openings = {lost: Opening(expected=False, began=second(0))}
    world.mend(county[1:])
    world.run(3000)
    assert len(world.story()) == 2
    world.openings = {lost: Opening(expected=False, began=second(world.now - 30))}
    world.run(1)
    assert world.story()[2:] == [f"opened station_offline:{lost}"]


def test_a_township_that_stays_down_becomes_a_cause_of_its_own() -> None:
    world = World()
    town = region(world, "632122", 8, "area:632122100")
    county = town + region(world, "632122", 24, "area:632122200")
    region(world, "632123", 40)
    world.run(100)
    world.cut(county)
    world.run(300)
    world.mend(county[8:])
    world.run(500)
    township = "area_outage:area:632122100"
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}", f"opened {township}"]
    world.mend(town)
    world.run(500)
    assert world.story()[3:] == [f"closed {township}"]


def test_while_more_come_back_the_rest_is_waited_for() -> None:
    """Nobody is told of the last thousand while they are still reconnecting."""
    world, county, _ = two_counties()
    world.cut(county)
    world.run(300)
    for station in county:
        world.mend([station])
        world.run(200)
    world.run(400)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]


def test_a_cut_that_comes_and_goes_is_one_outage() -> None:
    world, county, _ = two_counties()
    for _ in range(5):
        world.cut(county)
        world.run(300)
        world.mend(county)
        world.run(60)
    world.run(400)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]


def test_late_children_join() -> None:
    """A station that beats twice in an hour falls an hour and a half after the others."""
    world, county, _ = two_counties()
    slow = region(world, "632122", 3, "uplink:a", every=1800)
    world.run(100)
    world.cut([*county, *slow])
    world.run(7200)
    (outage,) = world.outages()
    assert len(world.children(outage)) == 34
    assert world.story() == [f"opened {COUNTY}"]


def test_what_a_person_resolved_stays_resolved() -> None:
    world, county, _ = two_counties()
    slow = region(world, "632122", 3, "uplink:a", every=600)
    world.run(100)
    world.cut([*county, *slow])
    world.run(300)
    world.resolve(COUNTY)
    world.run(3000)
    assert len(world.children(world.outages()[0])) == 34, "late ones are children of the resolved one"
    world.mend([*county, *slow])
    world.run(700)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"], "that it is over is told when it is"
    world.cut(county)
    world.run(300)
    assert [entry.split()[0] for entry in world.story()] == ["opened", "closed", "opened"], "another cut"


def test_a_restart_changes_nothing() -> None:
    world, county, _ = two_counties()
    world.cut(county)
    for _ in range(25):
        world.run(10)
        world.restart()
    world.mend(county[1:])
    for _ in range(50):
        world.run(10)
        world.restart()
    assert world.story() == [
        f"opened {COUNTY}", f"closed {COUNTY}", f"opened station_offline:{county[0].id}"
    ]  # fmt: skip


def test_both_ends_in_one_pass_page_nobody_for_each_station() -> None:
    """The incident process stood still while a county fell and returned."""
    world, county, _ = two_counties(stride=600)
    world.cut(county)
    world.run(300)
    world.mend(county)
    world.run(1200)
    assert world.story() == [f"opened {COUNTY}", f"closed {COUNTY}"]


def test_a_cut_in_the_night_is_one_outage_when_the_stations_should_have_opened() -> None:
    """They were switched off at various times in the evening; at nine none came up, which nobody says before 9:15."""
    hour = 3600
    groups = (("area", "63"), ("area", "632122"))
    causes = Causes(CauseSettings(), lambda _: 2)
    for number in range(12):
        evening = second(-hour * 12 + number * 600)
        fallen = Fallen(f"S{number}", evening, second(0), groups, f"station_offline:S{number}")
        causes.note_fall(second(900), fallen)
    plan = causes.decide(second(901))
    assert [step.key for step in plan if isinstance(step, Opened)] == [COUNTY]
    assert sum(isinstance(step, Joined) for step in plan) == 12


def test_who_is_missing_in_the_morning_has_no_cause_in_common_with_those_who_came() -> None:
    """Six of five hundred were due at ten past nine, and anything may have stopped each of them in the night."""
    uplink, hour = ("uplink", "a"), 3600
    causes = Causes(CauseSettings(), lambda _: 500)
    for number in range(6):
        causes.note_fall(second(0), Fallen(f"S{number}", second(-hour * 15 + number), second(0), (uplink,)))
    came = [Peer(f"P{number}", second(-number), second(60 - number), False, (uplink,)) for number in range(1, 41)]
    assert causes.wanted() == [uplink]
    assert not [step for step in causes.decide(second(1), {uplink: came}) if isinstance(step, Opened)]


def test_one_that_dies_while_its_neighbours_are_cut_off_has_no_part_in_it() -> None:
    """When it is found, the neighbours are overdue, and are most of the province."""
    world, here, there = two_counties()
    lone = here[7]
    world.cut([lone])
    world.run(15)
    world.cut(there)
    world.run(300)
    cut = COUNTY.replace("632122", "632123")
    assert sorted(world.story()) == [f"opened {cut}", f"opened station_offline:{lone.id}"]


CAUSES = [
    ("the county is the smallest area of all that fell", ["632122"], "area:632122"),
    ("the uplink explains what two counties do not", ["cu"], "uplink:cu"),
    ("the feeder explains half a township", ["f1"], "feeder:f1"),
    ("an agent's version explains stations everywhere", ["2.0"], "agent:2.0"),
    ("a shard of one explains stations everywhere", ["lone"], "shard:lone"),
    ("the prefecture is the cause of both its counties", ["632122", "632123"], "area:632100"),
]


@pytest.mark.parametrize(("name", "cut", "expected"), CAUSES, ids=[case[0] for case in CAUSES])
def test_the_group_that_explains_most_is_the_cause(name: str, cut: list[str], expected: str) -> None:
    """Stations of two counties in one prefecture and of one in another; each has an uplink, a feeder and so on."""
    world = World()
    for number in range(120):
        county = ("632122", "632123", "632224")[number % 3]
        uplink, feeder = ("cu" if number % 4 == 0 else "cmcc"), f"f{number // 10}"
        agent, shard = ("2.0" if number % 7 == 0 else "1.0"), ("lone" if number % 11 == 0 else "main")
        groups = [f"area:{county[:4]}00", f"area:{county}", f"uplink:{uplink}", f"feeder:{feeder}"]
        world.add(1, "area:630000", *groups, f"agent:{agent}", f"shard:{shard}")
    world.run(100)
    world.cut(s for s in world.stations.values() if {name for _, name in s.groups} & set(cut))
    world.run(300)
    assert world.story() == [f"opened area_outage:{expected}"], name


def test_a_larger_cause_takes_a_smaller_one_over() -> None:
    """The neighbours beat so slowly that nobody could know at first."""
    world = World(asks=False)
    quick = region(world, "632122", 10, every=10)
    slow = region(world, "632123", 10, every=60)
    world.add(30, "area:000000", "area:640000", "area:640100", "agent:1.0", "shard:main")
    world.run(100)
    world.cut([*quick, *slow])
    world.run(400)
    province = "area_outage:area:630000"
    (part,) = [outage for outage in world.outages() if outage.key == COUNTY]
    (whole,) = [outage for outage in world.outages() if outage.key == province]
    assert (part.status, part.parent, part.detail["ended_by"]) == ("closed", whole.id, "part_of_larger")
    assert len(world.children(whole)) == 21, "the stations, and the part"
    assert f"closed {COUNTY}" not in world.story()


def test_a_cause_in_the_place_of_one_that_is_over_is_stored_once() -> None:
    """The database keeps one memory for a key and a beginning, and refuses a write of two."""
    members = Membership(CauseSettings())
    slow, new = (Fallen(name, second(0), second(3600), (("area", "63"),), station_key(name), 3600) for name in "AB")
    over, next_one = (
        CommonCause(
            key=COUNTY, group=("area", "63"), window=CommonInterval(second(0), second(60)), began=second(60),
            joined_at=second(60), low_at=second(60), patience=300, ended=ended,
        )
        for ended in (second(600), None)
    )  # fmt: skip
    over.put(slow)
    members.restore([over, next_one], [])
    members.join(next_one, new, second(700))
    changed, gone = members.take_unsaved()
    assert changed == [next_one]
    assert gone == set()
    assert members.cause_of("A") is over


# -- evidence ------------------------------------------------------------------------------------------------------


def fell(began: float, until: float, *groups: tuple[str, str]) -> Fallen:
    return Fallen("S", second(began), second(until), groups)


OVERLAPS = [
    ("one alone", [(0, 60)], (0, 60)),
    ("all share an instant", [(0, 60), (30, 90), (59, 119)], (59, 60)),
    ("the end of one is the beginning of another", [(0, 60), (60, 120)], (60, 60)),
    ("most share the later one", [(0, 10), (20, 80), (40, 100)], (40, 80)),
    ("of equals the earlier", [(0, 10), (20, 30)], (0, 10)),
]


@pytest.mark.parametrize(("name", "intervals", "expected"), OVERLAPS, ids=[case[0] for case in OVERLAPS])
def test_the_instant_that_most_share(
    name: str, intervals: list[tuple[float, float]], expected: tuple[float, float]
) -> None:
    weighed = [(second(began), second(until), 1.0) for began, until in intervals]
    assert overlap(weighed, second(0), second(1000)) == CommonInterval(second(expected[0]), second(expected[1])), name


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_the_overlap_is_that_of_brute_force(lengths: list[tuple[int, int]], chance: object) -> None:
    weighed = [(second(began), second(began + length), 1.0) for began, length in lengths]
    found = overlap(weighed, second(0), second(100))
    assert found is not None

    def depth(at: datetime) -> int:
        return sum(began <= at <= until for began, until, _ in weighed)

    best = max(depth(second(tenth / 2)) for tenth in range(130))
    assert depth(found.lo) == depth(found.hi) == best
    chance.shuffle(weighed)  # type: ignore[attr-defined]
    assert overlap(weighed, second(0), second(100)) == found


WEIGHTS = [
    ("nobody was asked: all that are online speak against", 2, [], 30, Evidence(2, 30)),
    ("one is overdue since that instant", 1, [(-30, 30, True)], 1, Evidence(2, 0, 0)),
    ("one was heard since", 1, [(20, 80, False)], 1, Evidence(1, 1, 0)),
    ("one could not be heard yet", 1, [(-30, 3000, False)], 1, Evidence(1, 0, 1)),
    ("one lived through half of the time", 1, [(5, 65, False)], 1, Evidence(1, 0.5, 0.5)),
    ("one was overdue long before", 1, [(-300, -240, True)], 1, Evidence(1, 0, 1)),
    ("a sample stands for all", 1, [(-30, 30, True), (20, 80, False)], 100, Evidence(51, 50, 0)),
]


@pytest.mark.parametrize(("name", "down", "peers", "online", "expected"), WEIGHTS, ids=[case[0] for case in WEIGHTS])
def test_what_peers_say(
    name: str, down: int, peers: list[tuple[float, float, bool]], online: int, expected: Evidence
) -> None:
    asked = [Peer("P", second(began), second(until), overdue) for began, until, overdue in peers]
    assert weigh(CommonInterval(second(0), second(10)), [fell(0, 10)] * down, asked, online) == expected, name


def test_what_groups_share() -> None:
    county, town, other = ("area", "63"), ("area", "6301"), ("area", "6302")
    assert common([]) == ()
    assert common([(county, town)]) == (county, town)
    assert common([(county, town), (county, other)]) == (county,)
    assert common([(county, town), (other,)]) == ()


# -- properties ----------------------------------------------------------------------------------------------------

DEEDS = st.lists(
    st.tuples(st.integers(5, 200), st.sampled_from(["cut", "mend"]), st.integers(0, 4), st.integers(0, 11)),
    min_size=1,
    max_size=10,
)


def played(deeds: list[tuple[int, str, int, int]], stride: int, restarts: set[int]) -> World:
    """Three counties of a dozen with two uplinks; each deed cuts or mends one county, an uplink or one station."""
    world = World(CauseSettings(hold=120), tick=5, stride=stride, asks=False)
    for county in ("632122", "632123", "632224"):
        for uplink in ("a", "b"):
            region(world, county, 6, f"uplink:{uplink}", every=20)
    world.run(60)
    stations = list(world.stations.values())
    scopes = [stations[:12], stations[12:24], stations[24:], [s for s in stations if ("uplink", "b") in s.groups]]
    for number, (wait, deed, scope, which) in enumerate(deeds):
        chosen = scopes[scope] if scope < 4 else [stations[which]]
        (world.cut if deed == "cut" else world.mend)(chosen)
        world.run(wait)
        if number in restarts:
            world.restart()
    world.mend(stations)
    world.run(600)
    return world


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DEEDS, st.sampled_from([10, 30, 100]), st.sets(st.integers(0, 9)))
@example([(5, "cut", 0, 0), (55, "cut", 0, 0), (145, "mend", 3, 0), (5, "cut", 0, 0), (40, "cut", 0, 0)], 10, {2})
@example([(175, "cut", 0, 0), (5, "mend", 0, 0), (5, "cut", 0, 0), (125, "mend", 3, 0)], 10, set())
def test_neither_the_cut_into_passes_nor_restarts_matter(
    deeds: list[tuple[int, str, int, int]], stride: int, restarts: set[int]
) -> None:
    once, other = played(deeds, 5, set()), played(deeds, stride, restarts)
    assert once.tree() == other.tree()
