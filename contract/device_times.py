"""The corrected time of a record; the clock of its device may be wrong by decades.

The rule and its reasons: docs/adr/0009-corrected-time.md. The types of the times are those of `contract.clocks`.
"""

from typing import Final, Literal

from contract.clocks import MonotonicSeconds, WallMs, WallSeconds

Source = Literal["anchor", "device", "unknown"]

SLACK: Final = 60_000
"""ms by which the time of a device may lie outside a bound and still be used; the result is moved to the bound."""
HORIZON: Final = 400 * 86_400_000
"""Maximum age in ms of a record at its receipt; so a time in 1970 never creates a partition of its own."""
MAX_UP: Final = 10 * 366 * 86_400.0
"""Maximum `up` in seconds; a boot with a larger `up` has no anchor."""


def anchor_of(received: WallMs, up: MonotonicSeconds | None) -> WallSeconds | None:
    """The latest time at which the boot's monotonic clock was 0 (seconds since the epoch); None if `up` is invalid."""
    return None if up is None or not 0 <= up <= MAX_UP else WallSeconds(received / 1000 - up)


def by_anchor(anchor: WallSeconds, up: MonotonicSeconds, received: WallMs) -> WallMs | None:
    """The time of a record by the anchor of its boot; None if that time contradicts the receipt."""
    time = WallMs(round((anchor + up) * 1000))
    if received - HORIZON <= time <= received:
        return time
    return received if received < time <= received + SLACK else None


def by_bounds(at: WallMs, after: WallMs | None, before: WallMs | None, received: WallMs) -> tuple[WallMs, Source]:
    """The time of the device if it lies between the neighbouring boots, else the bound that it violates.

    Without a lower bound, a time that is too early becomes the upper bound: the horizon says nothing of the true time.
    """
    floor = WallMs(received - HORIZON)
    upper = received if before is None else max(floor, min(before, received))
    lower = after if after is not None and floor <= after <= upper else None
    least = floor if lower is None else lower
    if least - SLACK <= at <= upper + SLACK:
        return max(least, min(at, upper)), "device"
    return (lower if at < least and lower is not None else upper), "unknown"


def corrected_end(
    *,
    time: WallMs,
    at: WallMs,
    up: MonotonicSeconds | None,
    until: WallMs | None,
    until_up: MonotonicSeconds | None,
    latest: WallMs,
) -> WallMs | None:
    """The end of an interval that began at `time`: by the monotonic clock if possible, else shifted like its start.

    None if the device sent no end. The end never lies before `time` or after `latest`.
    """
    if up is not None and until_up is not None and up <= until_up <= up + MAX_UP:
        end = WallMs(time + round((until_up - up) * 1000))
    elif until is not None:
        end = WallMs(until + time - at)
    else:
        return None
    return max(time, min(end, latest))
