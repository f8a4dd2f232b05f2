"""Ctrl-C, half a minute later again: history and states go on, and nobody fell because of the pause."""

import time
from pathlib import Path

import pytest

from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import power_off, start_fleet

PAUSE = 30.0


@pytest.mark.timeout(240)
def test_state_goes_on_after_a_pause(server_dir: Path) -> None:
    directory = server_dir / "restart"
    directory.mkdir()
    directory.chmod(0o755)
    stack = Stack(directory / "data").start()
    fleet = start_fleet(stack.mqtt_port, 5)
    try:
        wait_until(lambda: list(stack.verdicts().values()).count("online") == 5, 30, "the fleet is not online")
        fleet[0].record("usage", until=0, sessions=3, minutes=20)
        wait_until(lambda: fleet[0].acked_ids, 20, "the record is not acknowledged")
        dead = fleet.pop()
        dead.power_off()
        wait_until(lambda: stack.verdicts()[dead.station] == "offline", 30, "a dead one is not found")
        assert stack.stop() == 0
        time.sleep(PAUSE)
        stack.start()
        wait_until(lambda: "unknown" not in stack.verdicts().values(), 30, "the clocks do not go on")
        time.sleep(20)
        verdicts = stack.verdicts()
        assert verdicts.pop(dead.station) == "offline"
        assert set(verdicts.values()) == {"online"}
        assert [i["station"] for i in stack.items("incidents", kind="station_offline")] == [dead.station]
        intervals = stack.get(f"stations/{fleet[0].station}/timeline")["intervals"]
        assert [i["verdict"] for i in intervals][-3:] == ["online", "unknown", "online"]
        assert stack.get(f"stations/{fleet[0].station}/usage")["total"] == {"sessions": 3, "minutes": 20}
    finally:
        power_off(fleet)
        stack.end()
