"""What people are told of a repair."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.delivery.message import write_message
from alerting.delivery.pages.model import OwedPage
from alerting.delivery.pages.packing import overtaken
from alerting.escalation.advance import advance
from alerting.escalation.model import EscalationFacts, EscalationPlan, EscalationState, KnownPage, PagePhase
from registry.routes.routing import RouteSubject, StepOutcome
from tests.unit.alerting.delivery.test_deliver_messages import NOW, facts

AT = datetime(2026, 11, 28, 8, tzinfo=UTC)
SUBJECT = RouteSubject(
    kind="station_offline",
    severity="warning",
    station="S",
    path=(),
    levels={},
    station_kind=None,
    programmes=frozenset(),
)


def page(number: int, recipient: str, phase: PagePhase) -> KnownPage:
    return KnownPage(id=number, recipient=recipient, phase=phase, step=0, round=0, status="paid")


def _nobody(_: int) -> StepOutcome:
    raise AssertionError("no step is taken of an incident that is over")


def test_the_end_goes_to_those_who_were_not_told_that_the_repair_held() -> None:
    told = (page(1, "dolma", PagePhase.OPENED), page(2, "lead", PagePhase.OPENED), page(3, "dolma", PagePhase.HELD))
    plan = EscalationPlan(subject=SUBJECT, chosen_at=AT, route="r")
    closed = EscalationFacts(status="closed", severity="warning", goes_on=False, pages=told)
    turn = advance(plan, EscalationState(route="r", severity="warning"), closed, AT, _nobody, lambda _: None)
    assert [(made.recipient, made.phase) for made in turn.pages] == [("lead", PagePhase.CLOSED)]


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("phase", ["held", "not_held"])
def test_whether_it_held_is_told_whatever_happens_meanwhile(phase: str, over: bool) -> None:
    owed = OwedPage(
        id=1, incident=1, phase=phase, severity="warning", created_at=AT, over=over, acknowledged_at=AT + timedelta(1)
    )
    assert overtaken(owed) is None


def test_the_messages() -> None:
    held = facts("held", ended_at=NOW)
    message = write_message(held, language="zh-CN", public_url=None, now=NOW)
    assert message.title == "【修复有效】服务点离线：红旗阅览室 · 玛多县"
    assert "无需操作" in message.body
    message = write_message(facts("not_held"), language="en", public_url=None, now=NOW)
    assert message.title.startswith("[THE REPAIR DID NOT HOLD] Station offline: Red Flag")
    assert "look for its cause anew" in message.body
    for phase in ("held", "not_held"):
        short = write_message(facts(phase, ended_at=NOW), language="zh-CN", public_url="https://m.example.org", now=NOW)  # type: ignore[arg-type]
        assert len(short.short.encode("utf-16-le")) <= 140
