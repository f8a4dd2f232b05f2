"""Areas without service within opening hours: dark, or down to their last station. Pure.

An area is dark when none of its stations has been working for `after` while at least one that should have been is
waited for. With one left it is warned about: the same incident, quiet, which becomes the dark one if that falls too.

Time that is unknown to a clock on which a waiting station rests does not count, and while such a clock cannot be
trusted nothing is decided. After closing time nothing begins; what is open stays open until a station works.

Of areas that are dark within each other, the highest speaks: those below are its children, and page nobody. When it is
over, what is still dark has `after` once more to come back before it speaks for itself. An area of which an
outage took stations is a child of that outage's incident in the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from alerting.blindspots.area_counts import AreaCounts, Path, Tally
from alerting.blindspots.area_parents import Family
from alerting.blindspots.remembered import Memory
from alerting.blindspots.spot import Found, Gone, Kind, Turn, spot_key
from alerting.blindspots.unknown_time import Gaps
from alerting.stations.snapshot import ClockName, Moment

RELEASE: Final = "release"
"""The rule by which the memory keeps until when a dark area may come back after the one that spoke for it."""


class Stage(StrEnum):
    """How far it has come; also the rules by which the memory keeps since when."""

    LAST_ONE = "last_one"
    DARK = "dark_area"


class Outage(Protocol):
    """An open incident of many stations with one cause, and how many of them are down in each area."""

    @property
    def key(self) -> str: ...
    @property
    def began(self) -> datetime: ...
    @property
    def areas(self) -> Mapping[str, int]: ...


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of an area that is open. `above`: the key of its parent, open or not."""

    area: str
    stage: Stage
    since: datetime
    above: str | None = None


class _Stretch(msgspec.Struct):
    """A time in which an area is as `stage` says, since `since`; `told` is the stage of its incident, since `begun`."""

    stage: Stage
    since: datetime
    told: Stage | None = None
    begun: datetime | None = None


class _News(msgspec.Struct):
    """What a pass says of an area, as a `Tally` does of a path."""

    at: datetime
    fell_at: datetime | None = None
    came_at: datetime | None = None


