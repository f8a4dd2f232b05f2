"""What other programs on the terminal leave for the agent in a directory: usage counts and the list of resources.

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
"""Usage files taken in one go."""
RESOURCES: Final = "resources.json"


class Reports:
    """A directory that others write into; it need not be there yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._listed: tuple[int, int] | None = None
        self._stuck: set[str] = set()
        self.trouble: str | None = None
        """Why files cannot be taken away at present, or None."""

    def take_usage(self) -> Iterator[dict[str, Any]]:
        """The usage records that wait, as values of a record; `at` is in them. A file that is none is set aside.

        What cannot be deleted is not told, for it would be told again and again; it stays and stops no other file.
        """
        self.trouble = None
        for path in self._waiting():
            try:
                record = msgspec.json.decode(_read(path), type=dict[str, Any])
                msgspec.convert({**record, "id": 0, "kind": "usage"}, Usage)
            except (OSError, ValueError) as exc:
                self._take_away(path, partial(_set_aside, path, exc))
                continue
            if self._take_away(path, path.unlink):  # first: a power cut loses these counts, but never tells them twice
                yield {name: value for name, value in record.items() if name not in ("id", "kind", "up")}

    def _waiting(self) -> list[Path]:
        """The files to be looked at now: first those that never stood in the way."""
        try:
            found = sorted(path for path in self._directory.glob("usage-*.json") if path.is_file())
        except OSError as exc:
            self._say_trouble(self._directory, exc)
            return []
        self._stuck &= {path.name for path in found}
        return sorted(found, key=lambda path: path.name in self._stuck)[:AT_ONCE]

    def _take_away(self, path: Path, how: Callable[[], None]) -> bool:
        try:
            how()
        except OSError as exc:
            self._stuck.add(path.name)
            self._say_trouble(path, exc)
            return False
        self._stuck.discard(path.name)
        return True

    def _say_trouble(self, path: Path, exc: OSError) -> None:
        self.trouble = f"{path.name} cannot be taken away: {exc.strerror}"

    def resources_changed(self) -> bool:
        """Whether the list is another one than when it was last asked."""
        try:
            found = (self._directory / RESOURCES).stat()
        except OSError:
            return False
        listed = (found.st_mtime_ns, found.st_size)
        changed, self._listed = listed != self._listed, listed
        return changed


def read_resources(directory: Path) -> list[dict[str, Any]] | None:
    """The list of resources as the contract has it; None when there is none."""
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
