"""Closures and maintenance windows of stations: when they are in force, and what they do then. Pure.

A closure in force silences alerts as soon as it is declared; it excuses downtime only if it is approved.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from contract.bounds import OutOfBoundsError, require_time
from contract.errors import RemedyError
from contract.glossary import WORDS

KINDS: Final = ("closure", "maintenance")
SCOPES: Final = ("station", "area", "programme")
MAX_REASON: Final = 500
"""Characters of a reason."""

Scope = tuple[str, str]
"""One of SCOPES, and the id of that station, area or programme."""


class Scoped(Protocol):
    """Anything that is for one station, one area with all below it, or the stations of one programme."""

    @property
    def station(self) -> str | None:
        """The id of the station, if the scope is one."""

    @property
    def area(self) -> str | None:
        """The code of the area, if the scope is one."""

    @property
    def programme(self) -> str | None:
        """The name of the programme, if the scope is one."""


class ClosureStatus(StrEnum):
    """The last step that people took with a closure."""

    DECLARED = "declared"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """A closure of one station, of an area with all below it, or of the stations of a programme.

    It is in force from `from_at` until `until_at`; `evidence` names the document of the approval. `declared_by` and the
    like are accounts, and the remarks beside them say on whose behalf they acted; before there were accounts they were
    free text.
    """

    id: int
    kind: str = "closure"
    station: str | None = None
    area: str | None = None
    programme: str | None = None
    from_at: datetime
    until_at: datetime
    reason: str
    declared_by: str
    declared_remark: str | None = None
    declared_at: datetime
    approved_by: str | None = None
    approved_remark: str | None = None
    approved_at: datetime | None = None
    evidence: str | None = None
    withdrawn_by: str | None = None
    withdrawn_remark: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def status(self) -> ClosureStatus:
        """Withdrawn, else approved, else declared."""
        if self.withdrawn_at is not None:
            return ClosureStatus.WITHDRAWN
        return ClosureStatus.DECLARED if self.approved_at is None else ClosureStatus.APPROVED

    @property
    def ends_at(self) -> datetime:
        """When the closure ends: as declared, or at its withdrawal in between.

        A closure that was withdrawn before its beginning or after its end was never in force: then its beginning.
        """
        if self.withdrawn_at is None:
            return self.until_at
        return self.withdrawn_at if self.from_at < self.withdrawn_at < self.until_at else self.from_at

    def holds(self, at: datetime) -> bool:
        """Whether the closure is in force, so that alerts are silenced."""
        return self.from_at <= at < self.ends_at

    def excuses(self, at: datetime) -> bool:
        """Whether the closure is in force and approved, so that downtime is excused."""
        return self.approved_at is not None and self.holds(at)


class NewClosure(msgspec.Struct, frozen=True, kw_only=True):
    """A closure as an account declares it, for exactly one station, area or programme; `remark`: on whose behalf."""

    kind: str = "closure"
    station: str | None = None
    area: str | None = None
    programme: str | None = None
    from_at: datetime
    until_at: datetime
    reason: str
    declared_by: str
    remark: str | None = None


class OwnApprovalError(RemedyError):
    """An account would approve the closure that it declared."""


def require_approvable(closure: Closure, account: str) -> None:
    """Raise RemedyError for a closure that was withdrawn, OwnApprovalError for one that `account` itself declared.

    The account counts, whatever person a client names, so sessions and tokens of one account are one person. The free
    text in a closure from before accounts is no account: then the declarer is unknown, and any account may approve.
    """
    if closure.status is ClosureStatus.WITHDRAWN:
        raise RemedyError(
            f"closure {closure.id} was withdrawn: declare it again",
            f"报备 {closure.id} 已撤回：请重新申报",
        )
    if closure.status is ClosureStatus.DECLARED and closure.declared_by == account:
        raise OwnApprovalError(
            f"your account declared closure {closure.id}, so another person must approve it: ask a colleague "
            "who may approve, or an administrator for a further account",
            f"报备 {closure.id} 由您的账户申报，须由另一人批准：请让有批准权限的同事用自己的账户批准，"
            "没有这样的同事时，请管理员新建账户",
        )


def require_sound(new: NewClosure) -> None:
    """Raise RemedyError for a closure that cannot be declared: of no or two scopes, of no length, without a reason."""
    if new.kind not in KINDS:
        raise RemedyError(
            f"{new.kind[:40]!r} is not a kind of closure: use one of {', '.join(KINDS)}",
            f"“{new.kind[:40]}”不是报备类别：请用{'、'.join(WORDS['closure'][kind].zh for kind in KINDS)}",
        )
    if sum(scope is not None for scope in (new.station, new.area, new.programme)) != 1:
        raise RemedyError(
            "a closure is of a station, an area or a programme: name exactly one",
            "报备针对一个服务点、一个区划或一项工程：请只填写其中一个",
        )
    for name, at in (("from", new.from_at), ("until", new.until_at)):
        try:
            require_time(at)
        except OutOfBoundsError as exc:
            raise RemedyError(f"{name}: {exc}", exc.said.zh) from exc
    if new.until_at <= new.from_at:
        raise RemedyError(
            "a closure must end after it begins: correct its times", "报备的结束时间须晚于开始时间：请改正时间"
        )
    if not new.reason.strip() or len(new.reason) > MAX_REASON:
        raise RemedyError(
            f"a closure needs a reason of up to {MAX_REASON} characters: give one",
            f"请填写事由，最多 {MAX_REASON} 字",
        )


class Closures:
    """Many closures, found by station and by the times at which one begins or ends."""

    def __init__(self, closures: Iterable[Closure] = ()) -> None:
        self._by_scope: dict[Scope, list[Closure]] = {}
        held = [closure for closure in closures if closure.ends_at > closure.from_at]
        for closure in held:
            self._by_scope.setdefault(scope_of(closure), []).append(closure)
        self._boundaries = sorted(
            ((at, closure) for closure in held for at in (closure.from_at, closure.ends_at)),
            key=lambda boundary: boundary[0],
        )
        self._times = [at for at, _ in self._boundaries]

    def of_station(self, station: str, path: Iterable[str] = (), programmes: Iterable[str] = ()) -> list[Closure]:
        """The closures of a station, of the areas of its `path` and of its programmes, by their beginnings."""
        scopes = scopes_of_station(station, path, programmes)
        found = [closure for scope in scopes for closure in self._by_scope.get(scope, ())]
        return sorted(found, key=lambda closure: (closure.from_at, closure.id))

    def next_change(self, at: datetime) -> datetime | None:
        """The first time after `at` at which a closure begins or ends; None: there is none."""
        place = bisect_right(self._times, at)
        return self._times[place] if place < len(self._times) else None

    def changed(self, after: datetime, until: datetime) -> list[Closure]:
        """The closures that begin or end after `after` and not after `until`, in that order; each once."""
        between = self._boundaries[bisect_right(self._times, after) : bisect_right(self._times, until)]
        return list({closure.id: closure for _, closure in between}.values())


def scopes_of_station(station: str, path: Iterable[str], programmes: Iterable[str]) -> list[Scope]:
    """The scopes that a closure of a station may have: its id, an area of its path, one of its programmes."""
    areas = (("area", code) for code in path)
    return [("station", station), *areas, *(("programme", programme) for programme in programmes)]


def scope_of(closure: Scoped) -> Scope:
    """What a closure is for; exactly one of its station, area and programme is given."""
    return next((kind, str(name)) for kind in SCOPES if (name := getattr(closure, kind)) is not None)


def union(closures: Sequence[Closure], *, excusing: bool = False) -> list[tuple[datetime, datetime]]:
    """When one of the closures is in force (`excusing`: an approved one), as intervals in order that do not touch."""
    spans = sorted(
        (c.from_at, c.ends_at)
        for c in closures
        if c.ends_at > c.from_at and (c.approved_at is not None or not excusing)
    )
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged
