"""Which retained messages are cleared, and how much is remembered until then."""

import pytest

from broker.retained import LARGE, MOST, MOST_FILTERS, Retained
from contract.messages import MAX_PAYLOAD

ROOM, AROUND = "milepost/v1/6321220007/001/", "milepost/v1/6321220007/#"


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
    retained.note_message(ROOM + channel, size, retain=retain, refused=refused)
    assert retained.take_filters() == ({AROUND} if cleared else frozenset())
    if cleared:
        assert retained.must_clear(ROOM + channel, size)
    assert retained.take_filters() == frozenset()


def test_only_what_is_found_is_cleared() -> None:
    retained = Retained()
    retained.note_message(ROOM + "status", 5, retain=False, refused="bad_json")
    retained.take_filters()
    assert not retained.must_clear("milepost/v1/6321220007/002/status", 300), "a neighbour's, as it should be"
    assert retained.must_clear("milepost/v1/6321220007/003/heartbeat", 300), "none that is kept, found by chance"
    assert retained.must_clear(ROOM + "status", 5)


def test_what_is_remembered_is_bounded() -> None:
    retained = Retained()
    for number in range(MOST + 50):
        retained.note_message(f"milepost/v1/s/{number}/data", LARGE + 1, retain=False, refused=None)
    assert retained.take_filters() == {"milepost/v1/s/#"}
    assert not retained.must_clear(f"milepost/v1/s/{MOST}/status", 5), "beyond what is remembered"
    for number in range(MOST_FILTERS + 50):
        retained.note_message(f"milepost/v1/s{number}/001/data", LARGE + 1, retain=False, refused=None)
    assert len(retained.take_filters()) == MOST_FILTERS


def test_our_own_clearing_is_no_message() -> None:
    retained = Retained()
    retained.note_message("milepost/x", 1, retain=False, refused="bad_topic")
    assert retained.take_filters() == {"milepost/x"}
    assert not retained.is_echo("milepost/x", b"")
    assert retained.must_clear("milepost/x", 1)
    assert retained.is_echo("milepost/x", b"")
    assert not retained.is_echo("milepost/x", b"x")
    assert not retained.is_echo("milepost/y", b"")
