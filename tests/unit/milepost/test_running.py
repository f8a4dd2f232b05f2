"""How a command finds what a running `milepost up` brings."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.errors import RemedyError
from milepost import cli, datadir, running
from milepost.running import ServerLookup, data_option, find_servers, given_by, merged_environ, remove, write
from milepost.settings import Settings, UnsetError

DATABASE, KAFKA = "MILEPOST_DATABASE_URL", "MILEPOST_KAFKA_SERVERS"
ENVIRONS = {
    "judge": {DATABASE: "postgresql://up/x", KAFKA: "up:1", "MILEPOST_KAFKA_IDEMPOTENT": "false"},
    "agent": {"MILEPOST_MQTT_URL": "mqtt://up", "MILEPOST_MQTT_PASSWORD_FILE": "/up/password"},
    "signin": {"MILEPOST_API_URL": "http://up", "MILEPOST_ADMIN_TOKEN_FILE": "/up/token"},
}


def asked(place: Path, command: str = "judge", *, named: bool = False, **environ: str) -> ServerLookup:
    given = given_by(environ, ())
    finds = cli.COMMANDS[command].server_settings
    return ServerLookup(command=command, directory=place, named=named, given=given, servers=finds & given)


@pytest.mark.parametrize(
    ("command", "environ", "named", "found"),
    [
        pytest.param("judge", {}, False, {DATABASE, KAFKA, "MILEPOST_KAFKA_IDEMPOTENT"}, id="all of it"),
        pytest.param("judge", {DATABASE: " "}, False, {DATABASE, KAFKA, "MILEPOST_KAFKA_IDEMPOTENT"}, id="empty"),
        pytest.param("judge", {DATABASE: "own"}, False, set(), id="never a half by accident"),
        pytest.param("judge", {DATABASE: "own"}, True, {KAFKA, "MILEPOST_KAFKA_IDEMPOTENT"}, id="the other half"),
        pytest.param("judge", {DATABASE + "_FILE": "f"}, True, {KAFKA, "MILEPOST_KAFKA_IDEMPOTENT"}, id="from a file"),
        pytest.param("judge", {KAFKA: "own:1"}, True, {DATABASE}, id="a Kafka of one's own is idempotent"),
        pytest.param("agent", {"MILEPOST_MQTT_URL": "own"}, True, set(), id="no password for another broker"),
        pytest.param("signin", {"MILEPOST_API_URL": "own"}, True, set(), id="no token for another API"),
        pytest.param("import", {}, False, set(), id="a command that it does not know"),
    ],
)
def test_what_a_command_takes(
    tmp_path: Path, command: str, environ: dict[str, str], named: bool, found: set[str]
) -> None:
    place = tmp_path / "data"
    with datadir.hold(place):
        write(place, ENVIRONS)
        got = find_servers(asked(place, command, named=named, **environ))
    assert set(got.environ) == found
    assert merged_environ(got, environ).items() >= {k: v for k, v in environ.items() if v.strip()}.items()


def test_what_was_found_stays_below_what_is_set() -> None:
    found = running.FoundServers(asked(Path("x"), named=True), "running", {"A": "up", "B": "up", "C": "up"})
    assert merged_environ(found, {"A": "own", "B": ""}) == {"A": "own", "B": "up", "C": "up"}


UNSET = UnsetError(DATABASE, "postgresql://…")


def remedy(asked: ServerLookup) -> str:
    return str(find_servers(asked).remedy(UNSET))


def test_each_reason_has_its_remedy(tmp_path: Path) -> None:
    place = tmp_path / "data"
    stopped = f"`milepost up` is not running in {place}: start it, or set {DATABASE} to postgresql://…"
    assert remedy(asked(place)) == (
        f"{DATABASE} is not set: give it as postgresql://…, "
        "or name the directory of a running `milepost up` with --data"
    )
    assert remedy(asked(place, named=True)) == stopped
    place.mkdir()
    assert remedy(asked(place)) == stopped
    with datadir.hold(place):
        assert remedy(asked(place)).startswith(f"`milepost up` in {place} is not ready yet: wait until it says so")
        (place / running.WHERE).write_text("{", encoding="ascii")
        assert "is not ready yet" in remedy(asked(place))
        write(place, ENVIRONS)
        assert f"name it with --data {place}" in remedy(asked(place, MILEPOST_KAFKA_SERVERS="own:1"))
        remove(place)
        assert "is not ready yet" in remedy(asked(place))
    write(place, ENVIRONS)
    assert remedy(asked(place)) == stopped, "what a killed one left is worth nothing"


def test_the_remedies_are_there_in_chinese(tmp_path: Path) -> None:
    assert (
        find_servers(asked(tmp_path))
        .remedy(UNSET)
        .said.zh.startswith(f"`milepost up` 没有在 {tmp_path} 中运行：请启动它")
    )
    assert UNSET.said.zh.startswith(f"未设置 {DATABASE}：请设为 postgresql://…，或用 --data")


def test_what_up_does_not_bring_is_not_looked_for(tmp_path: Path) -> None:
    unset = UnsetError("MILEPOST_GRAFANA_URL", "https://…", up_brings_it=False)
    assert find_servers(asked(tmp_path)).remedy(unset) is unset
    assert "--data" not in str(unset)


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Root may read everywhere, so it is another user for a while."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    yield
    os.seteuid(before)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    (tmp_path / "lock").touch(mode=0)
    return tmp_path


def test_another_users_directory_is_named(closed: Path, as_nobody: None) -> None:
    assert "who alone can read it: run this command as" in remedy(asked(closed))


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONS)
    assert stat.S_IMODE((tmp_path / running.WHERE).stat().st_mode) == 0o600


def test_what_to_type_elsewhere(tmp_path: Path) -> None:
    assert data_option(tmp_path / "a b") == f" --data '{tmp_path}/a b'"
    assert data_option(Settings().data.absolute()) == ""


def test_every_command_that_wants_a_server_takes_data(capsys: pytest.CaptureFixture[str]) -> None:
    for name, command in cli.COMMANDS.items():
        actions = {"templates": "list", "tokens": "list", "users": "list", "duty": "now", "ledger": "export"} | {
            "route": "gaps",
            "report": "uptime",
            "assess": "list",
        }
        action = [actions[name]] if name in actions else []
        with pytest.raises(SystemExit):
            cli.run([name, *action, "--help"], {})
        if {"database_url", "kafka_servers", "mqtt_url"} & {*command.settings, *command.without_option}:
            assert "--data" in capsys.readouterr().out, name


@pytest.mark.parametrize("argv", [["import", "areas", "x.csv"], ["judge"], ["topics"], ["agent", "--station", "a"]])
def test_the_command_line_says_it(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(argv, {}) == 2
    assert "or name the directory of a running `milepost up` with --data" in capsys.readouterr().err
    assert cli.run([*argv, "--data", "d"], {}) == 2
    assert "milepost: `milepost up` is not running in d: start it, or set MILEPOST_" in capsys.readouterr().err


def test_a_variable_that_wins_over_a_named_directory_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "data"
    with datadir.hold(place):
        write(place, {"import": {DATABASE: "postgresql://up/x"}})
        file = str(tmp_path / "x.csv")
        environ = {DATABASE: "postgresql://u:secret@127.0.0.1:1/own"}
        assert cli.run(["import", "areas", file, "--data", str(place)], environ) == 2
    said = capsys.readouterr().err
    assert f"{DATABASE} is set, and wins over what runs in {place}" in said
    assert "127.0.0.1:1/own cannot be reached" in said
    assert "secret" not in said


def test_a_remedy_is_one_of_ours() -> None:
    assert isinstance(UNSET, RemedyError)
