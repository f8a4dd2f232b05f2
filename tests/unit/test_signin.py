"""`milepost signin`: which Milepost it asks."""

from pathlib import Path

import pytest

from contract.errors import RemedyError
from milepost import datadir
from milepost.settings import Settings
from milepost.signin import WHERE, Place, command, describe, find


def settings(folder: Path, **given: object) -> Settings:
    return Settings(data=folder / "data", **given)  # type: ignore[arg-type]


def test_the_milepost_that_runs_in_the_directory(tmp_path: Path) -> None:
    """Also beside settings of a production that are there."""
    asked = settings(tmp_path, admin_token_file=tmp_path / "production", api_url="http://production:8000")
    with datadir.hold(asked.data):
        with pytest.raises(RemedyError, match="wait until it is ready"):
            find(asked)
        running = settings(tmp_path, admin_token_file=tmp_path / "own", http_port=8123)
        datadir.write_whole(asked.data / WHERE, describe(running))
        assert find(asked) == Place("http://127.0.0.1:8123", str(tmp_path / "own"))
    assert find(asked) == Place("http://production:8000", str(tmp_path / "production")), (
        "it ended: its port is anybody's"
    )


def test_the_api_that_the_settings_name(tmp_path: Path) -> None:
    here = settings(tmp_path, admin_token_file=tmp_path / "token", http_host="0.0.0.0", http_port=8001)  # noqa: S104
    assert find(here) == Place("http://127.0.0.1:8001", str(tmp_path / "token"))


def test_with_neither_it_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match=r"no Milepost runs in .*--data.*--admin-token-file.*--api-url"):
        find(settings(tmp_path))


def test_a_directory_is_held_while_somebody_holds_it(tmp_path: Path) -> None:
    place = tmp_path / "data"
    assert not datadir.is_held(place)
    with datadir.hold(place):
        assert datadir.is_held(place)
    assert not datadir.is_held(place)


def test_what_to_type_for_another_link(tmp_path: Path) -> None:
    assert command(settings(tmp_path)) == f"milepost signin --data {tmp_path / 'data'}"
    assert command(Settings(data=Path(".milepost").absolute())) == "milepost signin"
