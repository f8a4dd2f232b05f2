"""The examples of docs/routing.md, run on the examples of docs/import.md, print what the page shows."""

import re
import shlex
from pathlib import Path

import pytest

from registry.importing.rows import Kind
from tests.integration.milepost.test_users import milepost
from tests.servers import ROOT

PAGE = (ROOT / "docs" / "routing.md").read_text(encoding="utf-8")
IMPORT = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
KINDS: tuple[Kind, ...] = ("areas", "stations", "contacts", "duty", "substitutes", "routes")
EXAMPLES = re.findall(r"^```text\n\$ milepost (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def example(kind: Kind) -> str:
    found = re.search(r"```csv\n(.*?)```", IMPORT.split(f"## {kind.capitalize()}\n")[1], re.DOTALL)
    assert found is not None
    return found[1]


def test_there_are_examples() -> None:
    assert {shlex.split(command)[1] for command, _ in EXAMPLES} == {"explain", "gaps"}


async def test_examples_print_what_the_page_shows(database: str, tmp_path: Path) -> None:
    for kind in KINDS:
        path = tmp_path / f"{kind}.csv"
        path.write_text(example(kind), encoding="utf-8")
        ran = milepost(database, "import", kind, str(path))
        assert ran.returncode == 0, ran.stdout + ran.stderr
    printed = {command: milepost(database, *shlex.split(command)).stdout for command, _ in EXAMPLES}
    assert printed == dict(EXAMPLES)


@pytest.mark.parametrize("anchor", ["routes", "steps", "contacts", "channels", "duty"])
def test_other_pages_find_its_sections(anchor: str) -> None:
    assert f"\n## {anchor.capitalize()}\n" in PAGE
