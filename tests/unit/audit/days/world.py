"""Short words for the sources of figures, and an oracle that walks every second."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.days.figures import Figures, StationSources
from audit.timeline import PresenceRun, StateChange, StationDecisions, UnknownInterval

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
SECOND = timedelta(seconds=1)


def at(hours: float) -> datetime:
    """So many hours after midnight, to the second."""
    return MIDNIGHT + timedelta(seconds=round(hours * 3600))


def change(seq: int, hour: float, state: str, usable: bool | None = None) -> StateChange:
    return StateChange(seq=seq, at=at(hour), state=state, usable=usable)


def gap(begin: float, end: float, *, silent: bool = False) -> UnknownInterval:
    return UnknownInterval(began_at=at(begin), ended_at=at(end), silent=silent)


def ran(begin: float, end: float, usable: bool | None = True, received: float = 500) -> PresenceRun:
    return PresenceRun(began_at=at(begin), ended_at=at(end), usable=usable, received_at=at(received))


def spans(*pairs: tuple[float, float]) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((at(begin), at(end)) for begin, end in pairs)


def decided(
    openings: Iterable[tuple[float, float]] | None = None,
    closures: Iterable[tuple[float, float]] = (),
    lifecycles: Iterable[tuple[float, str]] = (),
) -> StationDecisions:
    return StationDecisions(
        openings=None if openings is None else spans(*openings),
        closures=spans(*closures),
        lifecycles=tuple((at(hour), word) for hour, word in lifecycles),
    )


class _Strip:
    """One value for each second of a window; later paint covers earlier paint."""

    def __init__(self, begin: datetime, end: datetime, value: object) -> None:
        self.begin, self.size = begin, (end - begin) // SECOND
        self.values: list[Any] = [value] * self.size

    def paint(self, since: datetime | None, until: datetime | None, value: object) -> None:
        first = 0 if since is None else max(0, (since - self.begin) // SECOND)
        last = self.size if until is None else min(self.size, (until - self.begin) // SECOND)
        for second in range(first, last):
            self.values[second] = value


def oracle(sources: StationSources, begin: datetime, end: datetime) -> Figures:
    """The figures by looking at each second by itself. Shares no code with what it checks."""
    strips = _painted(sources, begin, end)
    counts: Counter[str] = Counter()
    for second in zip(*(strip.values for strip in strips), strict=True):
        counts.update(_counted(*second))
    return Figures(**{name: 1000 * seconds for name, seconds in counts.items()})


def _painted(sources: StationSources, begin: datetime, end: datetime) -> list[_Strip]:
    """State, usable, blind, doubted, ran usable, open, excused, lifecycle: each for every second."""
    state, usable = _Strip(begin, end, "never_seen"), _Strip(begin, end, None)
    for one in sorted(sources.changes, key=lambda one: one.seq):
        state.paint(one.at, None, one.state)
        usable.paint(one.at, None, one.usable)
    lifecycle = _Strip(begin, end, "commissioned")
    for n, (since, word) in enumerate(sorted(sources.decided.lifecycles)):
        lifecycle.paint(since if n else None, None, word)
    opened = _Strip(begin, end, sources.decided.openings is None)
    times = [
        (_Strip(begin, end, False), [(lost.began_at, lost.ended_at) for lost in sources.gaps if not lost.silent]),
        (_Strip(begin, end, False), [(lost.began_at, lost.ended_at) for lost in sources.gaps if lost.silent]),
        (_Strip(begin, end, False), [(run.began_at, run.ended_at) for run in sources.presence if run.usable]),
        (opened, sources.decided.openings or ()),
        (_Strip(begin, end, False), sources.decided.closures),
    ]
    for strip, pairs in times:
        for since, until in pairs:
            strip.paint(since, until, True)
    return [state, usable, *(strip for strip, _ in times), lifecycle]


def _counted(
    state: str, usable: bool | None, blind: bool, doubted: bool, ran: bool, opened: bool, excused: bool, lifecycle: str
) -> list[str]:
    """The figures that one second belongs to."""
    if not opened or lifecycle != "commissioned":
        return []
    if excused:
        return ["scheduled_ms", "excused_ms"]
    if blind or state in ("unproven", "set_aside") or (state == "offline" and doubted):
        return ["scheduled_ms", "unknown_ms"]
    if state != "online":
        return ["scheduled_ms", "service_due_ms", *(["usable_ms"] if state == "offline" and ran else [])]
    if usable is None:
        return ["scheduled_ms", "online_ms"]
    return ["scheduled_ms", "online_ms", "service_due_ms", *(["usable_ms"] if usable else [])]
