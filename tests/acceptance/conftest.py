"""A running `milepost up`, shared by the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.stack import Stack


@pytest.fixture(scope="module")
def stack(server_dir: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    directory = server_dir / request.module.__name__.rpartition(".")[2]
    directory.mkdir()
    directory.chmod(0o755)
    running = Stack(directory / "data")
    running.start()
    yield running
    running.end()
