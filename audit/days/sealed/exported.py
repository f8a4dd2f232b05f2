"""The figures of days in an export of the ledger, and what they are made of that the ledger does not have. Pure.

`figures-N.ndjson` has the days of areas, one a line, in the order of days. `records-N.ndjson` has the records of
stations that are no entries of the ledger: presence, and when the platform was blind for the station.
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
    """The stations of an area itself on a day: those that share their figures, and the lines of all others."""

    day: date
    path: Path
    groups: tuple[QuietGroup, ...] = ()
    lines: tuple[DayLine, ...] = ()


class StationRecords(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records of a station. `follows`: something about it is known that its figures do not follow yet."""

    station: str
    gaps: tuple[UnknownInterval, ...] = ()
    presence: tuple[TerminalRun, ...] = ()
    follows: bool = False


class FigureFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of figures or records."""

    name: str
    sha256: str


class ExportedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures an export has: days from `first` to `last`, of `area` and all below it (None: of everything).

    `begun`: the first day that was ever kept. `cut`: the last fact of the registry that they follow. `waiting`:
    subjects of entries about figures that are not sealed yet. `whole`: it shows all sources that are entries.
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
        """Whether the export has the figures of an area on a day, if there are any."""
        return self.first <= day <= self.last and (self.area is None or self.area in path)

    def has_month(self, month: date, path: Path) -> bool:
        """Whether it has all days of a month that were kept; `month` is a first day."""
        last = following_month(month) - timedelta(days=1)
        return self.first <= max(month, self.begun) and self.has(last, path)


class FigureTally(msgspec.Struct, frozen=True, kw_only=True):
    """What verification did with figures. `compared`: days of stations, with the entry of their area; `computed`: those
    of them that were computed anew; `waiting`: days of areas whose entry is not sealed yet."""

    first: date
    last: date
    compared: int
    computed: int
    waiting: int
