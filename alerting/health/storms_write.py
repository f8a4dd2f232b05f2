"""Storms of all rules: the incidents of terminals that a pass opened and closed, and the parents that follow. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerting.causes.evidence import AREA, Fallen
from alerting.causes.steps import Step
from alerting.causes.write import keys_of, write_plan
from alerting.health.incident_rules import StandingLookup
from alerting.health.incident_write import HealthClosed, HealthEvent
from alerting.health.storms import COMMON, StormPlan, StormTracker, StormUpdate, Topic, restored_storm, topic_of
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.cause_settings import CauseSettings
from contract.kinds import IncidentKind


class StormBoard:
    """The storms of every rule and subject."""

    def __init__(self, stations: StandingLookup, settings: CauseSettings) -> None:
        self._stations = stations
        self._settings = settings
        self._topics: dict[Topic, StormTracker] = {}

    def restore_storms(
        self, open_now: Iterable[Incident], parents: Iterable[Incident], children: Iterable[Incident]
    ) -> None:
        """Restore the storms from incidents.

        `open_now`: the open health incidents of terminals. `parents`: the storms that are open. `children`: all
        incidents that ever were children of these, in their order.
        """
        for incident in open_now:
            if incident.pages:
                self._of(topic_of(incident)).restore_storms([], [self._member(incident)])
        of: dict[int, list[tuple[Incident, Fallen]]] = {}
        for child in children:
            of.setdefault(child.parent or 0, []).append((child, self._member(child)))
        for parent in parents:
            self._of(topic_of(parent)).restore_storms([restored_storm(parent, of.get(parent.id, ()))], [])

    def note_events(self, events: Iterable[HealthEvent], now: datetime) -> None:
        """Take the incidents that were opened and closed in this pass, in their order."""
        for event in events:
            incident = event.incident
            if isinstance(event, HealthClosed):
                self._of(topic_of(incident)).incident_closed(incident.key, now)
            elif incident.pages:
                self._of(topic_of(incident)).incident_opened(self._member(incident), now)

    def take_plan(self, now: datetime) -> StormPlan:
        """What follows for all topics, to be written into the book."""
        plan = [step for storms in self._topics.values() for step in storms.take_plan(now)]
        self._topics = {topic: storms for topic, storms in self._topics.items() if storms}
        return plan

    def _of(self, topic: Topic) -> StormTracker:
        return self._topics.setdefault(topic, StormTracker(topic, self._settings))

    def _member(self, incident: Incident) -> Fallen:
        """The incident of a terminal as a member, with the areas that it may share with others."""
        standing = self._stations.standing(incident.station or "")
        areas = tuple((AREA, code) for code in standing.path) if standing else ()
        return Fallen(incident.key, incident.began_at, incident.began_at, areas, incident.key)


def keys_in(plan: StormPlan) -> set[str]:
    """The keys of the incidents in a plan, which the book must have learnt before it is written."""
    steps: Sequence[Step] = [step for step in plan if not isinstance(step, StormUpdate)]
    return {step.key for step in plan if isinstance(step, StormUpdate)} | keys_of(steps)


def write_storms(book: Book, plan: StormPlan, now: datetime) -> None:
    """Open, update and close the parents in the book, in the order of the plan."""
    for step in plan:
        if isinstance(step, StormUpdate):
            _open_or_update(book, step, now)
        else:
            write_plan(book, [step], now)


def _open_or_update(book: Book, update: StormUpdate, now: datetime) -> None:
    known = book.open_of(update.key)
    if known is None:
        book.open(_parent(update, now), COMMON)
    else:
        detail = known.detail | _detail(update)
        if known.is_shelved and update.children >= 2 * known.detail.get("children", update.children):
            known = book.reopen(known, "grew")
            detail = known.detail | _detail(update)
        grown = msgspec.structs.replace(known, area=update.area, began_at=update.began, detail=detail)
        book.update(grown, "grew")


def _parent(update: StormUpdate, now: datetime) -> Incident:
    return Incident(
        id=0,
        kind=IncidentKind.HEALTH,
        key=update.key,
        status="open",
        area=update.area,
        began_at=update.began,
        opened_at=now,
        detail=_detail(update),
    )


def _detail(update: StormUpdate) -> dict[str, Any]:
    rule, subject = update.topic
    detail = {"rule": rule, "subject": subject or None, "severity": "critical", "children": update.children}
    return {name: value for name, value in detail.items() if value is not None}
