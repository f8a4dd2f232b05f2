"""How many messages an address may get: the limits of the providers, and the tokens taken under them. Pure.

A token holds its place until the latest moment at which its message may arrive, and after the attempt from the moment
at which the attempt ended. So whoever receives the messages never counts more of them than a limit allows, also when a
process dies between taking a token and sending.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from registry.contacts.model import ChannelKind

NO_LIMIT: Final = 1_000_000
"""Free tokens where a provider has no limit."""
_KEPT: Final = 4
"""One of so many tokens of a window is kept for urgent messages."""
_STEP: Final = timedelta(microseconds=1)


class Window(msgspec.Struct, frozen=True):
    """At most `most` messages in any `seconds`."""

    most: int
    seconds: float


class SendLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a provider for one address."""

    windows: tuple[Window, ...] = ()
    #: Seconds without a message after the provider refused one for its limits and did not say how long.
    silence: float = 60.0


LIMITS: Final[Mapping[ChannelKind, SendLimit]] = {
    ChannelKind.WECOM: SendLimit(windows=(Window(20, 60),)),
    ChannelKind.DINGTALK: SendLimit(windows=(Window(20, 60),), silence=600.0),
    ChannelKind.FEISHU: SendLimit(windows=(Window(100, 60), Window(5, 1))),
    ChannelKind.SMS: SendLimit(windows=(Window(1, 60), Window(5, 900))),
    ChannelKind.MAIL: SendLimit(windows=(Window(60, 60),)),
    ChannelKind.WEBHOOK: SendLimit(),
    ChannelKind.APPRISE: SendLimit(),
}


class TakenTokens(msgspec.Struct, frozen=True):
    """The tokens of one address, oldest first, and until when its provider takes nothing."""

    taken: tuple[datetime, ...] = ()
    silent_until: datetime | None = None


class WaitUntil(msgspec.Struct, frozen=True):
    """No token is free before `at`."""

    at: datetime


class Granted(msgspec.Struct, frozen=True):
    """A token is taken: `token`, and all tokens of the address with it."""

    token: datetime
    tokens: TakenTokens


def take_token(
    limit: SendLimit, tokens: TakenTokens, now: datetime, *, hold: timedelta, urgent: bool
) -> Granted | WaitUntil:
    """Take a token for a message that arrives within `hold`, or say when one is free."""
    wait = free_at(limit, tokens, now, urgent=urgent)
    if wait > now:
        return WaitUntil(wait)
    kept = _within(tokens.taken, now, max((window.seconds for window in limit.windows), default=0.0))
    token = max([now + hold, *(at + _STEP for at in kept[-1:])])
    return Granted(token, TakenTokens((*kept, token) if limit.windows else (), tokens.silent_until))


def free_at(limit: SendLimit, tokens: TakenTokens, now: datetime, *, urgent: bool) -> datetime:
    """When the next token is free: `now` or later."""
    waits = [now] if tokens.silent_until is None else [now, tokens.silent_until]
    for window in limit.windows:
        counted = _within(tokens.taken, now, window.seconds)
        allowed = _allowed(window, urgent=urgent)
        if len(counted) >= allowed:
            waits.append(counted[len(counted) - allowed] + timedelta(seconds=window.seconds))
    return max(waits)


def free_tokens(limit: SendLimit, tokens: TakenTokens, now: datetime, *, urgent: bool) -> int:
    """How many tokens are free now."""
    if tokens.silent_until is not None and tokens.silent_until > now:
        return 0
    free = [
        _allowed(window, urgent=urgent) - len(_within(tokens.taken, now, window.seconds)) for window in limit.windows
    ]
    return max(0, min(free, default=NO_LIMIT))


def settle_token(tokens: TakenTokens, token: datetime, now: datetime, silent: float = 0.0) -> TakenTokens:
    """The attempt for which `token` was taken ended at `now`; `silent`: seconds for which nothing is to be sent."""
    taken = sorted(min(at, now) if at == token else at for at in tokens.taken)
    until = [at for at in (tokens.silent_until, now + timedelta(seconds=silent)) if at is not None and at > now]
    return TakenTokens(tuple(taken), max(until, default=None))


def _allowed(window: Window, *, urgent: bool) -> int:
    return window.most if urgent else window.most - window.most // _KEPT


def _within(taken: tuple[datetime, ...], now: datetime, seconds: float) -> list[datetime]:
    """The tokens that count in a window that ends at `now` or later."""
    begin = now - timedelta(seconds=seconds)
    return sorted(at for at in taken if at > begin)
