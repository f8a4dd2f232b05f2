"""Whether an export is what was signed, and if not, what was done to it. Pure.

The leaves are hashed again and compared with the hashes that were sealed, and both with the signed checkpoints. Sealed
hashes that lead to the root of a checkpoint are proven; so each leaf that differs from its sealed hash can be named.
Where not even these lead there, the log is another one than what was signed.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from audit.days.sealed.exported import FigureTally
from audit.ledger.checkpoints import Checkpoint, SignedCheckpoint, cosigned_at, parse_checkpoint
from audit.ledger.export_format import ExportedLeaf, Manifest
from audit.ledger.keychain import KeyChain
from audit.ledger.notes import NoteError, VerifierKey
from audit.ledger.tiles import LogEdge, grow
from contract.said import Said

MOST_FINDINGS: Final = 100
"""Differences of a kind that are named one by one."""


class Wrong(StrEnum):
    """What was done to a ledger."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OFF = "cut_off"
    FORKED = "forked"
    RESIGNED = "resigned"
    SIGNATURE = "signature"
    UNREADABLE = "unreadable"


class LedgerFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, in a sentence."""

    wrong: Wrong
    said: Said


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier knows from elsewhere: the key of the log, keys of witnesses, checkpoints that were kept."""

    key: VerifierKey | None = None
    witnesses: tuple[VerifierKey, ...] = ()
    older: tuple[SignedCheckpoint, ...] = ()


class LogVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; nothing wrong: `findings` is empty. `cosigned`: (witness, seconds since the epoch) of each
    cosignature that holds for a checkpoint of this log. `scope`: the areas whose rows are shown; None: everything.
    `lacks_figures`: the log has entries about figures, and the export has no figures."""

    checkpoint: Checkpoint
    leaves: int
    shown: int
    checkpoints: int
    key: str | None
    cosigned: tuple[tuple[str, int], ...]
    findings: tuple[LedgerFault, ...]
    scope: tuple[str, ...] | None = None
    figures: FigureTally | None = None
    lacks_figures: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every figure in the export was verified, and there are figures if the log has entries about any."""
        return not self.lacks_figures and (self.figures is None or self.figures.is_whole)


