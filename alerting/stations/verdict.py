"""The verdict that people see of a station: what was judged, as far as the pipeline allows to say it now. Pure.

Order of the rules, the first that applies decides:

1. Not commissioned (planned, suspended, retired): `suspended`. Nobody expects service from it, so it is neither
   working nor broken, whatever its terminals do; `lifecycle` beside the verdict says which of the three.
2. Never heard: `never_seen`, whatever the clocks say.
3. The clock its state rests on is missing, stale or blind: `unknown`. The last state may long be wrong. So it is of a
   station that a service set aside, which nobody judges, and of one whose silence is `unproven`.
4. Online: `unusable` when terminals say that no visitor can use it and none says the contrary (`usable` of the
   station, `alerting.liveness.partition`), otherwise `online`, whatever the hours: a terminal may be left on.
   Of a station whose terminals say nothing about it nobody knows better than `online`.
5. Outside its opening hours: `closed`.
6. Within them, in an approved closure: `excused`. One that is only declared silences, and excuses nothing.
7. The judged state: `away` or `offline`.

Online and unusable hold since the station began to be so. Offline and away hold since the station was last online,
whether or not it was closed meanwhile; closed and excused since the latest of that, the last opening or closing, and
the closure.

The clock that counts is that of the station's partition and of the shard through which one of its terminals was
heard last; a shard it left long ago takes nothing from it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

STALE: Final = timedelta(seconds=10)
"""A clock older than this in the database says nothing about now."""
SET_ASIDE: Final = "set_aside"
"""The state of a station that a service set aside, and its reason: nobody judges it, whatever it was before."""
BLIND: Final = timedelta(seconds=5)
"""Uncounted time longer than this is worth calling unknown."""


class Verdict(StrEnum):
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
    """Whether anybody expects a station to be online at a moment.

    `open`: within its opening hours; `changed_at`: when it opened or closed last (None: never, or longer ago than is
    known). `excused_since`: since when an approved closure excuses it (None: none does).
    """

    open: bool = True
    changed_at: datetime | None = None
    excused_since: datetime | None = None


ALWAYS_OPEN: Final = Hours()


class Judgement(msgspec.Struct, frozen=True):
    """A verdict, since when it holds if that is known, and the rule that gave it."""

    verdict: Verdict
    since: datetime | None
    why: str


_LIVE: Final = {"online": Verdict.ONLINE, "away": Verdict.AWAY, "offline": Verdict.OFFLINE}
LIVE: Final = frozenset({*_LIVE.values(), Verdict.UNUSABLE})
"""The verdicts that are a judge's word about now."""
UP: Final = frozenset({Verdict.ONLINE, Verdict.UNUSABLE})
"""Those of a station that is heard."""


def doubt(clock: Clock, now: datetime) -> tuple[str, datetime] | None:
    """Why a clock cannot be trusted now and since when; None when it can."""
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
    """The verdict of a station whose clock can be trusted: what the counts of areas are made of."""
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
    """The verdict of a station: its lifecycle, its judged state (None: no row) and whether it is usable (None: nobody
    said), since when, the clock that state rests on, and whether anybody expects it to be online."""
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
    """What is so whatever the clocks say."""
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
    """All pipeline clocks at one moment: which one a station's state rests on, and which can be trusted."""

    def __init__(self, clocks: Iterable[Clock], now: datetime) -> None:
        self.now = now
        self.all = sorted(clocks, key=lambda clock: (clock.shard, clock.partition))
        self._by_shard = {(clock.partition, clock.shard): clock for clock in self.all}
        self._by_partition: dict[int, list[Clock]] = {}
        for clock in self.all:
            self._by_partition.setdefault(clock.partition, []).append(clock)

    def of(self, partition: int | None, shard: str | None) -> Clock | None:
        """The clock of a partition and shard. Where the shard has none or is not known, the least trusty of the
        partition stands for it: it can be trusted only if all can."""
        if partition is None:
            return None
        found = self._by_shard.get((partition, shard or ""))
        return found or min(self._by_partition.get(partition, []), key=self._trust, default=None)

    def _trust(self, clock: Clock) -> tuple[bool, datetime]:
        return doubt(clock, self.now) is None, min(clock.tick_at, clock.judged_at)

    def is_sound(self, clock: Clock) -> bool:
        return doubt(clock, self.now) is None

    @property
    def sound(self) -> list[int]:
        """Partitions in which every clock can be trusted."""
        return [p for p, clocks in self._by_partition.items() if all(map(self.is_sound, clocks))]

    @property
    def sound_clock(self) -> Clock | None:
        """Any clock that can be trusted: all of them give the same verdicts."""
        return next(filter(self.is_sound, self.all), None)

    @property
    def partly_sound(self) -> list[Clock]:
        """The clocks that can be trusted in partitions where another cannot."""
        whole = set(self.sound)
        return [clock for clock in self.all if clock.partition not in whole and self.is_sound(clock)]
