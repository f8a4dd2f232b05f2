"""What becomes of a station that was registered by mistake, or is given up. Pure."""

from enum import Enum

from contract.errors import RemedyError

RETIRED = "retired"
MAX_REASON = 500
"""Characters of a reason."""


class Removal(Enum):
    """What a removal comes to."""

    REMOVED = "removed"
    """Nothing was ever heard, decided or declared about the station: it is as if it had never been registered."""
    RETIRED = "retired"
    """What is on record stays; the station is in no total and causes no notification."""


def removal_of(*, has_history: bool) -> Removal:
    """What becomes of a station; `has_history`: something is on record beside its registration."""
    return Removal.RETIRED if has_history else Removal.REMOVED


def require_removable(station: str, lifecycle: str) -> None:
    """Raise RemedyError for a station that is retired already."""
    if lifecycle == RETIRED:
        raise RemedyError(
            f"station {station} is retired already: what is on record of it stays",
            f"服务点 {station} 已撤销：记录会继续保留",
        )


def require_retired(station: str, lifecycle: str) -> None:
    """Raise RemedyError for a station that is not retired, so that there is nothing to take back."""
    if lifecycle != RETIRED:
        raise RemedyError(f"station {station} is not retired", f"服务点 {station} 并未撤销")


def lifecycle_again(before: str | None) -> str:
    """What a station becomes when its retirement is taken back: what it was before; `commissioned` if not recorded."""
    return before if before is not None and before != RETIRED else "commissioned"
