"""Spans of time as (begin, end), end not included. Pure."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def common(lists: Sequence[Sequence[Span]]) -> list[Span]:
    """The time that is in a span of every list; empty when there is no list."""
    if not lists:
        return []
    found = list(lists[0])
    for other in lists[1:]:
        both = ((max(a, c), min(b, d)) for a, b in found for c, d in other)
        found = [span for span in both if span[0] < span[1]]
    return found


def united(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that do not touch each other, in their order."""
    found: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """The parts of the spans that lie outside of all holes."""
    left = united(spans)
    for begin, end in united(holes):
        pieces = (piece for a, b in left for piece in ((a, min(b, begin)), (max(a, end), b)))
        left = [piece for piece in pieces if piece[0] < piece[1]]
    return left
