"""The decisions of a pass about flapping stations, and about the children of flapping incidents. Pure."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from alerting.causes.down_causes import DownCauses
from alerting.causes.evidence import Fallen
from alerting.causes.flapping import Flapping, FlappingSettings, Turn
from alerting.causes.flapping_write import (
    end_flapping,
    falls_by_flapping,
    flapping_key,
    note_changes,
    note_use,
    only_joined,
    opened_of_no_use,
    shelter,
    shelter_use,
    use_key,
    write_turns,
)
from alerting.causes.groups import known_at
from alerting.causes.steps import Step
from alerting.causes.use_causes import UseCauses
from alerting.incidents.book import Book
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field


class CausePlans(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions of a pass about common causes: of stations that are down, and of unusable stations."""

    down: Sequence[Step]
    of_no_use: Sequence[Step]
    #: Stations that changed in the pass, and that were unusable by a common cause before its decisions.
    shared: Collection[str]


class FlappingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions of a pass about flapping."""

    turns: Sequence[Turn]
    #: Stations that left service.
    left: Collection[str]
    #: Falls without a common cause: their incidents may become children of a flapping incident.
    falls: Sequence[Fallen]
    #: Stations that are unusable without a common cause: likewise.
    of_no_use: Collection[str]
    #: Stations whose memory may have changed.
    touched: Collection[str]

    @property
    def keys(self) -> set[str]:
        """The keys of the incidents that the plan changes: the book must hold the newest incident of each key."""
        concerned = {*self.of_no_use, *self.left, *(fallen.station for fallen in self.falls)}
        own = {flapping_key(station) for station in concerned}
        return own | {use_key(station) for station in self.of_no_use} | {fallen.key for fallen in self.falls}


class FlappingRules:
    """The flapping rules over a field; they run after the decisions about common causes."""

    def __init__(self, field: Field, settings: FlappingSettings, down: DownCauses, use: UseCauses) -> None:
        self._field = field
        self._down, self._use = down, use
        self.flapping = Flapping(settings)

    def decide(self, plans: CausePlans, news: StationNews, moment: PassTime) -> FlappingPlan:
        """Which stations began and stopped flapping, and which incidents may become children of their incidents."""
        flapping = self.flapping
        touched = self._note_changes(plans, news, moment)
        turns = flapping.advance(moment.known, known_at(self._field, moment))
        stations = {turn.station for turn in turns}
        unusable = stations | opened_of_no_use(news.intents)
        return FlappingPlan(
            turns=turns,
            left={pair[0].station for pair in news.changes if pair[0] and not (pair[1] and pair[1].in_service)},
            falls=[*self._down.alone(stations), *falls_by_flapping(flapping, plans.down)],
            of_no_use={station for station in unusable if not self._use.has_cause(station)},
            touched=touched | stations,
        )

    def _note_changes(self, plans: CausePlans, news: StationNews, moment: PassTime) -> set[str]:
        """Note the falls, returns and changes of use that no common cause explains; returns the touched stations."""
        own = [pair for pair in news.changes if pair[1] is None or pair[1].station not in plans.shared]
        touched = note_use(self.flapping, own, moment.known)
        touched |= note_changes(self.flapping, only_joined(plans.of_no_use))
        return touched | note_changes(self.flapping, plans.down)

    def write(self, book: Book, plan: FlappingPlan, moment: PassTime) -> None:
        """Open and close flapping incidents in the book, and set the parents of their children."""
        now = moment.now
        write_turns(book, plan.turns, self._areas(plan.turns), now)
        for station in plan.left:
            self.flapping.forget(station)
            end_flapping(book, station, ended_at=now, now=now, reason="not_in_service")
        shelter(book, self.flapping, plan.falls, now)
        shelter_use(book, self.flapping, plan.of_no_use, now)

    def _areas(self, turns: Iterable[Turn]) -> dict[str, str | None]:
        known = {turn.station: self._field.standing(turn.station) for turn in turns}
        return {station: standing.area if standing else None for station, standing in known.items()}
