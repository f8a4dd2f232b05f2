"""Plays a scenario on simulated time and reports the expectations that were not met.

`python -m tests.instrument.play [FILE …]` plays the files, or all scenarios, and prints the result of each.
"""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random

import msgspec

from agents.simulator import timetable
from agents.simulator.timetable import ScriptLine, ScriptTarget
from alerting.incidents.book import Incident
from registry.closures.rules import Closure
from tests.instrument import script
from tests.instrument.script import LIFECYCLES, Edit, Expect, Scenario, Strike
from tests.instrument.world import EPOCH, World

Doing = Callable[[], None]


class Player:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, *, seed: int = 1) -> None:
        self.scenario = scenario
        self.world = World(tick=scenario.tick, epoch=scenario.begin or EPOCH, seed=seed)
        self.world.add(scenario.groups)
        self.failures: list[str] = []
        self._order = count()
        self._ahead: list[tuple[float, int, Doing]] = []
        self._random = Random(seed)
        self._roll = [
            timetable.NamedTerminal(one.station, one.terminal, one.area)
            for one in (member.terminal.profile for member in self.world.members)
        ]

    def play(self) -> list[str]:
        """Play the scenario; returns the expectations that were not met, one sentence each."""
        for step in self.scenario.steps:
            self._plan(step.at, lambda step=step: self._take(step))  # type: ignore[misc]
        while self._ahead and self._ahead[0][0] <= self.scenario.ends:
            at, _, doing = heappop(self._ahead)
            self.world.run_until(at)
            doing()
        return self.failures

    def _plan(self, at: float, doing: Doing) -> None:
        heappush(self._ahead, (at, next(self._order), doing))

    def _take(self, step: script.Step) -> None:
        match step:
            case ScriptLine():
                for deed in timetable.expand(step, timetable.choose(step.who, self._roll, self._random)):
                    self._plan(deed.at, lambda deed=deed: self.world.do(deed))  # type: ignore[misc]
            case Strike():
                self._strike(step)
            case Edit():
                self._edit(step)
            case Expect():
                self._expect(step)

    # -- processes of the platform -----------------------------------------------------------------------------

    def _strike(self, strike: Strike) -> None:
        begin, end = _STRIKES[strike.process, strike.deed]
        begin(self.world, strike.shard)
        self._plan(strike.at + strike.seconds, lambda: end(self.world, strike.shard))

    # -- the registry ------------------------------------------------------------------------------------------

    def _edit(self, edit: Edit) -> None:
        stations = self.stations(edit.who)
        if edit.deed == "move":
            self.world.move(stations, edit.options["shard"])
            return
        if edit.deed == "declare":
            self._declare(stations, edit)
        for station in stations if edit.deed in LIFECYCLES else ():
            known = self.world.register.facts[station]
            self.world.register.facts[station] = msgspec.structs.replace(known, lifecycle=LIFECYCLES[edit.deed])
        self.world.register.edited.update(stations)

    def _declare(self, stations: Sequence[str], edit: Edit) -> None:
        """Declare a closure from now on."""
        begin = self.world.clock
        end = begin + timedelta(seconds=timetable.duration(edit.options["for"]))
        for station in stations:
            number = len(self.world.register.closures) + 1
            approved = begin if edit.options.get("approved") == "yes" else None
            closure = Closure(
                id=number, station=station, from_at=begin, until_at=end, reason="declared", declared_by="somebody",
                declared_at=begin, approved_by="another" if approved else None, approved_at=approved,
            )  # fmt: skip
            self.world.register.closures.append(closure)

    def stations(self, who: ScriptTarget) -> list[str]:
        chosen = timetable.choose(who, self._roll, self._random)
        return sorted({self._roll[number].station for number in chosen})

    # -- expectations ------------------------------------------------------------------------------------------

    def _expect(self, expect: Expect) -> None:
        found = self._verdicts(expect) if expect.verdict else self._count(expect)
        if found:
            self.failures.append(f"{expect.at:g}s expect {expect.text}: {found}")

    def _verdicts(self, expect: Expect) -> str | None:
        assert expect.who is not None
        verdicts = self.world.verdicts(self.stations(expect.who))
        others = {station: found for station, found in verdicts.items() if found != expect.verdict}
        return f"{len(others)} of {len(verdicts)} are not: {dict(list(others.items())[:3])}" if others else None

    def _count(self, expect: Expect) -> str | None:
        if expect.kind == "pages":
            kept = self.world.desk.kept
            pages = [f"{kept.incidents[one].key} {phase}" for _, one, phase in kept.notified]
            return None if len(pages) == expect.count else f"{len(pages)}: {pages[-4:]}"
        found = [one for one in self.world.desk.kept.incidents.values() if self._is_meant(one, expect)]
        if len(found) == expect.count:
            return None
        return f"{len(found)}: {[(one.key, self._children(one), one.detail) for one in found[:3]]}"

    def _is_meant(self, one: Incident, expect: Expect) -> bool:
        return (
            one.kind == expect.kind
            and (expect.so_far or one.is_open)
            and (expect.children is None or self._children(one) == expect.children)
            and (expect.cause is None or expect.cause in (one.detail.get("cause"), one.detail.get("kind"), one.key))
            and (expect.who is None or self._concerns(one, expect.who))
        )

    def _children(self, incident: Incident) -> int:
        return sum(one.parent == incident.id for one in self.world.desk.kept.incidents.values())

    def _concerns(self, one: Incident, who: ScriptTarget) -> bool:
        if who.kind == "area":
            return (one.area or "").startswith(who.value)
        return one.station in self.stations(who)


