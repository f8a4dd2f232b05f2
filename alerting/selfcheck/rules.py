"""The rules of the self-check: which part of Milepost itself does not work, from what is seen outside of it. Pure.

Every judgement is by the monotonic clock of the check, so that neither a step of the wall clock nor a pause of the
check causes a false alert. What is only known from the database is not judged while the database is away.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from alerting.delivery.facts import Phase

DATABASE: Final = "database"
KAFKA: Final = "kafka"
API: Final = "api"
TRANSITIONS: Final = "transition"
"""In place of a topic: the incident process reads rows of the database."""
REQUIRED: Final = ("judge", "incidents", "deliver", "ingest", API)
"""Services that must run; any other one is expected after its first sign of life."""
STEADY: Final = 3
"""Rounds for which a part must work again before its recovery is notified."""
_PAUSE: Final = 6
"""Rounds without a check after which the check itself was stopped."""

Why = Literal["unreachable", "no_sign", "stuck"]
"""Why a part fails: no answer, no sign of life, or a consumer that does not move."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Times of the check, in seconds. `limit`: a dead part is notified within this time. `every`: between two rounds.
    `ask`: the longest that a round takes. `signs`: between two signs of life of a service."""

    limit: float = 60.0
    every: float = 5.0
    ask: float = 4.0
    signs: float = 10.0

    @property
    def patience(self) -> float:
        """How long a part may fail: a failure begins between two rounds and is notified after one, which `limit`
        includes."""
        return max(self.limit - 2 * (self.every + self.ask), self.limit / 3)

    @property
    def sign_patience(self) -> float:
        """How old the newest sign of life of a service may be."""
        return max(self.patience, 2.5 * self.signs)


class Position(msgspec.Struct, frozen=True):
    """The next offset of a consumer in a partition, and the end of that partition; `topic` may be TRANSITIONS."""

    consumer: str
    topic: str
    partition: int
    offset: int
    end: int


class CheckRound(msgspec.Struct, frozen=True, kw_only=True):
    """What one round saw; it began at `began` (monotonic s). `signs`: seconds since the newest sign of life of each
    service; None: not known, because the database is away."""

    began: float
    unreachable: frozenset[str] = frozenset()
    signs: Mapping[str, float] | None = None
    positions: tuple[Position, ...] = ()
    restart: float | None = None
    """Seconds until the end of an announced restart; None: there is none, or it is not known."""


class FailingPart(msgspec.Struct, frozen=True):
    """A part that does not work, since when (monotonic s), and why."""

    part: str
    since: float
    why: Why


class CheckNotice(msgspec.Struct, frozen=True):
    """A notification to be sent: parts that began to fail (`opened`), or that work again (`closed`)."""

    phase: Phase
    parts: tuple[FailingPart, ...]


class SelfCheck:
    """Compares each round with those before it."""

    def __init__(self, pace: Pace, *, began: float) -> None:
        self._pace = pace
        self._last = began
        # Signs of life are not missed before these moments: the check or the database has only just started, or, for
        # consumers, their loop may wait for Kafka.
        self._signs_from = self._consumers_from = began + pace.limit
        self._consumers: set[str] = set()
        self._failing: dict[str, FailingPart] = {}
        self._moved: dict[tuple[str, str, int], tuple[int, float]] = {}
        self._open: dict[str, FailingPart] = {}
        self._well: dict[str, float] = {}
        # The end of an announced restart; failures before it are not notified.
        self._restart_until = float("-inf")

    @property
    def all_well(self) -> bool:
        """Whether no part fails, and no recovery is waited for."""
        return not self._failing and not self._open

    def is_restarting(self, mono: float) -> bool:
        """Whether an announced restart is going on."""
        return mono < self._restart_until

    def judge_round(self, seen: CheckRound, mono: float) -> list[CheckNotice]:
        """Take a round; returns the notifications to be sent. `mono`: the monotonic clock now, s."""
        if mono - self._last > _PAUSE * (self._pace.every + self._pace.ask):
            self._forget(mono)
        self._last = mono
        self._consumers.update(at.consumer for at in seen.positions if at.topic != TRANSITIONS)
        if seen.restart is not None:
            self._restart_until = mono + seen.restart
        failing = {found.part: found for found in self._find_failing(seen, mono)}
        self._failing = {part: self._keep_since(found) for part, found in failing.items()}
        opened = [t for part, t in self._failing.items() if part not in self._open and self._is_due(t, mono)]
        closed = [t for part, t in self._open.items() if not _is_hidden(t, seen) and self._is_over(part, mono)]
        self._open.update({new.part: new for new in opened})
        for over in closed:
            del self._open[over.part], self._well[over.part]
        phases: list[tuple[Phase, list[FailingPart]]] = [("opened", opened), ("closed", closed)]
        return [CheckNotice(phase, tuple(sorted(found, key=lambda t: t.part))) for phase, found in phases if found]

    def _is_due(self, found: FailingPart, mono: float) -> bool:
        """Whether a failure is to be notified: it has lasted long enough, and no announced restart is going on."""
        return not self.is_restarting(mono) and self._is_late(found, mono)

    def _forget(self, mono: float) -> None:
        """The check itself was stopped: forget what it saw, because old signs may only have waited to be read."""
        self._failing.clear()
        self._moved.clear()
        self._well.clear()
        self._signs_from = mono + self._pace.sign_patience

    def _keep_since(self, found: FailingPart) -> FailingPart:
        before = self._failing.get(found.part)
        return found if before is None else msgspec.structs.replace(found, since=min(before.since, found.since))

    def _find_failing(self, seen: CheckRound, mono: float) -> Iterable[FailingPart]:
        for part in sorted(seen.unreachable):
            yield FailingPart(part, seen.began, "unreachable")
        if KAFKA in seen.unreachable:
            self._consumers_from = mono + self._pace.sign_patience
        if seen.signs is None:
            self._signs_from = mono + self._pace.sign_patience
        if KAFKA in seen.unreachable or seen.signs is None:
            self._moved.clear()
        for service in sorted({*REQUIRED, *(seen.signs or ())} - seen.unreachable):
            yield from self._silent(service, seen.signs or {}, mono)
        yield from self._stuck(seen, mono)

    def _silent(self, service: str, signs: Mapping[str, float], mono: float) -> Iterable[FailingPart]:
        """A service without a sign of life, if one could have come."""
        patient_until = max(self._signs_from, self._consumers_from if service in self._consumers else 0.0)
        age = signs.get(service)
        if mono >= patient_until and (age is None or age > self._pace.sign_patience):
            yield FailingPart(service, mono - (self._pace.limit if age is None else age), "no_sign")

    def _stuck(self, seen: CheckRound, mono: float) -> Iterable[FailingPart]:
        """Consumers that do not move although there are entries to read."""
        for at in seen.positions:
            key = (at.consumer, at.topic, at.partition)
            before = self._moved.get(key)
            if before is None or before[0] != at.offset or at.offset >= at.end:
                self._moved[key] = at.offset, mono
            elif mono - before[1] > self._pace.patience:
                yield FailingPart(at.consumer, before[1], "stuck")

    def _is_late(self, found: FailingPart, mono: float) -> bool:
        return mono - found.since >= self._pace.patience

    def _is_over(self, part: str, mono: float) -> bool:
        if part in self._failing:
            self._well.pop(part, None)
            return False
        return mono - self._well.setdefault(part, mono) >= STEADY * self._pace.every


def _is_hidden(found: FailingPart, seen: CheckRound) -> bool:
    """Whether this round could not see such a failure, so that its absence proves nothing."""
    if found.why == "unreachable":
        return False
    return seen.signs is None or (found.why == "stuck" and KAFKA in seen.unreachable)
