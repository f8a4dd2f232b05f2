"""The records of a made-up history: usage of each hour, health, presence of link failures, an inventory. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from math import exp
from random import Random
from typing import Any, Final

from contract.clocks import MonotonicMs, MonotonicSeconds, WallMs
from contract.entries import DataUnit, TypedData, TypedEntry
from contract.messages import Health, Inventory, Presence, Record, Resource, Usage
from milepost.history.plan import DAY, Fault, HistoryPlan, PlannedStation, switches
from milepost.history.terminals import MINUTE, START, TERMINAL, boot_of

HOUR: Final = 60
_HEALTH_EVERY: Final = 3
"""Hours between two health records."""
_UP: Final = 3600.0
"""Seconds for which each terminal had run when the history begins."""
_CATEGORIES: Final = ("books", "video", "audio", "exhibition")
_OTHER: Final = "zh-CN"


class MadeUpOrigin:
    """In place of a record of Kafka: refusals would name it, and the units here have none."""

    topic, partition, offset, timestamp = "history", 0, 0, 0
    key: bytes | None = None
    value: bytes | None = None


_ORIGIN: Final[Any] = MadeUpOrigin()


class RecordMaker:
    """Makes the records that arrive on each day. Call `day` with every day of the plan, in order. `epoch`: the first
    midnight, wall ms."""

    def __init__(self, plan: HistoryPlan, *, shard: str, epoch: WallMs) -> None:
        self._plan, self._shard, self._epoch = plan, shard, epoch
        self._dice = Random(plan.seed + 1)  # noqa: S311 -- a simulation
        self._ids = {each.id: 0 for each in plan.stations}
        self._late: list[tuple[int, DataUnit]] = []
        self._faults: Mapping[str, Sequence[Fault]] = {
            each.id: [fault for fault in plan.faults if fault.station == each.id] for each in plan.stations
        }

    def day(self, day: int) -> list[DataUnit]:
        """The messages that arrive from the beginning of a day until its end, in this order."""
        begin, end = day * DAY, min((day + 1) * DAY, self._plan.end)
        found: list[tuple[int, DataUnit]] = []
        for station in self._plan.stations:
            own = [each for each in self._faults[station.id] if each.begin < end and each.end > begin]
            found += self._of_station(station, day, end, own)
        found += self._late
        self._late = [each for each in found if each[0] >= end]
        return [unit for at, unit in sorted(found, key=lambda each: each[0]) if at < end]

    def _of_station(
        self, station: PlannedStation, day: int, end: int, faults: Sequence[Fault]
    ) -> Iterator[tuple[int, DataUnit]]:
        """(minute of the arrival, message) of what a terminal records on a day."""
        if day % 30 == 0:
            yield day * DAY + 1, self._unit(station.id, day * DAY + 1, [self._inventory(station, day * DAY)])
        times = switches(station, day)
        for begin in range(day * DAY, min(end, (day + 1) * DAY) - HOUR + 1, HOUR):
            off = times is not None and not times[0] <= begin < times[1]
            fault = next((each for each in faults if each.begin < begin + HOUR and each.end > begin), None)
            if off or (fault is not None and not fault.runs and not fault.is_heard):
                continue
            sent = begin + HOUR if fault is None or fault.is_heard else max(begin + HOUR, fault.end + fault.late)
            records: list[Record] = []
            if begin // HOUR % _HEALTH_EVERY == 0:
                records.append(self._health(station.id, begin + HOUR - 1))
            if any(opens <= begin % DAY and begin % DAY + HOUR <= closes for opens, closes in station.hours):
                records += self._usage(station, begin, broken=fault is not None and fault.is_heard)
            if records:
                yield sent, self._unit(station.id, sent, records)
        for fault in faults:
            if fault.runs and day * DAY < fault.end <= end:
                at = fault.end + fault.late
                yield at, self._unit(station.id, at, [self._presence(fault)])

    def _unit(self, station: str, at: int, records: list[Record]) -> DataUnit:
        body = TypedData(
            boot=boot_of(station),
            run=1,
            at=self._wall(at),
            up=MonotonicSeconds(_UP + at * 60.0),
            box=boot_of(station),
            records=records,
        )
        entry = TypedEntry(
            terminal=TERMINAL, shard=self._shard, start=START, received=self._wall(at), mono=MonotonicMs(at * MINUTE),
            body=body,
        )  # fmt: skip
        return DataUnit(_ORIGIN, station, entry)

    def _wall(self, minute: int) -> WallMs:
        return WallMs(self._epoch + minute * MINUTE)

    def _named(self, station: str, minute: int) -> dict[str, Any]:
        self._ids[station] += 1
        return {"id": self._ids[station], "at": self._wall(minute), "up": _UP + minute * 60.0}

    def _health(self, station: str, minute: int) -> Health:
        dice = self._dice
        return Health(
            **self._named(station, minute),
            cpu=round(dice.betavariate(2, 9), 3),
            mem=round(dice.uniform(0.35, 0.6), 3),
            disk=round(0.42 + minute / DAY / 900 + len(station) / 1000, 3),
            temp=round(dice.gauss(47, 4), 1),
            rtt_ms=round(dice.lognormvariate(3.6, 0.5), 1),
            wifi=True,
        )

    def _usage(self, station: PlannedStation, begin: int, *, broken: bool) -> Iterator[Usage]:
        sessions = 0 if broken else _poisson(self._dice, station.visits)
        if not sessions:
            return
        tibetan = sum(self._dice.random() < station.bo for _ in range(sessions))
        category: dict[str, int] = {}
        for _ in range(sessions):
            name = self._dice.choice(_CATEGORIES)
            category[name] = category.get(name, 0) + 1
        language = {name: count for name, count in (("bo", tibetan), (_OTHER, sessions - tibetan)) if count}
        yield Usage(
            **self._named(station.id, begin),
            until=self._wall(begin + HOUR),
            sessions=sessions,
            minutes=float(sum(self._dice.randint(5, 55) for _ in range(sessions))),
            by={"category": category, "language": language},
            bytes=sessions * self._dice.randint(2, 90) * 1_000_000,
        )

    def _presence(self, fault: Fault) -> Presence:
        return Presence(
            **self._named(fault.station, fault.begin),
            until=self._wall(fault.end),
            until_up=MonotonicSeconds(_UP + fault.end * 60.0),
            usable=True,
        )

    def _inventory(self, station: PlannedStation, minute: int) -> Inventory:
        applied = self._wall(minute - DAY)
        resources = [
            Resource(id=f"thematic-{number}", version="1", applied=applied, lang="zh-CN", bytes=4_000_000_000)
            for number in range(5)
        ]
        resources += [
            Resource(id=f"bilingual-{number}", version="1", applied=applied, lang="bo", bytes=2_500_000_000)
            for number in range(round(station.bo * 8))
        ]
        return Inventory(
            **self._named(station.id, minute),
            model="reading kiosk (made up)",
            serial=f"made-up-{station.id}",
            os="Debian 12",
            agent="milepost 1",
            mem_bytes=4_000_000_000,
            disk_bytes=128_000_000_000,
            resources=resources,
        )


def _poisson(dice: Random, mean: float) -> int:
    """A number of events, by Knuth's method."""
    limit, count, product = exp(-mean), 0, dice.random()
    while product > limit:
        count += 1
        product *= dice.random()
    return count
