"""Stations that became of no use together: what speaks for and against a cause that they have in common. Pure.

They are heard all the time, so their own word says when: a station that says that visitors cannot use it became so
between a while before it said so first, which a check may need that has to run out of time, and then.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from alerting.causes.common_cause import Outage
from alerting.causes.evidence import Fallen, Group, Peer
from alerting.causes.groups import SAMPLE, Population
from alerting.causes.steps import Step
from alerting.causes.tracker import Causes
from alerting.incidents.book import Action, Book, Decision, Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import NOT_OPEN
from alerting.stations.promise import USUAL
from alerting.stations.snapshot import PassTime, Standing
from alerting.stations.table import Field
from contract.kinds import IncidentKind

NOTICED: Final = 300.0
"""Seconds that a station may take to say that it cannot be used, or two heartbeats if that is longer."""
_NEVER: Final = timedelta(days=366)


class UseCauses:
    """The common causes of what is of no use: the rules of `alerting.causes.tracker`, asked about what stations say.

    `population` is to be told of the agents' versions.
    """

    def __init__(self, field: Field, settings: CauseSettings) -> None:
        self._field = field
        self.population = Population(field)
        self.causes = Causes(settings, self.population.online, IncidentKind.UNUSABLE)

    def restore(self, outages: Mapping[int, Outage], incidents: Iterable[Incident]) -> None:
        """Take up the work with the causes, by the ids of their incidents, and the stations' incidents that go on."""
        alone = []
        for incident in incidents:
            outage = outages.get(incident.parent or 0)
            if outage is None:
                alone.append(self._fallen(incident))
            else:
                outage.put(self._fallen(incident))
        self.causes.restore(outages.values(), alone)

    def has_cause(self, station: str) -> bool:
        """Whether others became of no use by the same cause."""
        return self.causes.is_child(station)

    def children_of(self, changes: Iterable[tuple[Standing | None, Standing | None]]) -> set[str]:
        """The stations among those that changed that have a cause in common with others."""
        return {after.station for _, after in changes if after is not None and self.has_cause(after.station)}

    def decide(self, book: Book, moment: PassTime) -> list[Step]:
        """What those that opened and closed in the book have in common."""
        for decision in book.decisions:
            self._tell(book, decision, moment)
        self.population.look(moment.untrusted, self.causes.down())
        peers = {group: self._peers(group, moment) for group in self.causes.wanted()}
        return self.causes.decide(moment.known, peers, lambda station: self._knows(station, moment))

    def _tell(self, book: Book, decision: Decision, moment: PassTime) -> None:
        kind, _, station = decision.key.partition(":")
        if kind != IncidentKind.UNUSABLE:
            return
        at = decision.as_of or moment.known
        incident = None if decision.incident is None else book.get(decision.incident)
        if decision.action is Action.OPENED and incident is not None and incident.station is not None:
            self.causes.fell(at, self._fallen(incident))
        elif decision.action is Action.CLOSED or decision.reason == NOT_OPEN:
            self.causes.rose(at, station)

    def _fallen(self, incident: Incident) -> Fallen:
        station = incident.station or ""
        return fallen_use(incident, self.population.groups_of(station), self._field.every_of(station))

    def _peers(self, group: Group, moment: PassTime) -> Sequence[Peer]:
        """What the other stations of a group say of themselves, a sample of them."""
        standings = map(self._field.standing, self.population.sample(group, SAMPLE))
        return [self._peer(standing, moment) for standing in standings if standing is not None]

    def _peer(self, standing: Standing, moment: PassTime) -> Peer:
        groups = self.population.groups_of(standing.station)
        return peer_use(standing, groups, self._field.every_of(standing.station), moment.known)

    def _knows(self, station: str, moment: PassTime) -> bool:
        standing = self._field.standing(station)
        return standing is None or moment.knows(standing)


def fallen_use(incident: Incident, groups: tuple[Group, ...], every: float = USUAL) -> Fallen:
    """What a station's incident of being of no use is about; `every`: the interval of its slowest terminal."""
    since = _time(incident.detail.get("unusable_since")) or incident.began_at
    began = min(since, incident.began_at) - _noticed(every)
    return Fallen(incident.station or "", began, incident.began_at, groups, incident.key, every)


def peer_use(standing: Standing, groups: tuple[Group, ...], every: float, known: datetime) -> Peer:
    """What a station that is online, and has no such incident yet, says as of `known`: one that visitors can use was so
    until now, one that they cannot use is about to have an incident, and of one that says nothing nobody knows."""
    since = standing.unusable_since
    if since is not None:
        return Peer(standing.station, since - _noticed(every), since, True, groups, every)
    began = known if standing.usable else known - _NEVER
    return Peer(standing.station, began, known + timedelta(seconds=every), False, groups, every)


def _noticed(every: float) -> timedelta:
    return timedelta(seconds=max(NOTICED, 2 * every))


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value if isinstance(value, datetime) else None
