"""Heartbeats missing within one MQTT connection are our loss: TCP loses nothing. Pure."""

from array import array

from alerting.clock import ClockSettings


class LossWindow:
    """Counts, in windows of `loss_window` seconds, the terminals heard and those of which a heartbeat is missing."""

    def __init__(self, settings: ClockSettings) -> None:
        self._settings = settings
        self._number = 0
        self._began: int | None = None
        self._heard = 0
        self._lost: set[int] = set()

    def heard(self, windows: "array[int]", row: int, lost: bool) -> None:
        """A newer heartbeat of `row` came; `windows` is the column that remembers who was counted."""
        if windows[row] != self._number:
            windows[row] = self._number
            self._heard += 1
        if lost:
            self._lost.add(row)

    def roll(self, mono: int) -> None:
        """Begin a new window when the current one is over; `mono` is the tick's clock in ms."""
        if self._began is None or not 0 <= mono - self._began < self._settings.loss_window * 1000:
            self._began = mono
            self._number += 1
            self._heard = 0
            self._lost.clear()

    def too_many(self) -> bool:
        lost = len(self._lost)
        return lost >= self._settings.loss_least and lost > self._settings.loss_share * self._heard
