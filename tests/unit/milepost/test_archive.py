"""The file of a backup: whole or not at all, and anything else than what was written is refused with a remedy."""

import errno
import gc
import io
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import RemedyError
from milepost.commands import archive
from milepost.commands.archive import DATABASE, ROLES, Contents, Writer
from milepost.commands.backup import without_owner
from milepost.commands.restore import require_usable

MEMBERS = {DATABASE: b"PGDMP" * 1000, ROLES: b"CREATE ROLE x;", "files/admin.token": b"secret"}


def write_into(file: IO[bytes], members: dict[str, bytes]) -> None:
    with Writer(file) as writer:
        for name, content in members.items():
            with writer.member(name) as write:
                for start in range(0, len(content), 999):
                    write(content[start : start + 999])
        writer.finish(milepost="1.2", made_at="2026-11-27T00:00:00Z", postgres=18, schema=24)


def written(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    write_into(file, members)
    return file.getvalue()


WHOLE = written(MEMBERS)


def put(place: Path, content: bytes) -> Path:
    path = place / "b.zip"
    path.write_bytes(content)
    return path


def read(path: Path) -> dict[str, bytes]:
    with archive.opened(path) as backup:
        backup.verify()
        return {name: b"".join(backup.pieces(name)) for name in backup.contents.members}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = put(tmp_path, WHOLE)
    assert read(path) == MEMBERS
    with archive.opened(path) as backup:
        assert backup.files == ["admin.token"]
        assert (backup.contents.milepost, backup.contents.postgres, backup.contents.schema) == ("1.2", 18, 24)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_that_was_cut_short_is_refused(length: int) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.raises(RemedyError, match="use another copy of the backup"):
        read(put(Path(place), WHOLE[:length]))


def test_a_changed_byte_of_a_member_is_noticed(tmp_path: Path) -> None:
    at = WHOLE.index(b"PGDMP")
    with pytest.raises(RemedyError, match="use another copy of the backup"):
        read(put(tmp_path, WHOLE[: at + 7] + b"!" + WHOLE[at + 8 :]))


def rewritten(contents: object, members: dict[str, bytes] = MEMBERS) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
        made.writestr("backup.json", msgspec.json.encode(contents))
    return file.getvalue()


def contents(**changes: object) -> dict[str, object]:
    plain = {"format": 1, "milepost": "9.0", "made_at": "x", "postgres": 18, "schema": 1}
    return {**plain, "members": dict.fromkeys(MEMBERS, "0" * 64), **changes}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"not a zip", "no backup of Milepost", id="some other file"),
        pytest.param(rewritten("x"), "no list of its contents", id="a zip of somebody else"),
        pytest.param(rewritten(contents(format=2)), "restore it with Milepost 9.0 or newer", id="a newer format"),
        pytest.param(rewritten(contents()), "is not what was written", id="other content than listed"),
        pytest.param(rewritten(contents(members={ROLES: "0"})), "database.dump", id="no database"),
        pytest.param(
            rewritten(
                contents(members={DATABASE: "0", ROLES: "0", "files/../../x": "0"}), {**MEMBERS, "files/../../x": b""}
            ),
            "its contents are not those of a backup",
            id="a name that leads out of the directory",
        ),
        pytest.param(
            rewritten(contents(members={DATABASE: "0", ROLES: "0", "files/gone": "0"})),
            "files/gone",
            id="a missing member",
        ),
    ],
)
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(RemedyError, match=says):
        read(put(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match="correct its name"):
        read(tmp_path / "none.zip")


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with archive.new_file(path) as file:
        file.write(WHOLE)
        assert not path.exists(), "nothing stands under its name until it is whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as made:
        assert {info.external_attr >> 16 & 0o777 for info in made.infolist()} == {0o600}
    with pytest.raises(RemedyError, match="is there already"), archive.new_file(path):
        pass
    assert path.read_bytes() == WHOLE


def test_nothing_is_left_of_a_backup_that_failed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), archive.new_file(tmp_path / "b.zip") as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RemedyError, match="cannot be written"), archive.new_file(tmp_path / "none" / "b.zip"):
        pass


class Full(io.BytesIO):
    """A disk with room for so many bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_an_error_once() -> None:
    """Not a second one when the archive is thrown away; what cannot be raised there would be a warning, so an error."""
    for room in range(len(WHOLE)):
        with Full(room) as file, pytest.raises(OSError, match="No space left"):
            write_into(file, MEMBERS)
    gc.collect()


@pytest.mark.parametrize(
    ("schema", "major", "says"),
    [
        (24, 18, None),
        (25, 19, None),
        (23, 18, "with schema 24, this Milepost knows 23: install the newer Milepost"),
        (24, 17, "is of PostgreSQL 18, this installation brings 17"),
    ],
)
def test_a_backup_of_something_newer_is_refused(schema: int, major: int, says: str | None) -> None:
    made = Contents(format=1, milepost="1.2", made_at="x", postgres=18, schema=24, members={})
    if says is None:
        require_usable(Path("b.zip"), made, schema=schema, major=major)
        return
    with pytest.raises(RemedyError, match=says):
        require_usable(Path("b.zip"), made, schema=schema, major=major)


def test_the_owner_of_the_database_is_left_out_of_the_roles() -> None:
    said = (
        "CREATE ROLE milepost;\nALTER ROLE milepost WITH SUPERUSER PASSWORD 'x';\nCREATE ROLE milepost_reader;\n"
        "ALTER ROLE milepost_reader WITH NOLOGIN;\nGRANT milepost_reader TO g GRANTED BY milepost;\n"
    )
    assert without_owner(said).splitlines() == said.splitlines()[2:]
