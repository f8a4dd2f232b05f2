"""Removing and retiring stations that were registered by mistake or are closed for good. Pure."""

from enum import Enum

from contract.errors import RemedyError

RETIRED = "retired"
MAX_REASON = 500
"""Characters of a reason."""


class Removal(Enum):
    """The outcome of a removal."""

    REMOVED = "removed"
    """The station has no history: its registration is deleted."""
    RETIRED = "retired"
    """The history stays; the station counts in no total and causes no notification."""


def removal_of(*, has_history: bool) -> Removal:
    """The outcome for a station; `has_history`: something was received, decided or declared about it."""
    return Removal.RETIRED if has_history else Removal.REMOVED


def require_removable(station: str, lifecycle: str) -> None:
    """Raise RemedyError for a station that is retired already."""
    if lifecycle == RETIRED:
        raise RemedyError(
            f"station {station} is retired already: what is on record of it stays",
            f"服务点 {station} 已撤销：记录会继续保留",
        )


def require_retired(station: str, lifecycle: str) -> None:
    """Raise RemedyError for a station that is not retired, so that it cannot be restored."""
    if lifecycle != RETIRED:
        raise RemedyError(f"station {station} is not retired", f"服务点 {station} 并未撤销")


def lifecycle_again(before: str | None) -> str:
    """The lifecycle of a restored station: that before its retirement; `commissioned` if that is not recorded."""
    return before if before is not None and before != RETIRED else "commissioned"
