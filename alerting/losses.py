"""Heartbeats missing within one MQTT connection are our loss: TCP loses nothing. Pure."""

from array import array

from alerting.clock import ClockSettings, Losses


class LossWindow:
    """Counts, in windows of `loss_window` seconds, the terminals heard and those of which a heartbeat is missing.

    Everything it knows is in `state` and in a column of the terminals: twice the number of the window in which one
    was counted, plus one if a heartbeat of it was missing.
    """

    def __init__(self, settings: ClockSettings, state: Losses) -> None:
        self._settings = settings
        self._state = state

    def heard(self, windows: "array[int]", row: int, lost: bool) -> None:
        """A newer heartbeat of `row` came; `windows` is that column."""
        state, mark = self._state, windows[row]
        if mark >> 1 != state.window:
            mark = 2 * state.window
            windows[row] = mark
            state.heard += 1
        if lost and not mark & 1:
            windows[row] = mark + 1
            state.lost += 1

    def roll(self, mono: int) -> None:
        """Begin a new window when the current one is over; `mono` is the tick's clock in ms."""
        state = self._state
        if state.began is None or not 0 <= mono - state.began < self._settings.loss_window * 1000:
            state.before = self._too_many_now()
            state.began, state.window, state.heard, state.lost = mono, state.window + 1, 0, 0

    def excuse(self) -> None:
        """Time was lost, and messages with it: what was found missing until now is no news."""
        state = self._state
        state.window, state.heard, state.lost, state.before = state.window + 1, 0, 0, False

    def too_many(self) -> bool:
        """In this window, or in the last: what goes on shall not seem over because counting begins anew."""
        return self._state.before or self._too_many_now()

    def _too_many_now(self) -> bool:
        return self._settings.are_losses(lost=self._state.lost, heard=self._state.heard)
