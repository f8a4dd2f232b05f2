"""Whether a repair held, by what the rules know of the fault since."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.incidents.book import ActionRefusal, Status
from alerting.repairs.rules import (
    RepairFacts,
    RepairOutcome,
    RepairReason,
    RepairSaid,
    RepairVerdict,
    WaitingRepair,
    refusal_of_repair,
    stable_for,
    verify_repair,
)

SAID_AT = datetime(2026, 11, 28, 8, tzinfo=UTC)
STABLE = timedelta(minutes=10)
REPAIR = WaitingRepair(id=1, incident=7, at=SAID_AT, made_by="a-1", stable=STABLE)


def at(minutes: float) -> datetime:
    return SAID_AT + timedelta(minutes=minutes)


def wait(minutes: float) -> RepairVerdict:
    return RepairVerdict(None, verify_at=at(minutes))


HELD = RepairVerdict(RepairOutcome.HELD, RepairReason.STAYED_OVER)
BACK = RepairVerdict(RepairOutcome.FAILED, RepairReason.CAME_BACK)
EXCUSED = RepairVerdict(RepairOutcome.OVERTAKEN, RepairReason.EXCUSED)
NEVER = RepairVerdict(RepairOutcome.FAILED, RepairReason.NOT_REPAIRED)
# Name: (minutes when the fault was over or None, other facts, minutes now, verdict).
CASES = {
    "goes on, and there is time": (None, {}, 9, wait(10)),
    "goes on for the whole time": (None, {}, 10, NEVER),
    "over four minutes after it was said: ten minutes from then": (4, {}, 10, wait(14)),
    "over, and the time has passed": (4, {}, 14, HELD),
    "over before it was said: ten minutes from when it was said": (-30, {}, 9, wait(10)),
    "over before it was said, and the time has passed": (-30, {}, 10, HELD),
    "back within the time": (None, {"came_back": True}, 6, BACK),
    "back as another incident": (2, {"came_back": True}, 6, BACK),
    "back, and found only later": (None, {"came_back": True}, 60, BACK),
    "nothing is heard when the time has passed": (0, {"proven": False}, 10, wait(11)),
    "heard again later": (0, {}, 700, HELD),
    "excused for the whole time": (None, {"excused": True}, 10, EXCUSED),
    "excused after it was over": (0, {"excused": True}, 10, HELD),
    "found long after a restart": (None, {}, 600, NEVER),
}  # fmt: skip


@pytest.mark.parametrize(("over", "more", "now", "verdict"), CASES.values(), ids=CASES)
def test_verdict(over: float | None, more: dict[str, bool], now: float, verdict: RepairVerdict) -> None:
    facts = RepairFacts(ended_at=None if over is None else at(over), **more)
    assert verify_repair(REPAIR, facts, at(now)) == verdict


@given(over=st.none() | st.floats(-60, 30), now=st.floats(0, 90), back=st.booleans(), proven=st.booleans())
def test_it_never_holds_early_and_always_ends(over: float | None, now: float, back: bool, proven: bool) -> None:
    facts = RepairFacts(ended_at=None if over is None else at(over), came_back=back, proven=proven)
    verdict = verify_repair(REPAIR, facts, at(now))
    if verdict.outcome is RepairOutcome.HELD:
        assert over is not None
        assert at(now) - max(SAID_AT, at(over)) >= STABLE
    if verdict.outcome is None:
        assert verdict.verify_at is not None
        assert verdict.verify_at > at(now)
    if proven and now >= 10 + max(over or 0, 0):
        assert verdict.outcome is not None


@pytest.mark.parametrize(
    ("every", "minutes"), [(None, 10), (60.0, 10), (200.0, 10), (600.0, 30), (3600.0, 180)], ids=str
)
def test_a_repair_holds_after_three_heartbeats_at_the_earliest(every: float | None, minutes: float) -> None:
    """With a heartbeat an hour, ten minutes pass without any."""
    assert stable_for(STABLE, every) == timedelta(minutes=minutes)


FIXED = RepairSaid(cause="power", parts="UPS", text="换电池", fixed=True)
REFUSALS = {
    "of an open incident": ("open", FIXED, False, None),
    "of a closed one, as people fill the form afterwards": ("closed", FIXED, False, None),
    "of a closed one whose fault goes on as another": ("closed", FIXED, True, ActionRefusal.NEWER),
    "a cause alone may be noted even then": ("closed", RepairSaid(cause="other"), True, None),
    "there is none": (None, FIXED, False, ActionRefusal.NOT_FOUND),
    "no word for a cause": ("open", RepairSaid(cause="ghost"), False, ActionRefusal.BAD_CAUSE),
    "no cause": ("open", RepairSaid(cause=""), False, ActionRefusal.BAD_CAUSE),
    "too long": ("open", RepairSaid(cause="power", text="长" * 4001), False, ActionRefusal.TOO_LONG),
    "too many parts": ("open", RepairSaid(cause="power", parts="件" * 501), False, ActionRefusal.TOO_LONG),
}


@pytest.mark.parametrize(("status", "said", "newer", "refusal"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(status: Status | None, said: RepairSaid, newer: bool, refusal: ActionRefusal | None) -> None:
    assert refusal_of_repair(status, said, newer=newer) is refusal
