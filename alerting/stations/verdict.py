"""The verdict that people see of a station: its judged state, if the pipeline is trusted to know it now. Pure.

Order of the rules; the first that applies decides:

1. Not commissioned (planned, suspended, retired): `suspended`. No service is expected from the station, so it is
   neither working nor broken, whatever its terminals do. `lifecycle` beside the verdict says which of the three it is.
2. Never heard: `never_seen`, whatever the clocks say.
3. The clock that its state rests on is missing, stale or blind: `unknown`, because the last state may long be wrong.
   The same for a station that a service set aside, which is not judged, and for one whose silence is `unproven`.
4. Online: `unusable` when terminals say that no visitor can use it and none says the contrary (`usable` of the
   station, `alerting.liveness.station_state`), otherwise `online`, whatever the hours: a terminal may be left on.
   A station whose terminals say nothing about that is `online`.
5. Outside its opening hours: `closed`.
6. Within them, in an approved closure: `excused`. A closure that is only declared silences, and excuses nothing.
7. The judged state: `away` or `offline`.

Online and unusable hold since the station began to be so. Offline and away hold since the station was last online,
whether or not it was closed meanwhile. Closed and excused hold since the latest of that, of the last opening or
closing, and of the beginning of the closure.

The clock that counts is that of the station's partition and of the shard through which one of its terminals was
heard last. A shard that the station left has no influence.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

STALE: Final = timedelta(seconds=10)
"""A clock whose row in the database is older than this is not trusted."""
SET_ASIDE: Final = "set_aside"
"""The state of a station that a service set aside, and its reason: the station is not judged."""
BLIND: Final = timedelta(seconds=5)
"""Uncounted time longer than this makes a station unknown."""


class Verdict(StrEnum):
    """What a station is now, as people see it."""

    ONLINE = "online"
    UNUSABLE = "unusable"
    OFFLINE = "offline"
    AWAY = "away"
    CLOSED = "closed"
    EXCUSED = "excused"
    UNKNOWN = "unknown"
    NEVER_SEEN = "never_seen"
    SUSPENDED = "suspended"


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """The pipeline clock of one (partition, shard) as the database has it; `clock` in pipeline seconds."""

    partition: int
    shard: str
    clock: float
    tick_at: datetime
    judged_at: datetime
    blind_since: datetime | None = None


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a station is expected to be online at a moment.

    `open`: within its opening hours; `changed_at`: when it opened or closed last (None: never, or longer ago than is
    known). `excused_since`: since when an approved closure excuses it (None: no closure does).
    """

    open: bool = True
    changed_at: datetime | None = None
    excused_since: datetime | None = None


ALWAYS_OPEN: Final = Hours()


class Judgement(msgspec.Struct, frozen=True):
    """A verdict, since when it holds (None: not known), and the rule that gave it."""

    verdict: Verdict
    since: datetime | None
    why: str


_LIVE: Final = {"online": Verdict.ONLINE, "away": Verdict.AWAY, "offline": Verdict.OFFLINE}
LIVE: Final = frozenset({*_LIVE.values(), Verdict.UNUSABLE})
"""The verdicts that are the judged state of the station."""
UP: Final = frozenset({Verdict.ONLINE, Verdict.UNUSABLE})
"""The verdicts of a station that is heard."""


def doubt(clock: Clock, now: datetime) -> tuple[str, datetime] | None:
    """Why a clock cannot be trusted now, and since when; None: it can."""
    doubts = []
    known_until = min(clock.tick_at, clock.judged_at)
    if now - known_until > STALE:
        doubts.append(("clock_stale", known_until))
    if clock.blind_since is not None and now - clock.blind_since > BLIND:
        doubts.append(("clock_blind", clock.blind_since))
    return min(doubts, key=lambda found: found[1], default=None)


def verdict_of(
    *,
    lifecycle: str,
    state: str | None,
    usable: bool | None,
    open: bool,  # noqa: A002
    excused: bool,
) -> Verdict:
    """The verdict of a station whose clock can be trusted. The counts of areas are made of these."""
    early = _before_clocks(lifecycle, state)
    return early[0] if early else _judged(state or "", usable, open, excused)[0]


