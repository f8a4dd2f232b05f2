"""The clocks of a simulated device. Pure."""

from agents.presence import Moment
from contract.clocks import MonotonicSeconds, WallMs


class DeviceClock:
    """A monotonic clock that may be slow, and a wall clock that may be wrong.

    `now` is seconds since the simulation began, `epoch` the wall time (ms) at which it is 0. `rate` is the speed of
    the monotonic clock, `offset` the fault of the wall clock in ms.
    """

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.rate = 1.0
        self.offset = 0
        self._began = self._since = 0.0
        self._up = 0.0

    def boot(self, now: float, *, ago: float = 0.0) -> None:
        """The device started `ago` seconds before `now`."""
        self._up, self._since, self._began = ago, now, now - ago

    def run_at(self, rate: float, now: float) -> None:
        """From now on the monotonic clock runs at `rate` seconds a second."""
        self._up, self._since, self.rate = self.up(now), now, rate

    def up(self, now: float) -> MonotonicSeconds:
        """What the monotonic clock shows: seconds since the start, below 0 before it."""
        return MonotonicSeconds(round(self._up + (now - self._since) * self.rate, 3))

    def wall(self, now: float) -> WallMs:
        """What the wall clock shows."""
        lag = (now - self._began) - self.up(now)
        return WallMs(self.true(now) + self.offset - round(lag * 1000))

    def true(self, now: float) -> int:
        """What a right wall clock shows, ms."""
        return self._epoch + round(now * 1000)

    def moment(self, now: float) -> Moment:
        """Both clocks."""
        return Moment(self.wall(now), self.up(now))

    def real(self, seconds: float) -> float:
        """How long the device takes for what it believes to be `seconds`."""
        return seconds / self.rate
