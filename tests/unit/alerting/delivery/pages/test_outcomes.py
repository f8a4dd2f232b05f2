"""What an attempt means for its message and its pages."""

from collections.abc import Sequence

import pytest

from alerting.delivery.pages.limits import LIMITS
from alerting.delivery.pages.outcomes import Again, Fold, NextChannel, Settlement, Taken, TooOld, settle, silence_after
from alerting.delivery.sending import SendOutcome, SendVerdict
from registry.contacts.model import ChannelKind

TAKEN, THROTTLED, REFUSED, FAILED, UNKNOWN = SendVerdict
DIED = None


@pytest.mark.parametrize(
    ("verdict", "earlier", "has_next", "expected"),
    [
        pytest.param(TAKEN, [], True, Taken(), id="taken"),
        pytest.param(TAKEN, [UNKNOWN, FAILED], True, Taken(), id="taken at last"),
        pytest.param(REFUSED, [], True, NextChannel(refused=True), id="refused: the next channel"),
        pytest.param(
            REFUSED, [], False, NextChannel(refused=True), id="refused by the last: the pages find no channel"
        ),
        pytest.param(FAILED, [], True, Again(2.0), id="not taken: again after a pause"),
        pytest.param(UNKNOWN, [], True, Again(2.0), id="perhaps taken: the same message again"),
        pytest.param(UNKNOWN, [DIED], True, Again(4.0), id="longer pauses"),
        pytest.param(UNKNOWN, [FAILED, DIED], True, NextChannel(refused=False), id="three times: the next channel"),
        pytest.param(
            FAILED, [FAILED] * 2, False, Again(8.0, unreached=True), id="no next one: this one, and that is said"
        ),
        pytest.param(FAILED, [FAILED] * 20, False, Again(120.0, unreached=True), id="pauses of two minutes at most"),
        pytest.param(THROTTLED, [], True, Fold(), id="throttled: folded with what follows"),
        pytest.param(THROTTLED, [FAILED], True, Fold(), id="and was certainly not taken before"),
        pytest.param(THROTTLED, [UNKNOWN], True, Again(600.0), id="perhaps taken before: the same message again"),
        pytest.param(FAILED, [THROTTLED] * 5, True, Again(64.0), id="being throttled is no failure"),
    ],
)
def test_what_follows(
    verdict: SendVerdict, earlier: Sequence[SendVerdict | None], has_next: bool, expected: Settlement
) -> None:
    found = settle(SendOutcome(verdict=verdict), earlier, has_next=has_next, age=5.0, roll=1.0, silence=600.0)
    assert found == expected


def test_one_attempt_is_enough_by_a_channel_that_is_known_not_to_work() -> None:
    outcome = SendOutcome(verdict=FAILED)
    assert settle(outcome, [], has_next=True, age=5.0, roll=1.0, dead=True) == NextChannel(refused=False)
    assert settle(outcome, [], has_next=False, age=5.0, roll=1.0, dead=True) == Again(2.0)


@pytest.mark.parametrize("verdict", [THROTTLED, FAILED, UNKNOWN])
def test_what_is_a_day_old_is_given_up(verdict: SendVerdict) -> None:
    found = settle(SendOutcome(verdict=verdict), [], has_next=True, age=24 * 3600.0 + 1, roll=1.0)
    assert found == TooOld()


@pytest.mark.parametrize(
    ("verdict", "said", "kind", "expected"),
    [
        (THROTTLED, 0.0, ChannelKind.DINGTALK, 600.0),
        (THROTTLED, 0.0, ChannelKind.WECOM, 60.0),
        (THROTTLED, 17.0, ChannelKind.DINGTALK, 17.0),
        (FAILED, 0.0, ChannelKind.DINGTALK, 0.0),
        (FAILED, 30.0, ChannelKind.WEBHOOK, 30.0),
    ],
)
def test_silence(verdict: SendVerdict, said: float, kind: ChannelKind, expected: float) -> None:
    assert silence_after(SendOutcome(verdict=verdict, silent=said), LIMITS[kind]) == expected
