"""The figures of days in an export of the ledger, and their sources that are not in the ledger. Pure.

`figures-N.ndjson` has the days of areas, one a line, in the order of days. `records-N.ndjson` has the records of
stations that are not in the ledger: presence, and the times in which the platform could not judge the station.
"""

from datetime import date, timedelta
from typing import Annotated, Final

import msgspec

from audit.days.freezing import following_month
from audit.days.recorded import TerminalRun
from audit.days.sealed.trees import DayLine, Path, QuietGroup
from audit.timeline import UnknownInterval

FIGURES: Final = "figures"
RECORDS: Final = "records"


class AreaFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The stations directly in an area on a day: groups of stations with the same figures, and the lines of all
    others."""

    day: date
    path: Annotated[Path, msgspec.Meta(min_length=1)]
    groups: tuple[QuietGroup, ...] = ()
    lines: tuple[DayLine, ...] = ()


class StationRecords(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records of a station. `follows`: there are newer facts about the station that its figures do not include yet.
    Nothing proves this, so figures that differ are then neither right nor wrong."""

    station: str
    gaps: tuple[UnknownInterval, ...] = ()
    presence: tuple[TerminalRun, ...] = ()
    follows: bool = False


class FigureFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of figures or records."""

    name: str
    sha256: str


class ExportedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures in an export: days from `first` to `last`, of `area` and all areas below it (None: of everything).

    `begun`: the first day that was ever kept. `cut`: the last fact of the registry that the figures include. `waiting`:
    subjects of entries about figures that are not sealed yet. `whole`: the export shows all entries that are sources.
    `sources_from`: records of earlier days are deleted; None: of no day.

    Nobody signs this. Whoever edits it can only make less verified, and the result then says so.
    """

    first: date
    last: date
    area: str | None
    begun: date
    cut: int
    waiting: tuple[str, ...]
    figures: tuple[FigureFile, ...]
    records: tuple[FigureFile, ...]
    whole: bool = True
    sources_from: date | None = None

    def has(self, day: date, path: Path) -> bool:
        """Whether the export covers the figures of an area on a day."""
        return self.first <= day <= self.last and (self.area is None or self.area in path)

    def has_month(self, month: date, path: Path, begun: date) -> bool:
        """Whether the export covers all kept days of a month; `month`: the first day, `begun`: the first kept day."""
        last = following_month(month) - timedelta(days=1)
        return self.first <= max(month, begun) and self.has(last, path)


class FigureTally(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the verification of figures. `compared`: number of station days that were compared with the entry
    of their area; `computed`: how many of them were computed again, with the same result or a finding; `unsure`: how
    many differ, while the export says that newer facts or deleted records explain it; `waiting`: number of area days
    and months that differ from their entry, while the export says that a newer one is not sealed yet."""

    first: date
    last: date
    compared: int
    computed: int
    waiting: int
    unsure: int

    @property
    def is_whole(self) -> bool:
        """Whether every figure was verified."""
        return 0 < self.compared == self.computed and self.waiting == 0
