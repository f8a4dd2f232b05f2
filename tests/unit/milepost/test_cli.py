import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from milepost import cli
from milepost.commands.agent_command import config, parse_check
from milepost.settings import TABLE

SERVER_PACKAGES = "aiokafka asyncpg fastapi uvicorn gmqtt numpy apprise asyncio"


def run(*argv: str, environ: dict[str, str] | None = None) -> int:
    return cli.run(argv, environ or {})


_RESTART = ("announce-restart", "--reason", "x", "--minutes")
_AGENT = ("agent", "--station", "a", "--broker", "mqtt://h")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        pytest.param([], "the following arguments are required: COMMAND", id="nothing"),
        pytest.param(["fly"], "invalid choice: 'fly'", id="no such command"),
        pytest.param(["api", "--fly"], "unrecognized arguments: --fly", id="no such option"),
        pytest.param(["agent"], "required: --station", id="an option is missing"),
        pytest.param(["import", "cities", "x.csv"], "invalid choice: 'cities'", id="no such kind of file"),
        pytest.param(["schedule", "check", "Mo 9-17"], "cannot be read: character 4, before '9-17'", id="bad rules"),
        pytest.param(
            ["schedule", "check", "24x7", "--days", "-1"],
            "--days is -1: give a number from 0 to",
            id="no days",
        ),
        pytest.param(["up", "--http-port", "x"], "--http-port is 'x': it must be a whole number", id="a wrong option"),
        pytest.param(["bridge"], "MILEPOST_MQTT_URL is not set", id="a setting is missing"),
        pytest.param(["ingest"], "MILEPOST_DATABASE_URL is not set", id="no database"),
        pytest.param(["duty", "now"], "MILEPOST_DATABASE_URL is not set", id="no database for a list"),
        pytest.param(["duty", "now", "--at", "noon"], "--at: 'noon' is not a date or time", id="no time"),
        pytest.param(["route", "gaps"], "MILEPOST_DATABASE_URL is not set", id="no database for gaps"),
        pytest.param(["route", "gaps", "--kind", "fire"], "--kind: 'fire' is not a kind of incidents", id="no kind"),
        pytest.param(["topics"], "MILEPOST_KAFKA_SERVERS is not set", id="no Kafka"),
        pytest.param(["up", "--stations", "-5"], "--stations is -5: give a number from 0 to", id="too few stations"),
        pytest.param(["simulate", "--stations", "0"], "--stations 0 simulates nobody", id="a fleet of nobody"),
        pytest.param(["simulate", "--stations", "5"], "MILEPOST_MQTT_URL is not set", id="no broker"),
        pytest.param(["simulate", "--stations", "5", "--every", "0"], "--every is 0", id="a heartbeat without end"),
        pytest.param(["simulate", "--stations", "5", "--every", "nan"], "--every is nan", id="a heartbeat of no time"),
        pytest.param(["simulate", "--stations", "5", "--sample", "0"], "--sample is 0", id="samples without end"),
        pytest.param(["simulate", "--stations", "5", "--sample", "nan"], "--sample is nan", id="samples of no time"),
        pytest.param(["simulate", "--stations", "5", "--seconds", "nan"], "--seconds is nan", id="no length"),
        pytest.param(["simulate", "--stations", "5", "--seconds", "-1"], "--seconds is -1", id="over before it began"),
        pytest.param(["simulate", "--stations", "5", "--seconds", "1e308"], "--seconds is 1e+308", id="for ever"),
        pytest.param([*_RESTART, "nan"], "--minutes is nan: give a number from 0.1 to 10", id="a restart of no time"),
        pytest.param([*_RESTART, "-1"], "--minutes is -1", id="a restart that is over"),
        pytest.param([*_RESTART, "inf"], "--minutes is inf", id="a restart without end"),
        pytest.param([*_RESTART, "1e308"], "--minutes is 1e+308", id="a restart longer than any date"),
        pytest.param([*_AGENT, "--every", "nan"], "every is nan", id="an agent's heartbeat of no time"),
        pytest.param([*_AGENT, "--sample", "inf"], "sample is inf", id="an agent's sample without end"),
        pytest.param(["agent", "--station", "a", "--broker", "mqtt://h:0"], "mqtt", id="a port that is none"),
        pytest.param(["simulate", "--stations", "5", "--check", "u"], "give --journal FILE", id="nothing to check by"),
        pytest.param(["agent", "--station", "a/b", "--broker", "mqtt://h"], "--station", id="a bad station"),
    ],
)
def test_what_a_person_must_mend_is_one_line(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("milepost: ")
    assert says in line


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.COMMANDS:
        with pytest.raises(SystemExit) as caught:
            run(name, "--help")
        assert caught.value.code == 0
        assert f"usage: milepost {name}" in capsys.readouterr().out


def test_every_runner_exists_and_every_option_is_a_setting() -> None:
    fields = {setting.field for setting in TABLE}
    secrets = {setting.field for setting in TABLE if setting.secret}
    for command in cli.COMMANDS.values():
        assert callable(cli.find(command.runner))
        assert set(command.settings) <= fields - secrets, "a secret on the command line is seen by everybody"


def test_a_missing_module_of_our_own_is_no_package_to_install() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    for package in pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        with pytest.raises(ModuleNotFoundError):
            cli.find(f"{package}.absent:run")


def test_an_agent_loads_no_server_packages() -> None:
    program = (
        "import sys; sys.argv = ['milepost', 'agent', '--help']\n"
        "import milepost.__main__ as m, milepost.commands.agent_command\n"
        "try: m.main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', *(name for name in '{SERVER_PACKAGES}'.split() if name in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "usage: milepost agent" in result.stdout
    assert result.stdout.splitlines()[-1].strip() == "loaded:"


def test_another_package_named_agents_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").touch()
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-P", "-m", "milepost", "topics"]
    result = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("milepost: the package `agents` of this environment is not Milepost's")


def test_the_agent_is_told_what_was_typed(tmp_path: Path) -> None:
    argv = [
        "agent",
        "--station",
        "6321220007",
        "--broker",
        "mqtts://h",
        "--every",
        "2",
        "--usable",
        "yes",
        "--service",
        "web=tcp://h:80",
    ]
    arguments = cli.build_parser().parse_args([*argv, "--data", str(tmp_path / "d")])
    told = config(cli.load({}, {"data": str(tmp_path / "d")}), arguments)
    assert (told.station, told.terminal, told.broker, told.every) == ("6321220007", "001", "mqtts://h", 2.0)
    assert (told.usable, told.services, told.data) == (True, {"web": "tcp://h:80"}, tmp_path / "d" / "agent")


@pytest.mark.parametrize("text", ["web", "=tcp://h:1", "web="])
def test_a_check_without_its_parts_is_refused(text: str) -> None:
    with pytest.raises(cli.RemedyError, match="NAME=tcp://host:port"):
        parse_check(text)
