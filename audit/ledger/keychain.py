"""The keys of a log, from its own entries: which one signs from which size on. Pure.

The first entry has the first key. An entry of a rotation has the old and the new key and is signed by both.
"""

import base64
from typing import Any

import msgspec

from audit.ledger.notes import NoteError, SignedNote, SignerKey, VerifierKey, parse_verifier, signed_by
from contract.said import Said

OPENED = "ledger.opened"
ROTATED = "ledger.key_rotated"
_MARKS = (OPENED.encode(), ROTATED.encode())


def rotation_text(origin: str, old: VerifierKey, new: VerifierKey) -> bytes:
    """What both keys sign at a rotation."""
    return f"milepost ledger key rotation\n{origin}\n{old.text}\n{new.text}\n".encode()


def rotation_body(old: SignerKey, new: SignerKey) -> dict[str, Any]:
    """The body of the entry of a rotation."""
    text = rotation_text(old.name, old.verifier, new.verifier)
    return {
        "old": old.verifier.text,
        "new": new.verifier.text,
        "old_signature": base64.b64encode(old.sign(text)).decode(),
        "new_signature": base64.b64encode(new.sign(text)).decode(),
    }


class KeyChain:
    """Reads leaves in their order, and knows the keys."""

    def __init__(self) -> None:
        self._keys: list[tuple[int, VerifierKey]] = []
        self.faults: list[Said] = []

    @property
    def first(self) -> VerifierKey | None:
        """The key with which the log began."""
        return self._keys[0][1] if self._keys else None

    @property
    def keys(self) -> list[VerifierKey]:
        """Every key, the oldest first."""
        return [key for _, key in self._keys]

    def key_of(self, size: int) -> VerifierKey | None:
        """The key that signs a log of this size."""
        return next((key for index, key in reversed(self._keys) if index < size), None)

    def signed(self, note: SignedNote, key: VerifierKey) -> bool | None:
        """Whether a key signed; while a rotation is under way, the key before it or after it may have."""
        held = signed_by(note, key)
        if held is not None or key not in self.keys:
            return held
        place = self.keys.index(key)
        beside = self.keys[max(0, place - 1) : place + 2]
        return True if any(signed_by(note, other) for other in beside) else None

    def read(self, index: int, data: bytes) -> None:
        """A leaf; only entries about keys matter."""
        if not any(mark in data for mark in _MARKS):
            return
        try:
            row = msgspec.json.decode(data)
            if row.get("row") != "ledger_entry":
                return
            if row["kind"] == OPENED and index == 0:
                self._keys.append((index, parse_verifier(row["body"]["key"])))
            elif row["kind"] == ROTATED:
                self._rotate(index, row["body"])
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, NoteError, ValueError, RecursionError):
            self.faults.append(Said(f"leaf {index} about a key cannot be read", f"第 {index} 条（密钥）无法读取"))

    def _rotate(self, index: int, body: dict[str, str]) -> None:
        old, new = parse_verifier(body["old"]), parse_verifier(body["new"])
        if self.first is not None and old.name != self.first.name:
            return  # of a log that was in this database before
        text = rotation_text(old.name, old, new)
        whole = old.holds(text, base64.b64decode(body["old_signature"])) and new.holds(
            text, base64.b64decode(body["new_signature"])
        )
        if whole and self._keys and old == self._keys[-1][1] and new.name == old.name:
            self._keys.append((index, new))
        else:
            self.faults.append(
                Said(
                    f"the rotation of the key in leaf {index} is not signed by both keys",
                    f"第 {index} 条的密钥更换没有新旧两把密钥的签名",
                )
            )
