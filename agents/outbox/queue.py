"""The agent's outbox: records wait in SQLite on disk, or in memory while the disk refuses or does not answer."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from agents.outbox.disk import Disk
from agents.outbox.file import Finding, OutboxFile
from agents.outbox.saved import Saved
from agents.outbox.table import Table
from agents.pacing import Key, OutboxRow
from agents.worker import Worker

_log = logging.getLogger(__name__)

SPARE_ROWS: Final = 300
"""Records kept in memory while the disk refuses or hangs."""
SPARE_BYTES: Final = 512 * 1024


class Outbox:
    """Records that no ack has named yet. Writing never fails: records that the disk refuses wait, bounded, in memory.

    With a `worker` all work with the file is done in its thread. Work that is not done in time counts as refused, but
    may be done later, so that for a while a record is on disk and in memory. A record leaves memory only when it is
    known to be on disk or acknowledged.
    `expected`: whether an earlier start had a file here, so that a missing one is reported as lost.
    All methods belong to one thread.
    """

    def __init__(
        self,
        path: Path,
        *,
        rows: int,
        size: int,
        expected: Callable[[], bool] = lambda: False,
        worker: Worker | None = None,
    ) -> None:
        self._path = path
        self.spoilt: list[Key] = []
        """The keys of records found damaged; the caller empties the list."""
        self._spare = Table(None, rows=SPARE_ROWS, size=SPARE_BYTES)
        self._file = OutboxFile(path, rows=rows, size=size, expected=expected)
        self._disk = Disk(path, self._file, worker)
        # Results of work that ended after its caller had stopped waiting.
        self._victims: deque[Key] = deque()
        self._moved: deque[int] = deque()
        # Acknowledged records that may still lie on a disk that does not answer.
        self._acknowledged: set[Key] = set()
        self._not_kept = 0
        self._disk.do(lambda _: None)

    def __len__(self) -> int:
        return self._spare.rows + self._file.rows

    @property
    def is_on_disk(self) -> bool:
        """Whether the file is open."""
        return self._file.is_open

    @property
    def hangs(self) -> bool:
        """Whether the disk has not answered yet."""
        return self._disk.hangs

    @property
    def trouble(self) -> str | None:
        """Why the disk refuses at present, in words, or None."""
        return self._disk.trouble

    @property
    def findings(self) -> deque[Finding]:
        """What happened to the file; the caller empties the queue."""
        return self._file.findings

    @property
    def dropped(self) -> int:
        """Records dropped to make room and not yet reported."""
        return self._spare.dropped + self._file.dropped

    @property
    def damaged(self) -> int:
        """Records set aside because their checksum is wrong, and not yet reported."""
        return self._not_kept + self._file.damaged

    def append(self, box: str, number: int, body: bytes, *, held: bool = False) -> list[Key]:
        """Write a record, or write it again in its place; return the keys dropped to make room.

        A `held` record is not among `newest`: it may still be written again.
        """
        write = partial(self._write, box=box, number=number, body=body, held=held)
        if self._disk.write(write) is None:
            return self._spare.put(self._row(box, number, body), body, held=held) + self._drain_victims()
        if self._spare.rows:
            self._spare.delete([(box, number)])
        self._settle()
        return self._drain_victims()

    def _write(self, table: Table, box: str, number: int, body: bytes, *, held: bool) -> bool:
        # Numbered here, because the last number in the file may be known only now.
        self._victims += table.put(self._row(box, number, body), body, held=held)
        return True

    def _row(self, box: str, number: int, body: bytes) -> OutboxRow:
        return OutboxRow(self._file.next_seq(), box, number, len(body))

    def _drain_victims(self) -> list[Key]:
        return [self._victims.popleft() for _ in range(len(self._victims))]

    def _settle(self) -> None:
        """Do what waited for the disk."""
        self._move_back()
        if self._acknowledged:
            self._delete_acknowledged()
        if self._file.hidden and self._disk.do(self._discard_hidden) is True:
            self._file.hidden.clear()

    def _discard_hidden(self, table: Table) -> bool:
        return table.delete_by_seq(sorted(self._file.hidden))

    def _move_back(self) -> None:
        rows = self._spare.newest(SPARE_ROWS) if self._spare.rows else []
        saved = self._disk.read_each(self._spare, [row.seq for row in reversed(rows)])
        if saved:
            self._disk.do(partial(self._take_back, rows=list(saved.values())))
            self._drop_moved()

    def _take_back(self, table: Table, rows: Sequence[Saved]) -> None:
        records = [(self._row(saved.box, saved.id, saved.body), saved.body) for saved in rows]
        self._victims += table.put_all(records)
        self._moved.extend(saved.seq for saved in rows)

    def _drop_moved(self) -> None:
        """Delete from memory by sequence number: a record that was written again since then is not on disk."""
        if self._moved:
            self._spare.delete_by_seq([self._moved.popleft() for _ in range(len(self._moved))])

    def newest(self, limit: int) -> list[OutboxRow]:
        """The records that may be sent, the last written first."""
        self._drop_moved()
        spare = self._spare.newest(limit)
        hidden, elsewhere = self._file.hidden, self._acknowledged | {row.key for row in spare}
        found = self._disk.do(partial(Table.newest, limit=limit + len(hidden) + len(elsewhere))) or []
        on_disk = [row for row in found if row.seq not in hidden and row.key not in elsewhere]
        return sorted(spare + on_disk, reverse=True)[:limit]

    def read(self, rows: Sequence[OutboxRow]) -> dict[OutboxRow, bytes]:
        """The bodies of those records that are undamaged.

        The key of a damaged one is added to `spoilt`; one that the disk does not return is left out.
        """
        in_memory = self._disk.read_each(self._spare, [row.seq for row in rows]) if self._spare.rows else {}
        # A record of a file that was opened late may have the same number as one in memory.
        saved = {row.seq: in_memory[row.seq] for row in rows if _key(in_memory.get(row.seq)) == row.key}
        missing = [row.seq for row in rows if row.seq not in saved]
        if missing:
            saved |= self._disk.do(partial(self._disk.read_each, seqs=missing)) or {}
        found = {}
        for row in rows:
            if row.seq not in saved:
                continue
            if saved[row.seq].is_whole and _key(saved[row.seq]) == row.key:
                found[row] = saved[row.seq].body
            else:
                self._set_damaged_aside(row, saved[row.seq])
        return found

    def _set_damaged_aside(self, row: OutboxRow, saved: Saved) -> None:
        _log.error("record %r of the outbox %s is damaged: it is set aside and never sent", row.key, self._path)
        self.spoilt.append(row.key)
        if not self._disk.do(partial(Table.set_aside, row=saved)):
            self._file.hidden.add(row.seq)
            self._not_kept += 1

    def delete(self, keys: Sequence[Key]) -> None:
        """Delete acknowledged records. One that the disk refuses to delete is not sent again before the next start."""
        in_memory = tuple(key for key in keys if self._spare.holds(key))
        self._spare.delete(in_memory)
        self._acknowledged.update(set(keys).difference(in_memory))
        self._delete_acknowledged(in_memory)

    def _delete_acknowledged(self, more: Sequence[Key] = ()) -> None:
        """Delete them from the disk, and `more` records that may be there, too, if their writing ended late."""
        keys = (*self._acknowledged, *more)
        if self._disk.do(partial(Table.delete, keys=keys)):
            self._acknowledged.clear()
            return
        numbers = self._disk.do(partial(Table.seqs_of, keys=keys))
        if numbers is not None:
            self._file.hidden.update(numbers)
            self._acknowledged.clear()

    def mark_dropped_reported(self) -> None:
        """Count dropped records from zero, because those so far are reported."""
        self._spare.mark_dropped_reported()
        self._disk.do(Table.mark_dropped_reported)

    def mark_damage_reported(self) -> None:
        """Count damaged records from zero, because those so far are reported."""
        self._not_kept = 0
        self._disk.do(Table.mark_damage_reported)

    def mend(self) -> None:
        """Mend the file, and do what the disk did not do in time. Call it often; each call is short."""
        self._disk.attempt(self._file.mend)
        self._drop_moved()
        if not self.trouble and (self._spare.rows or self._acknowledged or not self._file.is_open):
            self._disk.do(lambda _: None)
            self._settle()

    def close(self) -> None:
        """Write what waits in memory, if the disk works, and close the file."""
        if not self.trouble:
            self._settle()
        self._spare.close()
        self._disk.attempt(self._file.close)


def _key(saved: Saved | None) -> Key | None:
    return (saved.box, saved.id) if saved else None
