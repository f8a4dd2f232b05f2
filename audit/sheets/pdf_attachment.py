"""The text attached to a PDF, and the checksum of the file in its own keywords. Pure.

typst writes each attachment as one compressed stream, and the keywords as plain text in two places. The checksum is
the SHA-256 of the file with zeros in these places. It shows damage and edits of the pages; it is no signature.
"""

import re
import zlib
from hashlib import sha256
from typing import Final

from contract.said import SaidError

MOST_TEXT: Final = 1_000_000
"""Bytes of an attached text."""

MARK: Final = "milepost-sha256:"
UNSET: Final = MARK + "0" * 64
"""The keyword with which a PDF is written before its checksum is known."""
_SET: Final = re.compile(rb"milepost-sha256:[0-9a-f]{64}")
_PLACES: Final = 2
_ATTACHED: Final = re.compile(rb"<</Length (\d{1,9})/Type/EmbeddedFile/Filter/FlateDecode[^\n]{0,300}>>\nstream\n")


def with_checksum(pdf: bytes) -> bytes:
    """A PDF that was written with the keyword `UNSET`, with its checksum."""
    return pdf.replace(UNSET.encode(), f"{MARK}{sha256(pdf).hexdigest()}".encode())


def is_whole(pdf: bytes) -> bool:
    """Whether a PDF is as it was written, by its own checksum."""
    return len(_SET.findall(pdf)) == _PLACES and with_checksum(_SET.sub(UNSET.encode(), pdf)) == pdf


def attached_text(pdf: bytes) -> str:
    """The text that is attached to a PDF. Raises SaidError."""
    found = _ATTACHED.findall(pdf)
    match = _ATTACHED.search(pdf)
    if match is None or len(found) != 1:
        raise _nothing(f"{len(found)} attachments", f"附件数为 {len(found)}")
    packed = pdf[match.end() : match.end() + int(match[1])]
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, MOST_TEXT + 1)
        if not unpacker.eof:
            raise ValueError("the attachment does not end")  # noqa: TRY301 -- the same answer as for zlib's own errors
        return text.decode()
    except (zlib.error, ValueError) as exc:
        raise _nothing("its attachment is damaged", "附件已损坏") from exc


def _nothing(why: str, why_zh: str) -> SaidError:
    return SaidError(
        f"this PDF has no proof that can be read ({why}): use the file as Milepost wrote it, or the text of the proof",
        f"此 PDF 中没有可读取的证明文件（{why_zh}）：请使用 Milepost 生成的原文件，或证明文件本身",
    )
