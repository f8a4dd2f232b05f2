"""An acknowledged incident: its owner is reminded of the ETA; when the ETA passes, the steps begin anew. Pure."""

from datetime import datetime

from alerting.escalation.model import EntryWord, PageCause, PagePhase
from alerting.escalation.step_times import remind_time
from alerting.escalation.turn_draft import TurnDraft


def is_acknowledged(draft: TurnDraft) -> bool:
    """Whether somebody looks after the incident; then only the owner is told, until the ETA passes."""
    facts, taken = draft.facts, draft.facts.acknowledged_at
    if facts.status != "acknowledged" or taken is None:
        draft.change(acknowledged_at=None)
        return False
    if taken == draft.state.lapsed_at:
        return False
    if taken != draft.state.acknowledged_at:
        _note_acknowledgement(draft, taken)
    draft.cancel_alarms("acknowledged", keep=_reminders(draft))
    if facts.eta_at is None:
        return True
    if facts.eta_at <= draft.now:
        draft.log(EntryWord.ETA_PASSED, until=facts.eta_at)
        draft.begin_round("eta_passed", lapsed_at=taken)
        return False
    _remind(draft, remind_time(taken, facts.eta_at), facts.eta_at)
    return True


def _note_acknowledgement(draft: TurnDraft, taken: datetime) -> None:
    draft.change(acknowledged_at=taken, acknowledgements=draft.state.acknowledgements + 1, paused=None)
    draft.log(EntryWord.ACKNOWLEDGED, until=draft.facts.eta_at)


def _reminders(draft: TurnDraft) -> list[int]:
    """The pages of the reminder of this acknowledgement."""
    mine = draft.state.acknowledgements
    return [page.id for page in draft.facts.pages if page.phase is PagePhase.REMINDER and page.step == mine]


def _remind(draft: TurnDraft, at: datetime, eta: datetime) -> None:
    mine = draft.state.acknowledgements
    if draft.facts.reminds and draft.state.reminded != mine and at > draft.now:
        draft.wake(at)
        return
    draft.wake(eta)
    if draft.facts.reminds and draft.state.reminded != mine:
        _tell_owner(draft, eta)
        draft.change(reminded=mine)


def _tell_owner(draft: TurnDraft, eta: datetime) -> None:
    owner = draft.facts.owner
    if owner is None:
        draft.log(EntryWord.OWNER_UNKNOWN, until=eta)
        return
    draft.log(EntryWord.REMINDED, contacts=(owner,), until=eta)
    draft.page(owner, PagePhase.REMINDER, draft.state.acknowledgements, PageCause(because="owner"))


def tell_lapsed_owner(draft: TurnDraft) -> None:
    """The ETA has passed: the owner is told too, who may be nobody of the first step."""
    owner = draft.facts.owner
    if owner is not None and draft.state.paused is None and not draft.tells(owner):
        draft.page(owner, PagePhase.REMINDER, draft.state.acknowledgements, PageCause(because="eta_passed"))
