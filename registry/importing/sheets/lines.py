"""What a table file is read into: its lines, whatever its format. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from contract.errors import RemedyError
from contract.said import Said

MAX_ROWS: Final = 1_000_000
MAX_CELL: Final = 2000
"""The most characters of a cell."""


class Line(msgspec.Struct, frozen=True):
    """A row that is not empty: its line number in the file (the first line is 1) and its cells, trimmed.

    `broken`: {index: the problem} of cells without a value in the workbook.
    """

    number: int
    cells: tuple[str, ...]
    broken: Mapping[int, Said] = {}


class Sheet(msgspec.Struct, frozen=True):
    """All lines of a file, including the header.

    `workbook`: people find a cell by the letter of its column and its row. `notes`: remarks for the person on how the
    file was read.
    """

    lines: list[Line]
    workbook: bool = False
    notes: tuple[Said, ...] = ()


def bounded(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines that are not empty. Raises RemedyError past MAX_ROWS."""
    count = 0
    for line in lines:
        if not any(line.cells) and not line.broken:
            continue
        count += 1
        if count > MAX_ROWS + 1:
            raise RemedyError(f"the file has more than {MAX_ROWS} rows: split it", f"文件超过 {MAX_ROWS} 行：请拆分")
        yield line
