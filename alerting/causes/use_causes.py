"""Stations that became unusable together: evidence for and against a common cause. Pure.

Unusable stations still send heartbeats, so the time comes from what they report. A station became unusable within an
interval that ends with its first report of it. The interval begins some time earlier, because a check on the terminal
may have to run into its timeout before the station can report.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from alerting.causes.common_cause import CommonCause
from alerting.causes.evidence import Fallen, Group, Peer
from alerting.causes.groups import SAMPLE, Population, expected_in, known_at
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
"""Seconds that a station may need to report that it is unusable; two heartbeats if that is longer."""
_NEVER: Final = timedelta(days=366)


class UseCauses:
    """The common causes of unusable stations: the rules of `alerting.causes.tracker` over the stations' reports.

    The caller reports the agents' versions to `population`.
    """

    def __init__(self, field: Field, settings: CauseSettings) -> None:
        self._field = field
        self.population = Population(field)
        self.causes = Causes(settings, self.population.online, IncidentKind.UNUSABLE)

    def restore(self, outages: Mapping[int, CommonCause], incidents: Iterable[Incident]) -> None:
        """Restore the causes, by the ids of their incidents, and the falls from the stations' incidents that go on."""
        falls = [(use_fall_of(one, *self._groups_and_every(one.station or "")), one.parent) for one in incidents]
        alone = sort_by_cause(outages, falls)
        self.causes.restore(outages.values(), alone)

    def has_cause(self, station: str) -> bool:
        """Whether the station is unusable by a common cause."""
        return self.causes.members.cause_of(station) is not None

    def children_of(self, changes: Iterable[tuple[Standing | None, Standing | None]]) -> set[str]:
        """The stations among `changes` that are unusable by a common cause."""
        return {after.station for _, after in changes if after is not None and self.has_cause(after.station)}

    def decide(self, news: StationNews, moment: PassTime) -> list[Step]:
        """The steps about the common causes of a pass, from the `unusable` incidents that opened and closed in it."""
        for intent in news.intents_of({IncidentKind.UNUSABLE}):
            if isinstance(intent, Opens):
                self.causes.note_fall(intent.at, use_fall_in(intent, *self._groups_and_every(intent.station)))
            else:
                self.causes.note_return(intent.at, intent.station)
        self.population.look(moment.untrusted, self.causes.down())
        peers = {group: self._peers(group, moment) for group in self.causes.wanted()}
        return self.causes.decide(moment.known, peers, known_at(self._field, moment), expected_in(self._field))

    def _groups_and_every(self, station: str) -> tuple[tuple[Group, ...], float]:
        return self.population.groups_of(station), self._field.every_of(station)

    def _peers(self, group: Group, moment: PassTime) -> Sequence[Peer]:
        """A sample of the online stations of a group without such an incident, as evidence."""
        standings = map(self._field.standing, self.population.sample(group, SAMPLE))
        return [self._peer(standing, moment) for standing in standings if standing is not None]

    def _peer(self, standing: Standing, moment: PassTime) -> Peer:
        groups = self.population.groups_of(standing.station)
        return peer_use(standing, groups, self._field.every_of(standing.station), moment.known)


def use_fall_in(intent: Opens, groups: tuple[Group, ...], every: float = USUAL) -> Fallen:
    """The fall of a station whose incident opens: when it became unusable; `every`: the interval of its slowest
    terminal, in seconds."""
    want = intent.want
    began = min(want.fault_at, want.began_at) - _noticed(every)
    key = station_rule_key(intent.kind, intent.station)
    return Fallen(intent.station, began, want.began_at, groups, key, every)


def use_fall_of(incident: Incident, groups: tuple[Group, ...], every: float = USUAL) -> Fallen:
    """The same for a stored incident."""
    since = moment_in(incident.detail, "unusable_since") or incident.began_at
    began = min(since, incident.began_at) - _noticed(every)
    return Fallen(incident.station or "", began, incident.began_at, groups, incident.key, every)


def peer_use(standing: Standing, groups: tuple[Group, ...], every: float, known: datetime) -> Peer:
    """An online station without such an incident, as evidence as of `known`.

    A usable station worked until now. An unusable station gets an incident soon, so it counts as overdue. A station
    that does not report its use is no evidence.
    """
    since = standing.unusable_since
    if since is not None:
        return Peer(standing.station, since - _noticed(every), since, True, groups, every)
    began = known if standing.usable else known - _NEVER
    return Peer(standing.station, began, known + timedelta(seconds=every), False, groups, every)


def _noticed(every: float) -> timedelta:
    return timedelta(seconds=max(NOTICED, 2 * every))
