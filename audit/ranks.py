"""Ranks of places that are in order. Pure."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeVar

_Ranked = TypeVar("_Ranked")


def ranked(ordered: Iterable[_Ranked], value: Callable[[_Ranked], Fraction | None]) -> list[tuple[int | None, _Ranked]]:
    """(rank, item) of items in the order of their values, the items without a value last. Equal values have the same
    rank; an item without a value has none."""
    found: list[tuple[int | None, _Ranked]] = []
    rank, last = 0, None
    for number, item in enumerate(ordered, 1):
        current = value(item)
        if current != last:
            rank, last = number, current
        found.append((None if current is None else rank, item))
    return found
