"""A turn of the escalation while it is decided. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from alerting.escalation.model import (
    ALARMS,
    EntryWord,
    EscalationEntry,
    EscalationFacts,
    EscalationPlan,
    EscalationState,
    EscalationTurn,
    KnownPage,
    NewPage,
    PageCause,
    PagePhase,
)
from registry.routes.routing import Recipient, StepOutcome

StepPeople = Callable[[int], StepOutcome]
"""Who is told in a step of the plan now."""
QuietUntil = Callable[[str], datetime | None]
"""When the quiet hours of a contact end; None: none go on."""


class TurnDraft:
    """The state as it changes, and what is decided so far."""

    def __init__(
        self,
        plan: EscalationPlan,
        state: EscalationState,
        facts: EscalationFacts,
        now: datetime,
        people: StepPeople,
        quiet: QuietUntil,
    ) -> None:
        self.plan, self.state, self.facts, self.now = plan, state, facts, now
        self._people, self._quiet = people, quiet
        self._pages: dict[tuple[str, str, int, int], NewPage] = {}
        self._cancelled: dict[int, str] = {}
        self._entries: list[EscalationEntry] = []
        self._wake_at: datetime | None = None
        self._was_held = facts.was_held or state.paused in (EntryWord.SILENCED, EntryWord.HELD)

    def result(self) -> EscalationTurn:
        """What was decided."""
        return EscalationTurn(
            state=self.state,
            pages=tuple(self._pages.values()),
            cancelled=tuple(self._cancelled.items()),
            held=tuple(self._holds()),
            entries=tuple(self._entries),
            wake_at=self._wake_at,
        )

    def change(self, **changes: Any) -> None:
        """Change fields of the state."""
        self.state = replace(self.state, **changes)

    def log(self, what: EntryWord, **more: Any) -> None:
        """Add a line to the log."""
        self._entries.append(EscalationEntry(at=self.now, what=what, round=self.state.round, **more))

    def wake(self, at: datetime) -> None:
        """Look again then."""
        self._wake_at = at

    def begin_round(self, because: str, **more: Any) -> None:
        """Owe the steps anew, instead of what was not sent yet."""
        self.cancel_alarms(because)
        self.owe_anew(because, **more)

    def owe_anew(self, because: str, **more: Any) -> None:
        """Owe the steps anew, beside what was not sent yet."""
        fresh = {"next_step": 0, "base": None, "hurried": False, "paused": None}
        self.change(round=self.state.round + 1, because=because, **fresh, **more)

    def pause(self, word: EntryWord) -> None:
        """Nobody is told while `word` holds; what was not sent yet is cancelled."""
        if self.state.paused is not word:
            self.log(word)
        self.cancel_alarms(word)
        self.change(paused=word)

    def waits(self) -> bool:
        """Whether nobody may be told yet; then the time to look again is noted."""
        silenced, held = self.facts.silenced_until, self.facts.held_until
        until = self._latest(silenced, held)
        if until is None:
            return False
        word = EntryWord.SILENCED if until == silenced else EntryWord.HELD
        if self.state.paused is not word:
            self.log(word, until=until)
        self.change(paused=word)
        self.wake(until)
        return True

    def alarms(self) -> Iterator[KnownPage]:
        """The pages since the incident opened that say that something is wrong."""
        return (page for page in self.facts.pages if page.phase in ALARMS and page.round >= self.state.since)

    def told(self) -> list[str]:
        """The recipients who were told since the incident opened, or may have been."""
        return list(dict.fromkeys(page.recipient for page in self.alarms() if page.told))

    def cancel_alarms(self, why: str, keep: Collection[int] = ()) -> None:
        """Cancel the pages that nobody can have got yet; `keep`: ids."""
        for page in self.facts.pages:
            if page.phase in ALARMS and page.status == "owed" and not page.may_be_taken and page.id not in keep:
                self._cancelled[page.id] = why

    def tells(self, recipient: str) -> bool:
        """Whether a page to a recipient was decided."""
        return any(page.recipient == recipient for page in self._pages.values())

    def page_step(self, step: int, phase: PagePhase, number: int) -> list[NewPage] | None:
        """The pages of a step of the plan to all people on duty now; `number`: the step number of these pages. None:
        the people of the step get their pages from a larger part of the incident."""
        outcome, most = self._people(step), self.plan.steps[step].rule.most
        if outcome.why == EntryWord.TOLD_ABOVE:
            self.log(EntryWord.TOLD_ABOVE, step=step)
            return None
        recipients = tuple({found.contact: found for found in outcome.recipients}.values())[:most]
        self.log(
            EntryWord.STEP_DUE if recipients else EntryWord.NOBODY,
            step=step,
            contacts=tuple(found.contact for found in recipients),
            why=outcome.why,
            passed_over=outcome.passed_over,
        )
        return [self.page(found.contact, phase, number, self._why(found)) for found in recipients]

    def page(
        self,
        recipient: str,
        phase: PagePhase,
        step: int,
        why: PageCause | None = None,
        not_before: datetime | None = None,
    ) -> NewPage:
        """A page, which is made unless there is one already."""
        page = NewPage(
            recipient=recipient,
            phase=phase,
            step=step,
            round=self.state.round,
            severity=self.facts.severity,
            not_before=self._latest(not_before, self._not_before(recipient, phase)) or self._held_until_now(),
            why=why or PageCause(because=self.state.because),
        )
        if not self._exists(page):
            self._pages.setdefault(page.key, page)
        return page

    def _why(self, found: Recipient) -> PageCause:
        return PageCause(
            because=self.state.because,
            role=found.role,
            area=found.area,
            duty=found.duty,
            instead_of=found.instead_of,
        )

    def _exists(self, page: NewPage) -> bool:
        """Whether the page was made in this round; of an end, since the incident opened."""
        first = self.state.round if page.phase in ALARMS else self.state.since
        same = (
            p for p in self.facts.pages if (p.recipient, p.phase, p.step) == (page.recipient, page.phase, page.step)
        )
        return any(found.round >= first for found in same)

    def _holds(self) -> Iterable[tuple[int, datetime | None]]:
        """The pages that wait until another time than is right now."""
        for page in self.facts.pages:
            if page.status == "owed" and page.id not in self._cancelled:
                wanted = self._not_before(page.recipient, page.phase)
                if wanted != self._latest(page.not_before):
                    yield page.id, wanted

    def _not_before(self, recipient: str, phase: PagePhase) -> datetime | None:
        """Until when a page waits: for quiet hours, unless it is critical; for a silence, unless it tells the end to
        those who were told."""
        quiet = None if self.facts.severity == "critical" else self._quiet(recipient)
        silenced = self.facts.silenced_until if phase in ALARMS or phase is PagePhase.PASSED else None
        return self._latest(quiet, silenced)

    def _held_until_now(self) -> datetime | None:
        """Pages of incidents that were held are marked, so that they are sent as one digest."""
        return self.now if self._was_held else None

    def _latest(self, *times: datetime | None) -> datetime | None:
        return max((at for at in times if at is not None and at > self.now), default=None)
