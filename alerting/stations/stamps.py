"""Moments as numbers, for columns that numpy reads: microseconds since the epoch. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from contract.clocks import WallMicros

LONG_AGO: Final = WallMicros(-(2**63))
"""No moment, where it counts as earlier than all."""
NEVER: Final = WallMicros(2**63 - 1)
"""No moment, where it counts as later than all."""
INSTANT: Final = timedelta(microseconds=1)
"""The shortest length of time in a column."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def stamp_of(moment: datetime | None) -> WallMicros:
    """A moment as it stands in a column; LONG_AGO for None."""
    # Not wrapped in its type: a load makes millions of stamps, and that would be one more call for each.
    return LONG_AGO if moment is None else (moment - _EPOCH) // INSTANT  # type: ignore[return-value]


def moment_of(stamp: int) -> datetime | None:
    """The moment that stands in a column; None for LONG_AGO and NEVER."""
    return _EPOCH + timedelta(microseconds=stamp) if LONG_AGO < stamp < NEVER else None
