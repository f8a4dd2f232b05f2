"""Decides whether and when a program that ended is started again. Pure."""

import msgspec

from contract.said import Said


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When to restart a program, and when to give up. Times in seconds."""

    #: The delay of the first restart; each further one takes twice as long.
    first: float = 0.2
    longest: float = 10.0
    #: A program that ran so long begins again with the first delay.
    healthy: float = 30.0
    #: So many ends in a row are the reason to give up a program that has never worked.
    attempts: int = 10
    #: A program that has worked (`RestartHistory.note_working`) is given up only when its ends in a row also lasted so
    #: long: more likely a server that it needs is away for a while.
    patience: float = 900.0


class RestartAfter(msgspec.Struct, frozen=True):
    """Start again after `delay` seconds."""

    delay: float


class NoRestart(msgspec.Struct, frozen=True):
    """Do not start again, for `reason`."""

    reason: Said


class RestartHistory:
    """The ends of one program in a row, from which its next restart follows."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._fast_ends = 0
        self._streak_began = 0.0
        self._proved = False

    def note_working(self) -> None:
        """The program has worked once, so its settings are right."""
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
