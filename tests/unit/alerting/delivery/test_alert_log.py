"""Who can read the file of alerts, which names stations and causes."""

import os
import stat
from pathlib import Path

import pytest

from alerting.delivery.log_target import LogTarget


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("before", [None, 0o644, 0o660, 0o600])
def test_it_is_for_its_owner_only(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "alerts.log"
    if before is not None:
        path.touch()
        path.chmod(before)
    LogTarget(path)
    assert mode(path) == 0o600


def test_a_device_stays_as_it_is() -> None:
    before = mode(Path(os.devnull))
    LogTarget(Path(os.devnull))
    assert mode(Path(os.devnull)) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another user: run the tests as root")
def test_a_file_of_another_user_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "alerts.log"
    path.touch()
    path.chmod(0o664)
    os.chown(path, 65534, -1)
    LogTarget(path)
    assert mode(path) == 0o664
