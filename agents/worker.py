"""A thread for work that may hang, such as reading files of a disk that does not answer."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class HangsError(Exception):
    """The disk does not answer."""


class Worker:
    """Does one piece of work at a time in a thread of its own. `do` belongs to one thread.

    `wait_until` is the moment of the monotonic clock until which `do` waits for its work. Work that takes longer goes
    on without the caller; until it ends no other work is begun, so no queue builds up.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_Job[Any]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._since: float | None = None
        self.wait_until = 0.0

    def be_patient(self, seconds: float) -> None:
        """From now on `do` waits for `seconds`, all calls together."""
        self.wait_until = time.monotonic() + seconds

    @property
    def busy_for(self) -> float:
        """Seconds since the work that is not done yet began; 0 when there is none."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def do(self, work: Callable[[], _T]) -> _T:
        """Return what `work` returns, or raise what it raises; raise `HangsError` when it is not done in time.

        The work is not begun when earlier work is not done, or when no time is left to wait for it.
        """
        left = self.wait_until - time.monotonic()
        if self._since is not None or left <= 0 or not self._is_started():
            raise HangsError
        job = _Job(work)
        self._since = time.monotonic()
        self._jobs.put(job)
        if not job.done.wait(left):
            raise HangsError
        return job.result()

    def _is_started(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError as exc:
                _log.warning("no file can be used: %s", exc)
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            job.run()
            self._since = None
            job.done.set()
            del job  # or its objects would stay in memory until the next job


class _Job(Generic[_T]):
    """A piece of work and its result or error."""

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._results: list[_T] = []
        self._error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as exc:  # the caller handles it, whatever it is
            self._error = exc

    def result(self) -> _T:
        if self._error is not None:
            raise self._error
        return self._results[0]
