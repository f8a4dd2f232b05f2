"""Checkpoints of a log and cosignatures of witnesses (C2SP tlog-checkpoint, tlog-cosignature). Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from audit.ledger.merkle import HASH
from audit.ledger.notes import (
    KeyType,
    NoteError,
    NoteSignature,
    SignedNote,
    SignerKey,
    VerifierKey,
    parse_note,
    sign_note,
)

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_STAMP: Final = 8
_SIGNATURE: Final = 64
_YEAR_9999: Final = 253_370_764_800
"""Seconds since the epoch; later times cannot be shown in each zone."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a log says about itself: its origin, the number of its leaves and their root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode_hash(self.root)}\n"


class SignedCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint with the note that it was read from."""

    checkpoint: Checkpoint
    note: SignedNote


def encode_hash(value: bytes) -> str:
    """A hash as base64."""
    return base64.b64encode(value).decode()


def decode_hash(text: str) -> bytes:
    """A hash from base64. Raises NoteError."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != HASH:
        raise NoteError(f"this is no hash in base64: {text[:60]!r}", f"这不是 base64 形式的哈希：{text[:60]!r}")
    return value


def parse_size(text: str) -> int:
    """A number of leaves. Raises NoteError."""
    if not _SIZE.fullmatch(text):
        raise NoteError(f"this is no number of leaves: {text[:60]!r}", f"这不是条目数：{text[:60]!r}")
    return int(text)


def parse_checkpoint(raw: str) -> SignedCheckpoint:
    """A signed checkpoint; its signatures are not verified. Raises NoteError."""
    note = parse_note(raw)
    lines = note.text.split("\n")
    if len(lines) < 4 or not lines[0]:
        raise NoteError(
            "this is no checkpoint: it needs an origin, a size and a root, each on its line",
            "这不是检查点：应有来源、条目数和根哈希，各占一行",
        )
    checkpoint = Checkpoint(origin=lines[0], size=parse_size(lines[1]), root=decode_hash(lines[2]))
    return SignedCheckpoint(checkpoint=checkpoint, note=note)


def sign_checkpoint(checkpoint: Checkpoint, keys: Iterable[SignerKey]) -> SignedCheckpoint:
    """A checkpoint, signed by the log."""
    return SignedCheckpoint(checkpoint=checkpoint, note=sign_note(checkpoint.text, keys))


def cosign(note: SignedNote, key: SignerKey, at: int) -> NoteSignature:
    """The cosignature of a witness. `at`: whole seconds since the epoch."""
    payload = at.to_bytes(_STAMP, "big") + key.sign(_cosigned(note.text, at))
    return NoteSignature(name=key.name, key_id=key.verifier.key_id, payload=payload)


def cosigned_at(note: SignedNote, key: VerifierKey) -> int | None:
    """When a witness cosigned, in seconds since the epoch; None: no cosignature of it, or none that holds."""
    if key.kind is not KeyType.COSIGNATURE:
        return None
    times = [_time_of(note, key, one) for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    return max((at for at in times if at is not None), default=None)


def claimed_cosigners(note: SignedNote) -> tuple[tuple[str, int], ...]:
    """(name, seconds since the epoch) of each line that has the form of a cosignature, with a time before the year
    9999; no signature is verified."""
    claimed = (
        (one.name, int.from_bytes(one.payload[:_STAMP], "big"))
        for one in note.signatures
        if len(one.payload) == _STAMP + _SIGNATURE
    )
    return tuple((name, at) for name, at in claimed if at < _YEAR_9999)


def with_signatures(signed: SignedCheckpoint, more: Sequence[NoteSignature]) -> SignedCheckpoint:
    """The checkpoint with further signatures; one that replaces an older of the same key comes instead of it."""
    new = {(one.name, one.key_id): one for one in more}
    kept = [one for one in signed.note.signatures if (one.name, one.key_id) not in new]
    return msgspec.structs.replace(signed, note=msgspec.structs.replace(signed.note, signatures=(*kept, *new.values())))


def _time_of(note: SignedNote, key: VerifierKey, signature: NoteSignature) -> int | None:
    if len(signature.payload) != _STAMP + _SIGNATURE:
        return None
    at = int.from_bytes(signature.payload[:_STAMP], "big")
    if at >= _YEAR_9999:
        return None
    return at if key.holds(_cosigned(note.text, at), signature.payload[_STAMP:]) else None


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
