"""No acknowledged record is lost and nothing is counted twice, whatever is killed, with Apache Kafka under load."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import Terminal, power_off, start_fleet
from tests.conftest import PARTITIONS
from tests.servers import ApacheKafka

pytestmark = pytest.mark.timeout(400)

TERMINALS = 20
BETWEEN_KILLS = 6.0
EACH_LOAD = 60
"""Records that every terminal writes at least, however slow the machine is."""


def load(fleet: list[Terminal], seconds: float) -> None:
    """Every terminal writes twenty records a second; `rx` carries the record's number."""
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end or rounds < EACH_LOAD:
        for terminal in fleet:
            terminal.record("health", numbered="rx", cpu=0.5)
        rounds += 1
        time.sleep(0.05)


def stored(stack: Stack, terminal: Terminal) -> Counter[int]:
    return Counter(item["rx"] for item in stack.items(f"stations/{terminal.station}/health"))


def missing(stack: Stack, fleet: list[Terminal], sent: dict[str, set[int]], acked: dict[str, set[int]]) -> str:
    """Which records of which stations are not there, and what the processes said last."""
    lines = ["records are missing:"]
    for terminal in fleet:
        station = terminal.station
        lost = sorted(sent[station] - set(stored(stack, terminal)))
        if lost:
            early = len(acked[station] & set(lost))
            lines.append(f"  {station}: {len(lost)} in {lost[0]}-{lost[-1]}, {early} of them acknowledged early")
    return "\n".join([*lines, stack.output.read_text()[-4000:]])


def test_every_record_arrives_once(server_dir: Path, apache_kafka: ApacheKafka) -> None:
    directory = server_dir / "no-loss"
    directory.mkdir()
    directory.chmod(0o755)
    stack = Stack(
        directory / "data", MILEPOST_KAFKA_SERVERS=apache_kafka.servers, MILEPOST_PARTITIONS=str(PARTITIONS)
    ).start()
    fleet = start_fleet(stack.mqtt_port, TERMINALS, every=5.0)
    try:
        load(fleet, BETWEEN_KILLS)
        for name in ("bridge", "ingest", "judge", "incidents"):
            stack.kill(name)
            load(fleet, BETWEEN_KILLS)
        apache_kafka.kill()
        load(fleet, 2.0)
        apache_kafka.start()
        load(fleet, BETWEEN_KILLS)
        acked = {terminal.station: set(terminal.acked_ids) for terminal in fleet}
        wait_until(lambda: not any(t.outbox for t in fleet), 120, "records stay unacknowledged")
        sent = {terminal.station: set(terminal.sent_ids) for terminal in fleet}
        wait_until(
            lambda: all(set(stored(stack, t)) == sent[t.station] for t in fleet),
            60,
            lambda: missing(stack, fleet, sent, acked),
        )
        for terminal in fleet:
            found = stored(stack, terminal)
            assert acked[terminal.station] <= set(found)
            assert set(found.values()) == {1}, "a record is there twice"
        assert sum(map(len, sent.values())) > 5_000
        # The log is shared with other tests, so only what became of our own stations is asked.
        fallen = {incident["station"] for incident in stack.items("incidents", kind="station_offline")}
        assert not fallen & set(sent)
    finally:
        power_off(fleet)
        stack.end()
