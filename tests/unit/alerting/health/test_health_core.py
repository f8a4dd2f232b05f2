"""What the records of a terminal say of its health, in whatever order they come."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.health.active_rules import ActiveRules
from alerting.health.evaluate import MOST_FIRING, drop_changed_rules, evaluate_message
from alerting.health.memory import MOST_BASE, HealthMemory
from alerting.health.runs import RecordRun
from alerting.health.spells import Spell, SpellLimits
from contract.entries import TypedData
from contract.messages import Health, Record, Resource
from tests.unit.alerting.health.health_kit import ACTIVE, DAY, HOUR, MINUTE, NOW, RULES, Boot, firing, rules, tell
from tests.unit.alerting.health.test_health_chain import one_after_another

FULL, BETWEEN, FREE = 0.97, 0.92, 0.5


def in_order(boot: Boot, rows: list[tuple[float, dict[str, Any]]], memory: HealthMemory | None = None) -> HealthMemory:
    """Each sample sent at once; (up, values)."""
    memory = HealthMemory() if memory is None else memory
    for number, (up, values) in enumerate(rows, 1):
        tell(memory, boot.message([boot.health(number, up, **values)], up))
    return memory


def disks(*rows: tuple[float, float]) -> list[tuple[float, dict[str, Any]]]:
    return [(minutes * MINUTE, {"disk": disk}) for minutes, disk in rows]


def test_a_full_disk() -> None:
    table = [
        ("full for less than ten minutes", disks((0, FULL), (5, FULL)), {}),
        ("for ten minutes", disks((0, FULL), (5, FULL), (10, FULL)), {"disk_full|": NOW}),
        ("it wavers between the thresholds", disks((0, FULL), (5, BETWEEN), (10, BETWEEN)), {"disk_full|": NOW}),
        ("it was never over the upper one", disks((0, BETWEEN), (5, BETWEEN), (10, BETWEEN)), {}),
        ("a moment's room", disks((0, FULL), (5, FREE), (10, FULL), (15, FULL)), {}),
        ("mended", disks((0, FULL), (10, FULL), (15, FREE)), {}),
        ("not yet mended", disks((0, FULL), (10, FULL), (15, BETWEEN)), {"disk_full|": NOW}),
    ]
    for why, rows, expected in table:
        assert firing(in_order(Boot(), rows)) == expected, why


def test_each_service_is_a_subject_of_its_own() -> None:
    rows = [(m * MINUTE, {"services": {"reader": m < 5, "proxy": True, "tv": False}}) for m in (0, 5, 10)]
    assert firing(in_order(Boot(), rows)) == {"service_down|tv": NOW, "service_down|reader": NOW + 5 * MINUTE}


def test_a_backlog_of_three_days_raises_nothing_about_now() -> None:
    """It was full three days long, but not when the link came back: the newest record comes first, then the old."""
    boot, up = Boot(), 3 * DAY
    old = [boot.health(n, n * 300, disk=FULL) for n in range(1, up // 300)]
    memory, found = HealthMemory(), []
    found += tell(memory, boot.message([boot.health(up // 300, up, disk=FREE)], up)).decisions
    for at in range(len(old), 0, -100):
        found += tell(memory, boot.message(old[max(0, at - 100) : at], up + 5)).decisions
    assert found == []


def test_a_backlog_alone_raises_nothing_either() -> None:
    boot = Boot()
    old = [boot.health(n, n * 300, disk=FULL) for n in range(1, 20)]
    memory = HealthMemory()
    assert not tell(memory, boot.message(old, 3 * DAY)).decisions
    # Only the first record of now tells that it still is so.
    now = tell(memory, boot.message([boot.health(20, 3 * DAY, disk=BETWEEN)], 3 * DAY)).decisions
    assert [(each.name, each.firing, each.since) for each in now] == [("disk_full", True, NOW + 300)]


def test_old_records_and_one_of_now_say_the_same_in_either_order() -> None:
    boot = Boot()
    old = [boot.health(n, n * 300, services={"tv": False}) for n in (1, 2)]
    now = [boot.health(3, 1500, cpu=0.1)]
    for order in ((old, now), (now, old)):
        memory = HealthMemory()
        for place, records in enumerate(order):
            tell(memory, boot.message(records, 1501 + place))
        assert firing(memory) == {"service_down|tv": NOW + 300}


def test_a_backlog_ends_nothing_that_is_newer() -> None:
    boot = Boot()
    memory = in_order(boot, disks((0, FREE)))
    for number, minutes in ((5, 600), (6, 605), (7, 610)):
        tell(memory, boot.message([boot.health(number, minutes * MINUTE, disk=FULL)], minutes * MINUTE))
    assert firing(memory) == {"disk_full|": NOW + 600 * MINUTE}
    tell(memory, boot.message([boot.health(n, n * MINUTE, disk=FREE) for n in (2, 3)], 611 * MINUTE))
    assert firing(memory) == {"disk_full|": NOW + 600 * MINUTE}


def test_what_came_between_moves_the_beginning() -> None:
    boot = Boot()
    memory = in_order(boot, disks((0, FULL)))
    for number, minutes in ((3, 60), (4, 70)):
        tell(memory, boot.message([boot.health(number, minutes * MINUTE, disk=FULL)], minutes * MINUTE))
    assert firing(memory) == {"disk_full|": NOW + 60 * MINUTE}  # the hour before is not known
    (moved,) = tell(memory, boot.message([boot.health(2, 30 * MINUTE, disk=FULL)], 71 * MINUTE)).decisions
    assert (moved.firing, moved.moved, moved.since) == (True, True, NOW)


def test_a_full_disk_is_full_after_the_reboot_too() -> None:
    memory = in_order(Boot("b1", run=1), disks((0, FULL), (10, FULL)))
    later = Boot("b2", run=2, start=NOW + HOUR)
    in_order(later, disks((0, BETWEEN)), memory)
    assert firing(memory) == {"disk_full|": NOW}
    tell(memory, later.message([later.health(2, 60, disk=FREE)], 60))
    assert firing(memory) == {}


def test_only_so_many_boots_are_kept_and_what_fired_in_them_stays() -> None:
    memory = in_order(Boot("b0"), disks((0, FULL), (10, FULL)))
    for number in range(1, 10):
        in_order(Boot(f"b{number}", start=NOW + number * 11 * MINUTE), [(0, {"temp": 40.0})], memory)
    assert len(memory.boxes) == 4
    assert firing(memory) == {"disk_full|": NOW}


def test_what_is_no_longer_reported_does_not_fire_for_ever() -> None:
    rows = [(m * MINUTE, {"services": {"tv": False}}) for m in (0, 5)] + [(30 * MINUTE, {"cpu": 0.1})]
    memory = in_order(Boot(), rows)
    assert firing(memory) == {"service_down|tv": NOW}
    (ended,) = tell(memory, Boot().message([Boot().health(4, 3 * HOUR, cpu=0.1)], 3 * HOUR)).decisions
    assert (ended.firing, ended.reason) == (False, "not_reported")


def test_a_terminal_that_says_nothing_stays_as_it_was() -> None:
    """Its silence is the business of others; the state says up to when it is known."""
    memory = in_order(Boot(), disks((0, FULL), (10, FULL)))
    tell(memory, Boot().message([Boot().event(3, 9 * HOUR, "hello")], 9 * HOUR))
    assert firing(memory) == {"disk_full|": NOW}


def test_dropped_records_are_told_until_it_is_quiet() -> None:
    boot, memory = Boot(), HealthMemory()
    tell(memory, boot.message([boot.event(1, 60, "outbox_dropped", {"records": 12})], 60))
    assert firing(memory) == {"outbox_dropping|": NOW + 60}
    tell(memory, boot.message([boot.event(2, 2 * HOUR, "outbox_dropped", {"records": 5})], 2 * HOUR))
    tell(memory, boot.message([boot.health(3, 7 * HOUR, cpu=0.1)], 7 * HOUR))
    assert firing(memory) == {"outbox_dropping|": NOW + 60}
    (ended,) = tell(memory, boot.message([boot.health(4, 9 * HOUR, cpu=0.1)], 9 * HOUR)).decisions
    assert (ended.firing, ended.reason) == (False, "quiet")
    tell(memory, boot.message([boot.event(5, 10 * HOUR, "outbox_dropped")], 10 * HOUR))
    assert firing(memory) == {"outbox_dropping|": NOW + 10 * HOUR}


@pytest.mark.parametrize("offset", [-56 * 365 * DAY, -HOUR, HOUR, 73 * 365 * DAY])
def test_a_wrong_clock_is_told_and_never_believed(offset: float) -> None:
    boot, memory = Boot(offset=offset), HealthMemory()
    for number, minutes in enumerate((1, 6, 11), 1):
        tell(memory, boot.message([boot.health(number, minutes * MINUTE, disk=FULL)], minutes * MINUTE))
    assert firing(memory) == {"clock_wrong|": NOW + MINUTE, "disk_full|": NOW + MINUTE}


def test_an_old_agent_is_told_until_another_one_reports() -> None:
    boot, memory = Boot(), HealthMemory()
    tell(memory, boot.message([boot.inventory(1, 1, agent="0.1.9", serial="SN1")], 1))
    tell(memory, boot.message([boot.health(2, 9 * HOUR, cpu=0.1)], 9 * HOUR))
    assert firing(memory) == {"agent_too_old|": NOW + 1}
    tell(memory, boot.message([boot.inventory(3, 10 * HOUR, agent="0.2.0-rc1", serial="SN1")], 10 * HOUR))
    assert firing(memory) == {}
    assert (memory.facts.agent, memory.facts.serial) == ("0.2.0-rc1", "SN1")


def test_records_without_a_monotonic_clock_are_judged_by_how_old_they_say_they_are() -> None:
    memory = HealthMemory()
    for number, minutes in enumerate((0, 5, 10), 1):
        at = (NOW + minutes * MINUTE) * 1000
        record = msgspec.structs.replace(Boot().health(number, 0, disk=FULL), at=at - DAY * 1000, up=None)
        body = TypedData(boot="b1", run=1, at=at - DAY * 1000, up=None, box="b1", records=[record])
        tell(memory, (body, at))
    assert firing(memory) == {"disk_full|": NOW}


@pytest.mark.parametrize("offset", [0.0, -40 * 365 * DAY, 3600.0])
def test_records_without_up_are_judged_by_the_message_that_carries_them(offset: float) -> None:
    """`up` of a record is optional; what is wrong is found without it, each record in a message or all in one."""

    def without_up(number: int, up: float, disk: float) -> Health:
        return msgspec.structs.replace(boot.health(number, up, disk=disk), up=None)

    boot, memory = Boot(offset=offset), HealthMemory()
    for number, up in enumerate((0, 300, 600, 660), 1):
        tell(memory, boot.message([without_up(number, up, 0.97)], up))
    assert firing(memory)["disk_full|"] == NOW
    tell(memory, boot.message([without_up(5, 900, 0.5)], 900))
    assert "disk_full|" not in firing(memory)
    at_once = HealthMemory()
    tell(at_once, boot.message([without_up(number, up, 0.97) for number, up in enumerate((0, 300, 660), 1)], 660))
    assert firing(at_once)["disk_full|"] == NOW


def test_old_records_without_up_of_an_earlier_boot_are_history_of_that_boot() -> None:
    before, memory = Boot("b1"), HealthMemory()
    tell(memory, before.message([before.health(1, 10, disk=0.5)], 10))
    now = Boot("b2", start=NOW + HOUR, run=2)
    late = [msgspec.structs.replace(before.health(n, 60.0 * n, disk=0.97), up=None) for n in range(2, 20)]
    tell(memory, now.message([now.health(1, 5, disk=0.97)], 5))
    tell(memory, now.message(late, 10, box="b1"))
    assert firing(memory)["disk_full|"] == NOW + 120


def test_a_clock_set_between_record_and_message_costs_no_judgement() -> None:
    boot, memory = Boot(), HealthMemory()
    for number, up in enumerate((0, 300, 660), 1):
        record = msgspec.structs.replace(boot.health(number, up, disk=0.97), up=None, at=1_000 * number)
        tell(memory, boot.message([record], up))
    assert "disk_full|" not in firing(memory), "from 1970 it says when it was made by no clock that goes on"
    for number, up in enumerate((900, 1200, 1600), 4):
        tell(memory, boot.message([msgspec.structs.replace(boot.health(number, up, disk=0.97), up=None)], up))
    assert "disk_full|" in firing(memory)


def test_a_record_from_the_future_says_nothing() -> None:
    boot, memory = Boot(), in_order(Boot(), disks((0, FULL), (10, FULL)))
    tell(memory, boot.message([boot.health(3, 1e12, disk=FREE)], 15 * MINUTE))
    assert firing(memory) == {"disk_full|": NOW}


def test_the_facts() -> None:
    boot, memory = Boot(offset=30), HealthMemory()
    resources = [Resource(id="books", version="3", applied=boot.device(-5 * DAY))]
    tell(memory, boot.message([boot.inventory(1, 1, agent="0.1.0", resources=resources)], 1))
    tell(memory, boot.message([boot.usage(2, HOUR, sessions=0), boot.usage(3, 2 * HOUR, sessions=2, lasted=60)], DAY))
    tell(memory, boot.message([boot.health(4, DAY, wifi=False)], DAY))
    assert not tell(memory, boot.message([boot.health(5, DAY + 300, wifi=False)], DAY + 300)).facts
    facts = memory.facts
    assert facts.first_at == NOW + 1
    assert facts.resource_at == pytest.approx(NOW - 5 * DAY, abs=1)
    assert facts.last_session_at == pytest.approx(NOW + 2 * HOUR + 60, abs=1)
    assert (facts.wifi, facts.wifi_since) == (False, NOW + DAY)
    tell(memory, boot.message([boot.health(6, DAY + 600, wifi=True)], DAY + 600))
    assert memory.facts.wifi is True


def test_a_count_from_before_the_agent_started_has_the_time_that_its_device_says() -> None:
    boot, memory = Boot(), HealthMemory()
    count = msgspec.structs.replace(boot.usage(1, -DAY, sessions=3), up=None)
    tell(memory, boot.message([count], 60))
    assert memory.facts.last_session_at == NOW - DAY


def test_dates_of_a_clock_that_is_years_off_are_not_believed() -> None:
    """What is applied shows by the list being another than before."""
    boot, memory = Boot(offset=-56 * 365 * DAY), HealthMemory()
    for number, version in ((1, "1"), (2, "1"), (3, "2"), (4, "2")):
        resources = [Resource(id="books", version=version, applied=boot.device(0))]
        tell(memory, boot.message([boot.inventory(number, number * HOUR, resources=resources)], number * HOUR))
    assert memory.facts.resource_at == NOW + 3 * HOUR


def test_other_rules_forget_what_the_old_ones_found() -> None:
    memory = in_order(Boot(), disks((0, FULL), (10, FULL)))
    memory.rules = ACTIVE.mark
    assert drop_changed_rules(memory, ACTIVE, NOW) == ()
    stricter = ActiveRules(rules(RULES.replace("above: 95%", "above: 98%")).rules_for())
    (ended,) = drop_changed_rules(memory, stricter, NOW)
    assert (ended.name, ended.firing, ended.reason) == ("disk_full", False, "rule_changed")
    assert firing(memory) == {}


# Any order


class Life(msgspec.Struct):
    """Boots with all their records, and the messages of each boot: (place in the list of boots, record places)."""

    boots: list[Boot]
    records: list[list[Record]]


VALUES = [
    {},
    {"disk": FULL},
    {"disk": BETWEEN},
    {"disk": FREE},
    {"services": {"tv": False}},
    {"services": {"tv": True}},
]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    boots: list[Boot] = []
    records: list[list[Record]] = []
    start = float(NOW)
    for place in range(draw(st.integers(1, 3))):
        boot, up, mine = Boot(f"b{place}", start=start, run=place), 0.0, []
        for number in range(1, draw(st.integers(1, 8)) + 1):
            up += draw(st.sampled_from([60.0, 300.0, 360.0, 3 * HOUR]))
            mine.append(boot.health(number, up, **draw(st.sampled_from(VALUES))))
        boots.append(boot)
        records.append(mine)
        start += up + 600
    return Life(boots, records)


def data_to_leave(draw: st.DrawFn, mine: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return draw(st.lists(st.sampled_from(mine), unique=True)) if mine else []


@st.composite
def arrivals(draw: st.DrawFn, life: Life) -> list[tuple[TypedData, int]]:
    """The messages of a life as an outbox may send them: boot after boot, within each any order, some twice.

    Each boot sends its newest record itself; what it does not get rid of the later ones carry.
    """
    found: list[tuple[TypedData, int]] = []
    waiting: list[tuple[int, int]] = []
    for place, boot in enumerate(life.boots):
        mine = [(place, number) for number in range(len(life.records[place]))]
        later = data_to_leave(draw, mine[:-1]) if place < len(life.boots) - 1 else []
        now = [each for each in waiting + mine if each not in later]
        waiting = later
        order = draw(st.permutations(now + draw(st.lists(st.sampled_from(now), max_size=3))))
        end = life.records[place][-1].up or 0.0
        for step, (owner, number) in enumerate(order):
            found.append(boot.message([life.records[owner][number]], end + step * 0.01, box=life.boots[owner].name))
    return found


def expected(life: Life) -> dict[str, float]:
    """The same by the definition: all samples of a rule in their true order, one after another."""
    result = {}
    newest = life.boots[-1].start + (life.records[-1][-1].up or 0)
    for rule, subject in (("disk_full", ""), ("service_down", "tv")):
        found = next(each for each in rules().rules_for() if each.name == rule)
        spell: Spell | None = None
        for boot, records in zip(life.boots, life.records, strict=True):
            rows = []
            for number, record in enumerate(records):
                for told, value in found.source.values(record, None):
                    assert told == subject
                    rows.append((number, boot.start + (record.up or 0), found.judge(value)))
            # Records of other kinds between two samples are no hole.
            rows = [(place, at, sample) for place, (_, at, sample) in enumerate(rows)]
            spell = one_after_another(rows, SpellLimits(found.hold, found.gap), spell) if rows else spell
        if spell is not None and spell.fired and newest - spell.last <= (found.quiet or 0):
            result[f"{rule}|{subject}"] = spell.began
    return result


def test_resources_that_only_their_dates_tell_apart_are_one_list() -> None:
    memory, boot = HealthMemory(), Boot()
    said = [Resource(id="books"), Resource(id="books", applied=boot.device(-DAY)), Resource(id="books", applied=-1)]
    tell(memory, boot.message([boot.inventory(1, 0, resources=said)], 0))
    mark = memory.facts.resources
    tell(memory, boot.message([boot.inventory(2, 60, resources=said[::-1])], 60))
    assert memory.facts.resources == mark is not None


@given(st.data())
def test_any_order_an_outbox_can_send_leaves_the_same(data: st.DataObject) -> None:
    life = data.draw(lives())
    memory = HealthMemory()
    for message in data.draw(arrivals(life)):
        tell(memory, message)
        memory = msgspec.msgpack.decode(msgspec.msgpack.encode(memory), type=HealthMemory)
    assert firing(memory) == pytest.approx(expected(life), abs=1)
    for box, records in zip(memory.boxes, life.records, strict=True):
        assert [(run.low, run.high) for run in box.runs] == [(1, len(records))]
        assert all(isinstance(run, RecordRun) for run in box.runs)


def down(memory: HealthMemory, boot: Boot, number: int, up: float, names: list[str]) -> None:
    """Take in a record in which these services do not work."""
    body, received = boot.message([boot.health(number, up, services=dict.fromkeys(names, False))], up)
    evaluate_message(memory, body, received, ACTIVE, 600.0)


def test_services_that_a_terminal_invents_make_so_many_incidents_and_no_more() -> None:
    memory, boot = HealthMemory(), Boot()
    for number in range(8):
        names = [f"service{number // 2}-{place}" for place in range(64)]
        down(memory, boot, number, number * 10 * MINUTE, names)
    assert len(memory.reported) == MOST_FIRING


def test_services_that_a_terminal_invents_with_each_boot_are_forgotten() -> None:
    memory = HealthMemory()
    for start in range(12):
        boot = Boot(f"b{start}", start=NOW + start * HOUR)
        for number in range(2):
            down(memory, boot, number, number * 10 * MINUTE, [f"service{start}-{place}" for place in range(64)])
    assert len(memory.base) <= MOST_BASE
