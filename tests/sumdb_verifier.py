"""A verifier of other hands: Go's own packages of its checksum database, built once by the first test that wants it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("sumdb")
BUILD_SECONDS = 300


@pytest.fixture(scope="session")
def sumdb_verifier() -> Iterator[Path]:
    """The program of tests/sumdb. Where it cannot be built, the test is skipped with the reason."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("proofs are not verified by Go's sumdb packages: install Go 1.22 or newer (Debian: golang-go)")
    with tempfile.TemporaryDirectory(prefix="milepost-sumdb-") as home:
        program = Path(home) / "verifier"
        try:
            built = subprocess.run(
                [go, "build", "-o", str(program), "."],
                cwd=FOLDER,
                env={"GOFLAGS": "-mod=readonly", **os.environ},
                capture_output=True,
                text=True,
                timeout=BUILD_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"Go built nothing in {BUILD_SECONDS} s: run `go build` in tests/sumdb")
        if built.returncode != 0:
            why = built.stderr.strip().splitlines()[-1:]
            pytest.skip(f"Go cannot build tests/sumdb ({why}): run `go build` there")
        yield program
