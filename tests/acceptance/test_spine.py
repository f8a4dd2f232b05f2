"""The straight path: a real terminal falls silent, and the system says so in time."""

import itertools
import json
from datetime import datetime

import pytest

from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import Terminal, now_ms, publish


def when(text: object) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


def test_a_terminal_falls_silent_and_comes_back(stack: Stack) -> None:
    terminal = Terminal(stack.mqtt_port, "6321220007").start()
    wait_until(lambda: stack.verdicts().get("6321220007") == "online", 15, "it is not online")
    station = stack.get("stations/6321220007")
    assert station["usable"] is True
    assert [t["id"] for t in station["terminals"]] == ["001"]

    last = terminal.power_off()
    (incident,) = wait_until(
        lambda: [i for i in stack.items("incidents", kind="station_offline") if i["station"] == "6321220007"], 60
    )
    assert incident["status"] == "open"
    # The deadline is k × every after the last heartbeat. How soon after it is measured, not asserted; before it, never.
    seen = when(stack.get("stations/6321220007")["last_seen"])
    assert seen > last - 2.0, "it is the last heartbeat, and not the one before"
    assert when(incident["opened_at"]) >= seen + 6.0
    assert when(incident["began_at"]) == pytest.approx(seen + 2.0, abs=0.01)
    alert = wait_until(lambda: [a for a in stack.alerts() if "6321220007" in json.dumps(a)], 60, "no alert")
    assert len(alert) == 1
    assert stack.verdicts()["6321220007"] == "offline"

    again = Terminal(stack.mqtt_port, "6321220007", run=2).start()
    wait_until(lambda: stack.verdicts()["6321220007"] == "online", 60, "it does not come back")
    wait_until(lambda: stack.get(f"incidents/{incident['id']}")["status"] == "closed", 60, "it stays open")
    wait_until(lambda: len([a for a in stack.alerts() if "6321220007" in json.dumps(a)]) == 2, 60, "no closing notice")
    intervals = stack.get("stations/6321220007/timeline")["intervals"]
    assert [i["verdict"] for i in intervals] == ["never_seen", "online", "offline", "online"]
    assert all(a["to"] == b["from"] for a, b in itertools.pairwise(intervals))
    again.power_off()


def test_records_are_stored_once_and_acknowledged(stack: Stack) -> None:
    terminal = Terminal(stack.mqtt_port, "6321220008").start()
    for number in range(120):
        terminal.record("health", cpu=number / 1000, services={"reader": True})
    terminal.record("usage", until=now_ms(), sessions=4, minutes=33.5)
    wait_until(lambda: not terminal.outbox, 30, "records stay unacknowledged")
    wait_until(lambda: stack.verdicts().get("6321220008") == "online", 15, "it is not registered")
    found = wait_until(
        lambda: len(items := stack.items("stations/6321220008/health")) >= 120 and items, 10, "they are not stored"
    )
    assert sorted(round(item["cpu"], 3) for item in found) == [number / 1000 for number in range(120)]
    # The usage may lie in a later batch than the health.
    total = {"sessions": 4, "minutes": 33.5}
    wait_until(lambda: stack.get("stations/6321220008/usage")["total"] == total, 10, "the usage is not stored")
    terminal.power_off()


HEAD = {"v": 1, "boot": "b", "run": 1, "at": 0}
FAULTS = {
    "bad_json": ("heartbeat", b'{"v":1,'),
    "wrong_type": ("heartbeat", json.dumps({**HEAD, "n": "many", "every": 60}).encode()),
    "out_of_range": ("heartbeat", json.dumps({**HEAD, "n": 1, "every": 0}).encode()),
    "missing_field": ("heartbeat", json.dumps({**HEAD, "n": 1}).encode()),
    "unknown_version": ("heartbeat", json.dumps({**HEAD, "v": 7, "n": 1, "every": 60}).encode()),
    "too_large": ("data", json.dumps({**HEAD, "box": "b", "records": [], "pad": "x" * 300_000}).encode()),
    "not_utf8": ("status", b'{"v":1,"boot":"\xff\xfe"}'),
    "unknown_kind": ("data", json.dumps({**HEAD, "box": "b", "records": [{"id": 1, "kind": "x", "at": 0}]}).encode()),
    "unknown_channel": ("gossip", b"{}"),
    "bad_topic": (None, b"{}"),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_faulty_message_is_named_and_stops_nothing(stack: Stack, reason: str) -> None:
    channel, payload = FAULTS[reason]
    neighbour = Terminal(stack.mqtt_port, f"fault-{reason}").start()
    before, seen = neighbour.record("health", cpu=0.5), len(stack.items("deadletters"))
    topic = f"milepost/v1/bad station/{reason}" if channel is None else f"milepost/v1/faulty-{reason}/001/{channel}"
    publish(stack.mqtt_port, topic, payload)
    after = neighbour.record("health", cpu=0.6)
    letters = wait_until(lambda: stack.items("deadletters")[: -seen or None], 10, "no dead letter")
    (letter,) = [letter for letter in letters if letter["topic"] == topic]
    assert letter["reason"] == reason
    assert len(letter["detail"]) > 5
    wait_until(lambda: {before, after} <= neighbour.acked_ids, 15, "the neighbours are not acknowledged")
    wait_until(lambda: stack.verdicts().get(f"fault-{reason}") == "online", 15, "the neighbour is not registered")
    wait_until(lambda: len(stack.items(f"stations/fault-{reason}/health")) == 2, 10, "the neighbours are not stored")
    neighbour.power_off()


def test_the_pipeline_tells_how_it_is(stack: Stack) -> None:
    pipeline = stack.get("pipeline")
    assert "main" in json.dumps(pipeline)
    assert stack.is_ready()
