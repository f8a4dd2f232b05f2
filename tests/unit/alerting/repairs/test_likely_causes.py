"""The likely cause of an incident, by what is known of it."""

from typing import Any

import pytest

from alerting.repairs.likely import CauseFacts, facts_of_row, likely_causes
from alerting.repairs.rules import CAUSES

CASES: dict[str, tuple[dict[str, Any], list[tuple[str, list[str]]]]] = {
    "nothing is known": ({}, []),
    "one operator": ({"shared": "uplink", "shared_name": "telecom"}, [("uplink", ["same_uplink (telecom)"])]),
    "one feeder": ({"shared": "feeder", "shared_name": "F7"}, [("power", ["same_feeder (F7)"])]),
    "one version": ({"shared": "agent", "shared_name": "1.2"}, [("agent", ["same_agent (1.2)"])]),
    "one shard": ({"shared": "shard", "shared_name": "main"}, [("platform", ["same_shard (main)"])]),
    "one area says nothing by itself": ({"shared": "area"}, []),
    "the platform": ({"kind": "pipeline_blind"}, [("platform", ["platform_blind"])]),
    "an identity twice": ({"kind": "identity_conflict"}, [("tamper", ["two_identities"])]),
    "ran on, and has not been started anew": (
        {"ran_meanwhile": True, "same_boot": True, "rtt_ms": 2500.0},
        [("uplink", ["ran_meanwhile", "same_boot", "slow_link (2500 ms)"])],
    ),
    "started anew": ({"same_boot": False}, [("power", ["new_boot"])]),
    "started anew after it ran on: the network comes first": (
        {"same_boot": False, "ran_meanwhile": True},
        [("uplink", ["ran_meanwhile"]), ("power", ["new_boot"])],
    ),
    "its neighbours too: power or network": (
        {"near": 4, "near_down": 2},
        [("power", ["many_near (2/4)"]), ("uplink", ["many_near (2/4)"])],
    ),
    "few of its neighbours": ({"near": 4, "near_down": 1}, []),
    "one neighbour proves nothing": ({"near": 1, "near_down": 1}, []),
    "neighbours and a new start": (
        {"near": 4, "near_down": 3, "same_boot": False},
        [("power", ["new_boot", "many_near (3/4)"]), ("uplink", ["many_near (3/4)"])],
    ),
    "a stopped program and a full disk": (
        {"kind": "unusable", "stopped": ("kiosk", "nginx"), "disk": 0.99},
        [("agent", ["program_stopped (kiosk, nginx)", "disk_full (99%)"])],
    ),
    "hot, and no access point": ({"temp": 91.4, "wifi": False}, [("hardware", ["was_hot (91 °C)", "wifi_failed"])]),
    "a warm machine": ({"temp": 60.0, "disk": 0.5, "rtt_ms": 80.0, "wifi": True}, []),
    "an old agent": ({"kind": "health", "rule": "agent_too_old"}, [("agent", ["agent_rule"])]),
    "a dead channel has no such cause": ({"kind": "channel_dead", "near": 4, "near_down": 4}, []),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_likely(given: dict[str, Any], expected: list[tuple[str, list[str]]]) -> None:
    found = likely_causes(CauseFacts(**{"kind": "station_offline", **given}))
    shown = [(one.cause, [e.sign + (f" ({e.value})" if e.value else "") for e in one.evidence]) for one in found]
    assert shown == expected
    assert {one.cause for one in found} <= set(CAUSES)


def test_a_row_of_the_database() -> None:
    row = dict.fromkeys(["shared", "shared_name", "reason", "rule", "temp", "disk", "rtt_ms", "wifi"])
    row |= {"kind": "unusable", "services": {"b": False, "a": False, "c": True}, "box_before": "x", "box_after": "x"}  # type: ignore[dict-item]
    row |= {"ran_meanwhile": False, "near": 0, "near_down": 0}  # type: ignore[dict-item]
    found = facts_of_row(row)
    assert (found.stopped, found.same_boot) == (("a", "b"), True)
    assert facts_of_row({**row, "services": None, "box_after": None}).same_boot is None
