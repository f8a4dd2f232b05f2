"""A record as an outbox's file gives it back, and whether it is what was written."""

from typing import Any, NamedTuple
from zlib import crc32

from contract.codec import decode_record
from contract.refusal import RefusedError


class Saved(NamedTuple):
    """A row of the file: any column may hold anything."""

    seq: int
    box: Any
    id: Any
    body: Any
    sum: Any

    @property
    def is_whole(self) -> bool:
        """Whether it is what was written. Older agents wrote no sum: there the body must be the record of its id."""
        if not (isinstance(self.box, str) and isinstance(self.id, int) and isinstance(self.body, bytes)):
            return False
        if self.sum is None:
            return _is_record(self.body, self.id)
        return bool(self.sum == checksum(self.box, self.id, self.body))


def checksum(box: str, number: int, body: bytes) -> int:
    """CRC-32 of a record and its key."""
    return crc32(body, crc32(f"{box}/{number}/".encode()))


def _is_record(body: bytes, number: int) -> bool:
    try:
        return decode_record(body).id == number
    except (RefusedError, ValueError):
        return False
