"""The share of each county in an incident with children: which children join it, end, return or leave. Pure.

Accounts whose scope holds the whole area act on the incident that is the common cause. A county has a share of it: the
number of its own stations that were ever down by this cause, and of those that still are. A health rule counts
terminals, and a blind spot counts areas.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum

import msgspec

from alerting.incidents.book import Incident
from contract.kinds import IncidentKind

Pair = tuple[Incident | None, Incident]
"""An incident before a pass (None: it is new) and after it."""


class ChildState(IntEnum):
    """What an incident is for one share; the values are those of the query `change_shares`."""

    NO_CHILD = 0
    OVER = 1
    DOWN = 2


class ShareChange(msgspec.Struct, frozen=True, kw_only=True):
    """A child whose part in a share changes: the share of the parent `parent` for the county of `area`.

    `station`: None for the incident of an area. `thing`: what is counted once, however many incidents it has under the
    same parent.
    """

    child: int
    parent: int
    area: str
    station: str | None
    thing: str
    before: ChildState
    after: ChildState


def share_changes(pairs: Iterable[Pair]) -> list[ShareChange]:
    """What changes in shares by the incidents that a pass opened or changed. A child that moves from one parent or area
    to another leaves one share and joins another."""
    return [change for pair in pairs for change in _changes_of(*pair)]


def reopened_parents(pairs: Iterable[Pair]) -> list[int]:
    """The incidents that opened again and that have no parent: their shares are not acknowledged any more."""
    return [now.id for before, now in pairs if before is not None and before.is_shelved and now.is_open]


def _changes_of(before: Incident | None, now: Incident) -> Iterator[ShareChange]:
    was, then = _place(before), _place(now)
    if was == then:
        if then is not None and _state(before) != _state(now):
            yield _change(now, then, before=_state(before), after=_state(now))
        return
    if was is not None:
        yield _change(now, was, before=_state(before), after=ChildState.NO_CHILD)
    if then is not None:
        yield _change(now, then, before=ChildState.NO_CHILD, after=_state(now))


def _place(incident: Incident | None) -> tuple[int, str] | None:
    """The parent and the area of a child; None: it has no share."""
    if incident is None or incident.parent is None or incident.area is None:
        return None
    return incident.parent, incident.area


def _state(incident: Incident | None) -> ChildState:
    return ChildState.DOWN if incident is not None and incident.goes_on else ChildState.OVER


def _change(child: Incident, place: tuple[int, str], *, before: ChildState, after: ChildState) -> ShareChange:
    parent, area = place
    counts_station = child.station is not None and child.kind != IncidentKind.HEALTH
    thing = child.station if counts_station and child.station is not None else child.key
    return ShareChange(
        child=child.id, parent=parent, area=area, station=child.station, thing=thing, before=before, after=after
    )
