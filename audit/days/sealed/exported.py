"""The figures of days in an export of the ledger, and their sources that are not in the ledger. Pure.

`figures-N.ndjson` has the days of areas, one a line, in the order of days. `records-N.ndjson` has the records of
stations that are not in the ledger: presence, and the times in which the platform could not judge the station.
"""

from datetime import date, timedelta
from typing import Final

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
    path: Path
    groups: tuple[QuietGroup, ...] = ()
    lines: tuple[DayLine, ...] = ()


class StationRecords(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records of a station. `follows`: there are newer facts about the station that its figures do not include yet."""

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

    def has(self, day: date, path: Path) -> bool:
        """Whether the export covers the figures of an area on a day."""
        return self.first <= day <= self.last and (self.area is None or self.area in path)

    def has_month(self, month: date, path: Path) -> bool:
        """Whether the export covers all kept days of a month; `month`: the first day."""
        last = following_month(month) - timedelta(days=1)
        return self.first <= max(month, self.begun) and self.has(last, path)


class FigureTally(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the verification of figures. `compared`: number of station days that were compared with the entry
    of their area; `computed`: how many of them were computed again; `waiting`: number of area days whose entry is not
    sealed yet."""

    first: date
    last: date
    compared: int
    computed: int
    waiting: int
