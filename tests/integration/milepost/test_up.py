"""`milepost up` as a process of its own: what it says when something is wrong, and how it starts and ends."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import psutil
import pytest

from milepost.processes.supervisor import Program
from milepost.stack import programs
from milepost.stack.servers import choose_partitions
from tests import mqtt_clients
from tests.acceptance.stack import Stack, lives, read_each, wait_until
from tests.servers import clean_environ, find_free_port

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def place(server_dir: Path) -> Path:
    path = Path(tempfile.mkdtemp(prefix="up-", dir=server_dir))
    path.chmod(0o755)
    return path


def up(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    free = ["--http-port", str(find_free_port()), "--mqtt-port", str(find_free_port())]
    return milepost("up", *free, *arguments, **environ)


def milepost(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "milepost", *arguments]
    return subprocess.run(
        command, env=clean_environ(**environ), capture_output=True, text=True, timeout=60, check=False
    )


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 2, result
    (line,) = result.stderr.splitlines()
    assert line.startswith("milepost: ")
    return line


@pytest.fixture
def busy() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield str(taken.getsockname()[1])


@pytest.mark.parametrize("option", ["--http-port", "--mqtt-port"])
def test_a_busy_port_is_named_with_the_option_that_changes_it(place: Path, busy: str, option: str) -> None:
    line = one_line(up("--data", str(place / "d"), option, busy))
    assert f"port {busy} is in use" in line
    assert option in line


def test_a_missing_parent_is_named_and_not_made(place: Path) -> None:
    line = one_line(up("--data", str(place / "none" / "d")))
    assert f"its parent {place / 'none'} does not exist: create that first" in line
    assert not (place / "none").exists()


def test_a_directory_that_cannot_be_written_is_named() -> None:
    line = one_line(up("--data", "/proc/self/milepost"))
    assert "cannot be created" in line
    assert "give another with --data" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: run the tests as another user")
def test_a_directory_without_permission_is_named(place: Path) -> None:
    place.chmod(0o500)
    assert "change the permissions" in one_line(up("--data", str(place / "d")))


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("MILEPOST_LOG_LEVEL", "loud", "MILEPOST_LOG_LEVEL is 'loud': it must be one of"),
        ("MILEPOST_PARTITIONS", "many", "MILEPOST_PARTITIONS is 'many': it must be a whole number"),
        ("MILEPOST_DATABASE_URL", "sqlite://x", "MILEPOST_DATABASE_URL has a wrong form"),
    ],
)
def test_a_wrong_setting_is_named(place: Path, variable: str, value: str, says: str) -> None:
    assert says in one_line(up("--data", str(place / "d"), **{variable: value}))
    assert not (place / "d").exists()


def test_a_database_that_is_down_is_named_without_its_password(place: Path) -> None:
    url = f"postgresql://u:geheim@127.0.0.1:{find_free_port()}/d"
    line = one_line(up("--data", str(place / "d"), MILEPOST_DATABASE_URL=url))
    assert "cannot be reached" in line
    assert "start it, or correct MILEPOST_DATABASE_URL" in line
    assert "geheim" not in line


def test_a_kafka_that_is_down_is_named(place: Path) -> None:
    line = one_line(up("--data", str(place / "d"), MILEPOST_KAFKA_SERVERS=f"127.0.0.1:{find_free_port()}"))
    assert "start it, or correct MILEPOST_KAFKA_SERVERS" in line


@pytest.mark.parametrize(
    ("given", "kept", "embedded", "chosen"),
    [
        pytest.param(None, None, True, 1, id="a new directory"),
        pytest.param(None, None, False, 24, id="a Kafka of one's own"),
        pytest.param(6, None, True, 6, id="a person's choice"),
        pytest.param(None, 24, True, 24, id="a directory of before"),
        pytest.param(24, 24, True, 24, id="the same number again"),
    ],
)
def test_the_partitions_are_those_of_the_beginning(
    given: int | None, kept: int | None, embedded: bool, chosen: int
) -> None:
    assert choose_partitions(given, kept, embedded=embedded) == chosen


def descendants(stack: Stack) -> list[psutil.Process]:
    assert stack.process is not None
    return psutil.Process(stack.process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(map(lives, processes))


@pytest.fixture
def stack(place: Path) -> Iterator[Stack]:
    stack = Stack(place / "data")
    yield stack
    stack.end()


def test_it_starts_says_so_and_ends_in_good_order(stack: Stack) -> None:
    stack.start()
    wait_until(lambda: "\nready\n" in stack.output.read_text(), 20, "it does not say ready")
    said = stack.output.read_text()
    code = re.findall(rf"{stack.url}/signin\?code=(\S+)", said)[0]
    for name in ("admin.token", "running.json", "postgres.password"):
        assert stat.S_IMODE((stack.data / name).stat().st_mode) == 0o600
    token = (stack.data / "admin.token").read_text()
    children = descendants(stack)
    commands = read_each(children, psutil.Process.cmdline)
    assert not any(code in arg or token.strip() in arg for command in commands for arg in command)

    second = up("--data", str(stack.data))
    assert "already runs Milepost in" in one_line(second)

    # Whoever still talks to Kafka, also from outside of the stack, does not hold up its end.
    with socket.create_connection(("127.0.0.1", json.loads((stack.data / "ports.json").read_text())["kafka"])):
        assert stack.stop() == 0
    assert gone(children)
    assert "had to be killed" not in stack.output.read_text()

    stack.start()
    assert (stack.data / "admin.token").read_text() == token
    codes = re.findall(r"/signin\?code=(\S+)", stack.output.read_text())
    assert codes[0] == code
    assert len(set(codes)) == 2
    assert stack.stop(signal.SIGTERM) == 0
    assert "Traceback" not in stack.output.read_text()


def test_every_browser_is_signed_in_by_a_link_of_its_own(stack: Stack, place: Path) -> None:
    """As many as one likes, while it runs: the printed link and `milepost signin` beside it."""
    asked = milepost("signin", "--data", str(stack.data))
    assert "`milepost up` is not running in" in one_line(asked)
    stack.start()
    wait_until(lambda: "\nready\n" in stack.output.read_text(), 20, "it does not say ready")
    links = re.findall(rf"{stack.url}/signin\?code=\S+", stack.output.read_text())
    for _ in range(2):
        asked = milepost("signin", "--data", str(stack.data))
        assert asked.returncode == 0, asked.stderr
        links.append(asked.stdout.strip())
    assert len(set(links)) == 3
    for link in links:
        with httpx.Client(base_url=stack.url) as browser:
            assert browser.get(link).status_code == browser.get(link).status_code == 200
            assert browser.get("/").status_code == 401, "to look at a link changes nothing"
            code = link.partition("code=")[2]
            pressed = browser.post("/signin", data={"code": code}, headers={"Origin": stack.url})
            assert pressed.status_code == 303
            assert browser.get("/").status_code == 200
    assert stack.stop() == 0
    elsewhere = place / "none"
    token = {"MILEPOST_ADMIN_TOKEN_FILE": str(stack.data / "admin.token"), "MILEPOST_API_URL": stack.url}
    foreign = milepost("signin", "--data", str(elsewhere), **token)
    assert "no API answers at" in one_line(foreign)


def test_what_is_killed_comes_back_and_a_new_log_gets_its_topics(stack: Stack) -> None:
    stack.start()
    before = {child.pid for child in descendants(stack)}
    for name in ("kafka", "postgres", "bridge", "api"):
        stack.kill(name)
    topics = stack.data / "logs" / "topics.log"
    wait_until(lambda: topics.read_text().count("created milepost.live") == 2, 60, "the new log has no topics")
    wait_until(stack.is_ready, 60, "it does not come back")
    (kafka,) = stack.processes("kafka")
    assert kafka.pid not in before
    assert stack.stop() == 0


def test_a_full_log_is_replaced_when_all_of_it_is_stored(place: Path) -> None:
    """The embedded Kafka forgets nothing by itself; what was acknowledged from it must be in the database first."""
    stack = Stack(place / "data", MILEPOST_KAFKA_MEMORY="40")
    try:
        stack.start()
        (bridge,) = stack.processes("bridge")
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "noise")
        client.connect("127.0.0.1", stack.mqtt_port)
        client.loop_start()
        under_way = {
            topic: client.publish(topic, f"{topic} {os.urandom(100_000).hex()}", 1)
            for topic in (f"milepost/v1/6321220007/{number:03}/data" for number in range(150))
        }
        taken = {}
        for topic, published in under_way.items():
            published.wait_for_publish(30)
            taken[topic] = datetime.now(UTC)
        mqtt_clients.close(client)
        topics = stack.data / "logs" / "topics.log"
        wait_until(lambda: topics.read_text().count("created milepost.live") == 2, 60, "the log is not replaced")
        wait_until(
            lambda: bridge.pid not in (p.pid for p in stack.processes("bridge")), 30, "the bridge is the old one"
        )
        wait_until(stack.is_ready, 60, "it does not come back")
        refused = stack.get("deadletters", limit=1000)["items"]
        # What the broker had not handed over yet when the bridge ended is lost; terminals send such messages again.
        full = next(line for line in (stack.data / "logs" / "up.log").read_text().splitlines() if "is full" in line)
        handed_over = datetime.fromisoformat(full.split()[0]) - timedelta(seconds=2)
        lost = taken.keys() - {item["topic"] for item in refused}
        assert {topic for topic in lost if taken[topic] < handed_over} == set()
        assert len(lost) < len(taken) / 2
        assert stack.stop() == 0
    finally:
        stack.end()


def test_a_data_directory_keeps_its_number_of_partitions(place: Path) -> None:
    stack = Stack(place / "data", MILEPOST_PARTITIONS="3")
    try:
        stack.start()
        assert stack.stop() == 0
        line = one_line(up("--data", str(stack.data), MILEPOST_PARTITIONS="4"))
        assert "MILEPOST_PARTITIONS is 4, but this database was begun with 3" in line
        assert "unset MILEPOST_PARTITIONS" in line
        again = Stack(stack.data)
        again.start()
        # Ready is the first of them; the others have their clocks with the ticks that follow.
        wait_until(lambda: _partitions(again) == {0, 1, 2}, 20, lambda: f"its partitions are {_partitions(again)}")
        assert again.stop() == 0
    finally:
        stack.end()


def _partitions(stack: Stack) -> set[int]:
    return {clock["partition"] for shard in stack.get("pipeline")["shards"] for clock in shard["partitions"]}


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_continues(stack: Stack) -> None:
    stack.start()
    children = descendants(stack)
    assert stack.process is not None
    stack.process.kill()
    stack.process.wait()
    wait_until(lambda: gone(children), 15, lambda: f"alive: {[c for c in children if c.is_running()]}")
    stack.start()
    assert stack.stop() == 0


def test_ctrl_c_while_it_starts_ends_it(place: Path) -> None:
    ports = ["--http-port", str(find_free_port()), "--mqtt-port", str(find_free_port())]
    command = [sys.executable, "-P", "-m", "milepost", "up", "--data", str(place / "d"), *ports]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    guard = threading.Timer(60, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("PostgreSQL"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read()
        assert process.wait() == 0
    finally:
        guard.cancel()
        process.kill()
        process.stdout.close()
    assert "\nready\n" not in rest
    assert rest.endswith("stopped\n")
    assert "Traceback" not in rest


def test_the_stop_times_fit_into_twenty_seconds() -> None:
    service = Program(name="x", command=list).stop_time
    stages = [max(programs.STOP_SECONDS.get(name, service) for name in stage) for stage in programs.STOP_STAGES]
    assert sum(stages) < 18
    assert {name for stage in programs.STOP_STAGES for name in stage} == {
        *programs.SERVICES,
        "fleet",
        "postgres",
        "kafka",
        "mqtt",
    }


_DEMO_SECONDS = 600
"""The demo took 144 to 160 s on two cores without other work; in a whole run other tests run beside the demo. The steps
of the demo have limits of their own."""


def demo(place: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    ports = ["--http-port", str(find_free_port()), "--mqtt-port", str(find_free_port())]
    command = [sys.executable, "-P", "-m", "milepost", "demo", "--exit", "--data", str(place / "d"), *ports]
    env = {**os.environ, "MILEPOST_LANGUAGE": "en", **environ}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=_DEMO_SECONDS, check=False)


@pytest.mark.timeout(_DEMO_SECONDS + 20)
def test_the_demo_proves_its_story(place: Path) -> None:
    result = demo(place)
    assert result.returncode == 0, result
    assert result.stdout.splitlines()[-1] == "every step was seen"
    assert "OFFLINE at" in result.stdout
    assert "alert delivered" in result.stdout
    assert "in the technician's list of work" in result.stdout
    assert "nobody acknowledges" in result.stdout
    assert "no incident blames one of them" in result.stdout
    assert "CONFLICTING" in result.stdout


@pytest.mark.timeout(_DEMO_SECONDS + 20)
def test_the_demo_names_the_step_that_was_not_seen(place: Path) -> None:
    result = demo(place, MILEPOST_ALERT_LOG="/dev/null")
    assert result.returncode == 1, result
    assert "alert delivered" in result.stdout.splitlines()[-1]
