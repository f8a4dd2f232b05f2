"""The agent's data directory, its lock and its run counter. A disk may hang in any of it, so a `Worker` does it."""

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from agents.config import AgentConfig, prepare_directory
from agents.lock import Lock
from agents.run_counter import AgentState, begin_run, save
from agents.worker import HangsError, Worker
from contract.errors import RemedyError

HANGS_AFTER: Final = 10.0
"""Seconds after which a disk that does not answer is named."""
_FIRST: Final = AgentState(run=1)


class Files:
    """What an agent needs of its directory before its outbox. `close` when done.

    `troubles` are files that cannot be used, each with why. Raises `RemedyError` when another agent of this terminal
    runs on the directory.
    """

    def __init__(self, config: AgentConfig, worker: Worker) -> None:
        self._directories = [directory for directory in (config.root, config.data) if directory]
        self._lock_path = config.data / f"{config.name}.lock"
        self._state_path = config.data / f"{config.name}.state"
        self._worker = worker
        self._lock: Lock | None = None
        self._refused: RemedyError | None = None
        self._state: AgentState | None = None
        self._told_hang = False
        self.troubles: deque[tuple[str, str]] = deque(maxlen=10)
        self._do(self._begin)
        # What comes late changes nothing any more: a boot keeps its run.
        self.run = (self._state or _FIRST).run
        self._check()

    def _begin(self) -> None:
        for directory in self._directories:
            self._name("data directory", prepare_directory(directory))
        try:
            self._lock = Lock(self._lock_path)
        except RemedyError as exc:
            self._refused = exc
            return
        self._name("lock", self._lock.trouble)
        self._state, trouble = begin_run(self._state_path)
        self._name("run counter", trouble)

    def had_outbox(self) -> bool:
        """Whether an earlier start had an outbox here."""
        return self._state is not None and self._state.outbox

    def follow(self, *, outbox: bool) -> None:
        """See to what comes late; `outbox` says whether there is one on disk now. Raises `RemedyError`."""
        self._check()
        if outbox and self._state and not self._state.outbox:
            self._do(self._remember_outbox)
        hangs = self._worker.busy_for > HANGS_AFTER
        if hangs and not self._told_hang:
            self._name("data directory", "the disk does not answer")
        self._told_hang = hangs

    def _remember_outbox(self) -> None:
        if self._state:
            self._state = msgspec.structs.replace(self._state, outbox=True)
            save(self._state_path, self._state)

    def close(self) -> None:
        self._do(self._release)

    def _release(self) -> None:
        if self._lock:
            self._lock.release()

    def _check(self) -> None:
        if self._refused:
            raise self._refused

    def _name(self, file: str, trouble: str | None) -> None:
        if trouble is not None:
            self.troubles.append((file, trouble))

    def _do(self, work: Callable[[], None]) -> None:
        try:
            self._worker.do(work)
        except HangsError:
            return
