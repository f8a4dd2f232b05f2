"""Sets of time as spans in whole milliseconds: [begin, end), in order, not empty, without overlaps. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

Span = tuple[int, int]
Spans = Sequence[Span]

EVER: Final[Spans] = ((-(10**15), 10**15),)
"""More than all time that Python can name."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def spans_of(times: Iterable[tuple[datetime, datetime]]) -> list[Span]:
    """The time in at least one of these intervals, which may overlap, repeat and be empty.

    Each moment is rounded down to the millisecond before anything is added, so the lengths of parts add up exactly.
    """
    return union((milliseconds(begin), milliseconds(end)) for begin, end in times)


def union(*sets: Iterable[Span]) -> list[Span]:
    """The time in at least one of the sets."""
    joined: list[Span] = []
    for begin, end in sorted(span for spans in sets for span in spans if span[0] < span[1]):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined


def common(one: Spans, other: Spans) -> list[Span]:
    """The time in both sets."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        begin, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if begin < end:
            found.append((begin, end))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return found


def without(one: Spans, other: Spans) -> list[Span]:
    """The time in the first set and not in the second."""
    edges = [EVER[0][0], *(edge for span in other for edge in span), EVER[0][1]]
    between = [(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end]
    return common(one, between)


def either(one: Spans, other: Spans) -> list[Span]:
    """The time in exactly one of the sets: where they differ."""
    return union(without(one, other), without(other, one))


def length(spans: Spans) -> int:
    """Milliseconds of a set."""
    return sum(end - begin for begin, end in spans)
