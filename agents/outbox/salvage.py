"""Reads what can still be read of a damaged outbox, page by page, without SQLite.

The format is https://www.sqlite.org/fileformat2.html: sections 1.6 (b-tree pages) and 2.1 (records).
"""

import logging
import sqlite3
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from agents.outbox.saved import Saved
from agents.outbox.schema import PAGE
from agents.outbox.table import Table

_log = logging.getLogger(__name__)

MOST_OVERFLOW: Final = 64
"""Pages of one record; the contract's largest needs 32."""
_LEAF: Final = 0x0D
_INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of an integer by its serial type."""


class Salvage:
    """Rows of another file, a slice at a time. `found` counts the rows so far, `whole` the undamaged ones."""

    def __init__(self, rows: Generator[Saved]) -> None:
        self._rows = rows
        self._slice: list[Saved] = []
        self.found = self.whole = 0

    def next_slice(self, count: int) -> list[Saved]:
        """The next rows; the same again until `slice_done`; none at the end."""
        self._slice = self._slice or list(islice(self._rows, count))
        return self._slice

    def slice_done(self) -> None:
        """The rows of the last slice are copied."""
        self.found += len(self._slice)
        self.whole += sum(row.is_whole for row in self._slice)
        self._slice = []

    def close(self) -> None:
        """Close the file."""
        self._rows.close()


def rows_of_open(table: Table) -> Generator[Saved]:
    """The rows of a file that was removed while it was open; at the end it is closed."""
    try:
        yield from table.all()
    except sqlite3.Error as exc:
        _log.warning("the rest of a removed outbox cannot be read: %s", exc)
    finally:
        table.close()


def rows_of_damaged(path: Path) -> Generator[Saved]:
    """The records in all pages that hold records, in no particular order."""
    try:
        with path.open("rb") as file:
            count = -(-path.stat().st_size // PAGE)
            for number in range(1, count + 1):
                yield from _rows_of(_page(file, number), 100 if number == 1 else 0, file)
    except OSError as exc:
        _log.warning("%s cannot be read: %s", path, exc)


def _page(file: BinaryIO, number: int) -> bytes:
    """Page `number`, which counts from 1; zeros where it is cut, cannot be read or does not exist."""
    try:
        file.seek((number - 1) * PAGE)
        read = file.read(PAGE)
    except (OSError, ValueError):
        read = b""
    return read.ljust(PAGE, b"\0")


def _rows_of(page: bytes, start: int, file: BinaryIO) -> Iterator[Saved]:
    if page[start] != _LEAF:
        return
    for place in range(min(int.from_bytes(page[start + 3 : start + 5]), PAGE // 4)):
        pointer = start + 8 + 2 * place
        try:
            row = _row_at(page, int.from_bytes(page[pointer : pointer + 2]), file)
        except (IndexError, ValueError):
            continue
        if row is not None:
            yield row


def _row_at(page: bytes, at: int, file: BinaryIO) -> Saved | None:
    """The record in the cell at `at`; None when it is something else."""
    size, at = _varint(page, at)
    seq, at = _varint(page, at)
    columns = _columns(_payload(page, at, size, file))
    if len(columns) not in (5, 6) or columns[0] is not None or not isinstance(columns[1], str):
        return None
    _, box, number, _, body, total = (*columns, None)[:6]
    return Saved(seq, box, number, body, total)


def _payload(page: bytes, at: int, size: int, file: BinaryIO) -> bytes:
    """A cell's `size` bytes: here, or the first of them here and the rest in a chain of pages (section 1.6)."""
    most, least = PAGE - 35, (PAGE - 12) * 32 // 255 - 23
    if size <= most:
        return page[at : at + size]
    if size > PAGE * MOST_OVERFLOW:
        raise ValueError("no record of an outbox")
    here = least + (size - least) % (PAGE - 4)
    here = here if here <= most else least
    payload, following = page[at : at + here], page[at + here : at + here + 4]
    for _ in range(MOST_OVERFLOW):
        if len(payload) >= size:
            break
        more = _page(file, int.from_bytes(following))
        following, payload = more[:4], payload + more[4:]
    return payload[:size]


def _columns(payload: bytes) -> list[Any]:
    """The values of a record; raises ValueError or IndexError for what is none."""
    header, at = _varint(payload, 0)
    kinds = []
    while at < header:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != header or len(kinds) > 6:
        raise ValueError("no record of an outbox")
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (0, 8, 9):
        return (None if kind == 0 else kind - 8), at
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(payload[at:end], signed=True), end
    if kind < 12:
        raise ValueError("no value of an outbox")
    end = at + (kind - 12) // 2
    text = payload[at:end]
    return (text.decode(errors="replace") if kind % 2 else text), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    value = value << 8 | data[at + 8]
    return value - (value >> 63 << 64), at + 9
