"""The plan of an incident, how far it came, and what a turn of the escalation decides, as values. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from alerting.incidents.book import Status
from contract.kinds import Severity
from registry.routes.model import RouteStep
from registry.routes.routing import RouteSubject, RouteVerdict

OpeningSpan = tuple[datetime, datetime]
"""An opening of a station: [opens, closes)."""


class PagePhase(StrEnum):
    """What a page is about; the values are stored."""

    OPENED = "opened"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    PASSED = "passed"
    CLOSED = "closed"
    HELD = "held"
    NOT_HELD = "not_held"


ALARMS: Final = frozenset({PagePhase.OPENED, PagePhase.ESCALATED, PagePhase.REOPENED, PagePhase.REMINDER})
"""The phases that say that something is wrong; whoever was told one of them is told of the end."""


UNREACHED: Final = "unreached"
"""The reason of a page that is still tried, although every channel was tried in vain."""


class EntryWord(StrEnum):
    """What a line of the log of an escalation says; the values are stored."""

    NO_ROUTE = "no_route"
    STEP_DUE = "step_due"
    NOBODY = "nobody"
    TOLD_ABOVE = "told_above"
    UNDELIVERABLE = "undeliverable"
    END_OF_ROUTE = "end_of_route"
    ACKNOWLEDGED = "acknowledged"
    REMINDED = "reminded"
    OWNER_UNKNOWN = "owner_unknown"
    ETA_PASSED = "eta_passed"
    REOPENED = "reopened"
    SILENCED = "silenced"
    HELD = "held"
    SEVERITY_ROSE = "severity_rose"
    ROUTE_CHANGED = "route_changed"
    GREW = "grew"
    PART_OF_ANOTHER = "part_of_another"
    ON_ITS_OWN = "on_its_own"
    EXCUSED = "excused"
    RESOLVED = "resolved"
    OVER = "over"


class PlannedStep(msgspec.Struct, frozen=True):
    """A step of the chosen route. `area`: the area at the level of the rule; None: found when the step is due."""

    rule: RouteStep
    area: str | None = None


class EscalationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The route of an incident as it was when the incident was first routed; later edits of routes do not change it.

    Without `route`, no route covered the incident. `earlier`: the routes before its severity rose or it grew.
    `within`: for a share, the areas whose people are notified; larger parts of the incident with the same route notify
    the people of the areas above. None: no limit, the route alone decides. `grown_at`: when the incident grew to the
    area of this plan; an acknowledgement from before does not count for this area. `outgrown`: the incident had this
    plan until it grew, and now a part has the plan.
    """

    subject: RouteSubject
    chosen_at: datetime
    route: str | None = None
    steps: tuple[PlannedStep, ...] = ()
    tell_past: bool = True
    verdicts: tuple[RouteVerdict, ...] = ()
    earlier: tuple[str, ...] = ()
    within: tuple[str, ...] | None = None
    grown_at: datetime | None = None
    outgrown: bool = False

    def followed_by(self, chosen: "EscalationPlan") -> "EscalationPlan":
        """The plan for a graver severity, which has another route."""
        before = () if self.route in (None, chosen.route) else (self.route,)
        return replace(chosen, earlier=(*self.earlier, *before), grown_at=self.grown_at, outgrown=self.outgrown)

    def grown_to(self, chosen: "EscalationPlan") -> "EscalationPlan":
        """The plan for the larger area that the incident has now."""
        return replace(self.followed_by(chosen), grown_at=chosen.chosen_at, outgrown=False)


