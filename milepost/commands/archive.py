"""The file that `milepost backup` writes: a zip without compression, whose last member `backup.json` lists the others
with their checksums. So a truncated or changed file is recognised before anything is restored.
"""

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from contract.errors import RemedyError

FORMAT: Final = 1
DATABASE: Final = "database.dump"
"""The member with the output of pg_dump, in its custom format."""
ROLES: Final = "roles.sql"
FILES: Final = "files/"
"""The prefix of members that are files of the data directory."""
CHUNK: Final = 1 << 20
_CONTENTS: Final = "backup.json"
_MOST_CONTENTS: Final = 1 << 20
_NAME: Final = re.compile(r"files/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """`backup.json`: the versions that wrote the backup, and its members with their SHA-256."""

    format: int
    #: The version of Milepost.
    milepost: str
    #: ISO 8601, UTC.
    made_at: str
    #: The major version of PostgreSQL.
    postgres: int
    #: The newest migration that had run.
    schema: int
    members: dict[str, str]


class Writer:
    """Writes a backup; use it as a context."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w")
        self._sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # After `finish` nothing is left to do; after a failure the zip must not try to end itself when it is closed.
        with suppress(OSError, ValueError):
            self._zip.close()

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """A function that writes the member, piece by piece."""
        digest = hashlib.sha256()
        with self._zip.open(_private(name), "w", force_zip64=True) as member:

            def write(piece: bytes) -> None:
                member.write(piece)
                digest.update(piece)

            yield write
        self._sums[name] = digest.hexdigest()

    def finish(self, *, milepost: str, made_at: str, postgres: int, schema: int) -> Contents:
        """Write the list of members; a file without it is no backup."""
        contents = Contents(
            format=FORMAT, milepost=milepost, made_at=made_at, postgres=postgres, schema=schema, members=self._sums
        )
        self._zip.writestr(_private(_CONTENTS), msgspec.json.encode(contents))
        self._zip.close()
        return contents


def _private(name: str) -> zipfile.ZipInfo:
    """A member that becomes a file for its owner only when a person unpacks the zip by hand."""
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o100600 << 16
    return info


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that only its owner can read. It appears at `path` when it is complete and on disk, never before.

    Raises RemedyError when the path exists already, or cannot be written.
    """
    if path.exists():
        raise RemedyError(
            f"{path} is there already: name another file, or move that one away",
            f"{path} 已存在：请换一个文件名，或先移走该文件",
        )
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as exc:
        raise RemedyError(
            f"{path} cannot be written ({exc.strerror}): name another place",
            f"无法写入 {path}（{exc.strerror}）：请换一个位置",
        ) from exc
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as exc:
        raise RemedyError(
            f"{path} cannot be written ({exc.strerror}): free the disk, or name another place",
            f"无法写入 {path}（{exc.strerror}）：请清理磁盘空间，或换一个位置",
        ) from exc
    finally:
        part.unlink(missing_ok=True)


class Backup:
    """A backup, open for reading."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, contents: Contents) -> None:
        self._path, self._zip, self.contents = path, archive, contents

    @property
    def files(self) -> list[str]:
        """The names of its files of the data directory."""
        return [name.removeprefix(FILES) for name in self.contents.members if name.startswith(FILES)]

    def verify(self) -> None:
        """Read every member and compare its checksum. Raises RemedyError for a member that differs."""
        for name, expected in self.contents.members.items():
            digest = hashlib.sha256()
            for piece in self.pieces(name):
                digest.update(piece)
            if digest.hexdigest() != expected:
                raise _damaged(self._path, f"{name} is not what was written", f"{name} 与写入时不一致")

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member in pieces. Raises RemedyError when it cannot be read."""
        try:
            with self._zip.open(name) as member:
                while piece := member.read(CHUNK):
                    yield piece
        except (zipfile.BadZipFile, EOFError, KeyError, NotImplementedError) as exc:
            raise _damaged(self._path, str(exc), str(exc)) from exc


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """The backup at `path`. Raises RemedyError for a file that is no backup, or of an unknown format."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as exc:
        raise RemedyError(
            f"{path} cannot be read ({exc.strerror}): correct its name or its permissions",
            f"无法读取 {path}（{exc.strerror}）：请更正文件名或访问权限",
        ) from exc
    except zipfile.BadZipFile as exc:
        raise _damaged(path, "it is cut short, or no backup of Milepost", "文件不完整，或不是 Milepost 的备份") from exc
    with archive:
        yield Backup(path, archive, _contents(path, archive))


def _contents(path: Path, archive: zipfile.ZipFile) -> Contents:
    try:
        info = archive.getinfo(_CONTENTS)
        if info.file_size > _MOST_CONTENTS:
            raise _damaged(path, f"its {_CONTENTS} is too large", f"其中的 {_CONTENTS} 过大")
        contents = msgspec.json.decode(archive.read(info), type=Contents)
    except (KeyError, zipfile.BadZipFile, EOFError, msgspec.MsgspecError) as exc:
        raise _damaged(
            path, "it has no list of its contents: it is no backup of Milepost", "没有内容清单，不是 Milepost 的备份"
        ) from exc
    if contents.format != FORMAT:
        raise RemedyError(
            f"{path} has the format {contents.format}, this Milepost knows {FORMAT}: "
            f"restore it with Milepost {contents.milepost} or newer",
            f"{path} 的格式版本为 {contents.format}，当前 Milepost 只支持 {FORMAT}："
            f"请使用 Milepost {contents.milepost} 或更高版本恢复",
        )
    missing = {DATABASE, ROLES, *contents.members} - set(archive.namelist()) | {DATABASE, ROLES} - set(contents.members)
    strange = [name for name in contents.members if name not in (DATABASE, ROLES) and not _NAME.fullmatch(name)]
    if missing or strange:
        names = ", ".join(sorted(missing) + strange)[:200]
        raise _damaged(path, f"its contents are not those of a backup ({names})", f"内容与备份不符（{names}）")
    return contents


def _damaged(path: Path, why: str, why_zh: str) -> RemedyError:
    return RemedyError(
        f"{path} cannot be restored ({why}): use another copy of the backup",
        f"无法用 {path} 恢复（{why_zh}）：请使用备份的另一份副本",
    )
