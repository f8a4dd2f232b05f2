"""A proof as one text file (C2SP tlog-proof): the index of a leaf, its proof of inclusion and a checkpoint. Pure."""

from typing import Final

import msgspec

from audit.ledger.checkpoints import SignedCheckpoint, decode_hash, encode_hash, parse_checkpoint, parse_size
from audit.ledger.merkle import root_from_inclusion
from audit.ledger.notes import NoteError

_FIRST: Final = "c2sp.org/tlog-proof@v1"
_MOST_STEPS: Final = 63


class LeafProof(msgspec.Struct, frozen=True, kw_only=True):
    """A leaf is in the tree of a checkpoint."""

    index: int
    steps: tuple[bytes, ...]
    signed: SignedCheckpoint

    def render(self) -> str:
        """The text of the proof."""
        lines = [_FIRST, f"index {self.index}", *(encode_hash(step) for step in self.steps), ""]
        return "\n".join(lines) + "\n" + self.signed.note.render()

    def holds_for(self, leaf: bytes) -> bool:
        """Whether the proof leads from the hash of a leaf to the root of the checkpoint."""
        checkpoint = self.signed.checkpoint
        return root_from_inclusion(leaf, self.index, checkpoint.size, self.steps) == checkpoint.root


def parse_proof(raw: str) -> LeafProof:
    """A proof from its text. Raises NoteError."""
    head, _, note = raw.partition("\n\n")
    lines = head.split("\n")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]
    if lines[0] != _FIRST or len(lines) < 2 or not lines[1].startswith("index ") or len(lines) > 2 + _MOST_STEPS:
        raise NoteError(
            f"this is no proof: its first line is {_FIRST} and then comes the index",
            f"这不是证明文件：首行应为 {_FIRST}，其后为序号",
        )
    return LeafProof(
        index=parse_size(lines[1].removeprefix("index ")),
        steps=tuple(decode_hash(line) for line in lines[2:]),
        signed=parse_checkpoint(note),
    )
