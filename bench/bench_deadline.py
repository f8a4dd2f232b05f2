"""From the deadline of a silent terminal to its incident in the database, through all of `milepost up`.

`python -m bench.bench_deadline [--terminals N]`: real MQTT connections at a 2-second heartbeat, cut off one by one.
"""

import argparse
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import start_fleet

EVERY = 2.0
DEADLINE = 3 * EVERY
PAUSE = 0.137
"""Seconds between two deaths: no divisor of the tick's interval, so that they fall anywhere between ticks."""


def when(text: object) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


def delays(stack: Stack, terminals: int) -> list[float]:
    """Seconds from each deadline to the opening of the incident."""
    fleet = start_fleet(stack.mqtt_port, terminals, every=EVERY)
    wait_until(lambda: list(stack.verdicts().values()).count("online") == terminals, 60, "the fleet is not online")
    time.sleep(2 * EVERY + 12)  # past the floor that follows a start
    last = {}
    for terminal in fleet:
        last[terminal.station] = terminal.power_off()
        time.sleep(PAUSE)
    wait_until(lambda: len(stack.items("incidents", kind="station_offline")) == terminals, 30, "not all were found")
    opened = {i["station"]: when(i["opened_at"]) for i in stack.items("incidents", kind="station_offline")}
    return sorted(opened[station] - (last[station] + DEADLINE) for station in last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as name:
        Path(name).chmod(0o755)
        stack = Stack(Path(name) / "data").start()
        try:
            found = delays(stack, given.terminals)
        finally:
            stack.end()
    print(f"\n{given.terminals} terminals, heartbeat {EVERY} s: seconds from the deadline to the incident")
    print(f"  {'least':>8}{'median':>8}{'90%':>8}{'most':>8}   limit 1")
    ninety = found[int(len(found) * 0.9)]
    print(f"  {found[0]:8.3f}{statistics.median(found):8.3f}{ninety:8.3f}{found[-1]:8.3f}")


if __name__ == "__main__":
    main()
