"""The formats of a report, by their names. A format's library is imported only when the format is written. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from audit.reports.csv_format import csv_bytes
from audit.reports.document import Report


class ReportFormat(msgspec.Struct, frozen=True, kw_only=True):
    """The function that writes a report as the bytes of a file, and the media type of the file."""

    media: str
    write: Callable[[Report], bytes]


def _xlsx(report: Report) -> bytes:
    from audit.reports.xlsx_format import xlsx_bytes

    return xlsx_bytes(report)


def write_pdf(report: Report, fonts: str | None = None) -> bytes:
    """As `pdf_format.pdf_bytes`."""
    from audit.reports.pdf_format import pdf_bytes

    return pdf_bytes(report, fonts)


PROOF: Final = "text/plain; charset=utf-8"
"""The media type of the proof of a station's sheet."""

FORMATS: Final[Mapping[str, ReportFormat]] = {
    "csv": ReportFormat(media="text/csv; charset=utf-8", write=csv_bytes),
    "xlsx": ReportFormat(media="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write=_xlsx),
    "pdf": ReportFormat(media="application/pdf", write=write_pdf),
}
