"""The ids of a box that are stored, as sorted disjoint ranges."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

MAX_RANGES: Final = 4096
"""Ranges kept of one box. Beyond that the oldest gaps are closed: ids in them count as stored from then on."""

_NUMBER = re.compile(r"-?\d+")


class SeenIds:
    """A set of ids as half-open ranges, flat: [1, 5, 7, 9] holds 1 to 4 and 7 to 8.

    An id is in the set when an odd number of bounds is not greater than it.
    """

    __slots__ = ("_bounds",)

    def __init__(self, text: str = "{}") -> None:
        """Read PostgreSQL's text of an int8multirange in its canonical form, ``{[1,5),[7,9)}``."""
        self._bounds = [int(number) for number in _NUMBER.findall(text)]

    def __str__(self) -> str:
        """PostgreSQL's text of it."""
        bounds = self._bounds
        if len(bounds) == 2:
            return f"{{[{bounds[0]},{bounds[1]})}}"
        return "{" + ",".join(f"[{bounds[i]},{bounds[i + 1]})" for i in range(0, len(bounds), 2)) + "}"

    def __contains__(self, number: int) -> bool:
        return bisect_right(self._bounds, number) % 2 == 1

    @property
    def ranges(self) -> int:
        """Number of ranges."""
        return len(self._bounds) // 2

    def add(self, ids: Iterable[int]) -> list[int]:
        """Add ids; return those that are new, each once, in the order given."""
        fresh = [number for number in ids if self._take(number)]
        if len(self._bounds) > 2 * MAX_RANGES:
            del self._bounds[1 : len(self._bounds) - 2 * MAX_RANGES + 1]
        return fresh

    def _take(self, number: int) -> bool:
        bounds = self._bounds
        if bounds and bounds[-1] == number:  # the next one, as nearly always
            bounds[-1] = number + 1
            return True
        place = bisect_right(bounds, number)
        if place % 2:
            return False
        joins_left = place > 0 and bounds[place - 1] == number
        joins_right = place < len(bounds) and bounds[place] == number + 1
        bounds[place - joins_left : place + joins_right] = [number] * (not joins_left) + [number + 1] * (
            not joins_right
        )
        return True
