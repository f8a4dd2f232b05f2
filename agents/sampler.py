"""The thread that measures: a failing disk or a hanging check must not delay the heartbeats."""

import logging
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from agents.collect import HEALTH, INVENTORY, Subject, Values, collect
from agents.config import AgentConfig
from agents.reports import Reports

_log = logging.getLogger(__name__)

DAY: Final = 86_400.0
_COMMAND_SECONDS: Final = 20
_ROUND_SECONDS: Final = 300
_WAITING: Final = 100


class Sample(NamedTuple):
    """A measurement, and when it was made: `at` in ms by the wall clock, `mono` in seconds by the monotonic clock."""

    kind: str
    at: int
    mono: float
    values: dict[str, Any]


class Sampler:
    """Measures every `sample` seconds into `taken`, and keeps `usable` up to date every `every` seconds."""

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self._subject = Subject(str(config.disk), config.services, config.wifi, config.reports)
        self._reports = None if config.reports is None else Reports(config.reports)
        self.every, self.sample = config.every, config.sample
        self.taken: deque[Sample] = deque(maxlen=_WAITING)
        self.checked = threading.Event()
        self._usable = config.usable
        self._usable_at = time.monotonic()
        self._inventory: Values | None = None
        self._next_health = self._next_inventory = self._next_usable = 0.0
        self._wake = threading.Event()
        self._ended = False
        self._busy_since: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def usable(self) -> bool | None:
        """Whether a visitor can use the service; None when the check has not ended for too long."""
        if not self._config.usable_command:
            return self._config.usable
        stale = time.monotonic() - self._usable_at > 3 * self.every + _COMMAND_SECONDS
        return None if stale else self._usable

    @property
    def trouble(self) -> str | None:
        """Why files of other programs cannot be deleted, or None."""
        return None if self._reports is None else self._reports.trouble

    @property
    def hangs(self) -> bool:
        """Whether the present round of measuring takes longer than `_ROUND_SECONDS`."""
        return self._busy_since is not None and time.monotonic() - self._busy_since > _ROUND_SECONDS

    def supervise(self) -> None:
        """Start the thread, or start it again when it has died."""
        if self._thread is None or not self._thread.is_alive():
            if self._thread is not None:
                _log.error("the sampling thread had died and is started again")
            self._thread = _start(self._run)

    def set_sample(self, seconds: float) -> None:
        """Measure every `seconds` from now on."""
        self.sample = seconds
        self._next_health = min(self._next_health, time.monotonic() + seconds)
        self._wake.set()

    def measure_now(self) -> None:
        """Make the next health record at once."""
        self._next_health = 0.0
        self._wake.set()

    def stop(self) -> None:
        """End the thread after its present round."""
        self._ended = True
        self._wake.set()

    def _run(self) -> None:
        now = time.monotonic()
        # The first load figure is measured from here: it needs a while to mean anything.
        collect(HEALTH[:1], self._subject)
        self._next_usable = now
        self._next_inventory, self._next_health = now, now + min(1.0, self.sample)
        while not self._ended:
            self._wake.wait(max(0.0, self._step(time.monotonic()) - time.monotonic()))
            self._wake.clear()

    def _step(self, now: float) -> float:
        """Do what is due; return when the next is."""
        self._busy_since = now
        if now >= self._next_usable:
            self._check_usable()
            self._take_reports(now)
            self._next_usable = now + self.every
        if now >= self._next_inventory:
            self._take_inventory()
            self._next_inventory = now + DAY
        if now >= self._next_health:
            self._take("health", collect(HEALTH, self._subject))
            self._next_health = now + self.sample
        self._busy_since = None
        return min(self._next_usable, self._next_inventory, self._next_health)

    def _take_inventory(self) -> None:
        found = collect(INVENTORY, self._subject)
        if found != self._inventory:
            self._inventory = found
            self._take("inventory", found)

    def _take(self, kind: str, values: Values) -> None:
        self.taken.append(Sample(kind, time.time_ns() // 1_000_000, time.monotonic(), values))

    def _take_reports(self, now: float) -> None:
        """Take usage records, each with its own time; make an inventory record when the list of resources changed."""
        if self._reports is None:
            return
        for values in self._reports.take_usage():
            at = values.pop("at")
            age = time.time_ns() // 1_000_000 - at
            self.taken.append(Sample("usage", at, now - age / 1000, values))
        if self._reports.resources_changed():
            self._next_inventory = now

    def _check_usable(self) -> None:
        if self._config.usable_command:
            self._usable = _succeeds(self._config.usable_command)
            self._usable_at = time.monotonic()
        self.checked.set()


def _start(work: Callable[[], None]) -> threading.Thread | None:
    thread = threading.Thread(target=work, name="sampler", daemon=True)
    try:
        thread.start()
    except RuntimeError as exc:
        _log.warning("nothing is measured: %s", exc)
        return None
    return thread


def _succeeds(command: tuple[str, ...]) -> bool | None:
    """Whether the command ends with status 0; None when it cannot be run or does not end in time."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        _log.warning("whether the service is usable cannot be checked: %s", exc)
        return None
    return done.returncode == 0
