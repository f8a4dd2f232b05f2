"""Our outage is never theirs: whatever of ours stops, no station is called offline for it, and who died is found."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import Terminal, power_off, start_fleet

pytestmark = pytest.mark.timeout(300)

EVERY = 2.0
FLEET = 20
STOP = 20.0


@pytest.fixture(scope="module")
def fleet(stack: Stack) -> Iterator[list[Terminal]]:
    terminals = start_fleet(stack.mqtt_port, FLEET, every=EVERY)
    wait_until(lambda: list(stack.verdicts().values()).count("online") == FLEET, 30, "the fleet is not online")
    yield terminals
    power_off(terminals)


class Outage:
    """What was there before, so that only what came of this outage is looked at."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._known = {incident["id"] for incident in stack.items("incidents")}

    def incidents(self, kind: str) -> list[dict[str, object]]:
        return [i for i in self._stack.items("incidents", kind=kind) if i["id"] not in self._known]


def revive(stack: Stack, fleet: list[Terminal], dead: Terminal) -> None:
    """A new life of a terminal that was cut off, so that the next test finds all online."""
    fleet[fleet.index(dead)] = Terminal(stack.mqtt_port, dead.station, every=EVERY, run=dead.run + 1).start()
    wait_until(lambda: stack.verdicts()[dead.station] == "online", 60, "it does not come back")


def settled(stack: Stack) -> bool:
    """The pipeline is judged again, and no incident of it is open."""
    blind = stack.items("incidents", kind="pipeline_blind", status="open")
    return stack.is_ready() and not blind and "unknown" not in stack.verdicts().values()


def expect_only(stack: Stack, outage: Outage, dead: Terminal, died_at: float) -> None:
    """The dead terminal's station is offline, no other one was, and the platform's own trouble is one incident."""
    wait_until(
        lambda: [i["station"] for i in outage.incidents("station_offline")] == [dead.station],
        60,
        lambda: f"expected only {dead.station}: {outage.incidents('station_offline')}",
    )
    wait_until(lambda: settled(stack), 60, "the pipeline does not settle")
    (incident,) = outage.incidents("station_offline")
    began = datetime.fromisoformat(str(incident["began_at"])).timestamp()
    assert began >= died_at, "dated before its last heartbeat"


@pytest.mark.parametrize("name", ["bridge", "judge", "kafka", "postgres"])
def test_frozen_for_a_while(stack: Stack, fleet: list[Terminal], name: str) -> None:
    outage = Outage(stack)
    dead = fleet[3]
    stack.freeze(name)
    time.sleep(STOP / 2)
    died_at = dead.power_off()
    time.sleep(STOP / 2)
    stack.thaw(name)
    expect_only(stack, outage, dead, died_at)
    assert len(outage.incidents("pipeline_blind")) == 1
    revive(stack, fleet, dead)


@pytest.mark.parametrize("name", ["bridge", "judge", "kafka", "postgres", "mqtt"])
def test_killed(stack: Stack, fleet: list[Terminal], name: str) -> None:
    outage = Outage(stack)
    dead = fleet[5]
    stack.kill(name)
    died_at = dead.power_off()
    expect_only(stack, outage, dead, died_at)
    assert len(outage.incidents("pipeline_blind")) <= 1
    revive(stack, fleet, dead)
