"""Reads a table file in a separate process (`registry/child_process.py`).

The reader of workbooks is native code, and the unpacked size of a small file is known only afterwards.
"""

from typing import Final

import msgspec

from contract.errors import RemedyError
from contract.said import Said
from registry.child_process import ChildBounds, ChildFailedError, answer_parent, run_apart
from registry.importing.sheets.lines import Sheet
from registry.importing.sheets.sheet import XLSX, read_sheet

MAX_MEMORY: Final = 4 * 1024 * 1024 * 1024
MAX_SECONDS: Final = 300
"""Seconds of processor time; the limit of elapsed time is twice as long."""
_MAX_ANSWER: Final = 1024 * 1024 * 1024


class _ReadResult(msgspec.Struct, frozen=True):
    sheet: Sheet | None = None
    problem: Said | None = None


def read_apart(content: bytes, *, memory: int = MAX_MEMORY) -> Sheet:
    """As `read_sheet`, but workbooks are read in a separate process with `memory` bytes.

    Raises RemedyError.
    """
    if not content.startswith(XLSX):
        return read_sheet(content)
    bounds = ChildBounds(memory=memory, seconds=MAX_SECONDS, elapsed=2 * MAX_SECONDS, output=_MAX_ANSWER)
    try:
        answer = run_apart(__name__, content, bounds, _ReadResult)
    except ChildFailedError:
        raise _too_much() from None
    if answer.sheet is None:
        said = answer.problem or Said("nothing was read", "没有读到内容")
        raise RemedyError(said.en, said.zh)
    return answer.sheet


def _too_much() -> RemedyError:
    return RemedyError(
        "the workbook takes more memory or time than an import may: copy the table alone into a new workbook, or save "
        "it as CSV UTF-8",
        "读取该工作簿所需的内存或时间超过限制：请只把表格复制到新工作簿，或另存为 CSV UTF-8",
    )


def _read(content: bytes) -> _ReadResult:
    try:
        return _ReadResult(sheet=read_sheet(content))
    except RemedyError as exc:
        return _ReadResult(problem=exc.said)


if __name__ == "__main__":
    answer_parent(_read)
