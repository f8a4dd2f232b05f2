"""Common causes of health incidents: told by the book of incidents, and written into it. Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerting.cause_book import keys_of, write_plan
from alerting.cause_steps import Step
from alerting.evidence import AREA, Fallen
from alerting.health_incidents import HEALTH, Stations
from alerting.health_storms import COMMON, Plan, Storms, Told, Topic, restored, storm_key, topic_of
from alerting.incidents_core import Action, Book, Decision, Incident
from alerting.outage import CauseSettings


class StormBoard:
    """The storms of every rule and subject."""

    def __init__(self, stations: Stations, settings: CauseSettings) -> None:
        self._stations = stations
        self._settings = settings
        self._topics: dict[Topic, Storms] = {}

    def load(self, open_now: Iterable[Incident], parents: Iterable[Incident], children: Iterable[Incident]) -> None:
        """Take up the work: `open_now` are the health incidents of terminals, `parents` the common causes that go on
        or have open children, `children` all that ever were of these, in their order."""
        for incident in open_now:
            if incident.pages:
                self._of(topic_of(incident)).restore([], [self._member(incident)])
        of: dict[int, list[tuple[Incident, Fallen]]] = {}
        for child in children:
            of.setdefault(child.parent or 0, []).append((child, self._member(child)))
        for parent in parents:
            self._of(topic_of(parent)).restore([restored(parent, of.get(parent.id, ()))], [])

    def keep(self, keys: Collection[str], now: datetime) -> None:
        """All but these are over: a person closed them."""
        for storms in self._topics.values():
            storms.keep(keys, now)

    @property
    def going_on(self) -> list[str]:
        """The keys of the parents that nobody closed, as far as is known here."""
        return [storm_key(topic) for topic, storms in self._topics.items() if storms.current is not None]

    def tell(self, book: Book, decisions: Iterable[Decision], now: datetime) -> None:
        """What was decided about health. The book knows the parents that go on, as they are stored."""
        self._note_resolved(book)
        for decision in decisions:
            incident = None if decision.incident is None else book.get(decision.incident)
            if incident is None:
                continue
            if decision.action is Action.OPENED and incident.pages:
                self._of(topic_of(incident)).began(self._member(incident), now)
            elif decision.action is Action.CLOSED:
                self._of(topic_of(incident)).ended(incident.key, now)

    def plan(self, now: datetime) -> Plan:
        plan = [step for storms in self._topics.values() for step in storms.plan(now)]
        self._topics = {topic: storms for topic, storms in self._topics.items() if storms}
        return plan

    def _note_resolved(self, book: Book) -> None:
        """Parents that a person closed since the last pass."""
        for topic, storms in self._topics.items():
            key = storm_key(topic)
            if storms.current is not None and book.open_of(key) is None:
                storms.note_resolved(max(incident.id for incident in book.all_of(key)))

    def _of(self, topic: Topic) -> Storms:
        return self._topics.setdefault(topic, Storms(topic, self._settings))

    def _member(self, incident: Incident) -> Fallen:
        """A terminal's incident, named by its key, with the areas that it may share with others."""
        standing = self._stations.standing(incident.station or "")
        areas = tuple((AREA, code) for code in standing.path) if standing else ()
        return Fallen(incident.key, incident.began_at, incident.began_at, areas, incident.key)


def keys_in(plan: Plan) -> set[str]:
    """The keys of the incidents that a plan is about: a book must know those that are open."""
    steps: Sequence[Step] = [step for step in plan if not isinstance(step, Told)]
    return {step.key for step in plan if isinstance(step, Told)} | keys_of(steps)


def write_storms(book: Book, plan: Plan, now: datetime) -> None:
    """Open, fill and close the parents, in the order of the plan."""
    for step in plan:
        if isinstance(step, Told):
            _tell(book, step, now)
        else:
            write_plan(book, [step], now)


def _tell(book: Book, told: Told, now: datetime) -> None:
    known = book.open_of(told.key)
    if known is None:
        book.open(_parent(told, now), COMMON)
    else:
        detail = known.detail | _detail(told)
        grown = msgspec.structs.replace(known, area=told.area, began_at=told.began, detail=detail)
        book.update(grown, "grew")


def _parent(told: Told, now: datetime) -> Incident:
    return Incident(
        id=0,
        kind=HEALTH,
        key=told.key,
        status="open",
        area=told.area,
        began_at=told.began,
        opened_at=now,
        detail=_detail(told),
    )


def _detail(told: Told) -> dict[str, Any]:
    rule, subject = told.topic
    said = {"rule": rule, "subject": subject or None, "severity": "critical", "children": told.children}
    return {name: value for name, value in said.items() if value is not None}
