"""Plans of made-up histories, and what their terminals send."""

from collections import Counter
from itertools import pairwise

import pytest

from agents.simulator.roster import stations
from contract.clocks import WallMs
from contract.errors import RemedyError
from contract.log import HeartbeatEntry, StatusEntry, Tick
from contract.messages import Presence, Usage
from milepost.commands.history import days_of
from milepost.history.plan import DAY, make_plan
from milepost.history.records import RecordMaker
from milepost.history.terminals import EVERY, TICKS, MadeUpShard

EPOCH = WallMs(1_780_243_200_000)
PLAN = make_plan(stations(40), end=60 * DAY + 700, seed=1)


@pytest.mark.parametrize(("given", "days"), [("90d", 90), ("90", 90), (" 2d ", 2)])
def test_numbers_of_days(given: str, days: int) -> None:
    assert days_of(given) == days


@pytest.mark.parametrize("given", ["", "d", "1d", "181d", "-3d", "3w", "3.5d"])
def test_other_texts_are_refused(given: str) -> None:
    with pytest.raises(RemedyError):
        days_of(given)


def test_the_seed_decides() -> None:
    assert make_plan(stations(40), end=PLAN.end, seed=1) == PLAN
    assert make_plan(stations(40), end=PLAN.end, seed=2) != PLAN


def test_a_plan_has_all_that_a_newcomer_should_see() -> None:
    together = Counter((fault.begin, fault.station[:6]) for fault in PLAN.faults)
    assert max(together.values()) > 3, "a county without power"
    assert max(Counter((fault.station, fault.begin // DAY) for fault in PLAN.faults).values()) > 3, "a flapping uplink"
    assert any(fault.late >= DAY for fault in PLAN.faults if fault.runs), "late data"
    assert any(closure.approved_at is None for closure in PLAN.closures)
    assert any(station.sleeps for station in PLAN.stations)
    assert {fault.cause for fault in PLAN.faults} == {"power", "uplink", "hardware", "agent"}


def test_faults_of_a_station_do_not_overlap_and_end_before_the_last_day() -> None:
    for station in PLAN.stations:
        own = [fault for fault in PLAN.faults if fault.station == station.id]
        assert all(one.end < other.begin for one, other in pairwise(own))
    assert max(fault.end for fault in PLAN.faults) < PLAN.end - DAY


def test_terminals_are_silent_in_faults_and_the_platform_in_gaps() -> None:
    shard = MadeUpShard(PLAN, shard="main", epoch=EPOCH)
    station = next(each for each in PLAN.stations if not each.sleeps)
    heard, ticks = [], 0
    until = 12 * DAY
    for minute in range(until):
        for name, entry in shard.minute(minute):
            heard += [minute] if name == station.id and isinstance(entry, HeartbeatEntry) else []
            ticks += isinstance(entry, Tick)
    blind = {minute for begin, end in PLAN.gaps for minute in range(begin, end)}
    assert ticks == len(set(range(0, until, TICKS)) - blind)
    quiet = [(each.begin, each.end) for each in PLAN.faults if each.station == station.id and not each.is_heard]
    quiet += list(PLAN.gaps)
    assert all(not begin <= minute < end for minute in heard for begin, end in quiet)
    gaps = [(one, other) for one, other in pairwise(heard) if other - one > EVERY]
    assert all(any(begin <= other and end >= one for begin, end in quiet) for one, other in gaps)
    goodbyes = [entry for name, entry in shard.farewell(until) if isinstance(entry, StatusEntry)]
    assert all(entry.body.state == "away" for entry in goodbyes)


def test_each_record_arrives_once_and_after_it_was_made() -> None:
    maker = RecordMaker(PLAN, shard="main", epoch=EPOCH)
    units = [unit for day in range(PLAN.end // DAY + 1) for unit in maker.day(day)]
    ids = [(unit.station, record.id) for unit in units for record in unit.entry.body.records]
    assert len(ids) == len(set(ids))
    assert all(record.at <= unit.entry.received for unit in units for record in unit.entry.body.records)
    records = [record for unit in units for record in unit.entry.body.records]
    assert {language for each in records if isinstance(each, Usage) for language in (each.by or {})["language"]} == {
        "bo",
        "zh-CN",
    }
    assert any(isinstance(each, Presence) for each in records)
