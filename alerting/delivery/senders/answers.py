"""What the answer of an HTTP server says about a message and about its channel. Pure."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from alerting.channels.model import SendNews
from alerting.delivery.bots import BotAnswer, BotVerdict
from alerting.delivery.sending import SendOutcome, SendVerdict

MOST_SILENT: Final = 3600.0
"""The longest pause in seconds that a server can ask for."""
SILENT: Final = 60.0
"""The pause in seconds when a server throttles and names no pause."""
_TEXT_REFUSED: Final = frozenset({400, 405, 413, 414, 415, 422})
_THROTTLED: Final = frozenset({429, 503})
_GONE: Final = 410


class SenderAnswer(msgspec.Struct, frozen=True):
    """An answer; `body`: as much of it as is read. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


def outcome_of_status(answer: SenderAnswer, now: float) -> SendOutcome:
    """The outcome by the status alone, for servers that say everything by it. `now`: seconds since the epoch."""
    why = f"answered with HTTP status {answer.status}"
    if 200 <= answer.status < 300:
        return SendOutcome(verdict=SendVerdict.TAKEN)
    if answer.status in _THROTTLED and (answer.status == 429 or "retry-after" in answer.headers):
        silent = pause_of(answer.headers.get("retry-after", ""), now)
        return SendOutcome(verdict=SendVerdict.THROTTLED, why=why, silent=silent)
    if answer.status == _GONE:
        return SendOutcome(verdict=SendVerdict.REFUSED, why=why, dead=True)
    if answer.status in _TEXT_REFUSED:
        return SendOutcome(verdict=SendVerdict.REFUSED, why=why)
    if 300 <= answer.status < 400:
        why += ", and redirects are not followed"
    return SendOutcome(verdict=SendVerdict.FAILED, why=why)


def pause_of(text: str, now: float) -> float:
    """Seconds of the pause that the header Retry-After asks for, as a number or a date."""
    try:
        seconds = float(text) if text.strip().isdigit() else parsedate_to_datetime(text).timestamp() - now
    except (TypeError, ValueError, OverflowError):
        return SILENT
    return min(max(seconds, 1.0), MOST_SILENT)


def outcome_of_bot(answer: BotAnswer) -> SendOutcome:
    """The outcome of what a bot answered."""
    dead = answer.verdict == BotVerdict.REFUSED and answer.dead
    return SendOutcome(verdict=SendVerdict(answer.verdict), why=answer.why, silent=answer.silent, dead=dead)


def news_of(outcome: SendOutcome) -> SendNews | None:
    """What an outcome says about its channel; None: nothing, because a channel that throttles works."""
    if outcome.verdict == SendVerdict.THROTTLED:
        return None
    if outcome.verdict == SendVerdict.TAKEN:
        return SendNews.WORKS
    if outcome.verdict == SendVerdict.REFUSED:
        return SendNews.REFUSED if outcome.dead else SendNews.TEXT_REFUSED
    return SendNews.FAILED
