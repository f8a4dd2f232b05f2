import os
import socket
import stat
from pathlib import Path

import pytest

from contract.errors import RemedyError
from milepost import datadir


def test_the_directory_is_made_and_held(tmp_path: Path) -> None:
    with datadir.hold(tmp_path / "d") as directory:
        assert directory == tmp_path / "d"
        with pytest.raises(RemedyError, match=r"already runs Milepost in .*--data"), datadir.hold(tmp_path / "d"):
            pass
    with datadir.hold(tmp_path / "d"):
        pass


def test_its_parent_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match=r"its parent .*none does not exist: create that first"):
        datadir.hold(tmp_path / "none" / "d").__enter__()
    assert not (tmp_path / "none").exists()


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "d").touch()
    with pytest.raises(RemedyError, match="is not a directory"):
        datadir.hold(tmp_path / "d").__enter__()


def test_where_nothing_can_be_made_the_remedy_is_named() -> None:
    with pytest.raises(RemedyError, match=r"cannot be created: .*--data"):
        datadir.hold(Path("/proc/self/milepost")).__enter__()


def test_a_secret_is_kept_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token"
    first = datadir.keep_secret(path)
    path.chmod(0o644)
    assert datadir.keep_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= 32


def test_a_code_is_new_each_time(tmp_path: Path) -> None:
    path = tmp_path / "signin"
    first = datadir.renew_secret(path)
    assert datadir.renew_secret(path) != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = datadir.keep_ports(path, ("a", "b"))
    assert len(set(first.values())) == 2
    assert datadir.keep_ports(path, ("a", "b")) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["a"]))
        taken.listen()
        second = datadir.keep_ports(path, ("a", "b"))
        assert second["a"] != first["a"]
        assert second["b"] == first["b"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": "x"}'])
def test_a_spoilt_file_of_ports_is_written_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(content, encoding="ascii")
    assert datadir.keep_ports(path, ("a",))["a"] > 0


def test_a_busy_port_is_named_with_its_option() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RemedyError, match=f"port {port} is in use: .* --http-port"):
            datadir.require_free(port, "--http-port")


def test_while_it_is_held_new_files_are_for_their_owner_only(tmp_path: Path) -> None:
    usual = os.umask(0o022)
    try:
        with datadir.hold(tmp_path / "d") as directory:
            (directory / "new").touch()
            assert modes(directory) == {"lock": 0o600, "new": 0o600}
        (tmp_path / "outside").touch()
        assert modes(tmp_path)["outside"] == 0o644
    finally:
        os.umask(usual)


def test_files_of_an_older_version_are_closed_to_others(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    directory.mkdir()
    outside = tmp_path / "outside"
    outside.touch(mode=0o644)
    (directory / "link").symlink_to(outside)
    for name in ("alerts.log", "lock", "ports.json"):
        (directory / name).touch()
        (directory / name).chmod(0o644)
    with datadir.hold(directory):
        assert modes(directory) == {"alerts.log": 0o600, "lock": 0o600, "ports.json": 0o600}
    assert modes(tmp_path) == {"outside": 0o644}


def test_a_file_that_goes_away_meanwhile_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: [path / "accounts.new", *listed(path)])
    with datadir.hold(tmp_path / "d") as directory:
        assert directory.is_dir()


def modes(directory: Path) -> dict[str, int]:
    """The modes of the regular files in a directory, by name."""
    files = {path.name: path.lstat().st_mode for path in directory.iterdir()}
    return {name: stat.S_IMODE(mode) for name, mode in files.items() if stat.S_ISREG(mode)}
