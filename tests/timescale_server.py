"""TimescaleDB's own code, in WebAssembly under Node: one connection at a time, no COPY, no background workers.

MILEPOST_TEST_TIMESCALE_URL names an empty database of a real server instead.
"""

import os
import re
import selectors
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests import npm

FOLDER = Path(__file__).with_name("timescale")
NODE = 20
START_SECONDS = 60


@pytest.fixture(scope="session")
def timescale_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty TimescaleDB; open one connection to it, with `statement_cache_size=0`."""
    if given := os.environ.get("MILEPOST_TEST_TIMESCALE_URL"):
        yield given
        return
    node = find_node()
    npm.install(FOLDER)
    with (tmp_path_factory.mktemp("timescale") / "server.log").open("w+") as log, serve(node, log) as address:
        yield f"postgresql://postgres:postgres@{address}/postgres?sslmode=disable"


def find_node() -> str:
    """A Node that is new enough; where there is none, the test is skipped."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(f"the TimescaleDB tests need node {NODE} or newer: install the packages nodejs and npm")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    found = re.match(r"v(\d+)\.", told)
    if found is None or int(found[1]) < NODE:
        pytest.skip(f"the TimescaleDB tests need node {NODE} or newer, this is {told.strip()}: install a newer one")
    return node


@contextmanager
def serve(node: str, log: IO[str]) -> Iterator[str]:
    """Run the server, and give its host and port."""
    process = subprocess.Popen(
        [node, "server.js"],
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield _read_address(process.stdout, log)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
        process.stdout.close()


def _read_address(output: IO[bytes], log: IO[str]) -> str:
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        if selector.select(START_SECONDS) and (line := output.readline()):
            return line.decode().strip()
    log.seek(0)
    raise RuntimeError(f"TimescaleDB did not start:\n{log.read()[-2000:]}")
