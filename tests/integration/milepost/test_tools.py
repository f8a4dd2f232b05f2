"""Every command that works on servers finds those of a running `milepost up`, with nothing set but where it is."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from milepost.cli import COMMANDS
from tests.acceptance.stack import Stack, wait_until
from tests.servers import clean_environ, find_free_port

AREAS = "code,name,parent\n63,青海省,\n"

# What is given to each that ends by itself, and what it says then.
ENDING = {
    "import": (["areas", "{file}"], "Applied."),
    "export": (["areas", "{new}"], "wrote"),
    "migrate": ([], "the database is at the newest schema"),
    "topics": ([], "as it should be: milepost.live"),
    "announce-restart": (["--reason", "x"], "announced until"),
    "signin": ([], "{url}/signin?code="),
    "duty": (["now"], "nobody has a role here"),
    "users": (["list"], "operator"),
    "tokens": (["new", "x", "--role", "auditor", "--whole"], "mp_"),
    "templates": (["preview", "title"], "官亭镇鲍家村农家书屋"),
    "account": (["6321220009"], "--broker mqtt://ADDRESS:{mqtt}"),
    "report": (["uptime", "--format", "csv", "--period", "2026-11"], "uptime-all-2026-11.csv: 0 rows"),
    "assess": (["list"], "there is no assessment yet"),
    "simulate": (["--stations", "2", "--every", "1", "--seconds", "3"], "2 of 2 connected"),
}
# What is given to each that finds nothing to do in an empty database, and what it says then.
REFUSING = {
    "route": (["explain", "--station", "nothing"], "there is no station nothing"),
    "ledger": (["key", "new", "a+b"], "cannot be the name of a key"),
    "history": (["--days", "3d"], "a made-up history is never mixed with them"),
    "notify": (["test", "nobody"], "there is no contact 'nobody'"),
    "grafana": (
        ["sync", "--url", "http://127.0.0.1:9", "--token", "t", "--area", "nowhere"],
        "there is no area nowhere",
    ),
}
# What is given to each that runs on, and the servers that it is then connected to.
LASTING = {
    "bridge": (["--bridge", "another"], {"kafka", "mqtt"}),
    "ingest": ([], {"postgres", "kafka"}),
    "judge": ([], {"postgres", "kafka"}),
    "health": ([], {"postgres", "kafka"}),
    "incidents": ([], {"postgres"}),
    "deliver": ([], {"postgres"}),
    "audit": ([], {"postgres"}),
    "watch": ([], {"postgres"}),
    "api": (["--http-port", "{port}"], {"postgres"}),
    "agent": (["--station", "6321220007"], {"mqtt"}),
}


@pytest.fixture(scope="module")
def stack(server_dir: Path) -> Iterator[Stack]:
    place = Path(tempfile.mkdtemp(prefix="tools-", dir=server_dir))
    place.chmod(0o755)
    (place / "areas.csv").write_text(AREAS, encoding="utf-8")
    stack = Stack(place / ".milepost")
    stack.start()
    yield stack
    stack.end()


def test_no_command_is_left_out() -> None:
    assert {name for name, command in COMMANDS.items() if command.server_settings} == {*ENDING, *REFUSING, *LASTING}


def words(stack: Stack, name: str, given: list[str]) -> list[str]:
    new = stack.data.parent / f"{uuid4()}.csv"
    values = {"file": stack.data.parent / "areas.csv", "new": new, "port": find_free_port(), "url": stack.url}
    return [sys.executable, "-P", "-m", "milepost", name, *(word.format(**values) for word in given)]


@pytest.mark.parametrize(
    ("name", "where"), [*((name, "beside it") for name in ENDING), ("import", "elsewhere"), ("signin", "elsewhere")]
)
def test_what_ends_by_itself_finds_it(stack: Stack, tmp_path: Path, name: str, where: str) -> None:
    given, says = ENDING[name]
    beside = where == "beside it"
    command = words(stack, name, given if beside else [*given, "--data", str(stack.data)])
    cwd = stack.data.parent if beside else tmp_path
    done = subprocess.run(
        command, cwd=cwd, env=clean_environ(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert says.format(url=stack.url, mqtt=stack.mqtt_port) in done.stdout


@pytest.mark.parametrize("name", REFUSING)
def test_what_refuses_has_asked_it(stack: Stack, name: str) -> None:
    given, says = REFUSING[name]
    command = words(stack, name, given)
    done = subprocess.run(
        command, cwd=stack.data.parent, env=clean_environ(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.parametrize("name", LASTING)
def test_what_runs_on_finds_it(stack: Stack, name: str) -> None:
    given, servers = LASTING[name]
    ports = {stack.mqtt_port: "mqtt", **_ports(stack)}
    process = subprocess.Popen(
        words(stack, name, given), cwd=stack.data.parent, env=clean_environ(), stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: servers <= _connected(process, ports), 60, lambda: f"{name}: {_connected(process, ports)}")
        (line,) = {" ".join(psutil.Process(process.pid).cmdline())}
        assert "postgresql://" not in line
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
    assert process.returncode == 0, said


def _ports(stack: Stack) -> dict[int, str]:
    kept: dict[str, int] = json.loads((stack.data / "ports.json").read_text())
    return {port: name for name, port in kept.items()}


def _connected(process: subprocess.Popen[str], ports: dict[int, str]) -> set[str]:
    assert process.poll() is None, process.communicate()[1]
    found = psutil.Process(process.pid).net_connections("tcp")
    established = (each.raddr.port for each in found if each.status == psutil.CONN_ESTABLISHED)
    return {ports[port] for port in established if port in ports}
