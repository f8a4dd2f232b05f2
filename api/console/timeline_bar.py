"""The bar that shows a day of a station: each segment shows the worst verdict of its interval. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from alerting.stations.verdict import Verdict
from api.console.station_map import GRAVITY

PARTS: Final = 480
"""Number of parts of the bar; of a day each is three minutes."""


class TimelinePart(Protocol):
    """An interval of a timeline; `evidence`: live, presence or none."""

    @property
    def begin(self) -> datetime:
        """When it begins."""

    @property
    def end(self) -> datetime:
        """When it ends, exclusive."""

    @property
    def verdict(self) -> Verdict:
        """What the station was."""

    @property
    def evidence(self) -> str:
        """What the verdict rests on."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Parts [x, x + width) of the bar. `look` is a verdict, or `presence` where it was offline and ran."""

    x: int
    width: int
    look: str


def look_of(interval: TimelinePart) -> str:
    """How an interval is drawn: its verdict, or `presence`."""
    return "presence" if interval.evidence == "presence" else interval.verdict.value


def segments(intervals: Sequence[TimelinePart], begin: datetime, end: datetime, parts: int = PARTS) -> list[Segment]:
    """The bar of [begin, end]: each part shows the worst verdict in it, so that no short outage is lost."""
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


def sums(intervals: Sequence[TimelinePart]) -> Mapping[str, timedelta]:
    """The exact total length of each look, the longest first."""
    totals: dict[str, timedelta] = defaultdict(timedelta)
    for interval in intervals:
        totals[look_of(interval)] += interval.end - interval.begin
    return dict(sorted(totals.items(), key=lambda item: -item[1]))