class LogCheck:
    """Takes the leaves of an export in their order, and says what is wrong at the end."""

    def __init__(self, manifest: Manifest, trust: Trust) -> None:
        self._manifest = manifest
        self._trust = trust
        self._newest = parse_checkpoint(manifest.checkpoint)
        own = [parse_checkpoint(text) for text in manifest.checkpoints]
        own = [one for one in own if one.checkpoint.origin == manifest.origin]
        self._signed = [*own, self._newest]
        sizes = {one.checkpoint.size for one in (*self._signed, *trust.older)} | {manifest.size}
        self._stops = sorted(sizes, reverse=True)
        self._rows, self._seals = LogEdge(), LogEdge()
        self._roots: dict[int, tuple[bytes, bytes]] = {}
        self._differences: list[tuple[int, bytes, bytes, str]] = []
        self._missing: list[tuple[int, str]] = []
        self._shown = 0
        self._chain = KeyChain()
        self._findings: list[LedgerFault] = []
        self._stop_here()

    def take(self, leaves: Sequence[ExportedLeaf], sealed: Sequence[bytes]) -> None:
        """Some leaves and their sealed hashes, which follow those before. A missing leaf counts by its sealed hash."""
        at = 0
        while at < len(leaves):
            next_stop = self._stops[-1] if self._stops else self._rows.size + len(leaves)
            end = min(len(leaves), at + next_stop - self._rows.size)
            self._take(leaves[at:end], sealed[at:end])
            at = end
            self._stop_here()

    def _take(self, leaves: Sequence[ExportedLeaf], sealed: Sequence[bytes]) -> None:
        hashes = []
        for index, (leaf, seal) in enumerate(zip(leaves, sealed, strict=True), start=self._rows.size):
            if leaf.hash is None:
                self._missing.append((index, leaf.place))
            elif leaf.hash != seal:
                self._differences.append((index, leaf.hash, seal, _name(leaf)))
            if leaf.data is not None:
                self._shown += 1
                self._chain.read(index, leaf.data)
            hashes.append(seal if leaf.hash is None else leaf.hash)
        self._rows, _ = grow(self._rows, hashes)
        self._seals, _ = grow(self._seals, sealed)

    def _stop_here(self) -> None:
        while self._stops and self._stops[-1] == self._rows.size:
            self._roots[self._stops.pop()] = self._rows.root, self._seals.root

    def conclude(self) -> LogVerdict:
        """What is wrong, the gravest kinds first."""
        self._check_signatures()
        self._check_checkpoints()
        self._check_leaves()
        for row in self._manifest.strangers[:MOST_FINDINGS]:
            place = f"{row.source} {row.number}" + (f" of partition {row.partition}" if row.partition else "")
            self._add(
                Wrong.INSERTED,
                f"inserted: {place} is in the database, and was neither sealed nor waits for its seal",
                f"插入：{place} 在数据库中，但既未封存也不在待封存之列",
            )
        return LogVerdict(
            checkpoint=self._newest.checkpoint,
            leaves=self._rows.size,
            shown=self._shown,
            checkpoints=len(self._signed) + len(self._trust.older),
            key=None if self._chain.first is None else self._chain.first.text,
            cosigned=tuple(self._cosigned()),
            findings=tuple(self._findings),
            scope=self._manifest.scope,
        )

    def _check_signatures(self) -> None:
        trusted = self._trust.key
        if trusted is not None and self._chain.first is not None and trusted not in self._chain.keys:
            self._add(
                Wrong.SIGNATURE,
                f"signature: the log says that its key is {self._chain.first.text}, which is not the key that you gave",
                f"签名：账本声明的密钥为 {self._chain.first.text}，与您给出的不同",
            )
        for text in self._chain.faults:
            self._add(Wrong.SIGNATURE, f"signature: {text.en}", f"签名：{text.zh}")
        for one in (*self._signed, *self._trust.older):
            key = self._chain.key_of(one.checkpoint.size) or trusted
            if key is None or self._chain.signed(one.note, key) is not True:
                self._add(
                    Wrong.SIGNATURE,
                    f"signature: the checkpoint of size {one.checkpoint.size} is not signed by the key of the log",
                    f"签名：条目数为 {one.checkpoint.size} 的检查点不是由账本的密钥签署",
                )

    def _check_checkpoints(self) -> None:
        own = {id(one) for one in self._signed}
        good = 0
        for one in sorted((*self._signed, *self._trust.older), key=lambda each: each.checkpoint.size):
            checkpoint, kept = one.checkpoint, id(one) not in own
            if checkpoint.origin != self._manifest.origin:
                self._add(
                    Wrong.FORKED,
                    f"forked: a checkpoint is of the log {checkpoint.origin}, the export of {self._manifest.origin}",
                    f"分叉：检查点属于账本 {checkpoint.origin}，而导出属于 {self._manifest.origin}",
                )
            elif checkpoint.size > self._rows.size:
                self._cut_off(checkpoint)
            elif self._roots[checkpoint.size][1] != checkpoint.root:
                self._forked(one, kept=kept, good=good)
            else:
                good = max(good, checkpoint.size)

    def _cut_off(self, checkpoint: Checkpoint) -> None:
        self._add(
            Wrong.CUT_OFF,
            f"cut off at the end: a checkpoint has {checkpoint.size} leaves, the log has {self._rows.size}",
            f"末尾被删：检查点有 {checkpoint.size} 条，账本只有 {self._rows.size} 条",
        )

    def _forked(self, one: SignedCheckpoint, *, kept: bool, good: int) -> None:
        """The sealed hashes do not lead to a checkpoint: at earliest after the last checkpoint to which they do."""
        size = one.checkpoint.size
        self._add(
            Wrong.FORKED,
            f"forked: leaves {good} to {size - 1} are not those that were signed with size {size}",
            f"分叉：第 {good} 至 {size - 1} 条与条目数为 {size} 时签署的不同",
        )
        newest = self._newest.checkpoint
        if kept and newest.size <= self._rows.size and self._roots[newest.size][1] == newest.root:
            key = self._chain.key_of(newest.size)
            if key is not None and self._chain.signed(self._newest.note, key):
                witnesses = ", ".join(name for name, _ in self._cosigners(one))
                seen = f", and {witnesses} saw the other one" if witnesses else ""
                seen_zh = f"，{witnesses} 见证的是另一份" if witnesses else ""
                self._add(
                    Wrong.RESIGNED,
                    f"re-signed: the key of the log signed this history and another one of size {size}{seen}",
                    f"重新签署：账本的密钥既签署了这份历史，也签署了另一份（条目数 {size}）{seen_zh}",
                )

    def _check_leaves(self) -> None:
        own = {row: index for index, row, _, _ in self._differences}
        seals = {seal for _, _, seal, _ in self._differences}
        for index, row, seal, name in self._differences[:MOST_FINDINGS]:
            moved = own.get(seal)
            if moved is not None and row in seals:
                self._add(
                    Wrong.REORDERED,
                    f"reordered: leaf {index} is {name}; what was sealed there is now leaf {moved}",
                    f"顺序改变：第 {index} 条现为 {name}；原在此处封存的现为第 {moved} 条",
                )
            else:
                self._add(Wrong.CHANGED, f"changed: leaf {index}, {name}", f"被改动：第 {index} 条，{name}")
        for index, place in self._missing[:MOST_FINDINGS]:
            self._add(Wrong.MISSING, f"missing: leaf {index}, {place}", f"缺失：第 {index} 条，{place}")
        rest = max(0, len(self._differences) - MOST_FINDINGS) + max(0, len(self._missing) - MOST_FINDINGS)
        if rest:
            self._add(Wrong.CHANGED, f"changed or missing: {rest} more leaves", f"被改动或缺失：另有 {rest} 条")

    def _cosigned(self) -> Iterator[tuple[str, int]]:
        for one in (*self._signed, *self._trust.older):
            yield from self._cosigners(one)

    def _cosigners(self, one: SignedCheckpoint) -> Iterable[tuple[str, int]]:
        for witness in self._trust.witnesses:
            at = cosigned_at(one.note, witness)
            if at is not None:
                yield witness.name, at

    def _add(self, wrong: Wrong, en: str, zh: str) -> None:
        self._findings.append(LedgerFault(wrong=wrong, said=Said(en, zh)))


def _name(leaf: ExportedLeaf) -> str:
    """What a leaf is, by its own words."""
    try:
        row = msgspec.json.decode(leaf.data or b"{}")
        if "id" in row:
            return f"{row['row']} {row['id']}"
        return f"{row['row']} {row['seq']} of partition {row['partition']}"
    except (msgspec.MsgspecError, KeyError, TypeError, NoteError, RecursionError):
        return "a row that cannot be read"
