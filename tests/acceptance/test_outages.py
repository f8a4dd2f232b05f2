"""Our outage is never theirs: whatever of ours stops, no station is called offline for it, and who died is found."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import Terminal, power_off, start_fleet

pytestmark = pytest.mark.timeout(300)

EVERY = 2.0
FLEET = 20
STOP = 20.0


@pytest.fixture
def stack(server_dir: Path, name: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack for each outage: several of them within ten minutes would be one incident, of a pipeline that is
    unstable."""
    directory = server_dir / f"{request.function.__name__}-{name}"
    directory.mkdir()
    directory.chmod(0o755)
    running = Stack(directory / "data")
    running.start()
    yield running
    running.end()


@pytest.fixture
def fleet(stack: Stack) -> Iterator[list[Terminal]]:
    terminals = start_fleet(stack.mqtt_port, FLEET, every=EVERY)
    wait_until(lambda: list(stack.verdicts().values()).count("online") == FLEET, 30, "the fleet is not online")
    yield terminals
    power_off(terminals)


def settled(stack: Stack) -> bool:
    """The pipeline is judged again, and no incident of it is open."""
    blind = stack.items("incidents", kind="pipeline_blind", status="open")
    return stack.is_ready() and not blind and "unknown" not in stack.verdicts().values()


def expect_only(stack: Stack, dead: Terminal, died_at: float) -> None:
    """The dead terminal's station is offline, no other one was, and the platform's own trouble is one incident."""
    wait_until(
        lambda: [i["station"] for i in stack.items("incidents", kind="station_offline")] == [dead.station],
        60,
        lambda: f"expected only {dead.station}: {stack.items('incidents', kind='station_offline')}",
    )
    wait_until(lambda: settled(stack), 60, "the pipeline does not settle")
    (incident,) = stack.items("incidents", kind="station_offline")
    began = datetime.fromisoformat(str(incident["began_at"])).timestamp()
    assert began >= died_at, "dated before its last heartbeat"


@pytest.mark.parametrize("name", ["bridge", "judge", "kafka", "postgres"])
def test_frozen_for_a_while(stack: Stack, fleet: list[Terminal], name: str) -> None:
    dead = fleet[3]
    stack.freeze(name)
    time.sleep(STOP / 2)
    died_at = dead.power_off()
    time.sleep(STOP / 2)
    stack.thaw(name)
    expect_only(stack, dead, died_at)
    assert len(stack.items("incidents", kind="pipeline_blind")) == 1


@pytest.mark.parametrize("name", ["bridge", "judge", "kafka", "postgres", "mqtt"])
def test_killed(stack: Stack, fleet: list[Terminal], name: str) -> None:
    dead = fleet[5]
    stack.kill(name)
    died_at = dead.power_off()
    expect_only(stack, dead, died_at)
    assert len(stack.items("incidents", kind="pipeline_blind")) <= 1
