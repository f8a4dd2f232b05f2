"""Which stations of a shard should go on, looked up in columns, is what each station says of itself."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerting.stations.model import Facts, StationChange
from alerting.stations.table import Field
from registry.closures.rules import Closure
from registry.hours.calendar import Version, calendar_of
from tests.unit.alerting.field_kit import at

NOON = at("12:00")
HOUR = timedelta(hours=1)
DAY = calendar_of([Version(date.min, "Mo-Su 08:00-17:30")])
STATIONS = [f"S{number}" for number in range(9)]
AREAS = {"p": ("p",), "p1": ("p", "p1"), "p2": ("p", "p2")}

facts = st.builds(
    Facts,
    station=st.sampled_from(STATIONS),
    area=st.sampled_from(sorted(AREAS)),
    path=st.just(()),
    lifecycle=st.sampled_from(["commissioned", "commissioned", "suspended"]),
    commissioned_at=st.just(NOON - 24 * HOUR),
    calendar=st.sampled_from([None, 1]),
    programmes=st.sampled_from([(), ("corridor",), ("corridor", "border")]),
)
changes = st.builds(
    StationChange,
    station=st.sampled_from(STATIONS),
    before=st.just("never_seen"),
    after=st.sampled_from(["online", "online", "online", "offline"]),
    at=st.integers(-5, 0).map(lambda hours: NOON + hours * HOUR),
    tick_at=st.just(NOON),
    reason=st.just("heartbeat"),
    shard=st.sampled_from(["main", "main", "other"]),
)
scopes = st.sampled_from(
    [{"station": one} for one in STATIONS[:3]] + [{"area": one} for one in AREAS] + [{"programme": "border"}]
)


@st.composite
def closures(draw: st.DrawFn) -> list[Closure]:
    found = []
    for number in range(draw(st.integers(0, 3))):
        begin = NOON + draw(st.integers(-6, 6)) * HOUR
        ended = draw(st.sampled_from([None, begin - HOUR, begin + HOUR]))
        found.append(
            Closure(
                id=number, from_at=begin, until_at=begin + draw(st.integers(1, 4)) * HOUR, reason="roof",
                declared_by="a", declared_at=begin, approved_at=draw(st.sampled_from([None, begin])),
                withdrawn_at=ended, **draw(scopes),
            )
        )  # fmt: skip
    return found


@given(
    st.lists(facts, unique_by=lambda one: one.station),
    st.lists(changes, max_size=20),
    closures(),
    st.integers(-3, 2),
    st.integers(1, 8),
    st.sets(st.sampled_from(STATIONS)),
)
def test_the_columns_say_what_the_stations_say(
    registered: list[Facts], told: list[StationChange], declared: list[Closure], first: int, hours: int, out: set[str]
) -> None:
    field = Field(NOON, {1: DAY})
    for one in registered:
        path = AREAS[one.area or "p"]
        field.restore_station(Facts(**{name: getattr(one, name) for name in one.__struct_fields__} | {"path": path}))
    for change in told:
        field.apply(change)
    field.schedule.set_closures(declared)
    begin = NOON + first * HOUR
    end = begin + hours * HOUR
    online = [one for one in field.standings() if one.state == "online" and one.shard == "main"]
    expected = [
        one.station
        for one in online
        if one.station not in out
        and field.suspected.was_online(one.station, begin)
        and field.schedule.is_expected_throughout(one.station, begin, end)
    ]
    number, found = field.suspected.steady("main", begin, end, without=out)
    assert (number, sorted(found)) == (len(expected), sorted(expected))


def test_of_many_some_from_all_over_are_named_and_all_counted() -> None:
    field = Field(NOON)
    for number in range(1000):
        field.restore_station(Facts(station=f"S{number:03}", commissioned_at=NOON - HOUR))
        field.apply(
            StationChange(
                station=f"S{number:03}", before="never_seen", after="online", at=NOON - HOUR, tick_at=NOON,
                reason="heartbeat", shard="main",
            )
        )  # fmt: skip
    number, found = field.suspected.steady("main", NOON, NOON, most=400)
    assert (number, len(found), found[0], found[-1]) == (1000, 334, "S000", "S999")
