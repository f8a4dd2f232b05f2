"""When a channel is dead, and when its incident opens and closes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.channels.model import ChannelState, DeadChannel, DeadReason, RevivalReason, SendNews
from alerting.channels.rules import (
    FAILING_LONG,
    FAILURES_ENOUGH,
    CloseDeadChannel,
    OpenDeadChannel,
    dead_channel_intents,
    state_after,
)
from alerting.channels.write import write_dead_channels
from alerting.incidents.book import Book
from contract.kinds import IncidentKind

START = datetime(2026, 11, 28, 8, tzinfo=UTC)
W, R, T, F = SendNews.WORKS, SendNews.REFUSED, SendNews.TEXT_REFUSED, SendNews.FAILED


def played(*attempts: tuple[int, SendNews]) -> ChannelState:
    """The state after attempts, each (minute, news)."""
    state = ChannelState()
    for minute, news in attempts:
        state = state_after(state, news, START + timedelta(minutes=minute), f"answer of minute {minute}")
    return state


@pytest.mark.parametrize(
    ("attempts", "reason", "minute"),
    [
        pytest.param([(0, W)], None, None, id="it works"),
        pytest.param([(0, W), (5, R)], DeadReason.REFUSED, 5, id="the token is not valid any more: at once"),
        pytest.param([(0, F), (1, R)], DeadReason.REFUSED, 1, id="refused after failures"),
        pytest.param([(0, T), (1, T)], None, None, id="two texts refused: perhaps the texts"),
        pytest.param([(0, T), (1, T), (2, T)], DeadReason.TEXTS_REFUSED, 2, id="three in a row: the channel"),
        pytest.param([(0, T), (1, T), (2, W), (3, T)], None, None, id="one between was taken"),
        pytest.param([(0, F), (1, F), (2, F), (29, F)], None, None, id="many failures in a short time"),
        pytest.param([(0, F), (60, F)], None, None, id="two failures only, far apart"),
        pytest.param([(0, F), (1, F), (30, F)], DeadReason.FAILS, 30, id="half an hour and three attempts"),
        pytest.param([(0, F), (1, F), (29, W), (31, F), (60, F)], None, None, id="taken before half an hour was over"),
        pytest.param([(0, R), (1, F), (40, F), (41, T)], DeadReason.REFUSED, 0, id="the first reason stays"),
        pytest.param([(0, R), (1, W)], None, None, id="a message taken: it works"),
        pytest.param([(0, F), (1, T), (40, F), (41, F)], DeadReason.FAILS, 41, id="failures of both sorts"),
    ],
)
def test_when_a_channel_is_dead(
    attempts: list[tuple[int, SendNews]], reason: DeadReason | None, minute: int | None
) -> None:
    state = played(*attempts)
    assert state.reason == reason
    assert state.dead_at == (None if minute is None else START + timedelta(minutes=minute))
    assert state.why == ("" if minute is None else f"answer of minute {minute}")


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(list(SendNews))), max_size=30))
def test_a_channel_is_dead_only_by_what_followed_the_last_message_taken(steps: list[tuple[int, SendNews]]) -> None:
    minutes, attempts = 0, []
    for wait, news in steps:
        minutes += wait
        attempts.append((minutes, news))
    state = played(*attempts)
    after = attempts[max((n for n, (_, news) in enumerate(attempts) if news == W), default=-1) + 1 :]
    assert state == played(*after)
    assert (state.failing_since is None) == (not after)
    if state.dead_at is not None:
        failures = [news for _, news in after]
        lasted = timedelta(minutes=after[-1][0] - after[0][0])
        assert (
            R in failures or failures.count(T) >= 3 or (failures.count(F) >= FAILURES_ENOUGH and lasted >= FAILING_LONG)
        )


def dead(contact: str = "li", **more: object) -> DeadChannel:
    given = {
        "contact": contact,
        "fingerprint": "f1",
        "channel": "wecom",
        "area": "632122000000",
        "failing_since": START,
        "dead_at": START,
        "reason": DeadReason.REFUSED,
        "why": "refused with code 93000",
    }
    return DeadChannel(**{**given, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channels", "going_on", "expected"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([dead()], [], [OpenDeadChannel(dead())], id="dead: opens"),
        pytest.param([dead()], [dead().key], [], id="its incident is there"),
        pytest.param([], [dead().key], [CloseDeadChannel(dead().key, RevivalReason.WORKS)], id="works again: closes"),
        pytest.param(
            [dead(replaced=True)],
            [dead().key],
            [CloseDeadChannel(dead().key, RevivalReason.REPLACED)],
            id="the contact has another channel",
        ),
        pytest.param(
            [dead(retired=True, replaced=True)],
            [dead().key],
            [CloseDeadChannel(dead().key, RevivalReason.RETIRED)],
            id="the contact was retired",
        ),
        pytest.param([dead(replaced=True), dead("b", retired=True)], [], [], id="gone before it was seen"),
        pytest.param(
            [dead("a"), dead("b")],
            [dead("b").key, dead("c").key],
            [CloseDeadChannel(dead("c").key, RevivalReason.WORKS), OpenDeadChannel(dead("a"))],
            id="several",
        ),
    ],
)
def test_what_opens_and_closes(channels: list[DeadChannel], going_on: list[str], expected: list[object]) -> None:
    assert dead_channel_intents({channel.key: channel for channel in channels}, going_on) == expected


FAILING = {"channel": "sms", "reason": DeadReason.FAILS, "why": "no answer"}
MANY_KEY = "channel_dead::sms:channel_fails"


def opened(channels: list[DeadChannel], going_on: list[str]) -> list[str]:
    intents = dead_channel_intents({channel.key: channel for channel in channels}, going_on)
    return [f"{type(intent).__name__[:5].lower()} {intent.key.removeprefix('channel_dead:')}" for intent in intents]


def test_a_gateway_that_fails_is_one_incident() -> None:
    people = [dead(f"p{n}", **FAILING) for n in range(300)]
    assert opened(people[:2], []) == ["opend p0:f1", "opend p1:f1"]
    assert opened(people, []) == ["opend :sms:channel_fails"]
    first = [channel.key for channel in people[:4]]
    assert opened(people, first) == ["opend :sms:channel_fails"], "the first ones have an incident already"
    assert opened(people, [*first, MANY_KEY]) == []
    assert opened(people[:1], [first[0], MANY_KEY]) == [], "not opened one by one at the end"
    assert opened([], [MANY_KEY]) == ["close :sms:channel_fails"]
    (intent,) = dead_channel_intents({channel.key: channel for channel in people}, [])
    assert isinstance(intent, OpenDeadChannel)
    assert (intent.channel.contacts, intent.channel.area, intent.key) == (300, None, MANY_KEY)


def test_bots_that_are_refused_are_incidents_each() -> None:
    assert len(opened([dead(f"p{n}") for n in range(9)], [])) == 9
    assert len(opened([dead(f"p{n}", channel="sms") for n in range(9)], [])) == 1, "the setting is missing"


def test_the_incident_names_the_contact_by_its_id_and_never_the_address() -> None:
    book = Book()
    write_dead_channels(book, [OpenDeadChannel(dead())], START + timedelta(minutes=1))
    (incident,) = book.opened
    assert (incident.kind, incident.area, incident.began_at) == (IncidentKind.CHANNEL_DEAD, "632122000000", START)
    assert incident.detail == {
        "contact": "li",
        "channel": "wecom",
        "reason": "channel_refused",
        "answer": "refused with code 93000",
    }
    assert book.notifications() == [(incident.id, "opened")]


def test_an_opening_twice_and_a_closing_of_nothing_change_nothing() -> None:
    book = Book()
    opening = OpenDeadChannel(dead())
    write_dead_channels(book, [opening, opening, CloseDeadChannel("channel_dead:nobody:f", RevivalReason.WORKS)], START)
    assert [decision.action for decision in book.decisions] == ["opened"]
