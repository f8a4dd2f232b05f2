"""When a program that ended is started again, and when not: pure, the caller brings the clock."""

import msgspec

from contract.said import Said


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    A program that lived `healthy` or longer begins anew with the shortest wait. One that has never been up gives
    up after `attempts` ends in a row; one that has been (`RestartHistory.note_working`) only when they also went on for
    `patience`, because then it is more likely that what it needs is away for a while.
    """

    first: float = 0.2
    longest: float = 10.0
    healthy: float = 30.0
    attempts: int = 10
    patience: float = 900.0


class RestartAfter(msgspec.Struct, frozen=True):
    """Start again after `delay` seconds."""

    delay: float


class NoRestart(msgspec.Struct, frozen=True):
    """Do not start again: `reason` says why, in words."""

    reason: Said


class RestartHistory:
    """The ends of one program so far."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._fast_ends = 0
        self._streak_began = 0.0
        self._proved = False

    def note_working(self) -> None:
        """The program did its work once: what it was told is right."""
        self._proved = True

    def ended(self, *, status: int, lived: float, now: float) -> RestartAfter | NoRestart:
        """Decide after an end with exit `status`, `lived` seconds after its start."""
        if lived >= self._policy.healthy:
            self._proved, self._fast_ends = True, 0
        if self._fast_ends == 0:
            self._streak_began = now
        self._fast_ends += 1
        if status == 2 and not self._proved:
            return NoRestart(Said("it cannot work as it is set up", "按现有设置无法工作"))
        if self._fast_ends >= self._policy.attempts and self._out_of_patience(now):
            return NoRestart(Said(f"it ended {self._fast_ends} times in a row", f"连续 {self._fast_ends} 次退出"))
        return RestartAfter(min(self._policy.longest, self._policy.first * 2 ** (self._fast_ends - 1)))

    def _out_of_patience(self, now: float) -> bool:
        return not self._proved or now - self._streak_began >= self._policy.patience
