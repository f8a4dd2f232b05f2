"""Writes a PDF in a separate process (`registry/child_process.py`), because typst needs much memory, which the end of
the process frees."""

from typing import Final

import msgspec

from audit.reports.document import Report
from audit.reports.pdf_format import compile_pdf, no_font, template_data
from contract.said import SaidError
from registry.child_process import ChildBounds, ChildFailedError, answer_parent, run_apart

BOUNDS: Final = ChildBounds(memory=2 * 1024**3, seconds=60, elapsed=120, output=64 * 1024**2)


class _Drawn(msgspec.Struct, frozen=True):
    pdf: bytes = b""
    why: str = ""


def pdf_apart(report: Report, fonts: str | None = None, bounds: ChildBounds = BOUNDS) -> bytes:
    """As `pdf_format.pdf_bytes`, in a separate process. Blocks. Raises SaidError also if the report is too large."""
    try:
        answer = run_apart(__name__, template_data(report, fonts), bounds, _Drawn)
    except ChildFailedError:
        raise SaidError(
            "the report is too large for a PDF: ask for a smaller area, or for xlsx",
            "报告过大，无法生成 PDF：请缩小区划范围，或改用 xlsx",
        ) from None
    if answer.why:
        raise no_font(answer.why)
    return answer.pdf


def _draw(data: bytes) -> _Drawn:
    try:
        return _Drawn(pdf=compile_pdf(data))
    except SaidError as exc:
        cause = exc.__cause__
        return _Drawn(why=str(getattr(cause, "message", cause)))


if __name__ == "__main__":
    answer_parent(_draw)
