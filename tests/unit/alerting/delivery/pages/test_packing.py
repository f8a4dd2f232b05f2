"""What is sent to a contact next, as a table of cases."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.pages.limits import TakenTokens
from alerting.delivery.pages.model import ContactBook, OpenMessage, OwedPage, PageTurn, UnpaidReason
from alerting.delivery.pages.packing import MOST_PAGES, decide_turn, order_of, overtaken
from alerting.delivery.sending import SendVerdict
from registry.contacts.model import Channel, ChannelKind

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
HOLD = timedelta(seconds=20)
WECOM, SMS, HOOK = (Channel(kind, kind.value) for kind in (ChannelKind.WECOM, ChannelKind.SMS, ChannelKind.WEBHOOK))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def page(number: int, phase: str = "opened", severity: str = "warning", age: float = 10, **more: Any) -> OwedPage:
    return OwedPage(id=number, incident=number, phase=phase, severity=severity, created_at=at(-age), **more)


def message(
    channel: Channel, *pages: OwedPage, due: float = 0, attempts: tuple[SendVerdict | None, ...] = (None,)
) -> OpenMessage:
    return OpenMessage(id=UUID(int=7), fingerprint=channel.fingerprint, due_at=at(due), attempts=attempts, pages=pages)


def book(*pages: OwedPage, channels: tuple[Channel, ...] = (WECOM, SMS), **more: Any) -> ContactBook:
    return ContactBook(contact="zhang", language="en", channels=channels, pages=pages, **more)


def taken(number: int, channel: Channel = WECOM, age: float = 30) -> dict[str, TakenTokens]:
    return {channel.fingerprint: TakenTokens((at(-age),) * number)}


def turn(given: ContactBook) -> PageTurn:
    return decide_turn(given, NOW, hold=HOLD)


def told(found: PageTurn) -> tuple[str, list[int]] | None:
    """The kind of the channel and the pages, in their order."""
    sending = found.sending
    return None if sending is None else (sending.channel.kind.value, [each.id for each in sending.pages])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(book(), None, id="nothing is owed"),
        pytest.param(book(page(1)), ("wecom", [1]), id="one page by the first channel"),
        pytest.param(book(page(1), page(2, age=20)), ("wecom", [2]), id="two pages alone: the older first"),
        pytest.param(book(page(1, age=20), page(2, severity="critical")), ("wecom", [2]), id="the graver first"),
        pytest.param(
            book(page(1, "reopened", "critical", told=True), page(2, severity="info")),
            ("wecom", [2]),
            id="never told before told",
        ),
        pytest.param(
            book(page(1, not_before=at(-1)), page(2), page(3, not_before=at(-1)), page(4, not_before=at(-2))),
            ("wecom", [1, 3, 4]),
            id="what was held: one digest, although the limit allows more",
        ),
        pytest.param(
            book(page(1, not_before=at(-1)), page(2, severity="critical"), page(3, not_before=at(-1))),
            ("wecom", [2]),
            id="what was held does not delay what is graver",
        ),
        pytest.param(
            book(page(1), page(2), page(3), tokens=taken(13)),
            ("wecom", [1, 2, 3]),
            id="more than the limit allows: one digest",
        ),
        pytest.param(
            book(page(1), page(2, severity="critical"), tokens=taken(19)),
            ("wecom", [2, 1]),
            id="what is urgent takes the rest with it",
        ),
        pytest.param(book(page(1), tokens=taken(15)), None, id="the last tokens are kept for what is urgent"),
        pytest.param(
            book(page(1, severity="critical"), tokens=taken(20)),
            ("wecom", []),
            id="urgent, and the channel is free soon: it waits",
        ),
        pytest.param(
            book(page(1, severity="critical"), tokens={WECOM.fingerprint: TakenTokens((), at(600))}),
            ("sms", [1]),
            id="urgent, and the channel is silent for long: the next channel",
        ),
        pytest.param(
            book(page(1), tokens={WECOM.fingerprint: TakenTokens((), at(600))}), None, id="not urgent: it waits for it"
        ),
        pytest.param(book(page(1, tried=frozenset({"wecom"}))), ("sms", [1]), id="given up by the first: the next"),
        pytest.param(book(page(1), resting=frozenset({"wecom"})), ("sms", [1]), id="a channel known dead rests"),
        pytest.param(
            book(page(1), channels=(WECOM,), resting=frozenset({"wecom"})),
            ("wecom", [1]),
            id="and is tried all the same",
        ),
        pytest.param(
            book(page(2), messages=(message(WECOM, page(1), due=9),)), None, id="one message at a time by one channel"
        ),
        pytest.param(
            book(page(2, tried=frozenset({"wecom"})), messages=(message(WECOM, page(1), due=9),)),
            ("sms", [2]),
            id="a busy channel delays no other",
        ),
        pytest.param(
            book(page(2), messages=(message(WECOM, page(1)),)), ("wecom", [1]), id="due again: the same message first"
        ),
        pytest.param(
            book(*(page(number) for number in range(1, 40)), channels=(HOOK,)), ("webhook", [1]), id="no limit: alone"
        ),
    ],
)
def test_what_is_sent_next(given: ContactBook, expected: tuple[str, list[int]] | None) -> None:
    found = turn(given)
    if expected == ("wecom", []):
        assert (found.sending, found.look_at) == (None, at(30))
    else:
        assert told(found) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(page(1), None, id="open"),
        pytest.param(page(1, over=True), UnpaidReason.OVER, id="over before it was told"),
        pytest.param(page(1, acknowledged_at=at(-1)), UnpaidReason.ACKNOWLEDGED, id="acknowledged meanwhile"),
        pytest.param(page(1, "escalated", acknowledged_at=at(-1)), UnpaidReason.ACKNOWLEDGED, id="so no further level"),
        pytest.param(
            page(1, "escalated", acknowledged_at=at(-99)), None, id="made after the acknowledgement: its ETA passed"
        ),
        pytest.param(page(1, "reminder", acknowledged_at=at(-1)), None, id="a reminder is for who acknowledged"),
        pytest.param(page(1, "reminder", over=True), UnpaidReason.OVER, id="and nobody is reminded of the past"),
        pytest.param(page(1, "closed", over=True, told=True), None, id="the end for who was told"),
        pytest.param(page(1, "closed", over=True), UnpaidReason.NEVER_TOLD, id="no end for who was not"),
        pytest.param(page(1, "resolved", over=True, told=True), None, id="closed by a person"),
        pytest.param(page(1, "resolved", told=True), UnpaidReason.REOPENED, id="and open again before it was told"),
        pytest.param(page(1, "passed", over=True), None, id="told as past"),
    ],
)
def test_overtaken(given: OwedPage, expected: UnpaidReason | None) -> None:
    assert overtaken(given) == expected


def test_pages_without_a_channel_fail() -> None:
    assert turn(book(page(1), channels=())).failed == ((1, UnpaidReason.NO_CHANNEL),)
    tried = frozenset({"wecom", "sms"})
    found = turn(book(page(1, tried=tried), page(2)))
    assert found.failed == ((1, UnpaidReason.NO_CHANNEL),)
    assert told(found) == ("wecom", [2])


def test_a_message_all_of_whose_pages_are_overtaken_is_dropped() -> None:
    found = turn(book(messages=(message(WECOM, page(1, over=True), page(2, over=True)),)))
    assert (found.dropped, found.sending) == ((UUID(int=7),), None)
    assert found.cancelled == ((1, UnpaidReason.OVER), (2, UnpaidReason.OVER))


def test_one_overtaken_page_does_not_change_a_message() -> None:
    found = turn(book(messages=(message(WECOM, page(1, over=True), page(2)),)))
    assert (told(found), found.cancelled) == (("wecom", [1, 2]), ())


def test_a_message_by_a_channel_that_is_gone_is_dropped_and_its_pages_go_by_another() -> None:
    found = turn(book(channels=(SMS,), messages=(message(WECOM, page(1)),)))
    assert (found.dropped, told(found)) == ((UUID(int=7),), ("sms", [1]))


def test_a_full_kind_of_channel_waits_and_delays_no_other() -> None:
    given = book(page(1), page(2, tried=frozenset({"wecom"})))
    found = decide_turn(given, NOW, hold=HOLD, full={ChannelKind.WECOM})
    assert told(found) == ("sms", [2])


def test_it_looks_again_when_a_token_is_free() -> None:
    assert turn(book(page(1), tokens=taken(20))).look_at == at(30)
    assert turn(book(page(1), messages=(message(WECOM, page(2), due=9),))).look_at == at(9)


def test_a_digest_is_bounded() -> None:
    found = turn(book(*(page(number) for number in range(1, 800)), channels=(WECOM,)))
    assert found.sending is not None
    assert len(found.sending.pages) == MOST_PAGES


_pages = st.lists(
    st.builds(
        page,
        st.integers(1, 10_000),
        st.sampled_from(["opened", "escalated", "reminder", "reopened", "resolved", "passed", "closed"]),
        st.sampled_from(["info", "warning", "critical"]),
        st.floats(0, 900),
        told=st.booleans(),
        over=st.booleans(),
        tried=st.frozensets(st.sampled_from(["wecom", "sms", "webhook"])),
        acknowledged_at=st.sampled_from([None, at(-300)]),
    ),
    max_size=60,
    unique_by=lambda each: each.id,
)


@given(_pages, st.integers(0, 25), st.permutations([WECOM, SMS, HOOK]), st.integers(0, 3))
def test_no_page_is_lost(pages: list[OwedPage], used: int, channels: list[Channel], many: int) -> None:
    """Each page is cancelled or failed with a reason, sent or waits until a known moment; never two of these."""
    given = book(*pages, channels=tuple(channels[:many]), tokens=taken(used))
    found = turn(given)
    sent = [] if found.sending is None else [each.id for each in found.sending.pages]
    settled = [number for number, _ in (*found.cancelled, *found.failed)]
    assert len({*sent, *settled}) == len(sent) + len(settled)
    waiting = {each.id for each in pages} - {*sent, *settled}
    if found.sending is None and waiting:
        assert found.look_at is not None
        assert found.look_at > NOW
    if found.sending is not None:
        assert sent == [each.id for each in sorted(found.sending.pages, key=order_of)]
        assert not any(found.sending.channel.fingerprint in each.tried for each in found.sending.pages)


def test_a_channel_that_did_not_answer_is_tried_after_the_others() -> None:
    hung = page(1, severity="critical", hastened=frozenset({WECOM.fingerprint}))
    again = message(WECOM, hung)
    assert told(turn(book(hung, hastened=(again,)))) == ("sms", [1])
    only = turn(book(hung, channels=(WECOM,), hastened=(again,))).sending
    assert only is not None and (only.message, only.may_hasten) == (again.id, False), "the same message, with its key"
    tried = page(1, severity="critical", hastened=frozenset({WECOM.fingerprint}), tried=frozenset({SMS.fingerprint}))
    last = turn(book(tried, hastened=(message(WECOM, tried),))).sending
    assert last is not None and (last.message, last.has_next) == (again.id, False)


@pytest.mark.parametrize(("severity", "channels", "may"), [
    ("critical", (WECOM, SMS), True), ("critical", (WECOM,), False), ("warning", (WECOM, SMS), False),
])  # fmt: skip
def test_only_critical_pages_with_another_channel_are_not_waited_for(
    severity: str, channels: tuple[Channel, ...], *, may: bool
) -> None:
    sending = turn(book(page(1, severity=severity), channels=channels)).sending
    assert sending is not None and sending.may_hasten is may
