"""The same messages give the same transitions, incidents and blind spots, in any order and however often they come.

A small country lives through faults; then the same messages reach the log in another order. What one terminal says, and
the bridge's ticks, keep their order, as a connection and a partition keep it; terminals overtake each other between two
ticks, partitions overtake each other at will, and anything that was said may be said again: a status at any later time,
a heartbeat within half its `every`, for three that come later are a machine that was set back.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import ceil
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.simulator.timetable import TimedDeed
from alerting.stations.model import StationChange
from contract.log import HeartbeatEntry, LiveEntry, Tick
from tests.instrument.script import Group
from tests.instrument.sim_transport import PARTITIONS, Log
from tests.instrument.world import World

TICK, EVERY, LASTS = 4.0, 20.0, 1800
GROUPS = [
    Group(count=6, area="632122100", every=EVERY, isp="mobile"),
    Group(count=3, area="632123100", every=EVERY, isp="satellite", terminals=2),
    Group(count=1, area="542621100", every=EVERY, isp="satellite"),
]
TERMINALS = 13
Acts = list[tuple[str, int, int, int]]
"""Fault, first terminal, how many, second."""

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["kill", "revive", "cut", "join", "away", "duplicate", "clone", "broken", "mended"]),
        st.integers(0, TERMINALS - 1),
        st.sampled_from([1, 1, 2, 6, 13]),
        st.integers(60, LASTS - 300),
    ),
    max_size=12,
)


class Disorder(Log):
    """A log before which messages overtake each other and are doubled."""

    def __init__(self, inner: Log, random: Random) -> None:
        super().__init__(inner._append)
        self._random = random
        self._now = 0
        self._said: list[list[tuple[str, LiveEntry]]] = [[] for _ in range(PARTITIONS)]

    def _may_come_again(self, entry: LiveEntry) -> bool:
        return not isinstance(entry, HeartbeatEntry) or self._now - entry.received < 500 * entry.body.every

    def flow(self) -> None:
        waiting: dict[int, list[tuple[str, LiveEntry]]] = defaultdict(list)
        while self._waiting:
            partition, station, entry = self._waiting.popleft()
            waiting[partition].append((station, entry))
            # Ticks go on when all terminals are silent.
            self._now = max(self._now, entry.at if isinstance(entry, Tick) else entry.received)
        for partition in self._random.sample(sorted(waiting), len(waiting)):
            for station, entry in self._disordered(partition, waiting[partition]):
                self._append(partition, station, entry)

    def _disordered(self, partition: int, entries: list[tuple[str, LiveEntry]]) -> list[tuple[str, LiveEntry]]:
        found: list[tuple[str, LiveEntry]] = []
        between: list[tuple[str, LiveEntry]] = []
        for one in entries:
            if isinstance(one[1], Tick):
                found += [*self._mixed(partition, between), one]
                between = []
            else:
                between.append(one)
        return found + self._mixed(partition, between)

    def _mixed(self, partition: int, entries: list[tuple[str, LiveEntry]]) -> list[tuple[str, LiveEntry]]:
        said = self._said[partition] = [one for one in self._said[partition] if self._may_come_again(one[1])]
        again = self._random.choices(said, k=self._random.choice((0, 0, 1, 3))) if said else []
        said += entries
        lanes: dict[Any, list[tuple[str, LiveEntry]]] = defaultdict(list)
        for station, entry in entries:
            lanes[station, getattr(entry, "terminal", "")].append((station, entry))
        for number, one in enumerate(again):
            lanes[number].append(one)
        order = [lane for lane, mine in lanes.items() for _ in mine]
        self._random.shuffle(order)
        return [lanes[lane].pop(0) for lane in order]


def live(acts: Acts, disorder: Random | None) -> World:
    world = World(tick=TICK)
    if disorder is not None:
        world.log = Disorder(world.log, disorder)
    world.add(GROUPS)
    assert len(world.members) == TERMINALS
    for deed, first, many, second in sorted(acts, key=lambda act: act[3]):
        world.run_until(second)
        for index in range(first, min(first + many, TERMINALS)):
            value = 300.0 if deed == "away" else None
            world.do(TimedDeed(at=0.0, index=index, deed=deed, value=value))
    world.run_until(LASTS)
    return world


def settled(changes: Iterable[StationChange]) -> list[tuple[Any, ...]]:
    """How each station, or terminal, stood at each tick that found it otherwise than the tick before.

    A station of two terminals that say goodbye between two ticks may pass through "only one is left" or not: that
    depends on whose message is first, and is over before a tick shows it to anybody.
    """
    at_tick: dict[tuple[str, str], dict[int, StationChange]] = defaultdict(dict)
    for one in changes:
        at_tick[one.station, one.terminal or ""][ceil(one.tick_at.timestamp() / TICK)] = one
    found: list[tuple[Any, ...]] = []
    for who, mine in at_tick.items():
        before: tuple[str, bool | None] | None = None
        for one in mine.values():
            if (one.after, one.usable) != before:
                found.append((*who, one.at, one.after, one.usable, one.reason))
            before = one.after, one.usable
    return sorted(found, key=lambda one: (*one[:3], str(one)))


def came_of(world: World) -> dict[str, Any]:
    """Transitions of stations, incidents with blind spots, and what people were told, without numbers of ours."""
    kept = world.desk.kept
    key = {one.id: one.key for one in kept.incidents.values()}
    return {
        "transitions": [one for judge in world.judges for one in settled(judge.changes)],
        "incidents": sorted(
            (one.key, one.began_at, one.opened_at, one.status, str(one.ended_at), key.get(one.parent or 0, ""))
            for one in kept.incidents.values()
        ),
        "notified": sorted((at, key[number], phase) for at, number, phase in kept.notified),
        "counts": kept.counts,
    }


@given(ACTS, st.integers(0, 2**32))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_and_any_repetition_come_to_the_same(acts: Acts, seed: int) -> None:
    assert came_of(live(acts, Random(seed))) == came_of(live(acts, None))


def test_what_is_compared_is_not_empty() -> None:
    """The faults of this proof lead to incidents of many kinds, and its disorder to another order of the log."""
    acts = [("kill", 0, 6, 100), ("away", 7, 1, 150), ("kill", 12, 1, 200), ("clone", 8, 1, 300)]
    found = came_of(live(acts, Random(1)))
    kinds = {key.partition(":")[0] for key, *_ in found["incidents"]}
    assert kinds >= {"station_offline", "area_outage", "blind_spot"}
    plain, mixed = list[Any](), list[Any]()
    for log, random in ((plain, None), (mixed, Random(1))):
        world = World(tick=TICK)
        if random is not None:
            world.log = Disorder(world.log, random)
        append = world.log._append
        world.log._append = lambda *entry, log=log, append=append: (log.append(entry), append(*entry))  # type: ignore[assignment,misc]
        world.add(GROUPS)
        world.run_until(200)
    assert len(mixed) > len(plain)
    assert [one for one in mixed if one in plain] != plain
