"""`milepost signin`: which Milepost it asks; how it finds that is in test_running.py."""

from pathlib import Path

import pytest

from milepost import cli, datadir
from milepost.settings import Settings
from milepost.signin import command


def test_a_directory_is_held_while_somebody_holds_it(tmp_path: Path) -> None:
    place = tmp_path / "data"
    assert not datadir.is_held(place)
    with datadir.hold(place):
        assert datadir.is_held(place)
    assert not datadir.is_held(place)


def test_without_a_token_it_says_what_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["signin"], {}) == 2
    said = capsys.readouterr().err
    assert "MILEPOST_ADMIN_TOKEN_FILE is not set" in said
    assert "name the directory of a running `milepost up` with --data" in said


def test_what_to_type_for_another_link(tmp_path: Path) -> None:
    assert command(Settings(data=tmp_path / "data")) == f"milepost signin --data {tmp_path / 'data'}"
    assert command(Settings(data=Path(".milepost").absolute())) == "milepost signin"
