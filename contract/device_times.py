"""When a record was made, although the device's clock may be wrong by decades.

The rule and its reasons: docs/adr/0009-corrected-time.md. The types of the times are those of `contract.clocks`.
"""

from typing import Final, Literal

from contract.clocks import MonotonicSeconds, WallMs, WallSeconds

Source = Literal["anchor", "device", "unknown"]

SLACK: Final = 60_000
"""ms by which a device's clock may miss a bound and still be believed (the time itself is held inside)."""
HORIZON: Final = 400 * 86_400_000
"""ms before its receipt that a record may lie; so 1970 never makes a partition of its own."""
MAX_UP: Final = 10 * 366 * 86_400.0
"""Seconds; a boot that claims to run longer than that gives no anchor."""


def anchor_of(received: WallMs, up: MonotonicSeconds | None) -> WallSeconds | None:
    """When the boot's monotonic clock read 0, at the latest: seconds since the epoch, None when `up` is no use."""
    return None if up is None or not 0 <= up <= MAX_UP else WallSeconds(received / 1000 - up)


def by_anchor(anchor: WallSeconds, up: MonotonicSeconds, received: WallMs) -> WallMs | None:
    """The time of a record by the anchor of its boot; None when the two contradict the receipt."""
    time = WallMs(round((anchor + up) * 1000))
    if received - HORIZON <= time <= received:
        return time
    return received if received < time <= received + SLACK else None


def by_bounds(at: WallMs, after: WallMs | None, before: WallMs | None, received: WallMs) -> tuple[WallMs, Source]:
    """The device's own time where it lies between the neighbouring boots, else the bound that it broke.

    Without a lower bound a time that is too early goes to the upper one: the horizon is a limit, not knowledge.
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
    """When an interval that began at `time` ended: by the monotonic clock if it can be, else moved as its start was.

    None when the device did not say; never before `time` nor after `latest`.
    """
    if up is not None and until_up is not None and up <= until_up <= up + MAX_UP:
        end = WallMs(time + round((until_up - up) * 1000))
    elif until is not None:
        end = WallMs(until + time - at)
    else:
        return None
    return max(time, min(end, latest))
