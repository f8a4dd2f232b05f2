"""What the processes of `milepost up` hold that they need not, and what of theirs others can read."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from milepost.cli import needed
from milepost.settings import TABLE
from tests.acceptance.stack import SERVICES, Stack

PARENT = {
    "MILEPOST_ALERT_URLS": "json://127.0.0.1:9/alert-secret",
    "MILEPOST_DEADMAN_URL": "http://127.0.0.1:9/deadman-secret",
    "MILEPOST_GRAFANA_TOKEN": "grafana-secret",
    "FOO_SECRET": "foreign-secret",
    "PGPASSWORD": "libpq-secret",
    "https_proxy": "http://u:proxy-secret@127.0.0.1:9",
}


@pytest.fixture(scope="module")
def stack(server_dir: Path) -> Iterator[Stack]:
    place = Path(tempfile.mkdtemp(prefix="rights-", dir=server_dir))
    place.chmod(0o755)
    stack = Stack(place / "data", **PARENT)
    stack.start()
    yield stack
    stack.end()


def children(stack: Stack) -> list[psutil.Process]:
    assert stack.process is not None
    return psutil.Process(stack.process.pid).children(recursive=True)


def environ(process: psutil.Process) -> dict[str, str]:
    raw = Path(f"/proc/{process.pid}/environ").read_bytes()
    return dict(os.fsdecode(pair).partition("=")[::2] for pair in raw.split(b"\0") if pair)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_holds_the_settings_that_it_reads(stack: Stack, name: str) -> None:
    (process,) = stack.processes(name)
    held = {variable for variable in environ(process) if variable.startswith("MILEPOST_")}
    assert held <= {setting.variable for setting in TABLE if setting.field in needed(name)}
    assert ("MILEPOST_ALERT_URLS" in held) == (name in {"deliver", "watch"})
    assert ("MILEPOST_ADMIN_TOKEN_FILE" in held) == (name == "api")


def test_nothing_foreign_is_handed_on(stack: Stack) -> None:
    for process in children(stack):
        # PostgreSQL writes its title over the beginning of its environment: it is looked through as a text.
        text = Path(f"/proc/{process.pid}/environ").read_text(errors="replace")
        for secret in ("grafana-secret", "foreign-secret", "libpq-secret"):
            assert secret not in text, process


def test_the_servers_hold_no_setting_at_all(stack: Stack) -> None:
    for name in ("postgres", "kafka", "mqtt"):
        for process in stack.processes(name):
            assert "MILEPOST_" not in Path(f"/proc/{process.pid}/environ").read_text(errors="replace"), process
