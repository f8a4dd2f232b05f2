"""A record as it is read from the file of an outbox, and whether it is undamaged. Pure."""

from typing import Any, NamedTuple
from zlib import crc32

from contract.codec import decode_record
from contract.refusal import RefusedError


class Saved(NamedTuple):
    """A row of the file. In a damaged file a column may hold any value."""

    seq: int
    box: Any
    id: Any
    body: Any
    sum: Any

    @property
    def is_whole(self) -> bool:
        """Whether the record is undamaged. Older agents wrote no sum: there the body must be a record with this id."""
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
