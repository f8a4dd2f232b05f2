"""When a delivery is retried or given up, and the names of targets. Pure.

Retries back off exponentially with jitter. A message that the target itself refuses is given up after a few attempts,
any other failure only by age.
"""

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

FIRST_RETRY: Final = 2.0
LONGEST_RETRY: Final = 600.0
GIVE_UP: Final = 24 * 3600.0
"""Seconds after which a notification that no attempt delivered is given up."""
REFUSALS_ENOUGH: Final = 3
_REFUSING: Final = frozenset({400, 405, 410, 413, 414, 415, 422})

LOG_TARGET: Final = "log"
"""The name of the alert log among the targets."""


def target_of(url: str) -> str:
    """The name of an apprise URL in the database: a hash, because the URL is secret."""
    return f"apprise-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def retry_delay(attempts: int, roll: float) -> float:
    """Seconds until the next attempt after `attempts` failures; `roll`, random in [0, 1), spreads it over [d/2, d]."""
    longest = min(FIRST_RETRY * 2.0 ** min(max(attempts - 1, 0), 16), LONGEST_RETRY)
    return longest * (0.5 + 0.5 * roll)


class Retry(msgspec.Struct, frozen=True):
    """Try again after `seconds`."""

    seconds: float


class GiveUp(StrEnum):
    """Why a delivery is given up."""

    REFUSED = "refused"
    TOO_OLD = "too_old"


def after_failure(
    *,
    status: int | None,
    attempts: int,
    age: float,
    give_up: float,
    roll: float,
    refused: bool = False,
    wait: float = 0.0,
) -> Retry | GiveUp:
    """What to do after a failed attempt.

    `status`: the HTTP status of the answer, None without one. `refused`: the target refuses this message for good.
    `attempts`: failures so far, this one included. `age`: seconds since the notification was due; above `give_up` it is
    given up. `wait`: seconds for which the target takes no message.
    """
    if (refused or status in _REFUSING) and attempts >= REFUSALS_ENOUGH:
        return GiveUp.REFUSED
    return GiveUp.TOO_OLD if age > give_up else Retry(max(wait, retry_delay(attempts, roll)))