_Strike = Callable[[World, str], None]


def _set(name: str, value: bool) -> _Strike:
    return lambda world, shard: setattr(world.shard(shard), name, value)


def _stop(name: str) -> _Strike:
    return lambda world, shard: world.stopped.add(name)


def _go(name: str) -> _Strike:
    return lambda world, shard: world.stopped.discard(name)


def _kill_mqtt(world: World, shard: str) -> None:
    world.shard(shard).kill_broker()
    world.lose_connections(shard)


def _start_mqtt(world: World, shard: str) -> None:
    world.shard(shard).broker_up = True
    world.shard(shard).resubscribe()


def _restart_judges(world: World, shard: str) -> None:
    for one in world.judges:
        one.restart(world.registered)
    world.stopped.discard("judge")


def _restart_incidents(world: World, shard: str) -> None:
    world.desk.restart()
    world.stopped.discard("incidents")


def _freeze_postgres(world: World, shard: str) -> None:
    world.stopped |= {"judge", "incidents"}


def _thaw_postgres(world: World, shard: str) -> None:
    world.stopped -= {"judge", "incidents"}


def _restart_postgres(world: World, shard: str) -> None:
    _restart_judges(world, shard)
    _restart_incidents(world, shard)


def _freeze_kafka(frozen: bool) -> _Strike:
    return lambda world, shard: setattr(world.log, "frozen", frozen)


_STRIKES: dict[tuple[str, str], tuple[_Strike, _Strike]] = {
    ("mqtt", "freeze"): (_set("broker_frozen", True), _set("broker_frozen", False)),
    ("mqtt", "kill"): (_kill_mqtt, _start_mqtt),
    ("bridge", "freeze"): (_set("bridge_frozen", True), _set("bridge_frozen", False)),
    ("bridge", "kill"): (_set("bridge_up", False), lambda world, shard: world.shard(shard).start_bridge(world.now)),
    ("kafka", "freeze"): (_freeze_kafka(True), _freeze_kafka(False)),
    ("kafka", "kill"): (_freeze_kafka(True), _freeze_kafka(False)),
    ("judge", "freeze"): (_stop("judge"), _go("judge")),
    ("judge", "kill"): (_stop("judge"), _restart_judges),
    ("incidents", "freeze"): (_stop("incidents"), _go("incidents")),
    ("incidents", "kill"): (_stop("incidents"), _restart_incidents),
    ("postgres", "freeze"): (_freeze_postgres, _thaw_postgres),
    ("postgres", "kill"): (_freeze_postgres, _restart_postgres),
}
"""By (process, deed): the function that begins the strike, and the function that ends it."""


def main(names: Sequence[str]) -> int:
    files = [Path(name) for name in names] or sorted(script.FOLDER.glob("*.txt"))
    bad = 0
    for file in files:
        scenario, began = script.load(file), time.monotonic()
        failures = Player(scenario).play()
        bad += bool(failures)
        print(
            f"{'FAILED' if failures else 'ok':7} {time.monotonic() - began:6.2f} s  {scenario.name}: {scenario.title}"
        )
        for failure in failures:
            print(f"        {failure}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