class EscalationState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the escalation of an incident came."""

    #: Of this round; the steps of each round are owed anew.
    round: int = 0
    #: The first round since the incident last opened: whoever was told from then on is told of the end.
    since: int = 0
    #: How often the incident had been reopened at the last decision; for a share, this includes `returned`.
    opening: int = 0
    #: How often the share was over and then down again while its incident went on.
    returned: int = 0
    next_step: int = 0
    #: From when the delays of the steps of this round count; None: nobody is owed anything yet.
    base: datetime | None = None
    #: Why this round began: `opened`, `reopened`, `eta_passed`, `route_changed`, `grew`, `on_its_own`.
    because: str = "opened"
    #: The next step is due at once, because the step before reached nobody.
    hurried: bool = False
    #: The acknowledgement that ended the round.
    acknowledged_at: datetime | None = None
    #: The acknowledgement whose ETA passed: it counts no longer.
    lapsed_at: datetime | None = None
    acknowledgements: int = 0
    #: The number of acknowledgements at the last reminder: one reminder for each.
    reminded: int = 0
    severity: Severity = "info"
    #: The route that the rounds up to now were made by.
    route: str | None = None
    #: The newest growth of the incident that is noted, as in the plan.
    grown_at: datetime | None = None
    #: What the steps wait for, as the log says it: `silenced`, `held`, `part_of_another`, `excused`.
    paused: EntryWord | None = None
    #: How it ended, as the log says it: `resolved` or `over`.
    ended: EntryWord | None = None
    #: The time at which a share recovered, while its end is not announced yet; None: no end waits.
    back_since: datetime | None = None
    #: Nobody had been told when it was over, and whether somebody is told of what is past was decided.
    past_told: bool = False


class KnownPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page that exists. `may_be_taken`: an attempt to send it was taken, or nobody knows. `room`: its recipient is a
    room, whose message tells no person."""

    id: int
    recipient: str
    phase: PagePhase
    step: int
    round: int
    status: str
    not_before: datetime | None = None
    reason: str | None = None
    may_be_taken: bool = False
    room: bool = False

    @property
    def told(self) -> bool:
        """Whether the recipient has the message, or may have it."""
        return self.status == "paid" or self.may_be_taken

    @property
    def lost(self) -> bool:
        """Whether no channel is left that was not tried in vain."""
        return self.status == "failed" or (self.status == "sending" and self.reason == UNREACHED)

    @property
    def overtaken(self) -> bool:
        """Whether it could not be sent before the end of the incident."""
        untold = self.status in ("owed", "sending") or (self.status == "cancelled" and self.reason == EntryWord.OVER)
        return untold and not self.may_be_taken

    def is_of(self, page: "NewPage") -> bool:
        """Whether it is the same as a new page, perhaps of another round."""
        return (self.recipient, self.phase, self.step) == (page.recipient, page.phase, page.step)


class EscalationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An incident and its pages as they are now.

    `opening`: how often the incident was reopened. `goes_on`: the fault is not over. `alone`: it has no parent and is
    not quiet. `by_person`: a person closed it, although the fault may go on. `owner`: the contact of its assignee, else
    of the person who acknowledged it. `reminds`: the owner is reminded of the ETA. `openings`: of its station from the
    beginning of the round; None: always open. `silenced_until`, `held_until`: no page about it is sent before.
    `was_held`: its notification was held until now. `settles_at`: when a share that is back is over, if nothing of it
    goes down again; None: at once.
    """

    status: Status
    severity: Severity
    opening: int = 0
    goes_on: bool = True
    alone: bool = True
    by_person: bool = False
    acknowledged_at: datetime | None = None
    eta_at: datetime | None = None
    owner: str | None = None
    reminds: bool = True
    openings: tuple[OpeningSpan, ...] | None = None
    silenced_until: datetime | None = None
    held_until: datetime | None = None
    was_held: bool = False
    settles_at: datetime | None = None
    pages: tuple[KnownPage, ...] = ()


class PageCause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why somebody gets a page. `because`: why the round began, or `owner`; the others as of a `Recipient`."""

    because: str
    role: str | None = None
    area: str | None = None
    duty: int | None = None
    instead_of: str | None = None


class NewPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page to make; one of the same recipient, phase, step and round is made once only."""

    recipient: str
    phase: PagePhase
    step: int
    round: int
    severity: Severity
    not_before: datetime | None = None
    why: PageCause

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What makes the page different from the others of its incident."""
        return self.recipient, self.phase, self.step, self.round


class EscalationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log. `why`: one word; `until`: an ETA or the end of a hold; `contacts`: who was chosen."""

    at: datetime
    what: EntryWord
    round: int
    step: int | None = None
    contacts: tuple[str, ...] = ()
    why: str | None = None
    until: datetime | None = None
    passed_over: tuple[tuple[str, str], ...] = ()


class EscalationTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided: the new state, the pages to make, those to cancel (id and reason) or to hold until another time
    (id and time, None: no longer), the lines of the log, and when to look again (None: when something happens)."""

    state: EscalationState
    pages: tuple[NewPage, ...] = ()
    cancelled: tuple[tuple[int, str], ...] = ()
    held: tuple[tuple[int, datetime | None], ...] = ()
    entries: tuple[EscalationEntry, ...] = ()
    wake_at: datetime | None = None
