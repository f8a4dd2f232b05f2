"""Parts of a process that failed on their data, and when each part is tried again. Pure."""

from typing import Final

FIRST_REST: Final = 60.0
LONGEST_REST: Final = 3600.0


class PartError(Exception):
    """A part failed on its data; `why`: the exception."""

    def __init__(self, part: str, why: Exception) -> None:
        super().__init__(f"{part}: {why!r}")
        self.part, self.why = part, why


class Resting:
    """The parts that rest after a failure, with an exponential backoff; times in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self.why: dict[str, Exception] = {}

    def __contains__(self, part: str) -> bool:
        return part in self._until

    def fail(self, error: PartError, now: float) -> None:
        """Make the failed part rest from `now` on; twice as long as after its last failure, at most LONGEST_REST."""
        failures = self._failures[error.part] = self._failures.get(error.part, 0) + 1
        self._until[error.part] = now + min(FIRST_REST * 2.0 ** min(failures - 1, 16), LONGEST_REST)
        self.why[error.part] = error.why

    def wake(self, now: float) -> bool:
        """Let the parts run again whose rest is over; returns whether there was any."""
        awake = [part for part, until in self._until.items() if until <= now]
        for part in awake:
            del self._until[part], self.why[part]
        return bool(awake)
