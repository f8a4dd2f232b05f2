"""Who may connect to the broker of `milepost up`, and the command that says so."""

import base64
import hashlib
import stat
from pathlib import Path

import pytest

from contract.errors import RemedyError
from milepost import cli
from milepost.commands.account import agent_command
from milepost.embedded import accounts, mqtt
from milepost.settings import Settings
from milepost.stack.servers import choose_servers
from tests.servers import find_free_port

STATION = "6321220007"


@pytest.mark.parametrize(
    ("bind", "anonymous", "wanted"),
    [
        pytest.param("127.0.0.1", None, False, id="this machine"),
        pytest.param("::1", None, False, id="this machine, IPv6"),
        pytest.param("127.0.0.2", None, False, id="another loopback"),
        pytest.param("0.0.0.0", None, True, id="every machine"),  # noqa: S104
        pytest.param("::", None, True, id="every machine, IPv6"),
        pytest.param("192.0.2.10", None, True, id="one network"),
        pytest.param("192.0.2.10", True, False, id="everybody, aloud"),
        pytest.param("127.0.0.1", False, True, id="nobody, not even here"),
    ],
)
def test_when_accounts_are_wanted(bind: str, anonymous: bool | None, wanted: bool) -> None:
    assert accounts.are_wanted(Settings(mqtt_bind=bind, mqtt_anonymous=anonymous)) is wanted


@pytest.mark.parametrize("bind", ["everywhere", "localhost", "192.0.2.10:1883", "", "*"])
def test_an_address_that_is_none_is_named(bind: str) -> None:
    with pytest.raises(RemedyError, match=r"MILEPOST_MQTT_BIND is .*: give an IP address") as raised:
        accounts.are_wanted(Settings(mqtt_bind=bind))
    assert "请填写本机的 IP 地址" in raised.value.said.zh


def test_a_broker_without_passwords_is_refused_with_every_remedy() -> None:
    accounts.require_possible("mosquitto")
    with pytest.raises(
        RemedyError, match=r"iotcore.*install mosquitto.*MILEPOST_MQTT_URL.*MILEPOST_MQTT_ANONYMOUS=yes"
    ):
        accounts.require_possible("iotcore")


