"""What is sent to a contact next: which pages, by which channel, alone or in a digest. Pure."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.delivery.pages.limits import (
    LIMITS,
    Granted,
    TakenTokens,
    free_at,
    free_tokens,
    take_token,
)
from alerting.delivery.pages.model import (
    ALARMS,
    ENDS,
    ContactBook,
    OpenMessage,
    OwedPage,
    PageTurn,
    Sending,
    UnpaidReason,
)
from registry.contacts.model import Channel

MOST_PAGES: Final = 500
"""The most pages of one digest."""
LONGEST_WAIT: Final = timedelta(seconds=60)
"""A critical page that would wait longer for its first channel takes one that is free sooner."""
NO_TOKENS: Final = TakenTokens()
URGENT: Final = "critical"
_RANK: Final = {"critical": 0, "warning": 1, "info": 2}


def order_of(page: OwedPage) -> tuple[bool, int, datetime, int]:
    """Contacts without a message about the incident first, then by severity, then the oldest first."""
    return page.told, _RANK.get(page.severity, 1), page.created_at, page.id


def overtaken(page: OwedPage) -> UnpaidReason | None:
    """Why a page is not to be sent any more; None: it is.

    An acknowledgement counts if it came after the page: a page made after it was made in its knowledge. A reminder is
    for somebody who acknowledged.
    """
    if page.phase in ALARMS:
        if page.over:
            return UnpaidReason.OVER
        later = page.acknowledged_at is not None and page.acknowledged_at > page.created_at
        return UnpaidReason.ACKNOWLEDGED if later and page.phase != "reminder" else None
    if page.phase in ENDS:
        if not page.over:
            return UnpaidReason.REOPENED
        return None if page.told else UnpaidReason.NEVER_TOLD
    return None


def decide_turn(book: ContactBook, now: datetime, *, hold: timedelta, full: Collection[str] = ()) -> PageTurn:
    """What to do for a contact at `now`. `hold`: the longest time until a message that is sent now arrives; `full`:
    kinds of channels for which no further attempt may begin now."""
    known = {channel.fingerprint for channel in book.channels}
    stale = [message for message in book.messages if message.due_at <= now and not _wanted(message, known)]
    freed = [page for message in stale for page in message.pages]
    cancelled = [(page.id, reason) for page in (*book.pages, *freed) if (reason := overtaken(page)) is not None]
    gone = {number for number, _ in cancelled}
    pages = sorted((page for page in (*book.pages, *freed) if page.id not in gone), key=order_of)
    failed = [page for page in pages if not _left(book, page)]
    lanes = _Lanes(book, [message for message in book.messages if message not in stale], now, hold, full)
    sending, look_at = lanes.choose([page for page in pages if page not in failed])
    return PageTurn(
        cancelled=tuple(cancelled),
        failed=tuple((page.id, UnpaidReason.NO_CHANNEL) for page in failed),
        dropped=tuple(message.id for message in stale),
        sending=sending,
        look_at=look_at,
    )


def _wanted(message: OpenMessage, known: Collection[str]) -> bool:
    return message.fingerprint in known and any(overtaken(page) is None for page in message.pages)


def _left(book: ContactBook, page: OwedPage) -> list[Channel]:
    """The channels that may still be tried for a page, in their order; channels that did not answer in time come later,
    and resting channels come last."""
    left = [channel for channel in book.channels if channel.fingerprint not in page.tried]
    return sorted(left, key=lambda each: (each.fingerprint in book.resting, each.fingerprint in page.hastened))


def _together(pages: tuple[OwedPage, ...], free: int) -> tuple[OwedPage, ...]:
    """The pages of one new message. Pages that were held are sent as one digest, because they are due together."""
    if len(pages) <= free:
        held = tuple(page for page in pages if page.not_before is not None)
        pages = held if pages[0].not_before is not None else pages[:1]
    return pages[:MOST_PAGES]


class _Candidate(msgspec.Struct, frozen=True):
    """What could be sent by one channel; `message`: one to send again."""

    channel: Channel
    pages: tuple[OwedPage, ...]
    message: OpenMessage | None = None

    @property
    def urgent(self) -> bool:
        return any(page.severity == URGENT for page in self.pages)


class _Lanes:
    """The channels of a contact: one message at a time goes by each."""

    def __init__(
        self, book: ContactBook, messages: Sequence[OpenMessage], now: datetime, hold: timedelta, full: Collection[str]
    ) -> None:
        self._book = book
        self._open = {message.fingerprint: message for message in messages}
        self._now = now
        self._hold = hold
        self._full = full

    def choose(self, pages: Sequence[OwedPage]) -> tuple[Sending | None, datetime | None]:
        """The first of the candidates for which a token is free, and when to look again: now, if others are left."""
        waits = [message.due_at for message in self._open.values() if message.due_at > self._now]
        candidates = sorted(self._candidates(pages), key=lambda candidate: order_of(candidate.pages[0]))
        for candidate in candidates:
            if candidate.channel.kind in self._full:
                waits.append(self._now + timedelta(seconds=1))
                continue
            found = take_token(
                LIMITS[candidate.channel.kind],
                self._tokens(candidate.channel),
                self._now,
                hold=self._hold,
                urgent=candidate.urgent,
            )
            if isinstance(found, Granted):
                return self._sending(candidate, found), self._now if len(candidates) > 1 else None
            waits.append(found.at)
        return None, min(waits, default=None)

    def _candidates(self, pages: Sequence[OwedPage]) -> Iterator[_Candidate]:
        by_fingerprint: dict[str, list[OwedPage]] = {}
        for page in pages:
            by_fingerprint.setdefault(self._channel_for(page).fingerprint, []).append(page)
        for channel in self._book.channels:
            message = self._open.get(channel.fingerprint)
            if message is None:
                if channel.fingerprint in by_fingerprint:
                    yield self._new_or_hastened(channel, by_fingerprint[channel.fingerprint])
            elif message.due_at <= self._now:
                yield _Candidate(channel, tuple(sorted(message.pages, key=order_of)), message)

    def _new_or_hastened(self, channel: Channel, pages: Sequence[OwedPage]) -> _Candidate:
        """The earlier message of the first page by this channel, to be sent again with the same key; else a new
        message."""
        for message in self._book.hastened:
            mine = {page.id for page in message.pages}
            if message.fingerprint == channel.fingerprint and pages[0].id in mine:
                return _Candidate(channel, tuple(page for page in pages if page.id in mine), message)
        return _Candidate(channel, tuple(pages))

    def _channel_for(self, page: OwedPage) -> Channel:
        """The first channel that is left; for a critical page the first one that need not wait long."""
        left = _left(self._book, page)
        soon = [each for each in left if self._wait(each) <= LONGEST_WAIT] if page.severity == URGENT else []
        return (soon or left)[0]

    def _wait(self, channel: Channel) -> timedelta:
        message = self._open.get(channel.fingerprint)
        busy = self._now if message is None else message.due_at
        return max(busy, free_at(LIMITS[channel.kind], self._tokens(channel), self._now, urgent=True)) - self._now

    def _tokens(self, channel: Channel) -> TakenTokens:
        return self._book.tokens.get(channel.fingerprint, NO_TOKENS)

    def _sending(self, candidate: _Candidate, granted: Granted) -> Sending:
        channel, message = candidate.channel, candidate.message
        pages = candidate.pages
        if message is None:
            free = free_tokens(LIMITS[channel.kind], self._tokens(channel), self._now, urgent=candidate.urgent)
            pages = _together(pages, free)
        return Sending(
            message=None if message is None else message.id,
            channel=channel,
            pages=pages,
            granted=granted,
            attempts=() if message is None else message.attempts,
            dead=channel.fingerprint in self._book.dead,
            has_next=all(any(each != channel for each in _left(self._book, page)) for page in pages),
        )
