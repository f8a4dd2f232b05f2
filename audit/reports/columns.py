"""Columns of reports with their titles. Pure."""

from audit.reports.document import ColumnKind, ReportColumn
from audit.reports.texts import text


def titled_column(
    key: str, language: str, kind: ColumnKind = ColumnKind.TEXT, share: int = 2, *, title: str = ""
) -> ReportColumn:
    """A column; its title is the text with the name `title`, or with the name of its key."""
    return ReportColumn(key=key, title=text(title or key, language), kind=kind, share=share)
