"""Where there is no service: the numbers of every area and all seven kinds of blind spots. Pure.

It is told of stations as they change, of what their records say, and of what targets name; time goes on by `advance`.
What it decides is written into a book. It begins from the stations as they stand, the incidents that are open, and the
few moments that its memory keeps.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.blindspots.area_counts import AreaCounts, StandingChange, add_up
from alerting.blindspots.by_records import RecordSettings, RecordSpots, ReportingQuestion, StationRecords
from alerting.blindspots.by_silence import SilenceSettings, SilenceSpots, StationLookup
from alerting.blindspots.dark_areas import DarkAreas, OpenAreaIncident, OpenOutage
from alerting.blindspots.dark_stretch import DarkStage
from alerting.blindspots.open_spots import OpenSpots
from alerting.blindspots.remembered import RememberedMoment, SpotMemory
from alerting.blindspots.spot import SpotChange, SpotKind, split_key, write_spots
from alerting.blindspots.uncovered_areas import UncoveredAreas
from alerting.blindspots.unknown_time import Gaps
from alerting.incidents.book import Book
from alerting.stations.snapshot import Moment, Standing

LOOK_BACK: Final = timedelta(days=40)
"""How far back unknown time is needed."""


class BlindSpotSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`area_dark`: how long no station of an area works; `least`: stations of an area that people are paged about."""

    area_dark: timedelta = timedelta(minutes=15)
    least: int = 2
    silence: SilenceSettings = SilenceSettings()
    records: RecordSettings = RecordSettings()


class StoredSpot(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of a blind spot that goes on, as it is stored."""

    key: str
    since: datetime
    stage: str | None = None
    parent_key: str | None = None


class StartingState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when the lead is taken, beside the stations.

    `known`: the moment at which the stations stand so, which is the last that was decided. `had`: areas that had
    stations in service then.
    """

    known: datetime
    spots: Sequence[StoredSpot] = ()
    memory: Sequence[RememberedMoment] = ()
    targets: Mapping[str, Sequence[str]] = {}
    had: Collection[str] = ()


class BlindSpots:
    """All areas and stations at one moment."""

    def __init__(self, world: StationLookup, settings: BlindSpotSettings) -> None:
        self.memory = SpotMemory()
        self.counts = AreaCounts()
        self.known: datetime | None = None
        self._ledger = OpenSpots()
        self._silence = SilenceSpots(self._ledger, world, self.memory, settings.silence)
        self._records = RecordSpots(self._ledger, self.memory, settings.records, world.standing)
        self._dark = DarkAreas(self.counts, self.memory, after=settings.area_dark, least=settings.least)
        self._uncovered = UncoveredAreas(self.counts)

    def load_stations(self, standings: Iterable[Standing], start: StartingState) -> None:
        """Begin. Each standing is looked at once; records come after, by `note`."""
        self.memory.restore_moments(start.memory)
        told = _by_subject(start.spots)
        self._ledger.restore_open(_since(told))
        tallies = add_up(self._restored(standings, start.known))
        self._silence.close_deleted(_since(told), start.known)
        self.counts.add_tallies(tallies)
        self._dark.load_areas(tallies, _dark_ones(told), start.known)
        self._uncovered.restore_open({subject for kind, subject in told if kind is SpotKind.UNCOVERED})
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
            row = self._ledger.row_of(either.station)
            self._records.follow_station(step, row, self._silence.follow_station(step, row))

    def note_records(self, records: Iterable[StationRecords], known: datetime) -> None:
        """Take what the newest records of stations say."""
        self._records.note_records(records, known)

    def set_targets(self, targets: Mapping[str, Sequence[str]], known: datetime) -> None:
        """The areas that targets name now, and by which."""
        self._uncovered.set_targets(targets, known)

    def may_be_due(self, known: datetime) -> bool:
        """Whether time alone may decide something by now, so that unknown time has to be known."""
        return any(part.may_be_due(known) for part in (self._dark, self._silence, self._records))

    def find_due(self, moment: Moment, gaps: Gaps, outages: Iterable[OpenOutage] = ()) -> None:
        """Let time go on to `moment.known`; it never goes back."""
        known = moment.known if self.known is None else max(moment.known, self.known)
        self.known = known
        moment = msgspec.structs.replace(moment, known=known)
        self._dark.find_due(moment, gaps, outages)
        self._silence.find_due(moment, gaps)
        self._records.find_due(moment)

    def take_questions(self) -> list[ReportingQuestion]:
        """What has to be known of stations before they are said to have no sessions or resources."""
        return self._records.take_questions()

    def note_reporting(self, reporting: Iterable[ReportingQuestion]) -> None:
        """The questions to which the answer is yes."""
        self._records.note_reporting(reporting)

    def take_changes(self) -> list[SpotChange]:
        """What was decided since the last call, in its order."""
        return [*self._uncovered.take_changes(), *self._dark.take_changes(), *self._ledger.take_changes()]

    def write_spots(self, book: Book, now: datetime) -> None:
        """Take what was decided into a book that knows the incidents of these keys."""
        write_spots(book, self.take_changes(), now)


def _by_subject(spots: Iterable[StoredSpot]) -> dict[tuple[SpotKind, str], StoredSpot]:
    named = ((split_key(spot.key), spot) for spot in spots)
    return {name: spot for name, spot in named if name is not None}


def _since(spots: Mapping[tuple[SpotKind, str], StoredSpot]) -> dict[tuple[SpotKind, str], datetime]:
    return {name: spot.since for name, spot in spots.items() if name[0] not in (SpotKind.UNCOVERED, SpotKind.AREA_DARK)}


def _dark_ones(told: Mapping[tuple[SpotKind, str], StoredSpot]) -> Iterator[OpenAreaIncident]:
    for (kind, subject), spot in told.items():
        if kind is SpotKind.AREA_DARK:
            stage = DarkStage.LAST_ONE if spot.stage == DarkStage.LAST_ONE else DarkStage.DARK
            yield OpenAreaIncident(area=subject, stage=stage, since=spot.since, above=spot.parent_key)
