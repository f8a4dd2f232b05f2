"""The strip that shows a day of a station: short enough to draw, and never kinder than the truth. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from alerting.stations.verdict import Verdict
from api.console.station_map import GRAVITY

PARTS: Final = 480
"""Into so many parts the time is cut: three minutes of a day each."""


class Interval(Protocol):
    @property
    def begin(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def evidence(self) -> str: ...


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Parts [x, x + width) of the strip; `look` is a verdict, or `presence` for offline while it ran."""

    x: int
    width: int
    look: str


def look_of(interval: Interval) -> str:
    return "presence" if interval.evidence == "presence" else interval.verdict.value


def segments(intervals: Sequence[Interval], begin: datetime, end: datetime, parts: int = PARTS) -> list[Segment]:
    """The strip of [begin, end]: each part shows the gravest thing in it, so that no short outage is lost."""
    shown: list[tuple[int, str] | None] = [None] * parts
    length = (end - begin) / parts
    for interval in intervals:
        first = max(int((interval.begin - begin) / length), 0)
        last = min(-int((begin - interval.end) // length), parts)
        looks = (GRAVITY[interval.verdict], look_of(interval))
        for place in range(first, max(last, min(first + 1, parts))):
            found = shown[place]
            shown[place] = looks if found is None else max(found, looks)
    return _runs(["never_seen" if found is None else found[1] for found in shown])


def _runs(looks: Sequence[str]) -> list[Segment]:
    runs: list[Segment] = []
    for place, look in enumerate(looks):
        if runs and runs[-1].look == look:
            runs[-1] = msgspec.structs.replace(runs[-1], width=runs[-1].width + 1)
        else:
            runs.append(Segment(x=place, width=1, look=look))
    return runs


def sums(intervals: Sequence[Interval]) -> Mapping[str, timedelta]:
    """How long each look lasted in all, exactly, the longest first."""
    totals: dict[str, timedelta] = defaultdict(timedelta)
    for interval in intervals:
        totals[look_of(interval)] += interval.end - interval.begin
    return dict(sorted(totals.items(), key=lambda item: -item[1]))
