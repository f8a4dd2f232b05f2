"""What an auditor and a witness run needs neither a server nor a database, nor their packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.audit.sheets.sheet_world import sheet

SERVER = (
    "aiokafka",
    "apprise",
    "argon2",
    "asyncpg",
    "fastapi",
    "gmqtt",
    "httpx",
    "jinja2",
    "numpy",
    "rfc8785",
    "segno",
    "typst",
    "uvicorn",
    "xlsxwriter",
)
RUN = "import sys\nfor name in sys.argv[1].split(','):\n    sys.modules[name] = None\nfrom milepost.cli import run\nsys.exit(run(sys.argv[2:], {}))"  # noqa: E501


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "/nonexistent"], "this is no complete export of a ledger"),
        (["ledger", "witness", "/nonexistent/w", "--name", "a", "--log", "x"], "/nonexistent/w"),
    ],
)
def test_it_runs_without_the_packages_of_the_server(words: list[str], said: str) -> None:
    command = [sys.executable, "-P", "-c", RUN, ",".join(SERVER), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_sheet_is_verified_without_them(tmp_path: Path) -> None:
    (tmp_path / "sheet.proof.txt").write_text(sheet().render())
    command = [sys.executable, "-P", "-c", RUN, ",".join(SERVER), "verify", str(tmp_path / "sheet.proof.txt")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "sum of 3 days" in done.stdout, done.stderr
