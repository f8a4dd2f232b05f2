"""What the numbers of areas and the blind spots cost at national scale.

`python -m bench.bench_areas [--stations N]`. The pure core with 700,000 stations in 42,000 areas of four levels:
loading it, a fall of the whole nation in one pass, the pass in which every area is dark, a return of 1,000, and
a week later the passes in which every station is dark and shut. Seconds are of the processor.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from alerting.blindspots.area_counts import StandingChange
from alerting.blindspots.by_silence import StationLookup
from alerting.blindspots.settings import BlindSpotSettings
from alerting.blindspots.tracker import BlindSpots, StartingState
from alerting.blindspots.unknown_time import Gaps
from alerting.blindspots.write import write_spots
from alerting.incidents.book import Book
from alerting.stations.snapshot import PassTime, Standing
from registry.hours.calendar import ALWAYS

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
FELL = BEGIN + timedelta(hours=1)


def paths() -> list[tuple[str, ...]]:
    """31 provinces with 90 counties of 14 townships each."""
    return [
        (f"{p:02}", f"{p:02}{c // 8:02}", f"{p:02}{c:04}", f"{p:02}{c:04}{t:03}")
        for p in range(31)
        for c in range(90)
        for t in range(14)
    ]


class Nation:
    """Stations that all stand alike."""

    def __init__(self, stations: int) -> None:
        self._paths = paths()
        self.names = [f"{n:010}" for n in range(stations)]
        self.state, self.since = "online", BEGIN

    def standing(self, station: str) -> Standing:
        return self.make(int(station), self.state, self.since)

    def make(self, n: int, state: str, since: datetime) -> Standing:
        path = self._paths[n % len(self._paths)]
        return Standing(
            station=self.names[n], area=path[-1], path=path, commissioned_at=BEGIN, state=state, since=since,
            partition=n % 24, shard="main",
        )  # fmt: skip

    def standings(self) -> Iterator[Standing]:
        return (self.make(n, self.state, self.since) for n in range(len(self.names)))

    def turn(self, state: str, at: datetime, *, first: int | None = None) -> list[StandingChange]:
        """All of them, or the first so many, are in another state since `at`."""
        numbers = range(len(self.names) if first is None else first)
        return [StandingChange(self.make(n, self.state, self.since), self.make(n, state, at), at) for n in numbers]


def resident() -> float:
    """MiB of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def measured(name: str, work: Callable[[], object]) -> None:
    began = time.process_time()
    work()
    print(f"{name:<58}{time.process_time() - began:8.2f} s")


def at(known: datetime) -> PassTime:
    return PassTime(now=known, known=known)


def run(stations: int) -> None:
    nation, gaps = Nation(stations), Gaps()
    core = BlindSpots(StationLookup(nation.standing, lambda _: ALWAYS), BlindSpotSettings())
    before = resident()
    measured(f"load {stations:,} stations", lambda: core.load_stations(nation.standings(), StartingState(known=BEGIN)))
    print(f"{'memory':<58}{resident() - before:8.0f} MiB")
    core.counts.take_changed()
    steps = nation.turn("offline", FELL)
    measured("the nation falls in one pass", partial(core.follow_stations, steps, FELL))
    print(f"{'areas to be written':<58}{len(core.counts.take_changed()):8,}")
    nation.state, nation.since = "offline", FELL
    del steps
    quarter = at(FELL + timedelta(minutes=15))
    measured("every area is dark", lambda: core.find_due(quarter, gaps))
    turns, book = core.take_changes(), Book()
    measured(f"{len(turns):,} decisions into a book", lambda: write_spots(book, turns, FELL))
    print(f"{'pages':<58}{len(book.notifications()):8,}")
    back = nation.turn("online", FELL + timedelta(hours=1), first=1000)
    measured("1,000 stations come back", lambda: core.follow_stations(back, FELL + timedelta(hours=1)))
    core.take_changes()
    measured("a pass in which nothing is due", lambda: core.find_due(at(FELL + timedelta(hours=1)), gaps))
    measured("every station is dark", lambda: core.find_due(at(FELL + timedelta(days=7)), gaps))
    measured("20,000 of them are shut", lambda: core.find_due(at(FELL + timedelta(days=7, seconds=6)), gaps))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=700_000)
    run(parser.parse_args().stations)
