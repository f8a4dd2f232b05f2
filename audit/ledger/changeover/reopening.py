"""What a log that begins anew says about the one before: how far the database reached, and what is missing. Pure."""

from enum import StrEnum
from typing import Any

from audit.ledger.checkpoints import SignedCheckpoint


class EndOfLog(StrEnum):
    """Why a log cannot go on; the values are stored."""

    OLDER = "older"
    """The database has fewer leaves than the last checkpoint that is known."""
    FORKED = "forked"
    """Its leaves are not those of the checkpoint."""
    DROPPED = "dropped"
    """The database has no log at all."""
    UNKNOWN = "unknown"
    """No checkpoint is known any more."""
    OTHER_KEY = "other_key"
    """The key of the log is lost."""


def end_of_log(
    kept: SignedCheckpoint | None, origin: str | None, size: int, root_then: bytes | None, key_name: str | None
) -> EndOfLog | None:
    """Why a log cannot go on; None: it can.

    `kept`: the last checkpoint that is known outside of the database; `origin` and `size`: what the database has (None:
    nothing); `root_then`: the root of as many leaves as `kept` has; `key_name`: of the key that is there.
    """
    if kept is None:
        return EndOfLog.UNKNOWN if size else EndOfLog.DROPPED
    if origin is None:
        return EndOfLog.DROPPED
    if origin != kept.checkpoint.origin:
        return EndOfLog.FORKED
    if size < kept.checkpoint.size:
        return EndOfLog.OLDER
    if root_then != kept.checkpoint.root:
        return EndOfLog.FORKED
    return None if key_name == origin else EndOfLog.OTHER_KEY


def reopening_body(end: EndOfLog, kept: SignedCheckpoint | None, size: int, second: str) -> dict[str, Any]:
    """What the first entry of the new log says of the one before; `second`: the account that agreed."""
    body: dict[str, Any] = {"why": end.value, "restored_size": size, "second": second}
    if kept is not None:
        body |= {"before": kept.note.render(), "missing": max(0, kept.checkpoint.size - size)}
    return body
