"""The contents of a report, independent of the format. Pure.

A report has values, not texts: the formats write a time or a rate as their readers need them. All formats of a report
show the same rows in the same order, and the same report gives the same bytes.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction

import msgspec

from contract.said import capital

CellValue = str | int | date | Fraction | None
"""A value of a table. None: there is no value, which differs from 0."""


class ByteCount(int):
    """A number of bytes: for people in TB, GB or MB, for programs a plain number."""


class ColumnKind(StrEnum):
    """The type of the values of a column."""

    TEXT = "text"
    DAY = "day"
    COUNT = "count"
    #: Whole milliseconds.
    TIME = "time"
    #: A fraction of 1; two decimals of a percent, rounded down.
    RATE = "rate"
    #: Whole hundredths of points; two decimals.
    POINTS = "points"


class ReportColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column. `key`: its name in CSV; `title`: its name for people; `share`: its relative width on a page."""

    key: str
    title: str
    kind: ColumnKind = ColumnKind.TEXT
    share: int = 2

    @property
    def heading(self) -> str:
        """The title as the heading of the column."""
        return capital(self.title)


class ReportTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table. `name`: the name of its sheet in XLSX, at most 31 characters."""

    name: str
    title: str
    columns: tuple[ReportColumn, ...]
    rows: Sequence[tuple[CellValue, ...]]
    note: str = ""


class StripDay(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a heat strip: a day, and for each of its 24 hours a key of the legend."""

    day: date
    hours: tuple[str, ...]


class StripSign(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a strip's legend. Each colour has a sign with the same meaning."""

    key: str
    word: str
    sign: str
    colour: str


class HeatStrip(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a station in each hour of each day."""

    title: str
    days: tuple[StripDay, ...]
    legend: tuple[StripSign, ...]


class DailyRates(msgspec.Struct, frozen=True, kw_only=True):
    """A chart of rates by day. None: nothing was due."""

    title: str
    days: tuple[tuple[date, Fraction | None], ...]


class ReportText(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences of a format in the reader's language."""

    page: str
    verify_title: str
    verify: tuple[str, ...]
    no_checkpoint: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report. `listed`: the index of the table for CSV; `dated`: the last day of the report, which is the date
    of the files; `wide`: landscape pages; `checkpoint`: a checkpoint of the ledger, a C2SP note; `qr`: the text of the
    QR code; `proof`: the text of the proof that is attached to a PDF, and is a file beside other formats."""

    title: str
    subtitle: str
    language: str
    dated: date
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    tables: tuple[ReportTable, ...]
    listed: int
    text: ReportText
    wide: bool = False
    chart: DailyRates | None = None
    strip: HeatStrip | None = None
    checkpoint: str | None = None
    qr: str | None = None
    proof: str | None = None
