"""Where copies of checkpoints go, beside the file of the sealer, and when. Pure.

A copy that somebody else keeps shows later that nothing before it changed: `milepost verify --older`.
"""

from enum import StrEnum
from typing import Final

import msgspec

from contract.errors import RemedyError

EVERY: Final = 60.0
"""Seconds between two copies to one place, while the log grows."""
AGAIN: Final = 3600.0
"""The same while it does not."""


class CopyKind(StrEnum):
    """How a copy gets to its place."""

    FILE = "file"
    WEB = "web"


class CopyPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is replaced, or an address that gets a POST."""

    kind: CopyKind
    address: str

    @property
    def shown(self) -> str:
        """The place without what may be secret in its address."""
        return self.address if self.kind is CopyKind.FILE else "/".join(self.address.split("/")[:3])


def parse_places(text: str, where: str) -> tuple[CopyPlace, ...]:
    """The places in a text, one a line; `#` begins a remark. `where`: its file. Raises RemedyError."""
    return tuple(
        _place(line.strip(), where, number)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def _place(line: str, where: str, number: int) -> CopyPlace:
    if line.startswith("/"):
        return CopyPlace(kind=CopyKind.FILE, address=line)
    if line.startswith(("https://", "http://")) and len(line.split()) == 1:
        return CopyPlace(kind=CopyKind.WEB, address=line)
    raise RemedyError(
        f"{where}, line {number}: write a whole path such as /mnt/audit/checkpoint, or an address https://…",
        f"{where} 第 {number} 行：请写完整路径，如 /mnt/audit/checkpoint，或地址 https://…",
    )


def is_copy_due(size: int, now: float, *, copied: int | None, tried_at: float | None) -> bool:
    """Whether a place gets a checkpoint of this size.

    `copied`: the size of its last copy, `tried_at`: when one was tried last, in seconds of the same clock as `now`.
    None: never.
    """
    if tried_at is None:
        return True
    return now - tried_at >= (AGAIN if size == copied else EVERY)
