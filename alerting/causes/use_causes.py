"""Stations that became of no use together: what speaks for and against a cause that they have in common. Pure.

They are heard all the time, so their own word says when: a station that says that visitors cannot use it became so
between a while before it said so first, which a check may need that has to run out of time, and then.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from alerting.causes.common_cause import CommonCause
from alerting.causes.evidence import Fallen, Group, Peer
from alerting.causes.groups import SAMPLE, Population, known_at
from alerting.causes.membership import sort_by_cause
from alerting.causes.steps import Step
from alerting.causes.tracker import Causes
from alerting.incidents.book import Incident, moment_in
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import Opens, StationNews, station_rule_key
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

    def restore(self, outages: Mapping[int, CommonCause], incidents: Iterable[Incident]) -> None:
        """Take over the causes, by the ids of their incidents, and the stations' incidents that go on."""
        falls = [(use_fall_of(one, *self._groups_and_every(one.station or "")), one.parent) for one in incidents]
        alone = sort_by_cause(outages, falls)
        self.causes.restore(outages.values(), alone)

    def has_cause(self, station: str) -> bool:
        """Whether others became of no use by the same cause."""
        return self.causes.members.cause_of(station) is not None

    def children_of(self, changes: Iterable[tuple[Standing | None, Standing | None]]) -> set[str]:
        """The stations among those that changed that have a cause in common with others."""
        return {after.station for _, after in changes if after is not None and self.has_cause(after.station)}

    def decide(self, news: StationNews, moment: PassTime) -> list[Step]:
        """What the stations have in common whose incidents of being unusable opened and closed in a pass."""
        for intent in news.intents_of({IncidentKind.UNUSABLE}):
            if isinstance(intent, Opens):
                self.causes.note_fall(intent.at, use_fall_in(intent, *self._groups_and_every(intent.station)))
            else:
                self.causes.note_return(intent.at, intent.station)
        self.population.look(moment.untrusted, self.causes.down())
        peers = {group: self._peers(group, moment) for group in self.causes.wanted()}
        return self.causes.decide(moment.known, peers, known_at(self._field, moment))

    def _groups_and_every(self, station: str) -> tuple[tuple[Group, ...], float]:
        return self.population.groups_of(station), self._field.every_of(station)

    def _peers(self, group: Group, moment: PassTime) -> Sequence[Peer]:
        """What the other stations of a group say of themselves, a sample of them."""
        standings = map(self._field.standing, self.population.sample(group, SAMPLE))
        return [self._peer(standing, moment) for standing in standings if standing is not None]

    def _peer(self, standing: Standing, moment: PassTime) -> Peer:
        groups = self.population.groups_of(standing.station)
        return peer_use(standing, groups, self._field.every_of(standing.station), moment.known)


def use_fall_in(intent: Opens, groups: tuple[Group, ...], every: float = USUAL) -> Fallen:
    """When a station became of no use whose incident opens; `every`: the interval of its slowest terminal."""
    want = intent.want
    began = min(want.fault_at, want.began_at) - _noticed(every)
    key = station_rule_key(intent.kind, intent.station)
    return Fallen(intent.station, began, want.began_at, groups, key, every)


def use_fall_of(incident: Incident, groups: tuple[Group, ...], every: float = USUAL) -> Fallen:
    """The same of a stored incident."""
    since = moment_in(incident.detail, "unusable_since") or incident.began_at
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
