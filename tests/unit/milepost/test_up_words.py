"""What `milepost up` prints of how terminals and other commands reach it."""

from pathlib import Path

import pytest

from milepost.commands.up import commands, mqtt_address, terminals
from milepost.settings import Settings
from milepost.stack.servers import Servers

HERE = "mqtt://127.0.0.1:1883"
ONLY = "for terminals on this machine; for others too: milepost up --mqtt-bind ADDRESS"
NEEDED = "terminals need an account: milepost account STATION --data /d"
EVERYBODY = "every machine that reaches it can send for every station (MILEPOST_MQTT_ANONYMOUS is on)"
THERE = (
    "and then there: milepost agent --station STATION --broker mqtt://192.0.2.10:1883 "
    "--mqtt-password-file STATION.password"
)
UNENCRYPTED = "without TLS: for a network that you trust, see docs/operations.md"


@pytest.mark.parametrize(
    ("bind", "accounts", "said"),
    [
        pytest.param("127.0.0.1", False, [ONLY], id="this machine"),
        pytest.param("127.0.0.1", True, [ONLY, NEEDED], id="this machine, with accounts"),
        pytest.param("192.0.2.10", True, [NEEDED, THERE, UNENCRYPTED], id="other machines"),
        pytest.param("192.0.2.10", False, [EVERYBODY], id="everybody"),
    ],
)
def test_who_gets_in_and_how(bind: str, accounts: bool, said: list[str]) -> None:
    settings = Settings(data=Path("/d"), mqtt_bind=bind)
    rows = terminals(settings, Servers(postgres=1, kafka=2, mqtt=1883, accounts=accounts))
    assert [row[1].en for row in rows] == said
    assert all(row[1].zh != row[1].en for row in rows)


def test_of_a_broker_of_ones_own_it_says_nothing() -> None:
    assert terminals(Settings(), Servers(postgres=1, kafka=2, mqtt=None)) == []


@pytest.mark.parametrize(
    ("url", "bind", "said"),
    [
        (HERE, "127.0.0.1", HERE),
        (HERE, "192.0.2.10", f"{HERE}, and 192.0.2.10 port 1883"),
        ("mqtts://h:8883", "127.0.0.1", "mqtts://h:8883"),
    ],
)
def test_where_the_broker_is(url: str, bind: str, said: str) -> None:
    assert mqtt_address(Settings(mqtt_url=url, mqtt_bind=bind)).en == said


def test_how_other_commands_find_it() -> None:
    usual = [row[1].en for row in commands(Path("/a b/.milepost"))]
    assert usual == [
        "milepost import …, agent …, simulate … find it in /a b;",
        "elsewhere with --data '/a b/.milepost'",
    ]
    (other,) = commands(Path("/a/data"))
    assert other[1].en == "milepost import …, agent …, simulate … find it with --data /a/data"
