"""Signed notes (C2SP signed-note): a text and lines of signatures below it; keys and their ids. Pure.

A note ends with lines `— NAME BASE64`; the base64 is four bytes of the id of the key and the signature. Whoever reads
a note ignores signatures of keys that he does not know.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from enum import IntEnum
from hashlib import sha256
from typing import Final

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from contract.said import SaidError

_MARK: Final = "— "
_ID: Final = 4
_KEY: Final = 32
MOST_NOTE: Final = 1_000_000
"""Bytes of a note."""
_NAME: Final = re.compile(r"[^\s+]+")
_PRIVATE: Final = "PRIVATE+KEY+"


class NoteError(SaidError):
    """A note, a key or a signature line that is not in its form."""


class KeyType(IntEnum):
    """What a key signs: the byte of its kind in ids and encoded keys."""

    NOTE = 1
    COSIGNATURE = 4


class NoteSignature(msgspec.Struct, frozen=True, kw_only=True):
    """One line of signature. `payload`: what follows the id of the key."""

    name: str
    key_id: bytes
    payload: bytes

    @property
    def line(self) -> str:
        """The line in a note, with its end."""
        return f"{_MARK}{self.name} {base64.b64encode(self.key_id + self.payload).decode()}\n"


class SignedNote(msgspec.Struct, frozen=True, kw_only=True):
    """A text, which ends with a newline, and its signatures."""

    text: str
    signatures: tuple[NoteSignature, ...] = ()

    def render(self) -> str:
        """The note as it is written."""
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)


class VerifierKey(msgspec.Struct, frozen=True, kw_only=True):
    """The public half of a key."""

    name: str
    public: bytes
    kind: KeyType = KeyType.NOTE

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand for the key in signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_ID]

    @property
    def text(self) -> str:
        """The key as people exchange it: NAME+ID+BASE64."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature (64 bytes) is of this message."""
        try:
            VerifyKey(self.public).verify(message, signature)
        except (BadSignatureError, ValueError):
            return False
        return True


class SignerKey(msgspec.Struct, frozen=True, kw_only=True):
    """Both halves of a key. It is secret: no error and no log shows its seed."""

    name: str
    seed: bytes
    kind: KeyType = KeyType.NOTE

    def __repr__(self) -> str:
        return f"SignerKey({self.name})"

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(name=self.name, public=bytes(SigningKey(self.seed).verify_key), kind=self.kind)

    @property
    def text(self) -> str:
        """The key as its file holds it: PRIVATE+KEY+NAME+ID+BASE64, as Go's sumdb/note has it."""
        coded = base64.b64encode(bytes([self.kind]) + self.seed).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{coded}"

    def sign(self, message: bytes) -> bytes:
        """The signature of a message: 64 bytes."""
        return SigningKey(self.seed).sign(message).signature


def require_name(name: str) -> str:
    """The name of a key. Raises NoteError for one that no note can carry."""
    if not _NAME.fullmatch(name):
        raise NoteError(
            f"{name!r} cannot be the name of a key: write it without spaces and '+', such as example.org/ledger",
            f"{name!r} 不能作为密钥名称：请不带空格和“+”，例如 example.org/ledger",
        )
    return name


def parse_verifier(text: str) -> VerifierKey:
    """A public key from its text. Raises NoteError."""
    name, key_id, kind, public = _parse_key(text.strip())
    key = VerifierKey(name=name, public=public, kind=kind)
    if key.key_id.hex() != key_id:
        raise _not_a_key(name)
    return key


def parse_signer(text: str) -> SignerKey:
    """A secret key from its text. Raises NoteError, which does not show the text."""
    name, key_id, kind, seed = _parse_key(text.strip().removeprefix(_PRIVATE))
    key = SignerKey(name=name, seed=seed, kind=kind)
    if not text.strip().startswith(_PRIVATE) or key.verifier.key_id.hex() != key_id:
        raise _not_a_key(name)
    return key


def parse_note(raw: str) -> SignedNote:
    """The text and the signatures of a note. Raises NoteError."""
    text, mark, lines = raw.rpartition("\n\n")
    if not mark or not lines.endswith("\n") or len(raw) > MOST_NOTE:
        raise NoteError(
            "this is no signed note: a text, an empty line and lines of signatures are expected",
            "这不是带签名的文本：应为正文、空行和签名行",
        )
    return SignedNote(text=text + "\n", signatures=tuple(parse_signature(line) for line in lines[:-1].split("\n")))


def parse_signature(line: str) -> NoteSignature:
    """One line of signature. Raises NoteError."""
    name, space, coded = line.removeprefix(_MARK).partition(" ")
    try:
        raw = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not line.startswith(_MARK) or not _NAME.fullmatch(name) or not space or len(raw) <= _ID:
        raise NoteError(f"this is no line of a signature: {line[:80]!r}", f"这不是签名行：{line[:80]!r}")
    return NoteSignature(name=name, key_id=raw[:_ID], payload=raw[_ID:])


def sign_note(text: str, keys: Iterable[SignerKey]) -> SignedNote:
    """A text with a signature of each key."""
    return SignedNote(text=text, signatures=tuple(sign_text(text, key) for key in keys))


def sign_text(text: str, key: SignerKey) -> NoteSignature:
    """The signature of a key for the text of a note."""
    return NoteSignature(name=key.name, key_id=key.verifier.key_id, payload=key.sign(text.encode()))


def signed_by(note: SignedNote, key: VerifierKey) -> bool | None:
    """Whether the signature of a key holds; None: the note has none of this key."""
    own = [one for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    return all(key.holds(note.text.encode(), one.payload) for one in own) if own else None


def _parse_key(text: str) -> tuple[str, str, KeyType, bytes]:
    name, first, rest = text.partition("+")
    key_id, second, coded = rest.partition("+")
    try:
        raw = base64.b64decode(coded, validate=True)
        kind = KeyType(raw[0])
    except (binascii.Error, ValueError, IndexError):
        raise _not_a_key(name) from None
    if not first or not second or not _NAME.fullmatch(name) or len(raw) != 1 + _KEY:
        raise _not_a_key(name)
    return name, key_id, kind, raw[1:]


def _not_a_key(name: str) -> NoteError:
    shown = name if _NAME.fullmatch(name) and len(name) <= _MOST_SHOWN else "?"
    return NoteError(
        f"the key of {shown} cannot be read: copy its whole line again (NAME+ID+BASE64)",
        f"无法读取 {shown} 的密钥：请重新完整复制该行（NAME+ID+BASE64）",
    )


_MOST_SHOWN: Final = 100