class AreaDark:
    """Every area that is dark, nearly so, or on the way there. `least`: stations of an area that is paged about."""

    def __init__(self, counts: AreaCounts, memory: Memory, *, after: timedelta, least: int) -> None:
        self._counts, self._memory = counts, memory
        self._after, self._least = after, least
        self._waiting: dict[str, dict[ClockName | None, int]] = {}
        self._paths: dict[str, Path] = {}
        self._stretches: dict[str, _Stretch] = {}
        self._running: set[str] = set()
        self._family = Family()
        self._turns: list[Turn] = []

    def load(
        self,
        tallies: Mapping[Path, Tally],
        told: Iterable[Told],
        known: datetime,
    ) -> None:
        """Begin with all stations in `tallies`, the incidents that go on, and what the memory keeps."""
        news = self._add(tallies, known)
        for one in told:
            self._stretches[one.area] = _Stretch(one.stage, one.since, one.stage, one.since)
            if one.stage is Stage.DARK:
                self._family.put(one.area, self._path(one.area), one.above)
        for stage in Stage:
            for area, since in self._memory.of(stage).items():
                self._restore(area, stage, since)
        for area in sorted({*news, *self._stretches}):
            self._judge(area, _News(known))
        self._give_time([key for key in self._family.parents() if _dark_area(key) and not self._is_told(key)], known)

    def _restore(self, area: str, stage: Stage, since: datetime) -> None:
        stretch = self._stretches.setdefault(area, _Stretch(stage, since))
        if stretch.told is not stage:
            stretch.stage, stretch.since = stage, since
            self._running.add(area)

    def follow(self, tallies: Mapping[Path, Tally], known: datetime) -> None:
        """Take the changes of a pass, which the counts have taken before."""
        for area, news in self._add(tallies, known).items():
            self._judge(area, news)

    def _add(self, tallies: Mapping[Path, Tally], known: datetime) -> dict[str, _News]:
        found: dict[str, _News] = {}
        for path, there in tallies.items():
            for depth, area in enumerate(path, start=1):
                if area not in self._paths or self._paths[area] != path[:depth]:
                    self._paths[area] = path[:depth]
                if there.waiting:
                    self._wait(area, there.waiting)
                _merge(found.setdefault(area, _News(there.at or known)), there)
        return found

    def _wait(self, area: str, moved: Mapping[ClockName | None, int]) -> None:
        waiting = self._waiting.setdefault(area, {})
        for clock, number in moved.items():
            waiting[clock] = waiting.get(clock, 0) + number
            if not waiting[clock]:
                del waiting[clock]
        if not waiting:
            del self._waiting[area]

    def _path(self, area: str) -> Path:
        return self._paths.get(area, (area,))

    def _judge(self, area: str, news: _News) -> None:
        """Begin, turn or end the stretch of an area after its numbers changed."""
        working, awaited = self._counts.working(area), self._counts.awaited(area)
        stretch = self._stretches.get(area)
        if working > 1 or not awaited or (working and awaited < self._least):
            self._end(area, "station_works" if working else "nobody_awaited", working, news)
        elif area in self._waiting:
            self._begin(area, stretch, Stage.LAST_ONE if working else Stage.DARK, news)
        elif stretch is None:
            return
        elif stretch.told is None or (working and stretch.told is Stage.DARK):
            self._end(area, "station_works" if working else "closing_time", working, news)
        else:
            self._back(area, stretch)

    def _begin(self, area: str, stretch: _Stretch | None, stage: Stage, news: _News) -> None:
        if stretch is not None and stretch.told is Stage.DARK and stage is Stage.LAST_ONE:
            self._end(area, "station_works", 1, news)
            stretch = None
        if stretch is None:
            stretch = self._stretches[area] = _Stretch(stage, _since(news))
        elif stretch.stage is stage:
            return
        elif stretch.told is stage:
            self._back(area, stretch)
            return
        else:
            stretch.stage, stretch.since = stage, _since(news)
        self._running.add(area)
        self._keep(area, stretch)

    def _back(self, area: str, stretch: _Stretch) -> None:
        """To what was told: what was on the way is not any more."""
        if stretch.told is not None and stretch.begun is not None:
            stretch.stage, stretch.since = stretch.told, stretch.begun
        self._running.discard(area)
        self._keep(area, stretch)

    def _keep(self, area: str, stretch: _Stretch | None) -> None:
        for stage in Stage:
            if stretch is not None and stage is stretch.stage:
                self._memory.put(stage, area, stretch.since)
            else:
                self._memory.drop(stage, area)

    def _end(self, area: str, reason: str, working: int, news: _News) -> None:
        stretch = self._stretches.pop(area, None)
        if stretch is None:
            return
        self._running.discard(area)
        self._keep(area, None)
        self._memory.drop(RELEASE, area)
        self._family.remove(area)
        if stretch.told is not None:
            ended_at = (news.came_at if working else None) or news.at
            self._turns.append(Gone(kind=Kind.AREA_DARK, subject=area, ended_at=ended_at, reason=reason))
            self._give_time([spot_key(Kind.AREA_DARK, area)], news.at)

    def _give_time(self, keys: Iterable[str], known: datetime) -> None:
        """Those for whom an incident spoke that is over have time to come back too."""
        for key in keys:
            for child in self._family.children(key):
                if self._memory.get(RELEASE, child) is None:
                    self._memory.put(RELEASE, child, known + self._after)

    def may_turn(self, known: datetime) -> bool:
        """Whether time alone may decide something by now."""
        return bool(self._memory.of(RELEASE)) or any(
            known - self._stretches[area].since >= self._after for area in self._running
        )

    def advance(self, moment: Moment, gaps: Gaps, outages: Iterable[Outage]) -> None:
        """Tell what has lasted long enough; the highest areas first, so that they speak for those below."""
        over = {outage.key: outage for outage in outages}
        ended = [key for key in self._family.parents() if not _dark_area(key) and key not in over]
        self._give_time(ended, moment.known)
        due = [area for area in self._running if self._is_due(area, moment, gaps)]
        for area in sorted(due, key=lambda area: (len(self._path(area)), area)):
            self._tell(area, over.values())
        for area in sorted(area for area, at in self._memory.of(RELEASE).items() if at <= moment.known):
            self._release(area, over.values())

    def _is_due(self, area: str, moment: Moment, gaps: Gaps) -> bool:
        since, clocks = self._stretches[area].since, self._waiting.get(area, {})
        if moment.known - since < self._after or not moment.untrusted.isdisjoint(clocks):
            return False
        return moment.known - since - gaps.within(clocks, since, moment.known) >= self._after

    def _tell(self, area: str, outages: Iterable[Outage]) -> None:
        stretch = self._stretches[area]
        stretch.told, stretch.begun = stretch.stage, stretch.since
        self._running.discard(area)
        if stretch.stage is Stage.DARK:
            self._family.put(area, self._path(area), self._above(area, stretch, outages))
        self._say(area, stretch.stage)
        if stretch.stage is Stage.DARK:
            self._adopt(area)

    def _above(self, area: str, stretch: _Stretch, outages: Iterable[Outage]) -> str | None:
        """The incident that speaks for an area: of the nearest dark area that it lies in, else of the outage that took
        most of its stations."""
        for higher in reversed(self._path(area)[:-1]):
            other = self._stretches.get(higher)
            if other is not None and other.told is Stage.DARK:
                return spot_key(Kind.AREA_DARK, higher)
        over = [outage for outage in outages if outage.areas.get(area) and outage.began <= stretch.since]
        return max(over, key=lambda o: (o.areas[area], o.began, o.key)).key if over else None

    def _adopt(self, area: str) -> None:
        """Speak for the dark areas below that spoke for themselves, or were about to."""
        key = spot_key(Kind.AREA_DARK, area)
        for below in sorted({*self._family.heads_below(area), *self._family.children(key)}):
            self._family.put(below, self._path(below), key)
            self._memory.drop(RELEASE, below)
            self._say(below, "part_of_a_larger_one", only_update=True)

    def _release(self, area: str, outages: Iterable[Outage]) -> None:
        self._memory.drop(RELEASE, area)
        above = self._above(area, self._stretches[area], outages)
        self._family.put(area, self._path(area), above)
        self._say(area, "still_dark", only_update=True)

    def _say(self, area: str, reason: str, *, only_update: bool = False) -> None:
        stretch, awaited = self._stretches[area], self._counts.awaited(area)
        dark = stretch.told is Stage.DARK
        self._turns.append(
            Found(
                kind=Kind.AREA_DARK,
                subject=area,
                since=stretch.begun or stretch.since,
                figures={
                    "stage": stretch.told,
                    "stations": awaited,
                    "waiting": sum(self._waiting.get(area, {}).values()),
                },
                quiet=not dark or awaited < self._least,
                above=self._family.above(area) if dark else None,
                reason=reason,
                only_update=only_update,
            )
        )

    def _is_told(self, key: str) -> bool:
        stretch = self._stretches.get(key.rpartition(":")[2])
        return stretch is not None and stretch.told is Stage.DARK

    def take(self) -> Sequence[Turn]:
        """What was decided since the last call, in its order."""
        turns, self._turns = self._turns, []
        return turns


def _dark_area(key: str) -> bool:
    return key.startswith(spot_key(Kind.AREA_DARK, ""))


def _merge(news: _News, there: Tally) -> None:
    if there.at is not None:
        news.at = max(news.at, there.at)
    if there.fell_at is not None:
        news.fell_at = there.fell_at if news.fell_at is None else max(news.fell_at, there.fell_at)
    if there.came_at is not None:
        news.came_at = there.came_at if news.came_at is None else min(news.came_at, there.came_at)


def _since(news: _News) -> datetime:
    """When an area began to be as it is: when its last station fell, when the first one came, or just now."""
    return news.fell_at or news.came_at or news.at
