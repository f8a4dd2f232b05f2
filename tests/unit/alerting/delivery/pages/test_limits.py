"""Tokens: how many an address has, and that a receiver never counts more messages than a limit allows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.pages.limits import (
    LIMITS,
    NO_LIMIT,
    Granted,
    SendLimit,
    TakenTokens,
    WaitUntil,
    Window,
    free_tokens,
    settle_token,
    take_token,
)
from registry.contacts.model import ChannelKind

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
HOLD = timedelta(seconds=20)
TINY = SendLimit(windows=(Window(4, 60),), silence=600)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def tokens(*seconds: float, silent: float | None = None) -> TakenTokens:
    return TakenTokens(tuple(map(at, seconds)), None if silent is None else at(silent))


@pytest.mark.parametrize(
    ("limit", "state", "urgent", "expected"),
    [
        pytest.param(TINY, tokens(), False, None, id="nothing was sent"),
        pytest.param(TINY, tokens(-50, -40), False, None, id="there is room"),
        pytest.param(TINY, tokens(-50, -40, -30), False, 10, id="one is kept for what is urgent"),
        pytest.param(TINY, tokens(-50, -40, -30), True, None, id="and taken by it"),
        pytest.param(TINY, tokens(-50, -40, -30, -20), True, 10, id="full: until the oldest is out of the window"),
        pytest.param(TINY, tokens(-60, -40, -30, -20), True, None, id="exactly a window ago counts no more"),
        pytest.param(TINY, tokens(-50, -40, -30, 15), True, 10, id="one under way counts too"),
        pytest.param(TINY, tokens(silent=300), True, 300, id="the provider asked for silence"),
        pytest.param(TINY, tokens(-1, silent=-1), False, None, id="the silence is over"),
        pytest.param(LIMITS[ChannelKind.SMS], tokens(-30), True, 30, id="SMS: one a minute, urgent or not"),
        pytest.param(LIMITS[ChannelKind.SMS], tokens(-800, -700, -600, -70), False, 100, id="SMS: one of five is kept"),
        pytest.param(LIMITS[ChannelKind.SMS], tokens(-800, -700, -600, -500, -70), True, 100, id="SMS: five in 15 min"),
        pytest.param(LIMITS[ChannelKind.FEISHU], tokens(-0.8, -0.6, -0.4, -0.2, -0.1), True, 0.2, id="Feishu: 5/s"),
        pytest.param(LIMITS[ChannelKind.WEBHOOK], tokens(), False, None, id="a webhook has no limit"),
    ],
)
def test_a_token_is_granted_or_says_when(
    limit: SendLimit, state: TakenTokens, urgent: bool, expected: float | None
) -> None:
    found = take_token(limit, state, NOW, hold=HOLD, urgent=urgent)
    if expected is None:
        assert isinstance(found, Granted)
        assert found.token >= NOW + HOLD
    else:
        assert found == WaitUntil(at(expected))
    free = free_tokens(limit, state, NOW, urgent=urgent)
    assert (free > 0) == (expected is None)


@pytest.mark.parametrize(
    ("kind", "free"),
    [
        ("wecom", 20),
        ("dingtalk", 20),
        ("feishu", 5),
        ("sms", 1),
        ("mail", 60),
        ("webhook", NO_LIMIT),
        ("apprise", NO_LIMIT),
    ],
)
def test_what_the_providers_allow(kind: ChannelKind, free: int) -> None:
    assert free_tokens(LIMITS[ChannelKind(kind)], TakenTokens(), NOW, urgent=True) == free


def test_after_the_attempt_a_token_counts_from_its_end() -> None:
    found = take_token(TINY, TakenTokens(), NOW, hold=HOLD, urgent=True)
    assert isinstance(found, Granted)
    assert settle_token(found.tokens, found.token, at(3)) == tokens(3)
    assert settle_token(found.tokens, found.token, at(99)) == tokens(20), "it arrived within the hold"
    assert settle_token(found.tokens, found.token, at(3), 600) == tokens(3, silent=603)


_steps = st.lists(
    st.tuples(
        st.floats(0, 40),  # seconds until the next message is wanted
        st.floats(0, 20),  # seconds until it arrives
        st.sampled_from(["answered", "died"]),
        st.booleans(),
    ),
    max_size=60,
)


@given(_steps, st.sampled_from([TINY, *LIMITS.values()]))
def test_no_receiver_counts_more_than_a_limit_allows(
    steps: list[tuple[float, float, str, bool]], limit: SendLimit
) -> None:
    """Messages overlap, arrive late, and the process may die between the token and the end of the attempt."""
    state, now, arrivals = TakenTokens(), NOW, []
    pending: list[tuple[datetime, datetime]] = []
    for gap, late, end, urgent in steps:
        now += timedelta(seconds=gap)
        for token, done in [each for each in pending if each[1] <= now]:
            state = settle_token(state, token, done)
            pending.remove((token, done))
        found = take_token(limit, state, now, hold=HOLD, urgent=urgent)
        if isinstance(found, WaitUntil):
            assert found.at > now
            continue
        state = found.tokens
        arrival = now + timedelta(seconds=late)
        arrivals.append(arrival)
        if end == "answered":
            pending.append((found.token, arrival))
    for window in limit.windows:
        for first in arrivals:
            end_at = first + timedelta(seconds=window.seconds)
            assert sum(first <= arrival < end_at for arrival in arrivals) <= window.most


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("WeCom bot", "wecom", "{0.most} a minute"),
        ("DingTalk bot", "dingtalk", "{0.most} a minute"),
        ("Feishu bot", "feishu", "{0.most} a minute, {1.most} a second"),
        ("SMS", "sms", "{0.most} a minute, {1.most} in 15 minutes"),
        ("mail", "mail", "{0.most} a minute"),
    ],
)
def test_the_document_says_the_limits(name: str, kind: ChannelKind, said: str) -> None:
    text = (Path(__file__).parents[5] / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert f"| {name} | {said.format(*LIMITS[ChannelKind(kind)].windows)} |" in text
