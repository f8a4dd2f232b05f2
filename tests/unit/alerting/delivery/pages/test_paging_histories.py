"""Whole histories of pages, with any outcomes in any order: nothing is lost, nothing goes on after it was taken, and no
receiver counts more than a limit allows."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.delivery.pages.limits import LIMITS, TakenTokens, settle_token
from alerting.delivery.pages.model import ContactBook, OpenMessage, OwedPage, Sending
from alerting.delivery.pages.outcomes import Again, NextChannel, Taken, TooOld, settle, silence_after
from alerting.delivery.pages.packing import decide_turn
from alerting.delivery.sending import SendOutcome, SendVerdict
from registry.contacts.model import Channel, ChannelKind

BEGAN = datetime(2026, 11, 28, 8, tzinfo=UTC)
HOLD, LEASE = timedelta(seconds=20), timedelta(seconds=30)
CHANNELS = tuple(Channel(kind, kind.value) for kind in (ChannelKind.DINGTALK, ChannelKind.SMS, ChannelKind.WEBHOOK))


class Fate(msgspec.Struct, frozen=True):
    """What becomes of an attempt. `died`: the process dies before it stores the outcome; `late`: seconds it takes."""

    verdict: SendVerdict
    died: bool
    late: float


class History:
    """A contact as the database holds it, and what its channels received."""

    def __init__(self, channels: tuple[Channel, ...]) -> None:
        self.now = BEGAN
        self.channels = channels
        self.owed: dict[int, OwedPage] = {}
        self.open: dict[UUID, OpenMessage] = {}
        self.tokens: dict[str, TakenTokens] = {}
        self.ends: dict[int, str] = {}
        self.received: defaultdict[str, list[datetime]] = defaultdict(list)
        self.messages: defaultdict[int, set[UUID]] = defaultdict(set)
        self._numbers = iter(range(1, 10**6))

    def look(self, fate: Fate) -> bool:
        """One look at the contact: whether something was sent."""
        book = ContactBook(
            contact="zhang",
            language="en",
            channels=self.channels,
            pages=tuple(self.owed.values()),
            messages=tuple(self.open.values()),
            tokens=self.tokens,
        )
        turn = decide_turn(book, self.now, hold=HOLD)
        for key in turn.dropped:
            self._reopen(self.open.pop(key))
        for number, reason in (*turn.cancelled, *turn.failed):
            self.owed.pop(number)
            self._end(number, reason)
        if turn.sending is None:
            assert turn.look_at is None or turn.look_at > self.now
            if turn.look_at is not None:
                self.now = turn.look_at
            else:
                assert not self.owed
                assert not self.open
            return False
        self._send(turn.sending, fate)
        return True

    def _send(self, sending: Sending, fate: Fate) -> None:
        channel = sending.channel
        self.tokens[channel.fingerprint] = sending.granted.tokens
        key = sending.message or UUID(int=next(self._numbers))
        for page in sending.pages:
            self.owed.pop(page.id, None)
        message = OpenMessage(
            id=key,
            fingerprint=channel.fingerprint,
            due_at=self.now + LEASE,
            attempts=(*sending.attempts, None),
            pages=sending.pages,
        )
        assert not any(other.fingerprint == channel.fingerprint for other in self.open.values() if other.id != key)
        self.open[key] = message
        ended = self.now + timedelta(seconds=fate.late)
        self.received[channel.fingerprint].append(ended)
        for page in sending.pages:
            assert self.ends.get(page.id) is None, "what is settled is not sent"
            self.messages[page.id].add(key)
        if not fate.died:
            self.now = ended
            self._store(sending, message, fate)

    def _store(self, sending: Sending, message: OpenMessage, fate: Fate) -> None:
        outcome = SendOutcome(verdict=fate.verdict)
        limit, fingerprint = LIMITS[sending.channel.kind], message.fingerprint
        silence = silence_after(outcome, limit)
        self.tokens[fingerprint] = settle_token(self.tokens[fingerprint], sending.granted.token, self.now, silence)
        age = max((self.now - page.created_at).total_seconds() for page in message.pages)
        after = settle(outcome, sending.attempts, has_next=sending.has_next, age=age, roll=1.0, silence=silence)
        if isinstance(after, Again):
            due = self.now + timedelta(seconds=after.seconds)
            attempts = (*sending.attempts, fate.verdict)
            self.open[message.id] = msgspec.structs.replace(message, due_at=due, attempts=attempts)
            return
        del self.open[message.id]
        if isinstance(after, Taken | TooOld):
            for page in message.pages:
                self._end(page.id, "paid" if isinstance(after, Taken) else "too_old")
        else:
            self._reopen(message, tried=isinstance(after, NextChannel))

    def _reopen(self, message: OpenMessage, *, tried: bool = True) -> None:
        for page in message.pages:
            more = {message.fingerprint} if tried else set()
            self.owed[page.id] = msgspec.structs.replace(page, tried=page.tried | more)

    def _end(self, number: int, how: str) -> None:
        assert number not in self.ends
        self.ends[number] = how


_fates = st.lists(
    st.builds(Fate, st.sampled_from(SendVerdict), st.booleans(), st.floats(0, 19.9)), min_size=1, max_size=40
)
_pages = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["info", "warning", "critical"])), min_size=1, max_size=50
)


@settings(max_examples=100)
@given(_pages, _fates, st.permutations(CHANNELS), st.integers(1, 3))
def test_every_page_comes_to_an_end(
    pages: list[tuple[int, str]], fates: list[Fate], channels: list[Channel], many: int
) -> None:
    history = History(tuple(channels[:many]))
    arriving = dict(enumerate(pages, start=1))
    sent = 0
    for step in range(5000):
        for number in [number for number, (when, _) in arriving.items() if when <= step]:
            _, severity = arriving.pop(number)
            history.owed[number] = OwedPage(
                id=number, incident=number, phase="opened", severity=severity, created_at=history.now
            )
        fate = fates[sent] if sent < len(fates) else Fate(SendVerdict.TAKEN, died=False, late=0.1)
        sent += history.look(fate)
        if not (arriving or history.owed or history.open):
            break
    assert sorted(history.ends) == list(range(1, len(pages) + 1)), "none is lost"
    assert set(history.ends.values()) <= {"paid", "no_channel", "too_old"}
    for kind in ChannelKind:
        arrivals = history.received[kind.value]
        for window in LIMITS[kind].windows:
            for first in arrivals:
                end = first + timedelta(seconds=window.seconds)
                assert sum(first <= at < end for at in arrivals) <= window.most
    for number, how in history.ends.items():
        if how == "no_channel":
            assert history.messages[number], "every channel was tried"
