"""The names of targets, and when a delivery is tried again. Pure.

Retries back off exponentially with jitter; an answer that says the message itself is unacceptable ends after a
few attempts, everything else only with age.
"""

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

FIRST_RETRY: Final = 2.0
LONGEST_RETRY: Final = 600.0
REFUSALS_ENOUGH: Final = 3
_REFUSING: Final = frozenset({400, 405, 410, 413, 414, 415, 422})

LOG_TARGET: Final = "log"


def target_of(url: str) -> str:
    """The name of an apprise URL in the database: a fingerprint, because the URL is a secret."""
    return f"apprise-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def retry_delay(attempts: int, roll: float) -> float:
    """Seconds until the next attempt after `attempts` failed ones; `roll` in [0, 1) spreads it over [d/2, d]."""
    longest = min(FIRST_RETRY * 2.0 ** min(max(attempts - 1, 0), 16), LONGEST_RETRY)
    return longest * (0.5 + 0.5 * roll)


class Retry(msgspec.Struct, frozen=True):
    """Try again in so many seconds."""

    seconds: float


class GiveUp(StrEnum):
    """Why a delivery is not tried again."""

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

    `status`: the HTTP status of the answer, if there was one. `refused`: the answer itself says that this message will
    not be taken. `attempts`: how many failed, this one included. `age` and `give_up` in seconds since people were to be
    told. `wait`: seconds for which the target takes nothing.
    """
    if (refused or status in _REFUSING) and attempts >= REFUSALS_ENOUGH:
        return GiveUp.REFUSED
    return GiveUp.TOO_OLD if age > give_up else Retry(max(wait, retry_delay(attempts, roll)))
