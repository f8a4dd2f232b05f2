"""The steps of the plan: who is told when, while nobody acknowledges. Pure."""

from datetime import timedelta
from typing import Final

from alerting.escalation.model import EntryWord, KnownPage, PagePhase
from alerting.escalation.step_times import due_time
from alerting.escalation.turn_draft import TurnDraft

LOOK_AGAIN: Final = timedelta(hours=12)
"""When to look again for a step that is due beyond the openings that are known."""
_FIRST_PHASE: Final = {"reopened": PagePhase.REOPENED, "eta_passed": PagePhase.ESCALATED}
_PAUSED_FOR_GOOD: Final = (EntryWord.PART_OF_ANOTHER, EntryWord.EXCUSED)


def take_steps(draft: TurnDraft) -> None:
    """Take every step that is due, and note when the next one is."""
    _resume(draft)
    if draft.waits():
        return
    draft.change(paused=None)
    say_no_route(draft)
    _note_undelivered(draft)
    while _is_due(draft):
        _take_step(draft, draft.state.next_step)


def say_no_route(draft: TurnDraft) -> None:
    """Say once that no route covers the incident, if so."""
    if not draft.plan.steps and draft.state.base is None:
        draft.log(EntryWord.NO_ROUTE)
        draft.change(base=draft.now)


def _resume(draft: TurnDraft) -> None:
    """Owe the steps anew if pages of this round were cancelled for a cause that is over."""
    why = draft.state.paused
    if why in _PAUSED_FOR_GOOD:
        draft.log(EntryWord.ON_ITS_OWN)
        draft.change(paused=None)
        if any(page.status == "cancelled" and page.reason == why for page in _of_round(draft)):
            draft.begin_round("on_its_own")


def _of_round(draft: TurnDraft) -> list[KnownPage]:
    """The pages of the steps of this round."""
    mine = (page for page in draft.alarms() if page.phase is not PagePhase.REMINDER)
    return [page for page in mine if page.round == draft.state.round]


def _note_undelivered(draft: TurnDraft) -> None:
    """A step that reached nobody makes the next step due at once. A message to a room reaches no person of the step."""
    step = draft.state.next_step - 1
    every = [page for page in _of_round(draft) if page.step == step]
    mine = [page for page in every if not page.room] or every
    failed = [page for page in mine if page.lost]
    if draft.state.hurried or not failed or not all(page.lost or page.status == "cancelled" for page in mine):
        return
    contacts = tuple(page.recipient for page in failed)
    draft.log(EntryWord.UNDELIVERABLE, step=step, contacts=contacts, why=failed[0].reason)
    draft.change(hurried=True)
    _note_end_of_route(draft)


def _is_due(draft: TurnDraft) -> bool:
    state, steps = draft.state, draft.plan.steps
    if state.next_step >= len(steps):
        return False
    if state.hurried:
        return True
    base = draft.now if state.base is None else state.base
    at = due_time(steps[state.next_step].rule, base, draft.facts.openings)
    if at is not None and at <= draft.now:
        return True
    draft.change(base=base)
    draft.wake(draft.now + LOOK_AGAIN if at is None else at)
    return False


def _take_step(draft: TurnDraft, step: int) -> None:
    reached = draft.page_step(step, _phase_of(draft, step), step)
    draft.change(next_step=step + 1, hurried=reached == [])
    if reached != [] and draft.state.base is None:
        draft.change(base=min((page.not_before or draft.now for page in reached or ()), default=draft.now))
    _note_end_of_route(draft)


def _phase_of(draft: TurnDraft, step: int) -> PagePhase:
    return PagePhase.ESCALATED if step else _FIRST_PHASE.get(draft.state.because, PagePhase.OPENED)


def _note_end_of_route(draft: TurnDraft) -> None:
    """Say that nobody follows, if the last step reached nobody."""
    if draft.state.hurried and draft.state.next_step >= len(draft.plan.steps):
        draft.log(EntryWord.END_OF_ROUTE)
