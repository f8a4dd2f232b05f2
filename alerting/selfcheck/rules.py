"""What an outside check makes of what it sees: which of our own parts is dead or stands still. Pure.

It knows nothing of stations. Every judgement is by its own monotonic clock, so that neither a step of the wall clock
nor its own pause accuses anybody; what is only known from the database is not judged while that is away.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from alerting.delivery.advice import advice
from alerting.delivery.facts import AlertFacts, AlertMessage, Phase
from alerting.delivery.message import lasted, severity_line, short_when, when_line
from alerting.delivery.short import ShortParts, short_text
from alerting.delivery.texts import TEXTS, Language
from alerting.incidents.severity import SELF_CHECK
from contract.glossary import WORDS, word

DATABASE: Final = "database"
KAFKA: Final = "kafka"
API: Final = "api"
TRANSITIONS: Final = "transition"
"""What the incident process reads in place of a topic: rows of the database."""
REQUIRED: Final = ("judge", "incidents", "deliver", "ingest", API)
"""Services that must be there; any other is expected once it gave a sign of life."""
STEADY: Final = 3
"""Rounds for which a part must be well again before people are told so."""
_PAUSE: Final = 6

Why = Literal["unreachable", "no_sign", "stuck"]


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. People are told of a dead part within `limit`; a look comes `every` so many after the last one and takes
    up to `ask`; signs of life come each `signs`."""

    limit: float = 60.0
    every: float = 5.0
    ask: float = 4.0
    signs: float = 10.0

    @property
    def patience(self) -> float:
        """How long a part may fail: it begins unseen between two looks, and is told after one."""
        return max(self.limit - 2 * (self.every + self.ask), self.limit / 3)

    @property
    def sign_patience(self) -> float:
        return max(self.patience, 2.5 * self.signs)


class Position(msgspec.Struct, frozen=True):
    """How far a consumer has come in a partition, and how far that reaches; `topic` may be TRANSITIONS."""

    consumer: str
    topic: str
    partition: int
    offset: int
    end: int


class CheckRound(msgspec.Struct, frozen=True, kw_only=True):
    """One round, which began at `began` (monotonic s). `signs`: seconds since the newest sign of each service that
    counts as one; None: not known."""

    began: float
    unreachable: frozenset[str] = frozenset()
    signs: Mapping[str, float] | None = None
    positions: tuple[Position, ...] = ()
    # Seconds for which an announced restart goes on; None: none does, or it is not known.
    restart: float | None = None


class FailingPart(msgspec.Struct, frozen=True):
    """A part that does not work: since when (monotonic s) and why."""

    part: str
    since: float
    why: Why


class CheckNotice(msgspec.Struct, frozen=True):
    """What people are to be told: parts that began to fail, or that work again."""

    phase: Phase
    troubles: tuple[FailingPart, ...]


class SelfCheck:
    """Compares look with look."""

    def __init__(self, pace: Pace, *, began: float) -> None:
        self._pace = pace
        self._last = began
        # Before this no sign is missed yet: we, or the database, have only just come; nor one of a consumer, whose
        # loop may wait for Kafka.
        self._signs_from = self._consumers_from = began + pace.limit
        self._consumers: set[str] = set()
        self._failing: dict[str, FailingPart] = {}
        self._moved: dict[tuple[str, str, int], tuple[int, float]] = {}
        self._open: dict[str, FailingPart] = {}
        self._well: dict[str, float] = {}
        # A restart that was announced goes on until then: nobody is told of what fails meanwhile.
        self._restart_until = float("-inf")

    @property
    def all_well(self) -> bool:
        return not self._failing and not self._open

    def is_restarting(self, mono: float) -> bool:
        """Whether a restart that was announced goes on."""
        return mono < self._restart_until

    def judge_round(self, look: CheckRound, mono: float) -> list[CheckNotice]:
        """Take a round in and say what people are to be told."""
        if mono - self._last > _PAUSE * (self._pace.every + self._pace.ask):
            self._forget(mono)
        self._last = mono
        self._consumers.update(at.consumer for at in look.positions if at.topic != TRANSITIONS)
        if look.restart is not None:
            self._restart_until = mono + look.restart
        failing = {trouble.part: trouble for trouble in self._troubles(look, mono)}
        self._failing = {part: self._first(trouble) for part, trouble in failing.items()}
        opened = [t for part, t in self._failing.items() if part not in self._open and self._is_told(t, mono)]
        closed = [t for part, t in self._open.items() if not _is_hidden(t, look) and self._is_over(part, mono)]
        self._open.update({trouble.part: trouble for trouble in opened})
        for trouble in closed:
            del self._open[trouble.part], self._well[trouble.part]
        phases: list[tuple[Phase, list[FailingPart]]] = [("opened", opened), ("closed", closed)]
        return [CheckNotice(phase, tuple(sorted(found, key=lambda t: t.part))) for phase, found in phases if found]

    def _is_told(self, trouble: FailingPart, mono: float) -> bool:
        """Whether it has lasted long enough; what fails during an announced restart, only after that."""
        return not self.is_restarting(mono) and self._is_late(trouble, mono)

    def _forget(self, mono: float) -> None:
        """We were stopped ourselves: whatever is old now may only have waited for us."""
        self._failing.clear()
        self._moved.clear()
        self._well.clear()
        self._signs_from = mono + self._pace.sign_patience

    def _first(self, trouble: FailingPart) -> FailingPart:
        before = self._failing.get(trouble.part)
        return trouble if before is None else msgspec.structs.replace(trouble, since=min(before.since, trouble.since))

    def _troubles(self, look: CheckRound, mono: float) -> Iterable[FailingPart]:
        for part in sorted(look.unreachable):
            yield FailingPart(part, look.began, "unreachable")
        if KAFKA in look.unreachable:
            self._consumers_from = mono + self._pace.sign_patience
        if look.signs is None:
            self._signs_from = mono + self._pace.sign_patience
        if KAFKA in look.unreachable or look.signs is None:
            self._moved.clear()
        for service in sorted({*REQUIRED, *(look.signs or ())} - look.unreachable):
            yield from self._silent(service, look.signs or {}, mono)
        yield from self._stuck(look, mono)

    def _silent(self, service: str, signs: Mapping[str, float], mono: float) -> Iterable[FailingPart]:
        """A service without a sign, if one could have come."""
        patient_until = max(self._signs_from, self._consumers_from if service in self._consumers else 0.0)
        age = signs.get(service)
        if mono >= patient_until and (age is None or age > self._pace.sign_patience):
            yield FailingPart(service, mono - (self._pace.limit if age is None else age), "no_sign")

    def _stuck(self, look: CheckRound, mono: float) -> Iterable[FailingPart]:
        """Consumers that do not move although there is something to read."""
        for at in look.positions:
            key = (at.consumer, at.topic, at.partition)
            before = self._moved.get(key)
            if before is None or before[0] != at.offset or at.offset >= at.end:
                self._moved[key] = at.offset, mono
            elif mono - before[1] > self._pace.patience:
                yield FailingPart(at.consumer, before[1], "stuck")

    def _is_late(self, trouble: FailingPart, mono: float) -> bool:
        return mono - trouble.since >= self._pace.patience

    def _is_over(self, part: str, mono: float) -> bool:
        if part in self._failing:
            self._well.pop(part, None)
            return False
        return mono - self._well.setdefault(part, mono) >= STEADY * self._pace.every


