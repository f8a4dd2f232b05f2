"""Finds two bridges with one name: each receives the pulses of the other on their common topic.

Pure; `now` is seconds of a monotonic clock.
"""

import re
from collections import OrderedDict
from typing import Final, NamedTuple

ENOUGH: Final = 3
"""Pulses of another start, each newer than the last, that prove it alive: a single one may be an old message."""
WITHIN: Final = 20.0
"""Seconds in which they must come: a bridge whose pulses are lost sends one every five seconds."""
MOST: Final = 8
"""Other starts that are followed at a time."""

_PULSE = re.compile(rb"([0-9]{1,15})\.([0-9a-f]{1,64})-([0-9]{1,15})")


class Start(NamedTuple):
    """A start of a bridge: its wall clock then (ms since the epoch), and a random text for starts in the same ms."""

    began: int
    token: str

    def __str__(self) -> str:
        return f"{self.began}.{self.token}"


class _HeardPulse(NamedTuple):
    number: int
    times: int
    since: float


class Namesakes:
    """Finds other living bridges with the same name by the pulses that this start did not send."""

    def __init__(self, mine: Start) -> None:
        self._mine = mine
        self._heard: OrderedDict[Start, _HeardPulse] = OrderedDict()

    def note_pulse(self, payload: bytes, now: float) -> Start | None:
        """Note a pulse; return the start that sent it if this pulse proves it alive. Each start is returned once."""
        match = _PULSE.fullmatch(payload)
        if match is None:
            return None
        start, number = Start(int(match[1]), match[2].decode()), int(match[3])
        if start == self._mine:
            return None
        known = self._heard.get(start)
        if known is None or (known.times < ENOUGH and now - known.since > WITHIN):
            known = _HeardPulse(-1, 0, now)
        if number <= known.number:
            return None
        known = self._heard[start] = _HeardPulse(number, known.times + 1, known.since)
        self._heard.move_to_end(start)
        if len(self._heard) > MOST:
            self._heard.popitem(last=False)
        return start if known.times == ENOUGH else None
