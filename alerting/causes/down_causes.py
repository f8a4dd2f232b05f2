"""The common causes of stations that are down: the rules of `alerting.causes.tracker` over a field. Pure.

A pass calls `begin`, looks up the heartbeats of the stations that `begin` returns, and calls `decide`.
"""

from collections.abc import Iterable, Mapping, Sequence

from alerting.causes.common_cause import CommonCause
from alerting.causes.evidence import Fallen, Group, Peer
from alerting.causes.groups import SAMPLE, Population, expected_in, known_at
from alerting.causes.membership import sort_by_cause
from alerting.causes.steps import Step
from alerting.causes.tracker import Causes
from alerting.causes.write import CHILD_KINDS, fall_in, fall_of
from alerting.incidents.book import Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import Opens, StationNews
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field


class DownCauses:
    """The common causes of falls. The caller reports the agents' versions to `population`."""

    def __init__(self, field: Field, settings: CauseSettings) -> None:
        self._field = field
        self.population = Population(field)
        self.causes = Causes(settings, self.population.online)

    def restore(self, outages: Mapping[int, CommonCause], incidents: Iterable[Incident]) -> None:
        """Restore the causes, by the ids of their incidents, and the falls from the stations' incidents that go on."""
        falls = [
            (fall_of(incident, *self._groups_and_every(incident.station or "")), incident.parent)
            for incident in incidents
        ]
        alone = sort_by_cause(outages, falls)
        self.causes.restore(outages.values(), alone)

    def begin(self, news: StationNews, moment: PassTime) -> dict[Group, list[str]]:
        """Take the falls and returns of a pass; returns, by group, a sample of stations whose heartbeats to look up."""
        self.population.look(moment.untrusted)
        for intent in news.intents_of(CHILD_KINDS):
            if isinstance(intent, Opens):
                self.causes.note_fall(intent.at, fall_in(intent, *self._groups_and_every(intent.station)))
            else:
                self.causes.note_return(intent.at, intent.station)
        return {group: self.population.sample(group, SAMPLE) for group in self.causes.wanted()}

    def decide(self, samples: Mapping[Group, Sequence[str]], found: Mapping[str, Peer], moment: PassTime) -> list[Step]:
        """The steps about the common causes of a pass; `found`: the heartbeats of the stations in `samples`."""
        known = {
            station: self.population.peer(station, peer.began, peer.until, peer.overdue, peer.every)
            for station, peer in found.items()
        }
        peers = {group: [known[one] for one in sample if one in known] for group, sample in samples.items()}
        return self.causes.decide(moment.known, peers, known_at(self._field, moment), expected_in(self._field))

    def alone(self, stations: Iterable[str]) -> list[Fallen]:
        """The falls of the given stations that are down without a common cause."""
        falls = map(self.causes.members.alone, stations)
        return [fallen for fallen in falls if fallen is not None]

    def _groups_and_every(self, station: str) -> tuple[tuple[Group, ...], float]:
        return self.population.groups_of(station), self._field.every_of(station)
