"""What cannot be judged costs itself: it is named, and everything else is judged as if it were not there."""

from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from alerting.incident_process.resting import FIRST_REST, LONGEST_REST, PartError, Resting
from alerting.liveness.model import LivenessSettings, Registration
from alerting.liveness.partition import PartitionLiveness
from alerting.station_incidents.rules import RuleSettings
from alerting.station_incidents.timers import StationWatch
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from contract.log import HeartbeatEntry, Tick
from contract.messages import Heartbeat
from store.troubles import MOST, Troubles
from tests.unit.alerting.field_kit import CALENDARS, DAYTIME, World, at, change, facts, judged

NOW = 1_795_000_000_000
_LAST = datetime.max.replace(tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)


class Broken:
    """A calendar at which every question fails."""

    def _fail(self, *_: object) -> NoReturn:
        raise OverflowError("date value out of range")

    is_open = next_change = next_opening = last_change = _fail


def test_a_station_that_cannot_be_judged_is_named_and_costs_no_other() -> None:
    broken = facts("B", commissioned_at=_LAST, calendar=None)
    world = World(at("10:00"), [(facts("A"), judged("online", at("09:00"))), (broken, None)])
    assert ("station", "B") in world.field.troubles
    world.step(at("10:01"), change("A", "online", "offline", at("10:00"), at("10:01")))
    assert world.open == ["station_offline:A"]
    world.field.register(facts("B", calendar=None))
    world.step(at("10:02"))
    assert ("station", "B") not in world.field.troubles, "the row was corrected"


def test_a_transition_that_cannot_be_read_costs_its_station() -> None:
    world = World(at("10:00"), [(facts(each), judged("online", at("09:00"))) for each in "AB"])
    odd = change("A", "online", "dancing", at("10:00"), at("10:01"))
    world.step(at("10:01"), odd, change("B", "online", "offline", at("10:00"), at("10:01")))
    assert world.open == ["station_offline:B"]
    assert ("station", "A") in world.field.troubles


@pytest.mark.parametrize("since", [_FIRST, _LAST])
def test_no_time_of_a_state_ends_the_watch(since: datetime) -> None:
    states = [(facts("A"), judged("offline", since)), (facts("B"), judged("online", at("09:00")))]
    world = World(at("10:00"), states)
    world.step(at("10:01"), change("B", "online", "offline", at("10:00"), at("10:01")))
    assert "station_offline:B" in world.open


def test_a_calendar_that_cannot_be_reckoned_with_accuses_nobody() -> None:
    field = Field(at("10:00"), {**CALENDARS, 7: Broken()})
    field.restore_station(facts("A", calendar=DAYTIME), judged("offline", at("09:30")))
    field.restore_station(facts("B", calendar=7), judged("offline", at("09:30")))
    watch = StationWatch(field, RuleSettings())
    watch.reconcile([])
    moment = PassTime(now=at("10:01"), known=at("10:01"))
    assert [intent.station for intent in watch.follow([], moment)] == ["A"]
    assert field.troubles.all() == {("calendar", "7"): "OverflowError: date value out of range"}
    assert field.schedule.opens_at("B", at("10:01")) is None


def test_troubles_are_bounded_and_can_be_stored() -> None:
    troubles = Troubles()
    for number in range(MOST + 5):
        troubles.put("station", str(number), ValueError(f"half \ud800, none \0, {'x' * 1000}"))
    assert len(troubles) == MOST
    why = troubles.all()["station", "0"]
    assert len(why) == 500
    assert why.encode() and "\0" not in why
    troubles.drop("station", "0")
    assert ("station", "0") not in troubles


def test_a_part_that_fails_rests_and_rests_twice_as_long_each_time() -> None:
    resting, now, lengths = Resting(), 0.0, []
    for _ in range(9):
        resting.fail(PartError("health", ValueError("x")), now)
        assert "health" in resting
        assert not resting.wake(now + FIRST_REST / 2)
        began = now
        while not resting.wake(now):
            now += 10
        lengths.append(now - began)
        assert "health" not in resting
    assert lengths[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert lengths[-1] == LONGEST_REST
    assert timedelta(seconds=LONGEST_REST) <= timedelta(hours=1)


def test_a_terminal_that_cannot_be_judged_is_unknown_and_stops_no_tick() -> None:
    live = PartitionLiveness(LivenessSettings())
    for station in "AB":
        body = Heartbeat(v=1, boot="b", run=1, n=1, at=0, every=5)
        live.apply(station, HeartbeatEntry(terminal="001", shard="main", start="s", received=NOW, mono=0, body=body))
        live.register(station, Registration(1), NOW)
    live.terminals.every[0] = float("nan")  # as a stored row may have it
    for seq in range(1, 60):
        whole = seq != 3  # a gap, after which silence has to be proven
        tick = Tick(shard="main", bridge="b", start="s", seq=seq, at=NOW + seq * 1000, mono=seq * 1000, whole=whole)
        live.apply("", tick)
    assert [live.station_word(row) for row in range(2)] == ["unproven", "offline"]
    assert list(live.troubles) == [("terminal", "A/001")]
    assert live.shards.by_number[0].clock.clock > 50
