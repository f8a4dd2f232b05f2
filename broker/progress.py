"""Whether a producer or consumer is stuck. Pure: `now` is seconds of a monotonic clock."""


class Progress:
    """Distinguishes a stuck producer or consumer from one that has nothing to do, or whose Kafka is away.

    `limit` is in seconds.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._done = -1
        self._since = float("inf")

    def excuse(self, now: float) -> None:
        """Kafka does not answer: the time without progress begins again."""
        self._since = now

    def is_stalled(self, now: float, done: int, waiting: int) -> bool:
        """Whether something waits and nothing was done for longer than the limit."""
        if done != self._done or not waiting or self._since > now:
            self._done, self._since = done, now
        return now - self._since > self._limit
