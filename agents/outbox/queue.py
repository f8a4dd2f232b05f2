"""Where records wait until an ack names them: SQLite on disk, memory while the disk refuses or does not answer."""

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
    """The agent's outbox. Writing never fails: what the disk refuses waits, bounded, in memory.

    With a `worker` all work with the file is done in its thread, and what it does not do in time is taken for
    refused: it may happen later all the same, so that for a while a record is on disk and in memory. It leaves memory
    only when it is known to be on disk or acknowledged.
    `expected`: whether an earlier start had a file here, so that a missing one is a loss.
    For one thread.
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
        """The records that turned out to be damaged since this was last emptied."""
        self._spare = Table(None, rows=SPARE_ROWS, size=SPARE_BYTES)
        self._file = OutboxFile(path, rows=rows, size=size, expected=expected)
        self._disk = Disk(path, self._file, worker)
        # What the work that was not waited for came to, since these were last emptied.
        self._victims: deque[Key] = deque()
        self._moved: deque[int] = deque()
        # What is acknowledged, and may lie on a disk that does not answer.
        self._gone: set[Key] = set()
        self._not_kept = 0
        self._disk.do(lambda _: None)

    def __len__(self) -> int:
        return self._spare.rows + self._file.rows

    @property
    def is_on_disk(self) -> bool:
        """Whether its file is open."""
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
        """What happened to the file since this was last emptied."""
        return self._file.findings

    @property
    def dropped(self) -> int:
        """Records dropped for want of room and not yet reported."""
        return self._spare.dropped + self._file.dropped

    @property
    def damaged(self) -> int:
        """Records set aside because they are not what was written, and not yet reported."""
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
        # Numbered here: the file's own numbers may have come to light only now.
        self._victims += table.put(self._row(box, number, body), body, held=held)
        return True

    def _row(self, box: str, number: int, body: bytes) -> OutboxRow:
        return OutboxRow(self._file.number(), box, number, len(body))

    def _drain_victims(self) -> list[Key]:
        return [self._victims.popleft() for _ in range(len(self._victims))]

    def _settle(self) -> None:
        """What waited goes to the disk that works again."""
        self._move_back()
        if self._gone:
            self._delete_gone()
        if self._file.hidden and self._disk.do(self._discard_hidden) is True:
            self._file.hidden.clear()

    def _discard_hidden(self, table: Table) -> bool:
        return table.discard(sorted(self._file.hidden))

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
        """By the number of writing: what was written again in memory since then is not on disk."""
        if self._moved:
            self._spare.discard([self._moved.popleft() for _ in range(len(self._moved))])

    def newest(self, limit: int) -> list[OutboxRow]:
        """The records that may be sent, the last written first."""
        self._drop_moved()
        spare = self._spare.newest(limit)
        hidden, elsewhere = self._file.hidden, self._gone | {row.key for row in spare}
        found = self._disk.do(partial(Table.newest, limit=limit + len(hidden) + len(elsewhere))) or []
        on_disk = [row for row in found if row.seq not in hidden and row.key not in elsewhere]
        return sorted(spare + on_disk, reverse=True)[:limit]

    def read(self, rows: Sequence[OutboxRow]) -> dict[OutboxRow, bytes]:
        """The bodies of those records that are as they were written.

        A damaged one is set aside, and its key is in `spoilt`; one that the disk does not give out is left out.
        """
        in_memory = self._disk.read_each(self._spare, [row.seq for row in rows]) if self._spare.rows else {}
        # Of a file that was opened late, a record may have a number that one in memory has, too.
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
                self._set_record_aside(row, saved[row.seq])
        return found

    def _set_record_aside(self, row: OutboxRow, saved: Saved) -> None:
        _log.error("record %r of the outbox %s is damaged: it is set aside and never sent", row.key, self._path)
        self.spoilt.append(row.key)
        if not self._disk.do(partial(Table.set_aside, row=saved)):
            self._file.hidden.add(row.seq)
            self._not_kept += 1

    def delete(self, keys: Sequence[Key]) -> None:
        """Delete what is safe elsewhere. What a disk refuses to delete is not sent again before the next start."""
        in_memory = tuple(key for key in keys if self._spare.holds(key))
        self._spare.delete(in_memory)
        self._gone.update(set(keys).difference(in_memory))
        self._delete_gone(in_memory)

    def _delete_gone(self, more: Sequence[Key] = ()) -> None:
        """`more` may lie there too, if its writing was not waited for; if it stays, it is sent once more."""
        keys = (*self._gone, *more)
        if self._disk.do(partial(Table.delete, keys=keys)):
            self._gone.clear()
            return
        numbers = self._disk.do(partial(Table.numbers, keys=keys))
        if numbers is not None:
            self._file.hidden.update(numbers)
            self._gone.clear()

    def reported(self) -> None:
        """Count dropped records from zero: an event record reports those so far."""
        self._spare.reported()
        self._disk.do(Table.reported)

    def damage_reported(self) -> None:
        """Count damaged records from zero: an event record reports those so far."""
        self._not_kept = 0
        self._disk.do(Table.damage_reported)

    def mend(self) -> None:
        """See to the file, and to what the disk did not do in time; called often, and short."""
        self._disk.attempt(self._file.mend)
        self._drop_moved()
        if not self.trouble and (self._spare.rows or self._gone or not self._file.is_open):
            self._disk.do(lambda _: None)
            self._settle()

    def close(self) -> None:
        if not self.trouble:
            self._settle()
        self._spare.close()
        self._disk.attempt(self._file.close)


def _key(saved: Saved | None) -> Key | None:
    return (saved.box, saved.id) if saved else None
