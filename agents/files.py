"""The agent's data directory, its lock and its run counter. A `Worker` does the work, as a disk may hang."""

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
"""Seconds after which a disk that does not answer is reported."""
_FIRST: Final = AgentState(run=1)


class Files:
    """Directory, lock and run counter of an agent; `close` when done.

    `troubles` are (file, reason) of files that cannot be used. Raises `RemedyError` when another agent of this terminal
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
        self._reported_hang = False
        self.troubles: deque[tuple[str, str]] = deque(maxlen=10)
        self._do(self._begin)
        # A run counter that is read later changes nothing: a boot keeps its run.
        self.run = (self._state or _FIRST).run
        self._check()

    def _begin(self) -> None:
        for directory in self._directories:
            self._add_trouble("data directory", prepare_directory(directory))
        try:
            self._lock = Lock(self._lock_path)
        except RemedyError as exc:
            self._refused = exc
            return
        self._add_trouble("lock", self._lock.trouble)
        self._state, trouble = begin_run(self._state_path)
        self._add_trouble("run counter", trouble)

    def had_outbox(self) -> bool:
        """Whether an earlier start had an outbox here."""
        return self._state is not None and self._state.outbox

    def update(self, *, outbox: bool) -> None:
        """Report a hanging disk, and note whether there is an outbox on disk.

        Raises `RemedyError` when a slow disk shows only now that another agent holds the lock.
        """
        self._check()
        if outbox and self._state and not self._state.outbox:
            self._do(self._remember_outbox)
        hangs = self._worker.busy_for > HANGS_AFTER
        if hangs and not self._reported_hang:
            self._add_trouble("data directory", "the disk does not answer")
        self._reported_hang = hangs

    def _remember_outbox(self) -> None:
        if self._state:
            self._state = msgspec.structs.replace(self._state, outbox=True)
            save(self._state_path, self._state)

    def close(self) -> None:
        """Release the lock."""
        self._do(self._release)

    def _release(self) -> None:
        if self._lock:
            self._lock.release()

    def _check(self) -> None:
        if self._refused:
            raise self._refused

    def _add_trouble(self, file: str, trouble: str | None) -> None:
        if trouble is not None:
            self.troubles.append((file, trouble))

    def _do(self, work: Callable[[], None]) -> None:
        try:
            self._worker.do(work)
        except HangsError:
            return
