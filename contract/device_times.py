"""When a record was made, although the device's clock may be wrong by decades.

The rule and its reasons: docs/adr/0009-corrected-time.md. `received`, `at` and corrected
times are ms since the epoch, `up` and anchors seconds.
"""

from typing import Final, Literal

Source = Literal["anchor", "device", "unknown"]

SLACK: Final = 60_000
"""ms by which a device's clock may miss a bound and still be believed (the time itself is held inside)."""
HORIZON: Final = 400 * 86_400_000
"""ms before its receipt that a record may lie; so 1970 never makes a partition of its own."""
MAX_UP: Final = 10 * 366 * 86_400.0
"""Seconds; a boot that claims to run longer than that gives no anchor."""


def anchor_of(received: int, up: float | None) -> float | None:
    """When the boot's monotonic clock read 0, at the latest: seconds since the epoch, None when `up` is no use."""
    return None if up is None or not 0 <= up <= MAX_UP else received / 1000 - up


def by_anchor(anchor: float, up: float, received: int) -> int | None:
    """The time of a record by the anchor of its boot; None when the two contradict the receipt."""
    time = round((anchor + up) * 1000)
    if received - HORIZON <= time <= received:
        return time
    return received if received < time <= received + SLACK else None


def by_bounds(at: int, after: int | None, before: int | None, received: int) -> tuple[int, Source]:
    """The device's own time where it lies between the neighbouring boots, else the bound that it broke.

    Without a lower bound a time that is too early goes to the upper one: the horizon is a limit, not knowledge.
    """
    floor = received - HORIZON
    upper = received if before is None else max(floor, min(before, received))
    lower = after if after is not None and floor <= after <= upper else None
    least = floor if lower is None else lower
    if least - SLACK <= at <= upper + SLACK:
        return max(least, min(at, upper)), "device"
    return (lower if at < least and lower is not None else upper), "unknown"


def corrected_end(
    *, time: int, at: int, up: float | None, until: int | None, until_up: float | None, latest: int
) -> int | None:
    """When an interval that began at `time` ended: by the monotonic clock if it can be, else moved as its start was.

    None when the device did not say; never before `time` nor after `latest`.
    """
    if up is not None and until_up is not None and up <= until_up <= up + MAX_UP:
        end = time + round((until_up - up) * 1000)
    elif until is not None:
        end = until + time - at
    else:
        return None
    return max(time, min(end, latest))
