"""Appends notifications to a file, one JSON line each."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

import msgspec

from alerting.delivery.fields import fields_of
from alerting.delivery.in_thread import run_in_thread
from alerting.delivery.retry import LOG_TARGET
from alerting.delivery.targets import Parcel, SendError
from contract.errors import RemedyError


class LogTarget:
    """A file to which each notification is appended as one JSON line, on disk when `send` returns."""

    name = LOG_TARGET

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with _open_for_append(path):
                pass
        except OSError as exc:
            raise RemedyError(
                f"alerts cannot be written to {path} ({exc.strerror}): "
                "create its directory, make it writable, or correct MILEPOST_ALERT_LOG",
                (f"告警无法写入 {path}（{exc.strerror}）：请创建其目录、赋予写权限，或改正 MILEPOST_ALERT_LOG"),
            ) from exc

    async def send(self, parcel: Parcel) -> None:
        """Append a line. Raises SendError when the file cannot be written."""
        try:
            await run_in_thread(lambda: _append_line(self._path, _line(parcel)), "deliver log")
        except OSError as exc:
            raise SendError(f"{self._path}: {exc.strerror}") from exc


def _line(parcel: Parcel) -> bytes:
    return msgspec.json.encode(fields_of(parcel.key, parcel.at, parcel.facts, parcel.message))


def _open_for_append(path: Path) -> BinaryIO:
    """Open for reading and appending. A file of this user gets mode 600: alerts name stations and causes."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab+")
    _keep_private(file.fileno())
    return file


def _keep_private(handle: int) -> None:
    """Remove the rights of other users from a regular file of this user; a device such as /dev/null keeps them."""
    info = os.fstat(handle)
    if stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and info.st_mode & 0o077:
        os.fchmod(handle, 0o600)


def _append_line(path: Path, line: bytes) -> None:
    """Append a line. A line before it that a crash or a full disk cut off is ended first."""
    with _open_for_append(path) as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
