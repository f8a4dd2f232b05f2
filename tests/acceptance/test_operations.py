"""docs/operations.md: its commands as they are printed, over real stacks and agents, and what it says comes of them."""

import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import Terminal
from tests.servers import clean_environ

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
STATION = "6321220007"


def commands(heading: str) -> list[str]:
    """The lines of the indented blocks of a section."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(heading + "\n")]
    return [line.strip() for line in text.splitlines() if re.match(r" {4,}\S", line) and "`" not in line]


class Place:
    """A directory like that of a clone: `.venv` is there, and `milepost up` runs in it on ports of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / ".venv").symlink_to(ROOT / ".venv")
        self.stack = Stack(path / ".milepost")
        self.home = path.with_name(f"{path.name}-home")
        self.home.mkdir()
        self._environ = clean_environ(
            HOME=str(self.home),
            MILEPOST_HTTP_PORT=str(self.stack.http_port),
            MILEPOST_MQTT_PORT=str(self.stack.mqtt_port),
        )

    def run(self, line: str) -> None:
        """Type a line as it stands; `milepost up` goes on running, in place of the one before."""
        if re.match(r"\.venv/bin/milepost up\b", line):
            self.up(line)
            return
        done = subprocess.run(
            ["/bin/bash", "-ec", line], cwd=self.path, env=self._environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done)

    def up(self, line: str) -> None:
        self.stop()
        words = line.split()
        name = words[words.index("--data") + 1] if "--data" in words else ".milepost"
        self.stack.data = self.path / name
        with self.stack.output.open("ab") as output:
            self.stack.process = subprocess.Popen(
                ["/bin/bash", "-ec", f"exec {line}"], cwd=self.path, env=self._environ, stdout=output, stderr=output
            )
        wait_until(self.stack.is_ready, 90, lambda: self.stack.output.read_text()[-2000:])

    def stop(self) -> None:
        if self.stack.process is not None:
            assert self.stack.stop() == 0


@pytest.fixture
def place(server_dir: Path) -> Iterator[Place]:
    path = Path(tempfile.mkdtemp(prefix="operations-", dir=server_dir))
    path.chmod(0o755)
    place = Place(path)
    yield place
    place.stack.end()
    (path / ".venv").unlink(missing_ok=True)


COUNTS = {
    "Backup": 1,
    "Restore": 2,
    "Upgrade": 5,
    "Back to an older version": 2,
    "Uninstall": 2,
    "Replacing a terminal": 1,
}


def test_the_page_has_the_commands_that_are_tested() -> None:
    assert {heading: len(commands(heading)) for heading in COUNTS} == COUNTS


@pytest.mark.timeout(400)
def test_backup_restore_upgrade_downgrade_and_uninstall_as_printed(place: Place) -> None:
    place.up(".venv/bin/milepost up")
    terminal = Terminal(place.stack.mqtt_port, STATION, every=1.0).start()
    try:
        wait_until(lambda: place.stack.verdicts().get(STATION) == "online", 30, "it is not online")
        for heading in ("Backup", "Restore", "Upgrade", "Back to an older version"):
            if heading == "Upgrade":
                place.up(".venv/bin/milepost up")
            for line in commands(heading):
                # What comes from elsewhere is what lies here already.
                if not line.startswith(("git ", "make ")):
                    place.run(line)
            wait_until(
                lambda: place.stack.verdicts().get(STATION) == "online", 60, f"it does not go on after {heading}"
            )
            assert place.stack.items("incidents", station=STATION) == []
        intervals = place.stack.get(f"stations/{STATION}/timeline")["intervals"]
        assert "unknown" in {each["verdict"] for each in intervals}, "the time that nobody saw"
        assert "offline" not in {each["verdict"] for each in intervals}
    finally:
        terminal.power_off()
    place.stop()
    for line in commands("Uninstall"):
        place.run(line)
    # What is left: the backups that a person took, and what this test wrote down itself.
    left = {path.name for path in place.path.iterdir() if path != place.stack.output}
    assert all(name.endswith((".zip", "-output.txt")) for name in left), left
    assert list(place.home.iterdir()) == []
    (place.path / ".venv").symlink_to(ROOT / ".venv")


class Device:
    """The agent of a device, by the command of the page."""

    def __init__(self, place: Place, data: Path) -> None:
        (line,) = commands("Replacing a terminal")
        line = line.replace(":1883", f":{place.stack.mqtt_port}").replace("new-device", str(data))
        data.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            ["/bin/bash", "-ec", f"exec {line} --every 1 --sample 2"],
            cwd=place.path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._process.kill()
        self._process.wait()


@pytest.mark.timeout(300)
def test_a_terminal_is_replaced_as_the_page_says(place: Place) -> None:
    place.up(".venv/bin/milepost up")
    stack = place.stack
    devices: list[Device] = []

    def verdict() -> str | None:
        return stack.verdicts().get(STATION)

    def conflicts(status: str) -> list[dict[str, Any]]:
        return stack.items("incidents", kind="identity_conflict", status=status)

    def device(name: str) -> Device:
        devices.append(Device(place, place.path / name))
        return devices[-1]

    try:
        for start in (1, 2):  # the old one has started before
            old = device("old-device")
            wait_until(lambda: verdict() == "online", 30, "the old device is not online")
            wait_until(lambda start=start: len(boxes(stack)) == start, 60, "its records are not stored")  # type: ignore[misc]
            old.end()
            wait_until(lambda: verdict() == "away", 30, "it does not say goodbye")

        new = device("new-device")
        wait_until(lambda: verdict() == "online", 30, "the new device is not believed")
        assert [each["id"] for each in stack.get(f"stations/{STATION}")["terminals"]] == ["001"]
        wait_until(lambda: len(boxes(stack)) == 3, 60, "its records are not stored beside those of the old one")

        again = device("old-device")
        wait_until(lambda: conflicts("open"), 60, "nobody names the old device that came back")
        assert verdict() == "online"
        again.end()
        wait_until(lambda: not conflicts("open"), 90, "the conflict does not end")
        assert verdict() == "online"
        new.end()
        wait_until(lambda: verdict() == "away", 30, "it does not say goodbye")

        # The directory is moved: the counter of starts goes on.
        shutil.move(place.path / "new-device", place.path / "newer-device")
        device("newer-device")
        wait_until(lambda: verdict() == "online", 30, "the moved one is not believed")
        assert not conflicts("open")
        assert {each["kind"] for each in stack.items("incidents")} == {"identity_conflict"}
        assert stack.items("deadletters") == []
    finally:
        for each in devices:
            each.end()


def boxes(stack: Stack) -> set[str]:
    return {each["box"] for each in stack.items(f"stations/{STATION}/health")}
