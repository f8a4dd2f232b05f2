"""The stations and times that a new fact of the registry may concern. Pure.

They may be more than the stations and times that change: a day is revised only if its figures or its areas differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from audit.days.revisions import RevisionCause
from contract.bounds import EARLIEST, LATEST
from registry.facts.model import FactKind, RegistryFact

FAR: Final = LATEST
LONG_AGO: Final = EARLIEST
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)

OF_STATION: Final = frozenset(
    {
        FactKind.STATION,
        FactKind.TERMINAL,
        FactKind.PROGRAMME,
        FactKind.SCHEDULE,
        FactKind.OVERRIDE,
        FactKind.CLOSURE,
    }
)
_CLOSURES: Final = frozenset({FactKind.CLOSURE, FactKind.AREA_CLOSURE, FactKind.PROGRAMME_CLOSURE})
_SCHEDULES: Final = frozenset({FactKind.SCHEDULE, FactKind.KIND_SCHEDULE})
_OVERRIDES: Final = frozenset(
    {FactKind.OVERRIDE, FactKind.KIND_OVERRIDE, FactKind.AREA_OVERRIDE, FactKind.COUNTRY_OVERRIDE}
)


class FactTouch(msgspec.Struct, frozen=True, kw_only=True):
    """The stations of a subject may have other figures between two moments."""

    kind: FactKind
    subject: str
    began_at: datetime
    ended_at: datetime
    cause: RevisionCause


def anything(kind: FactKind, subject: str) -> FactTouch:
    """A touch of the whole time of a subject, for a fact that cannot be read."""
    return FactTouch(kind=kind, subject=subject, began_at=LONG_AGO, ended_at=FAR, cause=RevisionCause.JUDGED)


def touches_of(facts: Iterable[RegistryFact], since: int) -> list[FactTouch]:
    """What the facts with an id above `since` may concern; `facts`: also the older ones of the same subjects, because a
    closure that moves concerns its former times."""
    by_subject: dict[tuple[FactKind, str], list[RegistryFact]] = {}
    for fact in facts:
        by_subject.setdefault((fact.kind, fact.subject), []).append(fact)
    new = [(fact, known) for known in by_subject.values() for fact in known if fact.id > since]
    return [touch for fact, known in new for touch in _touches(fact, known)]


def _touches(fact: RegistryFact, known: Sequence[RegistryFact]) -> list[FactTouch]:
    if fact.kind in _CLOSURES:
        return _dated(fact, known, RevisionCause.CLOSURE, _closure_times)
    if fact.kind in _OVERRIDES:
        return _dated(fact, known, RevisionCause.SCHEDULE, _override_times)
    if fact.kind in _SCHEDULES:
        days = [_start(day) - _DAY for day in fact.fields or {}]
        return [_touch(fact, RevisionCause.SCHEDULE, min(days, default=LONG_AGO), FAR)]
    if fact.kind is FactKind.DAY_CLASS:
        days = [_start(day) for day in fact.fields or {}]
        began, ended = min(days, default=LONG_AGO) - _DAY, max(days, default=FAR) + 2 * _DAY
        return [_touch(fact, RevisionCause.SCHEDULE, began, ended)]
    return [_touch(fact, cause, fact.effective_at, FAR) for cause in _causes(fact)]


def _causes(fact: RegistryFact) -> list[RevisionCause]:
    """Of facts that hold since a moment."""
    if fact.kind is FactKind.AREA:
        return [RevisionCause.AREA]
    if fact.kind is FactKind.PROGRAMME:
        return [RevisionCause.CLOSURE]
    if fact.kind is FactKind.TERMINAL:
        return [RevisionCause.PRESENCE]
    names = set(fact.fields or {"lifecycle": None})
    causes = {
        RevisionCause.LIFECYCLE: fact.whole or "lifecycle" in names,
        RevisionCause.SCHEDULE: "kind" in names and not fact.whole,
        RevisionCause.AREA: "area" in names and not fact.whole,
    }
    return [cause for cause, named in causes.items() if named]


_Times = tuple[datetime, datetime]


def _dated(fact: RegistryFact, known: Sequence[RegistryFact], cause: RevisionCause, times: Any) -> list[FactTouch]:
    """Of entries with times of their own: the times of all forms that an entry ever had."""
    found: list[FactTouch] = []
    for number in fact.fields or {}:
        forms = [value for other in known if (value := (other.fields or {}).get(number)) is not None]
        spans: list[_Times] = [times(form) for form in forms]
        if spans:
            began, ended = min(span[0] for span in spans), max(span[1] for span in spans)
            found.append(_touch(fact, cause, began, ended))
    return found


def _closure_times(value: Mapping[str, Any]) -> _Times:
    return _moment(value["from"]), _moment(value["until"])


def _override_times(value: Mapping[str, Any]) -> _Times:
    return _start(value["from"]) - _DAY, _start(value["to"]) + 3 * _DAY


def _touch(fact: RegistryFact, cause: RevisionCause, began: datetime, ended: datetime) -> FactTouch:
    return FactTouch(kind=fact.kind, subject=fact.subject, began_at=began, ended_at=ended, cause=cause)


def _start(day: str) -> datetime:
    """The UTC midnight of a day of JSON, within what can be named; local days begin up to a day before or after."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return LONG_AGO if day.startswith("-") or day.endswith("BC") else FAR
    return min(max(datetime.combine(found, time(), tzinfo=UTC), LONG_AGO), FAR)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
