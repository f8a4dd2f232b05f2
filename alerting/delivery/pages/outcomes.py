"""What an attempt means for its message and the pages in it. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from alerting.delivery.pages.limits import SendLimit
from alerting.delivery.retry import GIVE_UP, retry_delay
from alerting.delivery.sending import SendOutcome, SendVerdict

TRIES: Final = 3
"""Attempts without a certain answer after which another channel is tried."""
LONGEST_PAUSE: Final = 120.0
"""Seconds between two attempts at most, so that what waits is not late when a provider works again."""
_UNSURE: Final = frozenset({None, SendVerdict.UNKNOWN})


class Taken(msgspec.Struct, frozen=True):
    """The pages are paid."""


class Again(msgspec.Struct, frozen=True):
    """The same message is sent again after `seconds`. `unreached`: no channel is left beside this one."""

    seconds: float
    unreached: bool = False


class Fold(msgspec.Struct, frozen=True):
    """The message was certainly not taken, for a limit: its pages are owed again and go with what follows."""


class NextChannel(msgspec.Struct, frozen=True):
    """The pages are owed again, by another channel. `refused`: this one refused the message for good."""

    refused: bool


class TooOld(msgspec.Struct, frozen=True):
    """The pages are given up for their age."""


Settlement = Taken | Again | Fold | NextChannel | TooOld


def settle(
    outcome: SendOutcome,
    earlier: Sequence[SendVerdict | None],
    *,
    has_next: bool,
    age: float,
    roll: float,
    silence: float = 0.0,
    dead: bool = False,
    give_up: float = GIVE_UP,
) -> Settlement:
    """What follows from an attempt. `earlier`: what came of the attempts before it; `age`: seconds since the oldest
    page was owed; `roll`: random in [0, 1); `silence`: seconds for which the address takes nothing; `dead`: the channel
    is known not to work, so that one attempt is enough."""
    tries = sum(verdict != SendVerdict.THROTTLED for verdict in earlier) + 1
    if outcome.verdict == SendVerdict.TAKEN:
        return Taken()
    if outcome.verdict == SendVerdict.REFUSED:
        return NextChannel(refused=True)
    if age > give_up:
        return TooOld()
    if outcome.verdict == SendVerdict.THROTTLED:
        return Again(silence) if _UNSURE.intersection(earlier) else Fold()
    if (dead or tries >= TRIES) and has_next:
        return NextChannel(refused=False)
    pause = min(retry_delay(len(earlier) + 1, roll), LONGEST_PAUSE)
    return Again(max(outcome.silent, pause), unreached=tries >= TRIES)


def silence_after(outcome: SendOutcome, limit: SendLimit) -> float:
    """Seconds for which nothing is to be sent to the address after this outcome."""
    if outcome.verdict != SendVerdict.THROTTLED:
        return outcome.silent
    return outcome.silent or limit.silence
