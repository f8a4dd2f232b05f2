"""Two bridges with one name: each hears the other's pulses on their common topic. Pure; `now` is a monotonic second."""

import re
from collections import OrderedDict
from typing import Final, NamedTuple

ENOUGH: Final = 3
"""Pulses of another start, each newer than the last, that prove it alive: one may have lain in the broker."""
WITHIN: Final = 20.0
"""Seconds in which they must come: a bridge whose pulses are lost sends one in five."""
MOST: Final = 8
"""Other starts that are followed at a time."""

_PULSE = re.compile(rb"([0-9]{1,15})\.([0-9a-f]{1,64})-([0-9]{1,15})")


class Start(NamedTuple):
    """A start of a bridge: its wall clock then (ms since the epoch), and what tells it from one in the same ms."""

    began: int
    token: str

    def __str__(self) -> str:
        return f"{self.began}.{self.token}"


class _HeardPulse(NamedTuple):
    number: int
    times: int
    since: float


class Namesakes:
    """Finds the other living starts of a bridge's name by the pulses that are not its own."""

    def __init__(self, mine: Start) -> None:
        self._mine = mine
        self._heard: OrderedDict[Start, _HeardPulse] = OrderedDict()

    def heard(self, payload: bytes, now: float) -> Start | None:
        """Take in a pulse; the start that sent it when this one proves it alive, which is said once of each."""
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
