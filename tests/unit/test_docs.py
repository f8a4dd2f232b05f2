"""What README, CONTRIBUTING and the Makefile say is so."""

import re
import shlex
from pathlib import Path

import pytest

from milepost.cli import COMMANDS, UsageError, build_parser

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
VALUES = {"ID": "6321220007", "URL": "mqtt://127.0.0.1", "FILE": "x.csv", "N": "40", "S": "2"}


def commands_in(text: str) -> list[str]:
    """Each `milepost …` of code spans and indented blocks."""
    spans = re.findall(r"`((?:\.venv/bin/)?milepost [^`]+)`", text)
    blocks = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    lines = [part for block in blocks for part in block.split("#")[0].split("&&") if "milepost " in part]
    return [line.strip().removeprefix(".venv/bin/") for line in spans + lines]


@pytest.mark.parametrize("line", [line for line in commands_in(README) if "COMMAND" not in line])
def test_every_command_in_the_readme_can_be_typed(line: str) -> None:
    words = [VALUES.get(word, word) for word in shlex.split(line)]
    try:
        build_parser().parse_args(words[1:])
    except UsageError as exc:
        pytest.fail(f"{line}: {exc}")


def test_every_command_is_in_the_readme() -> None:
    written = {line.split()[1] for line in commands_in(README)}
    assert set(COMMANDS) <= written


def test_every_target_that_is_written_about_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    spoken_of = set(re.findall(r"^    make ([a-z]+)", README + contributing, flags=re.MULTILINE))
    assert {"demo", "test", "check", "bench"} <= spoken_of <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_pins_name_no_host() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^\s/@:]*", line), line
