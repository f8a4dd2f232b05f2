"""What is due in the escalation of an incident now. Pure.

`advance` looks at the incident and its pages as they are, not at what happened in between. It can be called at any time
and after any order of events. Called again with the same facts it decides nothing new.
"""

from datetime import datetime

from alerting.escalation.acknowledging import is_acknowledged, tell_lapsed_owner
from alerting.escalation.endings import end, waits_for_end
from alerting.escalation.model import EntryWord, EscalationFacts, EscalationPlan, EscalationState, EscalationTurn
from alerting.escalation.stepping import take_steps
from alerting.escalation.turn_draft import QuietUntil, StepPeople, TurnDraft
from alerting.incidents.severity import is_graver


def begin(plan: EscalationPlan, facts: EscalationFacts) -> EscalationState:
    """The state of an escalation that nothing was done for yet."""
    because = "reopened" if facts.opening else "opened"
    return EscalationState(
        route=plan.route, opening=facts.opening, because=because, severity=facts.severity, grown_at=plan.grown_at
    )


def advance(
    plan: EscalationPlan,
    state: EscalationState,
    facts: EscalationFacts,
    now: datetime,
    people: StepPeople,
    quiet: QuietUntil,
) -> EscalationTurn:
    """Decide what is due at `now`."""
    draft = TurnDraft(plan, state, facts, now, people, quiet)
    _note_severity(draft)
    _note_growth(draft)
    _note_route(draft)
    _note_opening(draft)
    if waits_for_end(draft):
        return draft.result()
    if facts.status == "closed":
        end(draft)
    elif not facts.alone:
        draft.pause(EntryWord.PART_OF_ANOTHER)
    elif not is_acknowledged(draft):
        take_steps(draft)
        if draft.state.lapsed_at != state.lapsed_at:
            tell_lapsed_owner(draft)
    return draft.result()


def _note_severity(draft: TurnDraft) -> None:
    severity = draft.facts.severity
    if is_graver(severity, draft.state.severity):
        draft.log(EntryWord.SEVERITY_ROSE, why=severity)
    draft.change(severity=severity)


def _note_growth(draft: TurnDraft) -> None:
    """The incident has a larger area: the steps of its new plan begin; pages that are owed already stay."""
    plan = draft.plan
    if plan.grown_at != draft.state.grown_at:
        draft.owe_anew("grew", grown_at=plan.grown_at, route=plan.route)
        draft.log(EntryWord.GREW)


def _note_route(draft: TurnDraft) -> None:
    """A graver severity may have another route: the people of that route are told."""
    if draft.plan.route != draft.state.route:
        draft.begin_round("route_changed", route=draft.plan.route)
        draft.log(EntryWord.ROUTE_CHANGED, why=draft.plan.route)


def _note_opening(draft: TurnDraft) -> None:
    """A fault that came back is a new beginning, once it is open again."""
    if draft.facts.opening > draft.state.opening and draft.facts.status != "closed":
        since = draft.state.round + 1
        draft.begin_round("reopened", opening=draft.facts.opening, ended=None, past_told=False, since=since)
        draft.log(EntryWord.REOPENED)
