"""A report as PDF/A-2b, or as PDF/A-3b with its proof as an attachment, drawn by typst.

The template reads the report as JSON, so no text of a report is ever markup. The date of the document is the last day
of the report, and typst derives the identifiers of a file from its contents. So the same report with the same fonts
gives the same bytes.
"""

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
import segno
import typst

from audit.reports.cell_text import cell_text
from audit.reports.document import ColumnKind, Report, ReportTable
from audit.sheets.pdf_attachment import UNSET, with_checksum
from contract.said import SaidError

FONTS: Final = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "Noto Serif Tibetan",
    "DDC Uchen",
    "Microsoft Himalaya",
    "Noto Sans",
    "DejaVu Sans",
    "Libertinus Serif",
)
"""Fonts in the order of preference for each character; the last font comes with typst."""
_PAGE_OF_TEXT: Final = 2_500
"""Characters that surely fit on one page in a table with one column."""
_NUMBERS: Final = {ColumnKind.COUNT, ColumnKind.TIME, ColumnKind.RATE, ColumnKind.POINTS}


class _Drawing(msgspec.Struct, frozen=True):
    proof: str | None
    font_directory: str | None


def pdf_bytes(report: Report, fonts: str | None = None) -> bytes:
    """The document. `fonts`: the directory of the only fonts to use; None: the fonts of this machine.

    Raises SaidError if the fonts lack a character of the report, or the directory has no fonts.
    """
    return compile_pdf(template_data(report, fonts))


def template_data(report: Report, fonts: str | None = None) -> bytes:
    """The report as JSON for the template. Raises SaidError if the directory `fonts` has no fonts."""
    if fonts is not None and not _fonts(fonts, embedded=False).families():
        raise SaidError(
            f"MILEPOST_FONTS: {fonts} has no fonts: put the files of the fonts there (.ttf, .otf or .ttc)",
            f"MILEPOST_FONTS：{fonts} 中没有字体：请把字体文件（.ttf、.otf 或 .ttc）放入该目录",
        )
    known = families(fonts)
    data = _data(report, [font for font in FONTS if font in known])
    return msgspec.json.encode({**data, "font_directory": fonts})


def compile_pdf(data: bytes) -> bytes:
    """The document of a report as JSON for the template. Raises SaidError, as `pdf_bytes`."""
    drawing = msgspec.json.decode(data, type=_Drawing)
    # PDF/A-2 permits no attachment that is a text.
    standard: Literal["a-2b", "a-3b"] = "a-3b" if drawing.proof else "a-2b"
    try:
        found = typst.compile(
            _template(),
            sys_inputs={"report": data.decode()},
            font_paths=_fonts(drawing.font_directory),
            pdf_standards=standard,
            format="pdf",
            pdf_tags=False,
        )
    except typst.TypstError as exc:
        if "font" not in exc.message and "glyph" not in exc.message:
            raise
        raise no_font(exc.message) from exc
    if not isinstance(found, bytes):
        raise TypeError("typst gave no PDF")
    return with_checksum(found)


def no_font(why: str) -> SaidError:
    """The fonts lack a character of the report."""
    return SaidError(
        f"the fonts lack characters of the report ({why}): install fonts for Chinese and Tibetan (Debian: "
        "fonts-noto-cjk fonts-ddc-uchen) or put them into the directory of MILEPOST_FONTS, then make the report again",
        f"字体缺少报告中的部分文字（{why}）：请安装中文和藏文字体（Debian：fonts-noto-cjk fonts-ddc-uchen），"
        "或把字体放入 MILEPOST_FONTS 所指的目录，然后重试",
    )


def families(directory: str | None = None) -> frozenset[str]:
    """The font families of this machine, or those of a directory alone, and those that come with typst."""
    return frozenset(_fonts(directory).families())


def _fonts(directory: str | None, *, embedded: bool = True) -> typst.Fonts:
    # Not cached: a person installs the missing fonts and asks again. A look takes about 50 ms.
    return typst.Fonts(
        include_system_fonts=directory is None,
        include_embedded_fonts=embedded,
        font_paths=[] if directory is None else [directory],
    )


@cache
def _template() -> bytes:
    return (files(__package__) / "report.typ").read_bytes()


def _data(report: Report, fonts: list[str]) -> Mapping[str, Any]:
    return {
        "title": report.title,
        "subtitle": report.subtitle,
        "lang": report.language[:2],
        "fonts": fonts,
        "wide": report.wide,
        "dated": [report.dated.year, report.dated.month, report.dated.day],
        "facts": report.facts,
        "notes": report.notes,
        "text": report.text,
        "tables": [_table(table) for table in report.tables],
        "chart": None if report.chart is None else {"title": report.chart.title, "days": _bars(report)},
        "strip": None
        if report.strip is None
        else {
            "title": report.strip.title,
            "days": [[f"{line.day:%m-%d}", line.hours] for line in report.strip.days],
            "legend": report.strip.legend,
        },
        "checkpoint": report.checkpoint,
        "qr": None if report.checkpoint is None else qr_svg(report.qr or report.checkpoint),
        "proof": report.proof,
        "unset": UNSET,
    }


def _bars(report: Report) -> list[tuple[str, float | None, str]]:
    days = () if report.chart is None else report.chart.days
    return [(f"{day:%d}", None if rate is None else float(rate), _short(rate)) for day, rate in days]


def _short(rate: Fraction | None) -> str:
    return "" if rate is None else str(int(rate * 100))


def _table(table: ReportTable) -> Mapping[str, Any]:
    rows = [
        [cell_text(value, column.kind) for value, column in zip(row, table.columns, strict=True)] for row in table.rows
    ]
    return {
        "title": table.title,
        "note": table.note,
        "columns": [
            {"title": column.heading, "share": column.share, "number": column.kind in _NUMBERS}
            for column in table.columns
        ],
        "rows": rows,
        # A row that is longer than a page would be cut off.
        "breakable": not all(_fits_on_page(row, table) for row in rows),
    }


def _fits_on_page(row: Sequence[str], table: ReportTable) -> bool:
    shares = sum(column.share for column in table.columns)
    return all(
        len(cell) * shares <= _PAGE_OF_TEXT * column.share for cell, column in zip(row, table.columns, strict=True)
    )


def qr_svg(text: str) -> str:
    """A QR code as SVG."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=0, scale=4)
    return out.getvalue().decode()
