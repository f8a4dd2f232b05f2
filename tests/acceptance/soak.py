"""An hour of a fleet with one per cent of hostile senders: the honest are judged right, and memory stays flat.

`python -m tests.acceptance.soak [--stations 2000] [--minutes 60]` runs `milepost up` and `milepost simulate` with a
timetable of faults, and beside them every kind of `tests.acceptance.hostile`. It prints the memory of each process,
what the check found, and how each hostile kind is named; it ends with 1 when anything is wrong.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psutil

from agents.simulator import roster
from tests.acceptance import hostile
from tests.acceptance.stack import SERVERS, SERVICES, Stack

EVERY = 10
FLAT = 1.15
"""By how much the memory of a process may be larger in the last quarter than in the second."""
LOG_MIB = 1024 + 128
"""The embedded Kafka keeps its log in memory, up to MILEPOST_KAFKA_MEMORY: it grows until then, and no further."""
PARTS = (*SERVICES, *SERVERS)


def script(stations: list[str], seconds: float, random: Random) -> str:
    """Faults of honest stations, spread over the time."""
    deeds = ("kill", "cut", "unusable", "snapshot", "renumber", "old-disk", "clone", "stuck", "flap", "away", "reorder")
    lines = []
    for place, station in enumerate(random.sample(stations, len(stations) // 4)):
        deed = deeds[place % len(deeds)]
        at, lasts = random.uniform(60, seconds - 600), random.choice((30, 90, 200, 500))
        options = "" if deed in ("snapshot", "renumber", "old-disk") else f"for={lasts}s"
        lines.append((at, f"{at:.0f}s {deed} {station} {options}"))
    return "\n".join(line for _, line in sorted(lines)) + "\n"


class Memory:
    """The resident memory of each part, MiB, sampled while it runs."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.samples: dict[str, list[float]] = {name: [] for name in PARTS}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(15):
            for name in PARTS:
                self.samples[name].append(sum(_private(one) for one in self._stack.processes(name)) / 2**20)

    def report(self) -> Iterator[tuple[str, float, float]]:
        """(part, mean of the second quarter, mean of the last)."""
        for name, found in self.samples.items():
            quarter = max(1, len(found) // 4)
            second, last = found[quarter : 2 * quarter] or found, found[-quarter:]
            yield name, sum(second) / len(second), sum(last) / len(last)


def _private(process: psutil.Process) -> int:
    """Shared pages, as PostgreSQL's buffers, are not counted once for each process."""
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0


def named(stack: Stack) -> dict[str, bool]:
    """Which hostile kinds Milepost names, by what an operator sees."""
    pipeline = str(stack.get("pipeline"))
    letters = [f"{one['topic']} {one['reason']}" for one in stack.items("deadletters")]
    conflicts = {one["station"] for one in stack.items("incidents", kind="identity_conflict")}

    def refused(kind: Any, reason: str = "") -> bool:
        return any(hostile.station_of(kind) in letter and reason in letter for letter in letters)

    return {
        "misnumbers": hostile.station_of(hostile.misnumbers) in pipeline,
        "is_two": hostile.station_of(hostile.is_two) in conflicts,
        "is_set_back": hostile.station_of(hostile.is_set_back) in conflicts,
        "stands_still": hostile.station_of(hostile.stands_still) in conflicts,
        "invents_terminals": refused(hostile.invents_terminals, "too_many_terminals"),
        "sends_garbage": refused(hostile.sends_garbage),
        "floods": refused(hostile.floods, "bad_json"),
        "is_large": refused(hostile.is_large, "too_large"),
        "records_edges": refused(hostile.records_edges),
        "reuses_ids": refused(hostile.reuses_ids),
        "invents_stations": bool(stack.items("stations", q=f"{hostile.station_of(hostile.invents_stations)}-1")),
        "guesses_tokens": "a wrong token" in (stack.data / "logs" / "api.log").read_text(errors="replace"),
    }


UNNAMED = ("names_no_connection", "changes_its_promise", "says_goodbye_for_others", "takes_client_ids", "says_nothing")
"""Kinds that send only what is permitted or without effect. No honest station may suffer; nothing else can be seen."""


def run(stack: Stack, directory: Path, *, count: int, seconds: float, seed: int) -> bool:
    random = Random(seed)
    stations = sorted({one.station for one in roster.profiles(count, terminals=1, every=EVERY, sample=5 * EVERY)})
    (directory / "script.txt").write_text(script(stations, seconds, random))
    fleet = subprocess.Popen(
        [
            sys.executable, "-m", "milepost", "simulate", "--stations", str(count), "--terminals", "1",
            "--every", str(EVERY), "--seconds", str(seconds), "--script", str(directory / "script.txt"),
            "--broker", f"mqtt://127.0.0.1:{stack.mqtt_port}", "--journal", str(directory / "journal.jsonl"),
            "--check", stack.url, "--token-file", str(stack.data / "admin.token"),
        ],
    )  # fmt: skip
    try:
        with Memory(stack) as memory:
            senders = max(len(hostile.KINDS), count // 100)
            hostile.play(hostile.Wire(stack.mqtt_port, stack.http_port, stations, random), seconds, senders)
            time.sleep(5)
        return _judge(stack, memory, fleet.wait(900))
    finally:
        fleet.kill()


def _judge(stack: Stack, memory: Memory, check: int) -> bool:
    good = check == 0
    print(f"check of the honest: {'nothing found' if good else 'see above'}")
    for part, before, after in memory.report():
        flat = after <= (LOG_MIB if part == "kafka" else FLAT * before + 2)
        good = good and flat
        print(f"{part:<10} {before:8.1f} MiB, at last {after:8.1f} MiB {'' if flat else '  GROWS'}")
    kinds = named(stack)
    unseen = {kind.__name__ for kind in hostile.KINDS} - {*kinds, *UNNAMED}
    if unseen:
        raise ValueError(f"no check looks for {', '.join(sorted(unseen))}: name them in named or UNNAMED")
    for kind, found in kinds.items():
        good = good and found
        print(f"{kind:<20} {'named' if found else 'NOT NAMED'}")
    print(f"without effect on the honest: {', '.join(UNNAMED)}")
    blind = stack.items("incidents", kind="pipeline_blind")
    print(f"pipeline_blind: {[(one['began_at'], one['closed_at']) for one in blind]}")
    return good and not blind


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="milepost-soak-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        stack = Stack(directory / "data")
        try:
            stack.start()
            honest = given.stations - len(hostile.KINDS)
            good = run(stack, directory, count=honest, seconds=given.minutes * 60, seed=given.seed)
        finally:
            stack.end()
    print("all is well" if good else "something is wrong: see above")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