def judge(
    *,
    lifecycle: str,
    state: str | None,
    usable: bool | None,
    since: datetime | None,
    clock: Clock | None,
    now: datetime,
    hours: Hours = ALWAYS_OPEN,
) -> Judgement:
    """The verdict of a station at `now`, by its lifecycle, its judged state (None: it has no row), whether it is usable
    (None: it does not say), since when, the clock that the state rests on, and its hours."""
    early = _before_clocks(lifecycle, state)
    if early:
        return Judgement(early[0], None, early[1])
    if clock is None:
        return Judgement(Verdict.UNKNOWN, None, "clock_missing")
    doubted = doubt(clock, now)
    if doubted is not None:
        return Judgement(Verdict.UNKNOWN, doubted[1], doubted[0])
    verdict, why = _judged(state or "", usable, hours.open, hours.excused_since is not None)
    return Judgement(verdict, _since(verdict, since, hours), why)


def _before_clocks(lifecycle: str, state: str | None) -> tuple[Verdict, str] | None:
    """The rules that apply whatever the clocks say."""
    if lifecycle != "commissioned":
        return Verdict.SUSPENDED, "lifecycle"
    if state is None or state == Verdict.NEVER_SEEN:
        return Verdict.NEVER_SEEN, "never_heard"
    return None


def _judged(state: str, usable: bool | None, open: bool, excused: bool) -> tuple[Verdict, str]:  # noqa: A002
    if state == SET_ASIDE:
        return Verdict.UNKNOWN, SET_ASIDE
    if state not in _LIVE:
        return Verdict.UNKNOWN, "state_unknown"
    if state == Verdict.ONLINE:
        return Verdict.UNUSABLE if usable is False else Verdict.ONLINE, "judged"
    if not open:
        return Verdict.CLOSED, "outside_hours"
    if excused:
        return Verdict.EXCUSED, "closure"
    return _LIVE[state], "judged"


def _since(verdict: Verdict, since: datetime | None, hours: Hours) -> datetime | None:
    if verdict is Verdict.CLOSED:
        return hours.changed_at and _latest(since, hours.changed_at)
    if verdict is Verdict.EXCUSED:
        return _latest(since, hours.changed_at, hours.excused_since)
    return since


def _latest(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time is not None), default=None)


class Clocks:
    """All pipeline clocks at one moment: which a station's state rests on, and which can be trusted."""

    def __init__(self, clocks: Iterable[Clock], now: datetime) -> None:
        self.now = now
        self.all = sorted(clocks, key=lambda clock: (clock.shard, clock.partition))
        self._by_shard = {(clock.partition, clock.shard): clock for clock in self.all}
        self._by_partition: dict[int, list[Clock]] = {}
        for clock in self.all:
            self._by_partition.setdefault(clock.partition, []).append(clock)

    def clock_of(self, partition: int | None, shard: str | None) -> Clock | None:
        """The clock of a partition and shard. If the shard has none or is not known, the least trustworthy clock of the
        partition, which can be trusted only if all can. None: the partition has no clock."""
        if partition is None:
            return None
        found = self._by_shard.get((partition, shard or ""))
        return found or min(self._by_partition.get(partition, []), key=self._trust, default=None)

    def _trust(self, clock: Clock) -> tuple[bool, datetime]:
        return doubt(clock, self.now) is None, min(clock.tick_at, clock.judged_at)

    def is_sound(self, clock: Clock) -> bool:
        """Whether a clock can be trusted."""
        return doubt(clock, self.now) is None

    @property
    def sound(self) -> list[int]:
        """Partitions in which every clock can be trusted."""
        return [p for p, clocks in self._by_partition.items() if all(map(self.is_sound, clocks))]

    @property
    def partly_sound(self) -> list[Clock]:
        """The clocks that can be trusted in partitions where another cannot."""
        whole = set(self.sound)
        return [clock for clock in self.all if clock.partition not in whole and self.is_sound(clock)]
