"""Seconds and memory of a report, for each format and number of stations: `python -m bench.bench_reports`.

The figures are made up. Each report is made in a separate process, so that its memory can be measured.
"""

import argparse
import random
import resource
import subprocess
import sys
import time
from datetime import date, timedelta

from audit.days.figures import Figures
from audit.reports.formats import FORMATS
from audit.reports.reasons import LostDays
from audit.reports.uptime_report import PeriodFacts, ReportedPlace, UptimeFacts, uptime_report

HOUR = 3_600_000
CASES = (
    ("pdf", 100), ("pdf", 1_000), ("pdf", 5_000), ("xlsx", 1_000), ("xlsx", 10_000), ("xlsx", 40_000),
    ("csv", 10_000), ("csv", 40_000),
)  # fmt: skip
BARE = "bare"
"""The baseline: a process that imports the same modules and writes nothing."""


def facts(stations: int) -> UptimeFacts:
    """A month of a province."""
    chance = random.Random(stations)
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(30)]
    figures = Figures(scheduled_ms=240 * HOUR, online_ms=230 * HOUR, service_due_ms=240 * HOUR, usable_ms=220 * HOUR)
    return UptimeFacts(
        about=PeriodFacts(
            place=("630000000000", "青海省"),
            period="2026-11",
            is_year=False,
            last=days[-1],
            kept=(days[0], days[-1]),
            frozen=None,
            checkpoint="example.org/log\n18231\nq3E6N4n1b2dO0N1mH0hC3N9k3v4qE2q1xkUe5m1v0uY=\n",
        ),
        figures=figures,
        later=None,
        before=("2026-10", figures),
        areas=[],
        stations=[_station(number, chance) for number in range(stations)],
        parts=[(day, figures) for day in days],
    )


def _station(number: int, chance: random.Random) -> ReportedPlace:
    lost, unknown = chance.randrange(60), chance.randrange(10)
    return ReportedPlace(
        id=f"{6300000000 + number}",
        name=f"官亭镇{number}村农家书屋",
        area="官亭镇",
        figures=Figures(
            scheduled_ms=240 * HOUR,
            unknown_ms=unknown * HOUR,
            online_ms=(240 - unknown - lost // 2) * HOUR,
            service_due_ms=(240 - unknown) * HOUR,
            usable_ms=(240 - unknown - lost) * HOUR,
        ),
        incidents=lost // 10,
        causes=("power",) if lost > 50 else (),
        unexplained=1 if 50 >= lost > 40 else 0,
        lost=LostDays(lost // 8 + 1, tuple((date(2026, 11, day), 8 * HOUR) for day in (3, 4, 17))) if lost else None,
    )


def make(form: str, stations: int) -> None:
    """Make one report and print its time and memory."""
    given = facts(stations)
    began = time.perf_counter()
    size = 0 if form == BARE else len(FORMATS[form].write(uptime_report(given, "zh-CN")))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"| {form} | {stations:,} | {seconds:.2f} | {peak} | {size / 1_000_000:.2f} |", flush=True)


def main() -> None:
    """Each case in a process of its own, or one case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form", choices=[*FORMATS, BARE])
    parser.add_argument("--stations", type=int, default=1_000)
    arguments = parser.parse_args()
    if arguments.form:
        make(arguments.form, arguments.stations)
        return
    print("| format | stations | s | MiB at most | MB of file |\n|---|---|---|---|---|", flush=True)
    for form, stations in ((BARE, 1_000), *CASES):
        command = [sys.executable, "-m", "bench.bench_reports", "--form", form, "--stations", str(stations)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
