"""Times that follow what stations promise: the interval of their heartbeats. Pure.

What is stated in seconds is meant for a station that beats once a minute. For one that beats every two seconds it is
shorter in proportion, for one that beats every hour longer, between 15 seconds and 72 minutes.
"""

from collections.abc import Iterable, Sequence
from statistics import median_low
from typing import Final

USUAL: Final = 60.0
"""The interval of a station of which nothing is known."""
LEAST: Final = 15.0
MOST: Final = 72 * 60.0
_SLOW: Final = 5.0
"""How many times the median of a group an interval may be to say anything about what the group did."""


def in_proportion(seconds: float, every: float) -> float:
    """`seconds`, meant for a heartbeat a minute, for one every `every` seconds."""
    return min(max(seconds * every / USUAL, min(LEAST, seconds)), max(MOST, seconds))


def longest_that_votes(intervals: Sequence[float]) -> float:
    """Above which interval a station of a group is too slow to say what the group did at an instant."""
    low, high = min(intervals, default=USUAL), max(intervals, default=USUAL)
    return high if high <= _SLOW * low else _SLOW * median_low(intervals)


def slowest_within(intervals: Iterable[float], share: float) -> float:
    """The interval of the slowest among the quickest `share` of stations."""
    ordered = sorted(intervals)
    if not ordered:
        return USUAL
    return ordered[min(max(-int(-share * len(ordered) // 1), 1), len(ordered)) - 1]
