"""What docs/simulator.md says is so."""

import re
import shlex
from pathlib import Path

import pytest

from agents.simulator.checker import KINDS
from agents.simulator.timetable import DEEDS, read
from milepost.cli import build_parser

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
BLOCKS = [line.strip() for line in TEXT.splitlines() if line.startswith("    ")]
COMMANDS = [line for line in BLOCKS if line.startswith("milepost ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_can_be_typed(line: str) -> None:
    assert build_parser().parse_args(shlex.split(line)[1:]).command == "simulate"


def test_the_timetable_can_be_read() -> None:
    lines = [line for line in BLOCKS if line not in COMMANDS]
    assert len(read("\n".join(lines))) == 4


def test_every_deed_and_every_finding_is_described() -> None:
    named = set(re.findall(r"`([a-z_-]+)`", TEXT))
    assert set(DEEDS) <= named
    assert set(KINDS) <= named


def test_every_option_is_described_where_its_deed_is() -> None:
    rows = {row.split("`")[1]: row for row in TEXT.splitlines() if row.startswith("| `")}
    for deed, rule in DEEDS.items():
        if deed in rows:
            assert all(f"`{option}`" in rows[deed] for option in rule.options), deed
