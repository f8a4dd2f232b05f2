"""The commands of README.md and docs/import.md, typed as they are printed, beside a real `milepost up`.

Every line of an indented or fenced block of these pages is a command, and is run, except CSV. A line that is not in
LASTING must end by itself, with status 0.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.stack import wait_until
from tests.servers import ROOT, clean_environ, find_free_port

README = (ROOT / "README.md").read_text(encoding="utf-8")
IMPORT = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")


class Lasting(NamedTuple):
    """A command that runs until Ctrl-C: what it says once it does what it is for."""

    command: str
    says: str
    seconds: float


LASTING = (
    Lasting("make demo", "until Ctrl-C: http", 600),
    Lasting(".venv/bin/milepost up", "\nready\n", 90),
    Lasting(".venv/bin/milepost agent --station 6302220001", "connected to 127.0.0.1", 60),
)


def blocks(page: str) -> list[str]:
    """The blocks of a page, indented or fenced, without those of CSV."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?:^(?: {4}|\t).*\n)+", rest + "\n", re.MULTILINE)
    return [text for language, text in fenced if language != "csv"] + indented


def lines(page: str) -> list[str]:
    return [line.strip() for block in blocks(page) for line in block.splitlines() if line.strip()]


class Typist:
    """A directory that looks like a clone, in which lines are typed one after the other, on ports of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for entry in ROOT.iterdir():
            if entry.name not in (".git", ".milepost"):
                (place / entry.name).symlink_to(entry)
        ports = {"MILEPOST_HTTP_PORT": str(find_free_port()), "MILEPOST_MQTT_PORT": str(find_free_port())}
        self.environ = clean_environ(**ports, MILEPOST_LANGUAGE="en")
        self.said: dict[str, str] = {}
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def type(self, line: str) -> None:
        lasting = next((each for each in LASTING if each.command == line.partition("#")[0].strip()), None)
        if lasting is None:
            self._run(line)
        else:
            self._start(line, lasting)

    def _run(self, line: str) -> None:
        try:
            done = subprocess.run(
                ["/bin/bash", "-ec", line], cwd=self.place, env=self.environ, capture_output=True, text=True,
                timeout=60, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            pytest.fail(f"`{line}` does not end by itself: say in LASTING what it says once it runs")
        assert done.returncode == 0, f"`{line}` ends with {done.returncode}: {done.stdout}{done.stderr}"
        self.said[line] = done.stdout

    def _start(self, line: str, lasting: Lasting) -> None:
        output = self.place / f"{len(self.said)}.txt"
        with output.open("wb") as out:
            process = subprocess.Popen(
                ["/bin/bash", "-ec", line], cwd=self.place, env=self.environ, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        self._running.append((line, process))

        def says() -> bool:
            assert process.poll() is None, f"`{line}` ends with {process.returncode}: {output.read_text()}"
            return lasting.says in output.read_text()

        wait_until(says, lasting.seconds, lambda: f"`{line}`: {output.read_text()}")
        self.said[line] = output.read_text()

    def interrupt(self) -> None:
        """Ctrl-C in every terminal, the last one first; each ends in good order, as far as its shell says so."""
        while self._running:
            line, process = self._running.pop()
            os.killpg(process.pid, signal.SIGINT)
            status = process.wait(40)
            # make and bash answer a Ctrl-C with 130, or by the signal itself, whatever their child does.
            assert status in (0, 130, 2, -signal.SIGINT), (line, status)

    def close(self) -> None:
        for _, process in self._running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(40)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def typist(server_dir: Path) -> Iterator[Typist]:
    place = Path(tempfile.mkdtemp(prefix="typed-", dir=server_dir))
    place.chmod(0o755)
    typist = Typist(place)
    yield typist
    typist.close()


@pytest.mark.timeout(1200)
def test_the_readme_as_printed(typist: Typist) -> None:
    for line in lines(README):
        typist.type(line)
        if line.startswith("make demo"):
            _what_the_demo_says(typist.said[line])
            typist.interrupt()
    up, signin = (
        next(said for line, said in typist.said.items() if f"milepost {name}" in line) for name in ("up", "signin")
    )
    assert "/signin?code=" in up
    assert "/signin?code=" in signin
    typist.interrupt()


def _what_the_demo_says(said: str) -> None:
    """After the story: the month of rates, and that the changed sheet is not what Milepost wrote."""
    assert re.search(r"✔ 2\d{3}-\d\d, \d+ days: online rate 9\d\.\d\d%, service rate 9\d\.\d\d%", said), said
    assert "says: changed: the file is not the PDF that Milepost wrote" in said


@pytest.mark.timeout(300)
def test_the_imports_as_printed(typist: Typist) -> None:
    """With the examples of the page as the files that it names."""
    for section in re.split(r"^## ", IMPORT, flags=re.MULTILINE)[1:]:
        for example in re.findall(r"^```csv\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            (typist.place / f"{section.split()[0].lower()}.csv").write_text(example, encoding="utf-8")
    typist.type(".venv/bin/milepost up")
    for line in lines(IMPORT):
        typist.type(f".venv/bin/{line}")
        applied = "Dry run: nothing is applied." if "--dry-run" in line else "Applied."
        assert applied in typist.said[f".venv/bin/{line}"]
    typist.interrupt()


def test_the_examples_are_those_of_the_page() -> None:
    for kind in ("areas", "stations"):
        assert (ROOT / f"docs/examples/{kind}.csv").read_text(encoding="utf-8") in IMPORT


@pytest.mark.parametrize(
    ("page", "found"),
    [
        pytest.param("x\n\n    a b\n    c\n\ny\n", ["a b", "c"], id="indented"),
        pytest.param("```sh\na\n\nb\n```\n```\nc\n```\n", ["a", "b", "c"], id="fenced"),
        pytest.param("```csv\na,b\n```\n", [], id="a file"),
        pytest.param("`a` b\n- c\n  d\n", [], id="prose"),
        pytest.param("    a", ["a"], id="the last line"),
    ],
)
def test_every_line_of_a_block_is_found(page: str, found: list[str]) -> None:
    assert lines(page) == found


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("false", "ends with 1"),
        (".venv/bin/milepost import areas FILE", "ends with 2"),
        (".venv/bin/milepost bridge --mqtt-url mqtts://…", "ends with 2"),
        (".venv/bin/milepost up --mqtt-bind nowhere", "ends with 2"),
    ],
)
def test_a_line_that_cannot_be_run_fails(typist: Typist, line: str, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        typist.type(line)
