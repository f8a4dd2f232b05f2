"""Times in proportion to what stations promise, the interval of their heartbeats. Pure.

A setting in seconds is meant for a station with a heartbeat a minute. For one with a heartbeat every two seconds it is
shorter in proportion, for one with a heartbeat an hour longer: between 15 seconds and 72 minutes.
"""

from collections.abc import Iterable, Sequence
from statistics import median_low
from typing import Final

USUAL: Final = 60.0
"""The interval (s) of a station whose interval is not known."""
LEAST: Final = 15.0
"""Seconds: nothing is shortened below this."""
MOST: Final = 72 * 60.0
"""Seconds: nothing is lengthened above this."""
_SLOW: Final = 5.0
"""How many times the median of a group an interval may be, to be evidence of what the group did."""


def in_proportion(seconds: float, every: float) -> float:
    """`seconds`, which are meant for a heartbeat a minute, for a heartbeat every `every` seconds."""
    return min(max(seconds * every / USUAL, min(LEAST, seconds)), max(MOST, seconds))


def longest_that_votes(intervals: Sequence[float]) -> float:
    """The longest interval of a station of a group that is evidence of what the group did at an instant."""
    low, high = min(intervals, default=USUAL), max(intervals, default=USUAL)
    return high if high <= _SLOW * low else _SLOW * median_low(intervals)


def slowest_within(intervals: Iterable[float], share: float) -> float:
    """The longest among the shortest `share` of intervals."""
    ordered = sorted(intervals)
    if not ordered:
        return USUAL
    return ordered[min(max(-int(-share * len(ordered) // 1), 1), len(ordered)) - 1]
