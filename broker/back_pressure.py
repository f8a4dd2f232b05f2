"""When the bridge stops reading MQTT because Kafka is behind, and when it reads again. Pure."""

from typing import NamedTuple


class BackPressure(NamedTuple):
    """Bounds of what Kafka has not acknowledged yet, with hysteresis: reading stops beyond a bound, and goes on when
    less than half of both is waiting."""

    max_bytes: int
    max_messages: int

    def must_pause(self, waiting_bytes: int, waiting_messages: int) -> bool:
        """Whether so much is waiting that the socket is not to be read any more."""
        return waiting_bytes > self.max_bytes or waiting_messages > self.max_messages

    def may_resume(self, waiting_bytes: int, waiting_messages: int) -> bool:
        """Whether so little is waiting that a paused socket is to be read again."""
        return waiting_bytes * 2 < self.max_bytes and waiting_messages * 2 < self.max_messages
