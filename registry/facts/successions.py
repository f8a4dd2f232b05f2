"""The areas that follow others: which codes stand for an area on a day. Pure.

A code may be asked for a day on which the area did not exist yet, or existed no more: then the areas before it, or
after it, stand for it. After a merger the new area has stations of other old areas too, and before a split the old area
has stations of other new areas; `others` says on which day to look at a station to tell them apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from registry.facts.model import RegistryFact

_DAY = timedelta(days=1)


class AreaLineage(msgspec.Struct, frozen=True, kw_only=True):
    """The codes that stand for an area on a day. `others`: days on which the area was separate from others that share
    these codes, each with the codes that stood for the area then; `date.max` is the newest state."""

    codes: frozenset[str]
    others: Mapping[date, frozenset[str]] = {}


class AreaSuccessions:
    """All successions that some facts tell, in any order of the facts."""

    def __init__(self, facts: Iterable[RegistryFact]) -> None:
        held: dict[tuple[str, str], str] = {}
        for fact in sorted(facts, key=lambda fact: fact.id):
            held |= {(fact.subject, new): on for new, on in (fact.fields or {}).items()}
        self._after: dict[str, list[tuple[date, str]]] = defaultdict(list)
        self._before: dict[str, list[tuple[date, str]]] = defaultdict(list)
        for (old, new), on in sorted(held.items()):
            if on is not None:
                self._after[old].append((date.fromisoformat(on), new))
                self._before[new].append((date.fromisoformat(on), old))

    def exists(self, code: str, day: date) -> bool:
        """Whether an area has begun and not ended by its successions. An area without any exists."""
        if self._kept(code):
            return True
        began = [on for on, _ in self._before.get(code, ())]
        ended = [on for on, _ in self._after.get(code, ())]
        return (not began or min(began) <= day) and (not ended or max(ended) > day)

    def lineage(self, code: str, day: date) -> AreaLineage:
        """The codes that stand for an area on a day; the area's own code is one of them. So are those of the areas
        before it, because the registry may name the new area of a station later than it begins."""
        earlier = self._earlier(code)
        others: dict[date, frozenset[str]] = {}
        for on, _, new in self._later(code, day):
            known = self._codes(code, on - _DAY)
            if not self._olds_of(new, on) <= known:
                others[on - _DAY] = known
        if any(self._is_split(old, on) for on, old, _ in earlier):
            others[date.max] = frozenset({code, *(new for _, _, new in self._later(code, date.max))})
        return AreaLineage(codes=self._codes(code, day), others=others)

    def _codes(self, code: str, day: date) -> frozenset[str]:
        later = (new for _, _, new in self._later(code, day))
        return frozenset({code, *later, *(old for _, old, _ in self._earlier(code))})

    def _olds_of(self, new: str, on: date) -> set[str]:
        return {old for begun, old in self._before[new] if begun == on}

    def _is_split(self, old: str, on: date) -> bool:
        return sum(begun == on for begun, _ in self._after[old]) > 1

    def _kept(self, code: str) -> bool:
        return any(new == code for _, new in self._after.get(code, ()))

    def _later(self, code: str, day: date) -> list[tuple[date, str, str]]:
        """(day, old, new) of the successions after an area that took place by a day."""
        found: list[tuple[date, str, str]] = []
        open_, seen = [(date.min, code)], {code}
        while open_:
            since, old = open_.pop()
            for on, new in self._after.get(old, ()):
                if since <= on <= day:
                    found.append((on, old, new))
                    if new not in seen:
                        seen.add(new)
                        open_.append((on, new))
        return found

    def _earlier(self, code: str) -> list[tuple[date, str, str]]:
        """(day, old, new) of the successions before an area. An area that kept its code existed before them."""
        found: list[tuple[date, str, str]] = []
        open_, seen = [(date.max, code)], {code}
        while open_:
            until, new = open_.pop()
            if self._kept(new):
                continue
            for on, old in self._before.get(new, ()):
                if on <= until:
                    found.append((on, old, new))
                    if old not in seen:
                        seen.add(old)
                        open_.append((on, old))
        return found
