"""The run counter on disk, raised at each start of the agent."""

import logging
import os
from pathlib import Path

import msgspec

_log = logging.getLogger(__name__)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent remembers across its starts, outside the outbox."""

    run: int = 0


def next_run(path: Path) -> int:
    """Raise the run counter and return it; 1 when the file is lost or cannot be read.

    The server then sees an unknown boot whose run is not higher, which the contract provides for; so a disk that
    refuses the new value does not stop the agent either.
    """
    run = _read(path).run + 1
    try:
        write_whole(path, msgspec.json.encode(State(run=run)))
    except OSError as exc:
        _log.error("the run counter %s cannot be written (%s): free or mend the disk", path, exc.strerror)
    return run


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file by `content` so that a power cut leaves the old or the new one, whole."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle for a directory
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> State:
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        _log.warning("the run counter %s cannot be read (%s): counting from 1", path, exc)
        return State()
    return state if 0 <= state.run < 2**62 else State()
