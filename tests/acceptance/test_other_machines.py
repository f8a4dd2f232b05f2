"""docs/operations.md, "Terminals of other machines": its commands as printed, on two machines.

Each machine is a network namespace, and a cable (veth) is between them; so addresses and ports are those of the page.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.stack import read_below, wait_until
from tests.acceptance.test_operations import commands
from tests.namespaces import on, two_machines
from tests.servers import clean_environ

ROOT = Path(__file__).resolve().parents[2]
UP, ACCOUNT, AGENT = commands("Terminals of other machines")
STATION, NEIGHBOUR = "6321220007", "6321220008"
UNHEARD = ("not found", "never_seen")
_ASK = """
import httpx, sys
print(httpx.get(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]}, timeout=60).text)
"""


class Machine:
    """A network of its own, in which commands are typed."""

    def __init__(self, name: str, place: Path) -> None:
        self.place = place
        self._in_it = on(name)
        self._running: list[subprocess.Popen[bytes]] = []
        place.mkdir()
        place.chmod(0o755)
        (place / ".venv").symlink_to(ROOT / ".venv")

    def _line(self, line: str) -> list[str]:
        # On a terminal `milepost` is wherever it was installed.
        line = re.sub(r"^milepost ", ".venv/bin/milepost ", line)
        return [*self._in_it, "/bin/bash", "-ec", f"exec {line}"]

    def run(self, line: str) -> str:
        done = subprocess.run(
            self._line(line),
            cwd=self.place,
            env=clean_environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, line: str, output: Path) -> subprocess.Popen[bytes]:
        with output.open("ab") as out:
            process = subprocess.Popen(
                self._line(line), cwd=self.place, env=clean_environ(), stdout=out, stderr=out, start_new_session=True
            )
        self._running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        self._running.remove(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0

    def station(self, station: str) -> dict[str, Any]:
        """What the API on this machine says of a station."""
        token = (self.place / ".milepost/admin.token").read_text().strip()
        url = f"http://127.0.0.1:8000/api/v1/stations/{station}"
        command = [*self._in_it, sys.executable, "-c", _ASK, url, token]
        while True:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
            found: dict[str, Any] = json.loads(answer)
            if found.get("status") != 503:  # the database is away: the client asks again
                return found

    def verdict(self, station: str) -> str:
        return str(self.station(station).get("verdict", "not found"))

    def close(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


@pytest.fixture
def machines(server_dir: Path) -> Iterator[tuple[Machine, Machine]]:
    """The server and the other machine, with a cable between them."""
    place = Path(tempfile.mkdtemp(prefix="machines-", dir=server_dir))
    place.chmod(0o755)
    with two_machines() as names:
        server, terminal = Machine(names.here, place / "server"), Machine(names.there, place / "terminal")
        try:
            yield server, terminal
        finally:
            terminal.close()
            server.close()


def bring_up(server: Machine, line: str) -> tuple[subprocess.Popen[bytes], Path]:
    output = server.place / "up.txt"
    output.write_text("")
    process = server.start(line, output)

    def is_ready() -> bool:
        assert process.poll() is None, output.read_text()
        return "\nready\n" in output.read_text()

    wait_until(is_ready, 90, lambda: output.read_text())
    return process, output


def says(file: Path, what: str) -> None:
    wait_until(lambda: what in file.read_text(), 60, lambda: f"{what!r} is not in {file.read_text()}")


@pytest.mark.timeout(400)
def test_an_agent_of_another_machine_comes_in_with_its_account_alone(machines: tuple[Machine, Machine]) -> None:
    server, terminal = machines
    said = terminal.place / "agent.txt"
    without = AGENT.partition(" --mqtt-password-file")[0]
    quick = " --every 1"

    process, output = bring_up(server, ".venv/bin/milepost up")
    assert "for others too: milepost up --mqtt-bind ADDRESS" in output.read_text()
    agent = terminal.start(without + quick, said)
    says(said, "no connection to 192.0.2.10:1883: [Errno 111]")
    terminal.stop(agent)
    server.stop(process)

    process, output = bring_up(server, UP + " --stations 3")
    printed = output.read_text()
    assert "mqtt://127.0.0.1:1883, and 192.0.2.10 port 1883" in printed
    assert "terminals need an account: milepost account STATION" in printed
    assert "MQTT (Mosquitto, 3.1.1 and 5)" in printed
    wait_until(lambda: server.verdict("6302020001") == "online", 60, "the simulated stations have an account")

    said.write_text("")
    agent = terminal.start(without + quick, said)
    says(said, "the broker refused us: Not authorized; check the station's account")
    assert server.verdict(STATION) in UNHEARD
    terminal.stop(agent)

    assert AGENT in server.run(ACCOUNT), "what it prints is what the page says"
    file = f"{STATION}.password"
    shutil.move(server.place / file, terminal.place / file)
    password = (terminal.place / file).read_text().strip()
    said.write_text("")
    agent = terminal.start(AGENT + quick, said)
    says(said, "connected to 192.0.2.10:1883")
    wait_until(lambda: server.verdict(STATION) == "online", 60, "it is not online")

    # Nobody reads the passwords where everybody can look, and no account speaks for another.
    for each in psutil.process_iter(["cmdline"]):
        assert password not in " ".join(each.info["cmdline"] or [])
    sought = password.encode()
    kept = read_below(server.place / ".milepost", lambda path: path.is_file() and sought in path.read_bytes())
    assert "PG_VERSION" in {path.name for path in kept}
    assert not [path for path, found in kept.items() if found]
    foreign = terminal.place / "foreign.txt"
    line = AGENT.replace(f"--station {STATION}", f"--station {NEIGHBOUR}").replace("mqtt://", f"mqtt://{STATION}@")
    other = terminal.start(line + quick + " --data other", foreign)
    says(foreign, "connected to 192.0.2.10:1883")
    # Long enough for several of its heartbeats, which the broker takes and gives to nobody.
    for _ in range(4):
        seen = server.station(STATION)["last_seen"]
        wait_until(lambda seen=seen: server.station(STATION)["last_seen"] > seen, 60, "the agent beside it went silent")
    assert server.verdict(NEIGHBOUR) in UNHEARD
    terminal.stop(other)

    server.run(f".venv/bin/milepost account {STATION} --renew")
    says(said, "the broker refused us: Not authorized")
    wait_until(lambda: server.verdict(STATION) == "offline", 60, "the old password still works")
    shutil.move(server.place / file, terminal.place / file)
    terminal.stop(agent)
    agent = terminal.start(AGENT + quick, said)
    wait_until(lambda: server.verdict(STATION) == "online", 60, "the new password does not work")
    terminal.stop(agent)
    server.stop(process)


@pytest.mark.timeout(200)
def test_everybody_comes_in_where_that_is_said_aloud(machines: tuple[Machine, Machine]) -> None:
    server, terminal = machines
    _, output = bring_up(server, "env MILEPOST_MQTT_ANONYMOUS=yes " + UP)
    assert "every machine that reaches it can send for every station" in output.read_text()
    terminal.start(AGENT.partition(" --mqtt-password-file")[0] + " --every 1", terminal.place / "agent.txt")
    wait_until(lambda: server.verdict(STATION) == "online", 60, "it is not online")
