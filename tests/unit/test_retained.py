"""Which retained messages are cleared, and how much is remembered until then."""

import pytest

from broker.retained import LARGE, MOST, Retained
from contract.messages import MAX_PAYLOAD

ROOM = "milepost/v1/6321220007/001/"


@pytest.mark.parametrize(
    ("channel", "size", "retain", "refused", "cleared"),
    [
        pytest.param("status", 300, True, None, False, id="a status is kept"),
        pytest.param("status", LARGE + 1, False, None, True, id="a status too large to keep"),
        pytest.param("status", 300, True, "bad_json", True, id="a status that nobody can read"),
        pytest.param("status", 300, True, "unknown_version", False, id="a status of a contract to come"),
        pytest.param("heartbeat", 300, True, None, True, id="a heartbeat that was retained"),
        pytest.param("data", 300, False, None, False, id="data as they should be"),
        pytest.param("data", 100_000, False, None, True, id="data of which nobody says whether they are retained"),
        pytest.param("reply", 300, True, None, True, id="a reply that was retained"),
        pytest.param("command", 300, True, None, True, id="a command that was retained"),
        pytest.param("config", 300, True, None, False, id="a configuration is kept"),
        pytest.param("config", 100_000, True, None, False, id="a large one too"),
        pytest.param("config", MAX_PAYLOAD + 1, True, None, True, id="none that no terminal would read"),
        pytest.param("nonsense", 3, False, "unknown_channel", True, id="an unknown channel"),
    ],
)
def test_what_is_cleared(channel: str, size: int, retain: bool, refused: str | None, cleared: bool) -> None:
    retained = Retained()
    retained.note(ROOM + channel, size, retain=retain, refused=refused)
    assert retained.take() == ({ROOM + channel} if cleared else frozenset())
    assert retained.take() == frozenset()


def test_what_is_remembered_is_bounded() -> None:
    retained = Retained()
    for number in range(MOST + 50):
        retained.note(f"milepost/v1/s/{number}/data", LARGE + 1, retain=False, refused=None)
    assert len(retained.take()) == MOST


def test_our_own_clearing_is_no_message() -> None:
    retained = Retained()
    retained.note("milepost/x", 1, retain=False, refused="bad_topic")
    retained.take()
    assert retained.is_echo("milepost/x", b"")
    assert not retained.is_echo("milepost/x", b"x")
    assert not retained.is_echo("milepost/y", b"")
