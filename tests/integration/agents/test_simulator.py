"""`milepost simulate` as a process against `milepost up`: faults, journal, and the check by the API."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.simulator import journal, roster
from agents.simulator.journal import HeartbeatSent, RecordMade, RecordsAcked
from tests.acceptance.stack import Stack, wait_until

FAULTS = """\
13s  kill       6302020001/001  for=7s
13s  cut        area:630225     for=7s
13s  garbage    6302020003/001  count=3
13s  wrong      6302020004/001  clock=1970
13s  duplicate  6302020005/001
13s  reorder    6302020006/001
13s  steal      6302020007/001  for=7s
"""
TOGETHER = """\
8s   stall  bridge  for=6s
20s  kill   all     for=8s
"""


@pytest.fixture
def stack(server_dir: Path) -> Iterator[Stack]:
    place = Path(tempfile.mkdtemp(prefix="fleet-", dir=server_dir))
    place.chmod(0o755)
    stack = Stack(place / "data")
    yield stack
    stack.end()


def simulate(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-P", "-m", "milepost", "simulate", "--broker", f"mqtt://127.0.0.1:{stack.mqtt_port}",
        "--check", stack.url, "--token-file", str(stack.data / "admin.token"), *arguments,
    ]  # fmt: skip
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=90, check=False)


def test_what_fifty_stations_lived_through_is_what_milepost_says(stack: Stack, tmp_path: Path) -> None:
    stack.start()
    script, book = tmp_path / "faults.txt", tmp_path / "journal.jsonl"
    script.write_text(FAULTS)
    result = simulate(
        stack, "--stations", "50", "--every", "1", "--seconds", "23", "--script", str(script), "--journal", str(book)
    )
    assert result.returncode == 0, result
    assert "50 stations: no false offline, none missed" in result.stdout
    assert "50 of 50 connected" in result.stdout
    fallen = {one["station"] for one in stack.items("incidents", kind="station_offline")}
    assert fallen == {"6302020001", *(f"630225000{number}" for number in range(1, 6)), "6302251001"}
    assert len([one for one in stack.items("deadletters") if one["station"] == "6302020003"]) == 3
    wait_until(lambda: "presence" in evidence(stack, "6302250001"), 60, "the outage is not proved by presence")
    _plant(book, stack)


def test_stations_that_are_switched_off_together_and_a_bridge_that_stands_still_are_told_apart(
    stack: Stack, tmp_path: Path
) -> None:
    """Those that were not online for ten minutes give no reason to suspect the shard; our own outage is blind."""
    stack.start()
    script, book = tmp_path / "faults.txt", tmp_path / "journal.jsonl"
    script.write_text(TOGETHER)
    (bridge,) = stack.processes("bridge")
    result = simulate(
        stack, "--stations", "25", "--every", "1", "--seconds", "34", "--script", str(script), "--journal", str(book),
        "--bridge-pid", str(bridge.pid),
    )  # fmt: skip
    assert result.returncode == 0, result
    (blind,) = stack.items("incidents", kind="pipeline_blind")
    assert "shard_suspected" not in blind["detail"]["causes"]
    fallen = {one["station"] for one in stack.items("incidents", kind="station_offline")}
    assert fallen == {station for station, _ in roster.stations(25)}


def evidence(stack: Stack, station: str) -> set[str]:
    return {one["evidence"] for one in stack.get(f"stations/{station}/timeline")["intervals"]}


def _plant(book: Path, stack: Stack) -> None:
    """The same journal with a heartbeat more and a record more: the check by the API must find both lies."""
    with book.open("rb") as file:
        entries = list(journal.read(file))
    beats = [one for one in entries if isinstance(one, HeartbeatSent) and one.station == "6302020001"]
    last = max(beats, key=lambda one: one.at)
    planted = [
        HeartbeatSent(at=at, station=last.station, terminal="001", boot=last.boot, run=last.run, n=0, every=1.0)
        for at in range(beats[0].at, last.at, 1000)
    ]
    lost = {"at": last.at, "station": last.station, "terminal": "001", "box": last.boot}
    entries += [*planted, RecordMade(id=9999, kind="health", **lost), RecordsAcked(ids=[(9999, 9999)], **lost)]
    book.write_bytes(b"".join(map(journal.line, sorted(entries, key=lambda one: one.at))))
    result = simulate(stack, "--stations", "0", "--journal", str(book))
    assert result.returncode == 1, result
    for kind in ("false_offline", "false_incident", "lost_record"):
        assert f"{kind}: station 6302020001" in result.stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("20s fly all", "{script}: line 2: 'fly' is no deed"),
        ("20s stall bridge for=3s", "--bridge-pid is None: give the process id of the bridge"),
    ],
)
def test_a_script_that_cannot_be_done_is_named(tmp_path: Path, line: str, says: str) -> None:
    script = tmp_path / "faults.txt"
    script.write_text(f"10s kill all\n{line}\n")
    command = [
        sys.executable, "-P", "-m", "milepost", "simulate", "--stations", "5", "--broker", "mqtt://127.0.0.1:1",
        "--script", str(script),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 2
    assert says.format(script=script) in result.stderr
