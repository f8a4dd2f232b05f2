"""The run counter on disk, raised at each start of the agent."""

import logging
import os
from pathlib import Path
from typing import NamedTuple

import msgspec

_log = logging.getLogger(__name__)


class AgentState(msgspec.Struct, frozen=True, kw_only=True):
    """The file that an agent keeps across its starts, beside the outbox.

    `outbox`: whether there was an outbox on disk, so that a missing one is reported as lost.
    """

    run: int = 0
    outbox: bool = False


class NewRun(NamedTuple):
    """The state of a new start, and why the file could not be read or written, or None."""

    state: AgentState
    trouble: str | None


def begin_run(path: Path) -> NewRun:
    """Raise the run counter; it is 1 when the file is lost or cannot be read.

    The server then sees an unknown boot whose run is not higher, which the contract allows. So the agent also starts
    when the disk refuses the new value.
    """
    before, trouble = _read(path)
    state = msgspec.structs.replace(before, run=before.run + 1)
    return NewRun(state, save(path, state) or trouble)


def save(path: Path, state: AgentState) -> str | None:
    """Write the state. Returns why that failed, or None."""
    try:
        write_whole(path, msgspec.json.encode(state))
    except OSError as exc:
        _log.error("the run counter %s cannot be written (%s): free or mend the disk", path, exc.strerror)
        return f"it cannot be written: {exc.strerror}"
    return None


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file by `content` so that a power cut leaves either the old or the new file complete."""
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


def _read(path: Path) -> tuple[AgentState, str | None]:
    try:
        state = msgspec.json.decode(path.read_bytes(), type=AgentState)
    except FileNotFoundError:
        return AgentState(), None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        _log.warning("the run counter %s cannot be read (%s): counting from 1", path, exc)
        return AgentState(), f"it cannot be read: {exc}"
    if 0 <= state.run < 2**62:
        return state, None
    _log.warning("the run counter %s is %d: counting from 1", path, state.run)
    return AgentState(), f"it holds {state.run}"
