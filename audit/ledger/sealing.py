"""From rows to leaves: what one seal adds to the log, and what keeps a database from being sealed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

import msgspec

from audit.ledger.checkpoints import Checkpoint
from audit.ledger.leaves import EntryRow, GapRow, HealthRow, LeafRow, LeafSource, TransitionRow, leaf_bytes
from audit.ledger.merkle import leaf_hash
from audit.ledger.tiles import FullTile, LogEdge, grow
from contract.errors import RemedyError

StreamRow = TransitionRow | GapRow | HealthRow
ENTRIES: Final = 0
"""What stands for the partition of entries."""


class BrokenLedgerError(RemedyError):
    """The database is not what was sealed in it: a person has to look."""


class LeafRun(msgspec.Struct, frozen=True, kw_only=True):
    """`count` leaves from `begins` on are the rows `first`, `first` + 1, … of a table and a partition of it."""

    begins: int
    count: int
    source: LeafSource
    partition: int
    first: int


class SealedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What one seal adds: the new edge, the tiles that became full, and which rows the new leaves are."""

    edge: LogEdge
    tiles: tuple[FullTile, ...] = ()
    runs: tuple[LeafRun, ...] = ()

    @property
    def count(self) -> int:
        """The number of new leaves."""
        return sum(run.count for run in self.runs)


def seal_rows(
    edge: LogEdge, entries: Sequence[EntryRow], streams: Mapping[LeafSource, Sequence[StreamRow]]
) -> SealedBatch:
    """Append rows to a log: first the entries, then the streams, each in the order in which it is given."""
    runs: list[LeafRun] = []
    rows: list[LeafRow] = [*entries]
    _add_runs(runs, edge.size, LeafSource.ENTRY, ENTRIES, [row.id for row in entries])
    for source, found in streams.items():
        for partition, some in groupby(found, key=attrgetter("partition")):
            own = list(some)
            _add_runs(runs, edge.size + len(rows), source, partition, [row.seq for row in own])
            rows += own
    grown, full = grow(edge, (leaf_hash(leaf_bytes(row)) for row in rows))
    return SealedBatch(edge=grown, tiles=tuple(full), runs=tuple(runs))


def _add_runs(runs: list[LeafRun], begins: int, source: LeafSource, partition: int, numbers: Sequence[int]) -> None:
    at = 0
    while at < len(numbers):
        end = at + 1
        while end < len(numbers) and numbers[end] == numbers[end - 1] + 1:
            end += 1
        runs.append(LeafRun(begins=begins + at, count=end - at, source=source, partition=partition, first=numbers[at]))
        at = end


def require_gapless(source: LeafSource, ends: Mapping[int, int], rows: Iterable[StreamRow]) -> None:
    """Each partition goes on where its seal ended; `ends`: the last sealed numbers. Before the first seal of a
    partition it may begin anywhere. Raises BrokenLedgerError."""
    last = dict(ends)
    for row in rows:
        expected = last.get(row.partition, row.seq - 1) + 1
        if row.seq != expected:
            raise BrokenLedgerError(
                f"row {expected} of partition {row.partition} is missing in {source}, and later rows are there: "
                "somebody deleted it; restore it from a backup, then start `milepost audit` again",
                f"{source} 的分区 {row.partition} 缺少第 {expected} 行，而其后的行存在：有人将其删除；"
                "请从备份恢复该行，再重新启动 `milepost audit`",
            )
        last[row.partition] = row.seq


def require_entries(rows: Iterable[tuple[int, str | None]]) -> None:
    """Every entry that waits for its seal is there; `rows`: ids and kinds. Raises BrokenLedgerError."""
    for number, kind in rows:
        if kind is None:
            raise BrokenLedgerError(
                f"entry {number} waits for its seal and is not in ledger_entry: somebody deleted it; restore it from a "
                "backup, then start `milepost audit` again",
                f"条目 {number} 正待封存，但 ledger_entry 中没有它：有人将其删除；"
                "请从备份恢复，再重新启动 `milepost audit`",
            )


def require_same_log(kept: Checkpoint | None, origin: str, edge: LogEdge, root_then: bytes | None, where: str) -> None:
    """The database goes on from the last checkpoint that was kept outside of it.

    `root_then`: the root of as many leaves as `kept` has, None if there are fewer. `where`: the file of `kept`.
    Raises BrokenLedgerError.
    """
    if kept is None:
        if edge.size:
            raise BrokenLedgerError(
                f"the ledger has {edge.size} leaves and {where} is missing, so nothing shows that they are the same as "
                f"before: put the newest checkpoint there that you have (from a report, a mail or a witness)",
                f"账本已有 {edge.size} 条，而 {where} 不存在，无法证明与以前一致：请把手头最新的检查点"
                "（来自报告、邮件或见证方）放到该处",
            )
    elif kept.origin != origin:
        raise BrokenLedgerError(
            f"the ledger of this database is {origin}, the checkpoint in {where} is of {kept.origin}: "
            "set MILEPOST_LEDGER_CHECKPOINT and MILEPOST_DATABASE_URL to what belongs together",
            f"此数据库的账本为 {origin}，而 {where} 中的检查点属于 {kept.origin}："
            "请让 MILEPOST_LEDGER_CHECKPOINT 与 MILEPOST_DATABASE_URL 相互对应",
        )
    elif edge.size < kept.size:
        raise BrokenLedgerError(
            f"the ledger of this database has {edge.size} leaves, the checkpoint in {where} has {kept.size}: "
            "the database is older than the checkpoint, or its end was cut off; restore a newer copy",
            f"此数据库的账本有 {edge.size} 条，而 {where} 中的检查点有 {kept.size} 条："
            "数据库早于检查点，或其末尾被删去；请恢复较新的副本",
        )
    elif root_then != kept.root:
        raise BrokenLedgerError(
            f"the first {kept.size} leaves of this database are not those of the checkpoint in {where}: the ledger was "
            "forked; keep both for an audit, and restore a copy that has the leaves of the checkpoint",
            f"此数据库的前 {kept.size} 条与 {where} 中的检查点不符：账本出现分叉；"
            "请保留两者备查，并恢复与检查点一致的副本",
        )
