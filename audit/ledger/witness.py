"""What a witness answers to a log that asks for a cosignature (C2SP tlog-witness), and what a log asks. Pure.

A witness remembers the last checkpoint that it signed of each log. It signs the next one only with a proof that the
log then begins with the one before, so a log that shows two histories gets at most one of them signed.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from audit.ledger.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    cosign,
    decode_hash,
    encode_hash,
    parse_checkpoint,
    parse_size,
)
from audit.ledger.merkle import EMPTY_ROOT, is_consistent
from audit.ledger.notes import NoteError, SignerKey, VerifierKey, signed_by
from contract.said import Said

MOST_LINES: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"


class Witness(msgspec.Struct, frozen=True):
    """A witness: its public key and the address that its requests begin with."""

    key: VerifierKey
    url: str


class WitnessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The HTTP answer. `keep`: what to remember, on the disk before the answer is sent. `fork`: the checkpoint of
    another history, and `said` why nothing was signed."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    keep: SignedCheckpoint | None = None
    fork: SignedCheckpoint | None = None
    said: Said | None = None


class CosignRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a log asks: a signed checkpoint, and the proof that it goes on from its first `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    signed: SignedCheckpoint

    def render(self) -> str:
        """The text of the request."""
        lines = [f"old {self.old}", *(encode_hash(one) for one in self.proof), ""]
        return "\n".join(lines) + "\n" + self.signed.note.render()


def parse_request(raw: str) -> CosignRequest:
    """A request from its text. Raises NoteError."""
    head, _, note = raw.partition("\n\n")
    first, *lines = head.split("\n")
    if not first.startswith("old ") or len(lines) > MOST_LINES:
        raise NoteError(
            "a request begins with `old SIZE` and has at most 63 lines of proof",
            "请求应以 `old 条目数` 开头，证明最多 63 行",
        )
    return CosignRequest(
        old=parse_size(first.removeprefix("old ")),
        proof=tuple(decode_hash(line) for line in lines),
        signed=parse_checkpoint(note),
    )


def answer_request(
    raw: str,
    logs: Mapping[str, Sequence[VerifierKey]],
    known: Mapping[str, Checkpoint],
    key: SignerKey,
    at: int,
) -> WitnessAnswer:
    """The answer of a witness. `logs`: the keys of each log by its origin; `known`: the last checkpoint that was signed
    of each; `at`: whole seconds since the epoch."""
    try:
        asked = parse_request(raw)
    except NoteError as exc:
        return _refused(400, exc.said)
    signed, checkpoint = asked.signed, asked.signed.checkpoint
    keys = logs.get(checkpoint.origin)
    if keys is None:
        return _refused(404, Said(f"{checkpoint.origin} is not a log of this witness", "此见证方不负责该账本"))
    held = [signed_by(signed.note, one) for one in keys]
    if False in held or True not in held:
        return _refused(403, Said("the checkpoint is not signed by a key of the log", "检查点不是由账本的密钥签署"))
    if asked.old > checkpoint.size:
        return _refused(400, Said("the old size is over the size", "旧条目数大于新条目数"))
    before = known.get(checkpoint.origin) or Checkpoint(origin=checkpoint.origin, size=0, root=EMPTY_ROOT)
    if asked.old != before.size:
        return _other_size(signed, before)
    if checkpoint.size == before.size and checkpoint.root != before.root:
        return _fork(signed, before)
    if not is_consistent(before.size, before.root, checkpoint.size, checkpoint.root, asked.proof):
        return _fork(signed, before)
    return WitnessAnswer(status=200, body=cosign(signed.note, key, at).line, keep=signed)


def _other_size(signed: SignedCheckpoint, before: Checkpoint) -> WitnessAnswer:
    """The log names another last size. One that is smaller than what was signed may be a restored database."""
    shrunk = signed.checkpoint.size < before.size
    said = Said(
        f"{before.origin} has {signed.checkpoint.size} leaves, and had {before.size} when this witness signed: "
        "its end was cut off, or an old copy of its database runs",
        f"{before.origin} 现有 {signed.checkpoint.size} 条，而此前见证时有 {before.size} 条："
        "末尾被删，或运行的是旧数据库",
    )
    return WitnessAnswer(
        status=409,
        body=f"{before.size}\n",
        content_type=SIZE_TYPE,
        fork=signed if shrunk else None,
        said=said if shrunk else None,
    )


def _fork(signed: SignedCheckpoint, before: Checkpoint) -> WitnessAnswer:
    said = Said(
        f"forked: {before.origin} with {signed.checkpoint.size} leaves does not begin with the {before.size} leaves "
        "that this witness signed",
        f"分叉：{before.origin} 的 {signed.checkpoint.size} 条并非以此前见证的 {before.size} 条开头",
    )
    return WitnessAnswer(status=422, body=said.en + "\n", fork=signed, said=said)


def _refused(status: int, said: Said) -> WitnessAnswer:
    return WitnessAnswer(status=status, body=said.en + "\n", said=said)