def test_up_asks_before_it_starts_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Mosquitto is not installed."""
    monkeypatch.setattr(mqtt, "mosquitto_binary", lambda: None)
    free = {"http_port": find_free_port(), "mqtt_port": find_free_port()}
    with pytest.raises(RemedyError, match="knows no passwords"):
        choose_servers(Settings(mqtt_bind="0.0.0.0", **free), tmp_path)  # noqa: S104
    aloud = choose_servers(Settings(mqtt_bind="0.0.0.0", mqtt_anonymous=True, **free), tmp_path)  # noqa: S104
    assert (aloud.mqtt, aloud.accounts) == (free["mqtt_port"], False)
    usual = choose_servers(Settings(**free), tmp_path)
    assert not usual.accounts


def test_a_broker_of_ones_own_listens_where_it_listens(tmp_path: Path) -> None:
    own = Settings(mqtt_url="mqtt://h", mqtt_bind="0.0.0.0", http_port=find_free_port())  # noqa: S104
    with pytest.raises(RemedyError, match="MILEPOST_MQTT_URL names one of your own: unset one of them"):
        choose_servers(own, tmp_path)


@pytest.mark.parametrize(
    ("bind", "listens"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("0.0.0.0", ["0.0.0.0"]),  # noqa: S104
        ("192.0.2.10", ["192.0.2.10", "127.0.0.1"]),
        ("::", ["::", "127.0.0.1"]),
    ],
)
def test_our_own_services_always_reach_it_on_loopback(bind: str, listens: list[str]) -> None:
    assert mqtt.addresses(bind) == listens


def test_a_password_is_kept_as_mosquitto_reads_it() -> None:
    kind, scheme, rounds, salt, digest = accounts.hashed("secret", b"0123456789ab").split("$")
    assert (kind, scheme, base64.b64decode(salt)) == ("", "7", b"0123456789ab")
    assert base64.b64decode(digest) == hashlib.pbkdf2_hmac("sha512", b"secret", b"0123456789ab", int(rounds))
    assert accounts.hashed("secret") != accounts.hashed("secret")


def test_lines_that_are_no_accounts_are_passed_over(tmp_path: Path) -> None:
    """Among them one that would let somebody in as a service of ours."""
    good = f"{STATION}:{accounts.hashed('x')}"
    lines = ("", "x", "a:plain", f"milepost.bridge:{accounts.hashed('x')}", f"+:{accounts.hashed('x')}", good)
    (tmp_path / accounts.FILE).write_text("\n".join(lines), encoding="utf-8")
    assert list(accounts.read(tmp_path)) == [STATION]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    (tmp_path / ".milepost").mkdir()
    return tmp_path


def account(*argv: str) -> int:
    return cli.run(["account", STATION, *argv], {})


def test_an_account_is_made_renewed_and_taken_away(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = place / f"{STATION}.password"
    before = accounts.Accounts(place / ".milepost")
    assert set(before.read()) == {"milepost.bridge", "milepost.fleet"}
    assert account() == 0
    said = capsys.readouterr().out
    assert f"{file.name} holds the password of station {STATION}" in said
    assert f"--broker mqtt://ADDRESS:1883 --mqtt-password-file {file.name}" in said
    assert "once it is started with --mqtt-bind ADDRESS" in said
    first = file.read_text().strip()
    assert len(first) == 64
    assert first not in said
    kept = place / ".milepost" / accounts.FILE
    assert {stat.S_IMODE(path.stat().st_mode) for path in (file, kept)} == {0o600}
    assert first not in kept.read_text()
    assert before.changed()
    assert set(before.read()) == {STATION, "milepost.bridge", "milepost.fleet"}
    assert not before.changed()

    assert account() == 2
    assert "has an account: --renew gives it a new password" in capsys.readouterr().err
    assert account("--renew") == 2, "what is there is not overwritten"
    assert "name another file with --out" in capsys.readouterr().err
    assert not before.changed()
    assert account("--renew", "--out", "new") == 0
    assert (place / "new").read_text().strip() != first
    assert before.changed()

    assert account("--remove") == 0
    assert "has no account any more" in capsys.readouterr().out
    assert accounts.read(place / ".milepost") == {}
    assert account("--remove") == 2
    assert "has no account: make one" in capsys.readouterr().err


def test_an_account_in_chinese(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert account() == 0
    assert f"{STATION}.password 是服务点 {STATION} 的密码，目前只有您可以读取" in capsys.readouterr().out


def test_without_a_data_directory_it_says_so(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert account("--data", "none") == 2
    assert "none is no data directory that you can use" in capsys.readouterr().err
    assert not (place / f"{STATION}.password").exists()


def test_a_station_that_is_none_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("milepost.bridge", "a/b", "+", ""):
        assert cli.run(["account", name], {}) == 2
        assert "must match" in capsys.readouterr().err
    assert list(place.iterdir()) == [place / ".milepost"]


@pytest.mark.parametrize(
    ("bind", "broker"),
    [
        ("127.0.0.1", "mqtt://ADDRESS:1884"),
        ("192.0.2.10", "mqtt://192.0.2.10:1884"),
        ("2001:db8::1", "mqtt://[2001:db8::1]:1884"),
    ],
)
def test_what_to_start_on_another_machine(bind: str, broker: str) -> None:
    command = agent_command(Settings(mqtt_bind=bind, mqtt_port=1884), STATION, "f")
    assert command == f"milepost agent --station {STATION} --broker {broker} --mqtt-password-file f"
    cli.build_parser().parse_args(command.split()[1:])
