"""Reports of a history that was made up for a demonstration: each says so. Pure."""

from msgspec.structs import replace

from audit.reports.document import Report, ReportColumn, ReportTable
from audit.reports.texts import text


def marked(report: Report) -> Report:
    """The report with a title, a note, and a column of the listed table that say that its data is made up."""
    language = report.language
    tables = list(report.tables)
    tables[report.listed] = _marked_table(tables[report.listed], text("made_up_short", language))
    return replace(
        report,
        title=text("made_up_title", language, title=report.title),
        notes=(text("made_up_note", language), *report.notes),
        tables=tuple(tables),
    )


def _marked_table(table: ReportTable, word: str) -> ReportTable:
    column = ReportColumn(key="data", title=word)
    return replace(table, columns=(*table.columns, column), rows=[(*row, word) for row in table.rows])
