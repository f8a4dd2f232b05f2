"""All seven kinds of blind spots and the numbers of every area, kept up to date from pass to pass. Pure.

Input: the changes of stations, their newest records, and the areas that targets name; `find_due` decides what follows
from time alone. Output: changes, written into the book of incidents by `alerting.blindspots.write`. After a restart the
state is that of the stations, the open incidents, and a few moments that the memory stores.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.blindspots.area_counts import AreaCounts, StandingChange, add_up
from alerting.blindspots.by_records import RecordSpots, ReportingQuestion, StationRecords
from alerting.blindspots.by_silence import SilenceSpots, StationLookup
from alerting.blindspots.dark_areas import DarkAreas, OpenAreaIncident, OpenOutage
from alerting.blindspots.dark_stretch import DarkStage
from alerting.blindspots.open_spots import OpenSpots
from alerting.blindspots.remembered import RememberedMoment, SpotMemory
from alerting.blindspots.settings import BlindSpotSettings
from alerting.blindspots.spot import SpotChange, SpotKind, split_key
from alerting.blindspots.uncovered_areas import UncoveredAreas
from alerting.blindspots.unknown_time import Gaps
from alerting.stations.snapshot import PassTime, Standing

LOOK_BACK: Final = timedelta(days=40)
"""How far back the rules need unknown time."""


class StoredSpot(msgspec.Struct, frozen=True, kw_only=True):
    """A stored incident of a blind spot that is open or shelved."""

    key: str
    since: datetime
    stage: str | None = None
    parent_key: str | None = None


class StartingState(msgspec.Struct, frozen=True, kw_only=True):
    """What the process knows besides the stations when it takes the lead.

    `known`: the last moment that was decided, which is that of the stations. `targets`: areas to be covered, with the
    ids of their targets. `had`: areas that had stations in service at the last pass.
    """

    known: datetime
    spots: Sequence[StoredSpot] = ()
    memory: Sequence[RememberedMoment] = ()
    targets: Mapping[str, Sequence[str]] = {}
    had: Collection[str] = ()


class BlindSpots:
    """All areas and stations, at the moment `known`."""

    def __init__(self, lookup: StationLookup, settings: BlindSpotSettings) -> None:
        self.memory = SpotMemory()
        self.counts = AreaCounts()
        self.known: datetime | None = None
        self._spots = OpenSpots()
        self._silence = SilenceSpots(self._spots, lookup, self.memory, settings.silence)
        self._records = RecordSpots(self._spots, self.memory, settings.records, lookup.standing)
        self._dark = DarkAreas(self.counts, self.memory, after=settings.area_dark, least=settings.least)
        self._uncovered = UncoveredAreas(self.counts)

    def load_stations(self, standings: Iterable[Standing], start: StartingState) -> None:
        """Begin with all stations, each of which is read once; their records come after that, by `note_records`."""
        self.memory.restore_moments(start.memory)
        spots = _by_subject(start.spots)
        self._spots.restore_open(_since(spots))
        tallies = add_up(self._restored(standings, start.known))
        self._silence.close_deleted(_since(spots), start.known)
        self.counts.add_tallies(tallies)
        self._dark.load_areas(tallies, _dark_incidents(spots), start.known)
        self._uncovered.restore_open({subject for kind, subject in spots if kind is SpotKind.UNCOVERED})
        self._uncovered.set_targets(start.targets, start.known, had=start.had)
        self.known = start.known

    def _restored(self, standings: Iterable[Standing], known: datetime) -> Iterator[StandingChange]:
        for standing in standings:
            step = StandingChange(None, standing, known)
            self._follow_station(step)
            yield step

    def follow_stations(self, steps: Sequence[StandingChange], known: datetime) -> None:
        """Take the changes of stations up to `known`, in their order."""
        if steps:
            tallies = add_up(steps)
            self.counts.add_tallies(tallies)
            self._dark.follow_tallies(tallies, known)
            self._uncovered.follow_areas({area for path in tallies for area in path}, known)
            for step in steps:
                self._follow_station(step)

    def _follow_station(self, step: StandingChange) -> None:
        either = step.after or step.before
        if either is not None:
            row = self._spots.row_of(either.station)
            self._records.follow_station(step, row, self._silence.follow_station(step, row))

    def note_records(self, records: Iterable[StationRecords], known: datetime) -> None:
        """Take the newest records of some stations."""
        self._records.note_records(records, known)

    def set_targets(self, targets: Mapping[str, Sequence[str]], known: datetime) -> None:
        """Set the areas that targets name now, with the ids of these targets."""
        self._uncovered.set_targets(targets, known)

    def may_be_due(self, known: datetime, outages: Collection[str] = ()) -> bool:
        """Whether `find_due` may decide something by now, so that unknown time must be loaded for it; `outages`: the
        keys of the open ones."""
        by_time = any(part.may_be_due(known) for part in (self._silence, self._records))
        return by_time or self._dark.may_be_due(known, outages)

    def find_due(self, moment: PassTime, gaps: Gaps, outages: Iterable[OpenOutage] = ()) -> None:
        """Decide what follows from time up to `moment.known`, which never goes back."""
        known = moment.known if self.known is None else max(moment.known, self.known)
        self.known = known
        moment = msgspec.structs.replace(moment, known=known)
        self._dark.find_due(moment, gaps, outages)
        self._silence.find_due(moment, gaps)
        self._records.find_due(moment)

    def take_questions(self) -> list[ReportingQuestion]:
        """Questions about stations that must be answered before they count as without sessions or resources."""
        return self._records.take_questions()

    def note_reporting(self, reporting: Iterable[ReportingQuestion]) -> None:
        """Take the questions to which the answer is yes."""
        self._records.note_reporting(reporting)

    def take_changes(self) -> list[SpotChange]:
        """The changes since the last call, in their order."""
        return [*self._uncovered.take_changes(), *self._dark.take_changes(), *self._spots.take_changes()]


def _by_subject(spots: Iterable[StoredSpot]) -> dict[tuple[SpotKind, str], StoredSpot]:
    named = ((split_key(spot.key), spot) for spot in spots)
    return {name: spot for name, spot in named if name is not None}


def _since(spots: Mapping[tuple[SpotKind, str], StoredSpot]) -> dict[tuple[SpotKind, str], datetime]:
    return {name: spot.since for name, spot in spots.items() if name[0] not in (SpotKind.UNCOVERED, SpotKind.AREA_DARK)}


def _dark_incidents(spots: Mapping[tuple[SpotKind, str], StoredSpot]) -> Iterator[OpenAreaIncident]:
    for (kind, subject), spot in spots.items():
        if kind is SpotKind.AREA_DARK:
            stage = DarkStage.LAST_ONE if spot.stage == DarkStage.LAST_ONE else DarkStage.DARK
            yield OpenAreaIncident(area=subject, stage=stage, since=spot.since, above=spot.parent_key)
