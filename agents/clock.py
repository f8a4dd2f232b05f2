"""The clocks of the agent: seconds since its start, and the device's wall clock."""

import time

from agents.presence import Moment
from contract.clocks import MonotonicSeconds, WallMs


class AgentClock:
    """Counts seconds from the moment it is made. The wall clock may be wrong: it is only written into messages."""

    def __init__(self) -> None:
        self.start = MonotonicSeconds(time.monotonic())

    def up_of(self, monotonic: float) -> MonotonicSeconds:
        """Seconds from the start to a reading of the monotonic clock; negative before the start."""
        return MonotonicSeconds(round(monotonic - self.start, 3))

    def now(self) -> Moment:
        """The present moment by both clocks."""
        return Moment(wall_ms(), self.up_of(time.monotonic()))


def wall_ms() -> WallMs:
    """Milliseconds since the epoch by the device's clock."""
    return WallMs(time.time_ns() // 1_000_000)
