"""Who stands in for an absent contact at a moment. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from registry.contacts.model import Contact
from registry.duty.model import PassedOver, Substitute

LONGEST_CHAIN: Final = 8
"""Substitutes of substitutes are followed so far."""


class StandIn(msgspec.Struct, frozen=True):
    """Who does the duties of a contact. Without `contact` nobody can. `passed_over`: who was looked at before."""

    contact: str | None
    passed_over: tuple[tuple[str, str], ...] = ()


class Substitutes:
    """The substitutes of contacts, and which contacts can be told."""

    def __init__(self, contacts: Mapping[str, Contact], substitutes: Iterable[Substitute]) -> None:
        self._contacts = contacts
        self._of: dict[str, list[Substitute]] = {}
        # Of substitutes at the same time, the one that begins last was meant for this time.
        for substitute in sorted(substitutes, key=lambda s: (s.from_at, s.id or 0), reverse=True):
            self._of.setdefault(substitute.contact, []).append(substitute)

    def stand_in(self, contact: str, now: datetime) -> StandIn:
        """The contact itself unless it is absent; then the first substitute, or substitute of a substitute, that is
        neither absent nor retired. If there is none, the contact does its duties although it is absent."""
        looked_at: dict[str, PassedOver] = {}
        found = self._first_present(contact, now, looked_at, 0)
        if found is None and looked_at[contact] is PassedOver.ABSENT:
            found = contact
            del looked_at[contact]
        return StandIn(found, tuple((name, why.value) for name, why in looked_at.items()))

    def moments(self, contacts: Iterable[str]) -> Iterable[datetime]:
        """The moments at which substitutions of these contacts, or of their substitutes, begin and end."""
        left, seen = list(contacts), set[str]()
        while left:
            name = left.pop()
            if name not in seen:
                seen.add(name)
                left += [each.substitute for each in self._of.get(name, ())]
        return (at for name in seen for each in self._of.get(name, ()) for at in (each.from_at, each.until_at))

    def _first_present(self, contact: str, now: datetime, looked_at: dict[str, PassedOver], depth: int) -> str | None:
        problem = self._problem(contact)
        current = [each for each in self._of.get(contact, ()) if each.from_at <= now < each.until_at]
        if problem is None and not current:
            return contact
        looked_at[contact] = problem or PassedOver.ABSENT
        if depth == LONGEST_CHAIN:
            return None
        for each in current:
            if each.substitute not in looked_at:
                found = self._first_present(each.substitute, now, looked_at, depth + 1)
                if found is not None:
                    return found
        return None

    def _problem(self, contact: str) -> PassedOver | None:
        known = self._contacts.get(contact)
        if known is None:
            return PassedOver.UNKNOWN_CONTACT
        return None if known.retired_at is None else PassedOver.RETIRED
