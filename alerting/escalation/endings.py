"""An incident that is closed: those who were told of it are told of the end, once. Pure."""

from alerting.escalation.model import EntryWord, KnownPage, PagePhase
from alerting.escalation.stepping import say_no_route
from alerting.escalation.turn_draft import TurnDraft


def end(draft: TurnDraft) -> None:
    """Decide what a closed incident is told: its fault is over, or a person or an approved closure ended it."""
    if not draft.facts.goes_on:
        _recover(draft)
    elif draft.facts.by_person:
        _close(draft, EntryWord.RESOLVED, PagePhase.RESOLVED)
    else:
        draft.pause(EntryWord.EXCUSED)


def waits_for_end(draft: TurnDraft) -> bool:
    """Whether the end of a share is not announced yet, because the share recovered and failed again before. Then the
    draft gets the time of the next decision."""
    until = draft.facts.settles_at
    if until is None or until <= draft.now or draft.state.ended is not None:
        draft.change(back_since=None)
        return False
    draft.change(back_since=draft.state.back_since or draft.now)
    draft.wake(until)
    return True


def _recover(draft: TurnDraft) -> None:
    """Tell those who were told; tell the others of something past, if the route says so."""
    late = _late(draft)
    handled = draft.state.ended is EntryWord.RESOLVED or draft.state.paused is EntryWord.EXCUSED
    _close(draft, EntryWord.OVER, PagePhase.CLOSED)
    if handled:
        draft.change(past_told=True)
    if draft.plan.tell_past and draft.facts.alone and not draft.state.past_told:
        for page in late:
            draft.page(page.recipient, PagePhase.PASSED, 0, not_before=page.not_before)
        _tell_past(draft)


def _close(draft: TurnDraft, word: EntryWord, phase: PagePhase) -> None:
    if draft.state.ended is not word:
        draft.log(word)
        draft.change(ended=word, paused=None)
    draft.cancel_alarms(word)
    knows = {page.recipient for page in draft.facts.pages if page.phase is PagePhase.HELD}
    for recipient in draft.told():
        if recipient not in knows:
            draft.page(recipient, phase, 0)


def _late(draft: TurnDraft) -> list[KnownPage]:
    """What recipients were to be told who were told nothing."""
    told = set(draft.told())
    owed = (page for page in draft.alarms() if page.overtaken and page.phase is not PagePhase.REMINDER)
    return [page for page in owed if page.recipient not in told]


def _tell_past(draft: TurnDraft) -> None:
    """Nobody was owed anything since the incident opened: the people of the first step that has some are told of what
    is past."""
    if draft.state.past_told or any(page.round >= draft.state.since for page in draft.facts.pages) or draft.waits():
        return
    draft.change(past_told=True)
    say_no_route(draft)
    for step in range(len(draft.plan.steps)):
        if draft.page_step(step, PagePhase.PASSED, 0) != []:
            return