def _is_hidden(trouble: FailingPart, look: CheckRound) -> bool:
    """Whether this look could not have seen the trouble, so that its absence proves nothing."""
    if trouble.why == "unreachable":
        return False
    return look.signs is None or (trouble.why == "stuck" and KAFKA in look.unreachable)


class _CheckTexts(msgspec.Struct, frozen=True):
    opened: str
    closed: str
    tag_ends: str
    line: str
    listing: str


_ZH: Final = _CheckTexts(
    opened="【平台自检】{parts}不工作",
    closed="【平台自检】{parts}已恢复",
    tag_ends="】",
    line="{part}：{why}，已 {lasted}。{means}",
    listing="、",
)
_EN: Final = _CheckTexts(
    opened="[PLATFORM CHECK] not working: {parts}",
    closed="[PLATFORM CHECK] works again: {parts}",
    tag_ends="] ",
    line="{part}: {why}, for {lasted}. {means}",
    listing=", ",
)
_LANGUAGES: Final[dict[Language, _CheckTexts]] = {"zh-CN": _ZH, "en": _EN}


def write_notice(
    told: CheckNotice, *, language: Language, now: datetime, mono: float
) -> tuple[AlertFacts, AlertMessage]:
    """The notification: facts for machines, text for people. It is no incident: its number is 0."""
    words = _LANGUAGES[language]
    parts = words.listing.join(word("part", trouble.part, language) for trouble in told.troubles)
    title = (words.opened if told.phase == "opened" else words.closed).format(parts=parts)
    longest = max(mono - trouble.since for trouble in told.troubles)
    facts = AlertFacts(
        incident=0,
        kind=SELF_CHECK,
        phase=told.phase,
        began_at=now - timedelta(seconds=longest),
        ended_at=None if told.phase == "opened" else now,
        detail={trouble.part: trouble.why for trouble in told.troubles},
    )
    common = TEXTS[language]
    lines = (
        severity_line(facts, language),
        when_line(facts, language, now),
        *(_line(trouble, language, mono) for trouble in told.troubles),
        common.to_do.format(advice=advice(facts).text(language)),
    )
    tag, _, what = title.partition(words.tag_ends)
    short = ShortParts(
        tag=tag + words.tag_ends.strip(), topic="", area="", name=what, ident="", count="",
        when=short_when(facts, language, now), number="",
    )  # fmt: skip
    return facts, AlertMessage(title=title, body="\n".join(lines), short=short_text(short))


def _line(trouble: FailingPart, language: Language, mono: float) -> str:
    words, effect = _LANGUAGES[language], WORDS["part_effect"].get(trouble.part)
    return words.line.format(
        part=word("part", trouble.part, language),
        why=word("part_fault", trouble.why, language),
        lasted=lasted(timedelta(seconds=mono - trouble.since), language),
        means=effect.text(language) if effect else "",
    ).strip()
