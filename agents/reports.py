"""Files that other programs on the terminal write for the agent: usage counts and the list of resources.

`usage-ANYTHING.json` is one usage record: it is taken and deleted, so that nothing is counted twice.
`resources.json` is the list of what is on the terminal: it stays, and is read again when it changes.
"""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from contract.messages import Resource, Usage

_log = logging.getLogger(__name__)

MAX_FILE: Final = 96 * 1024
"""Bytes of a file that is read: its record must fit a message."""
AT_ONCE: Final = 20
"""Usage files read in one call."""
RESOURCES: Final = "resources.json"


class Reports:
    """The directory into which other programs write; it may not exist yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._listed: tuple[int, int] | None = None
        self._undeletable: set[str] = set()
        self.trouble: str | None = None
        """Why files cannot be deleted or renamed at present, or None."""

    def take_usage(self) -> Iterator[dict[str, Any]]:
        """The usage records in the directory, as fields of a record, `at` included. A file that is not one is renamed.

        A file that cannot be deleted is left out, because it would be reported again and again. It does not keep other
        files from being read.
        """
        self.trouble = None
        for path in self._waiting():
            try:
                record = msgspec.json.decode(_read(path), type=dict[str, Any])
                msgspec.convert({**record, "id": 0, "kind": "usage"}, Usage)
            except (OSError, ValueError) as exc:
                self._remove(path, partial(_set_aside, path, exc))
                continue
            if self._remove(path, path.unlink):  # first, so that a power cut never counts them twice
                yield {name: value for name, value in record.items() if name not in ("id", "kind", "up")}

    def _waiting(self) -> list[Path]:
        """The files to read now: first those that could always be deleted."""
        try:
            found = sorted(path for path in self._directory.glob("usage-*.json") if path.is_file())
        except OSError as exc:
            self._note_trouble(self._directory, exc)
            return []
        self._undeletable &= {path.name for path in found}
        return sorted(found, key=lambda path: path.name in self._undeletable)[:AT_ONCE]

    def _remove(self, path: Path, how: Callable[[], None]) -> bool:
        try:
            how()
        except OSError as exc:
            self._undeletable.add(path.name)
            self._note_trouble(path, exc)
            return False
        self._undeletable.discard(path.name)
        return True

    def _note_trouble(self, path: Path, exc: OSError) -> None:
        self.trouble = f"{path.name} cannot be taken away: {exc.strerror}"

    def resources_changed(self) -> bool:
        """Whether the list of resources changed since the last call."""
        try:
            found = (self._directory / RESOURCES).stat()
        except OSError:
            return False
        listed = (found.st_mtime_ns, found.st_size)
        changed, self._listed = listed != self._listed, listed
        return changed


def read_resources(directory: Path) -> list[dict[str, Any]] | None:
    """The list of resources in the format of the contract; None without a valid file."""
    path = directory / RESOURCES
    try:
        found = msgspec.json.decode(_read(path), type=list[Resource])
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        _log.warning("%s cannot be used: %s", path, exc)
        return None
    kept: list[dict[str, Any]] = msgspec.to_builtins(found[:1000])
    return kept


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(MAX_FILE + 1)
    if len(text) > MAX_FILE:
        raise ValueError(f"it has more than {MAX_FILE} bytes")
    return text


def _set_aside(path: Path, exc: Exception) -> None:
    path.replace(path.with_name(path.name + ".bad"))
    _log.warning("%s is no usage record (%s): it is now %s.bad", path, exc, path.name)
