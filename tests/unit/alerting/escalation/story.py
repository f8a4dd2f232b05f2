"""Stories of an incident as timetables: what happens when, and who is told what.

    steps technician; lead after 30m; head after 2h open      the route
    duty technician=an,bo lead=li head=                       who is on duty
    0m    open                                                something happens
    10m   ack by an, eta 60m

A page is taken at once if nothing holds it and its recipient is not `down`. The answer has a line for each page, each
cancelled page and each line of the log but `step_due`.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from alerting.escalation.advance import advance, begin
from alerting.escalation.model import (
    EntryWord,
    EscalationFacts,
    EscalationPlan,
    EscalationState,
    EscalationTurn,
    KnownPage,
    PlannedStep,
)
from registry.routes.model import RouteStep, StepClock
from registry.routes.routing import Recipient, RouteSubject, StepOutcome

START = datetime(2026, 11, 23, 0, tzinfo=UTC)
SUBJECT = RouteSubject(kind="station_offline", severity="warning", station="6321220001", path=("63", "6321", "632122"))
_UNITS = {"m": 60.0, "h": 3600.0, "s": 1.0}


def span(text: str) -> timedelta:
    return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)([hms])", text)))


def moment(text: str) -> datetime:
    return START + span(text)


def steps_of(text: str) -> tuple[PlannedStep, ...]:
    """The steps of `technician; lead after 30m open; head after 2h most 1`."""
    return tuple(PlannedStep(_rule(part.split())) for part in text.split(";"))


def _rule(words: list[str]) -> RouteStep:
    after = span(words[words.index("after") + 1]).total_seconds() if "after" in words else 0.0
    most = int(words[words.index("most") + 1]) if "most" in words else 20
    return RouteStep(role=words[0], after=after, most=most, clock=StepClock.OPEN if "open" in words else StepClock.WALL)


class Story:
    """An incident and its escalation in a simulated world."""

    def __init__(self, steps: str = "technician", *, tell_past: bool = True, route: str | None = "county") -> None:
        self.plan = EscalationPlan(
            subject=SUBJECT,
            chosen_at=START,
            route=route,
            steps=steps_of(steps) if route else (),
            tell_past=tell_past,
        )
        self.state: EscalationState | None = None
        self.facts = EscalationFacts(status="open", severity="warning")
        self.pages: list[KnownPage] = []
        self.now = START
        self.wake_at: datetime | None = None
        self.duty: dict[str, list[str]] = {}
        self.quiet: dict[str, datetime] = {}
        self.down: set[str] = set()
        self.lines: list[str] = []

    def play(self, text: str) -> list[str]:
        """The lines of the answer."""
        for line in filter(None, (line.strip() for line in text.splitlines())):
            first, _, rest = line.partition(" ")
            if first == "steps":
                self.plan = replace(self.plan, steps=steps_of(rest))
            elif first == "duty":
                self.on_duty(rest)
            else:
                self.until(moment(first))
                self.do(*rest.split(maxsplit=1))
        return self.lines

    def on_duty(self, text: str) -> None:
        for role, _, people in (word.partition("=") for word in text.split()):
            self.duty[role] = [person for person in people.split(",") if person]

    def until(self, end: datetime) -> None:
        """Let the time pass until `end`; take every turn that is due."""
        while self.wake_at is not None and self.wake_at <= end:
            self.now = max(self.wake_at, self.now)
            self.turn()
        self.now = end

    def do(self, deed: str, rest: str = "") -> None:
        words = dict(part.strip().split(" ", 1) for part in rest.split(",") if " " in part.strip())
        deeds: dict[str, Callable[[], None]] = {
            "open": lambda: None,
            "wait": lambda: None,
            "ack": lambda: self._now_is(
                status="acknowledged",
                acknowledged_at=self.now,
                owner=words.get("by"),
                eta_at=moment(words["eta"]) if "eta" in words else None,
            ),
            "close": lambda: self._now_is(status="closed", goes_on=False),
            "resolve": lambda: self._now_is(status="closed", by_person=True),
            "excuse": lambda: self._now_is(status="closed"),
            "reopen": self._reopen,
            "joins": lambda: self._now_is(alone=False),
            "leaves": lambda: self._now_is(alone=True),
            "silence": lambda: self._now_is(silenced_until=moment(rest)),
            "unsilence": lambda: self._now_is(silenced_until=None),
            "hold": lambda: self._now_is(held_until=moment(rest)),
            "severity": lambda: self._now_is(severity=rest),
            "route": lambda: setattr(self, "plan", replace(self.plan, route=rest)),
            "duty": lambda: self.on_duty(rest),
            "quiet": lambda: self.quiet.update({words_of(rest)[0]: moment(words_of(rest)[1])}),
            "openings": lambda: self._open(rest),
            "down": lambda: self.down.update(words_of(rest)),
            "up": lambda: self.down.difference_update(words_of(rest)),
            "sending": lambda: self._settle(words_of(rest), status="sending", may_be_taken=True),
            "throttled": lambda: self._settle(words_of(rest), status="sending"),
            "unreached": lambda: self._settle(words_of(rest), status="sending", reason="unreached"),
            "fails": lambda: self._settle(words_of(rest), status="failed", reason="no_channel"),
            "late": lambda: self._settle(words_of(rest), status="cancelled", reason="over"),
        }
        deeds[deed]()
        self.turn()

    def _now_is(self, **changes: Any) -> None:
        self.facts = replace(self.facts, **changes)

    def _reopen(self) -> None:
        fresh: dict[str, Any] = {"acknowledged_at": None, "eta_at": None, "owner": None, "by_person": False}
        self._now_is(status="open", goes_on=True, opening=self.facts.opening + 1, **fresh)

    def _open(self, text: str) -> None:
        spans = [part.split("-") for part in text.split()]
        self._now_is(openings=tuple((moment(a), moment(b)) for a, b in spans))

    def _settle(self, people: list[str], **changes: Any) -> None:
        self.pages = [
            replace(page, **changes) if page.recipient in people and page.status == "owed" else page
            for page in self.pages
        ]

    def turn(self) -> EscalationTurn:
        """One call of `advance`, and everything that comes of it."""
        self.deliver()
        facts = replace(self.facts, pages=tuple(self.pages))
        state = begin(self.plan, facts) if self.state is None else self.state
        turn = advance(self.plan, state, facts, self.now, self.people, self.quiet_until)
        self.apply(turn)
        self.deliver()
        return turn

    def apply(self, turn: EscalationTurn) -> None:
        """Store a turn, by way of JSON as the database does."""
        self.state = msgspec.json.decode(msgspec.json.encode(turn.state), type=EscalationState)
        self.wake_at = turn.wake_at
        for entry in turn.entries:
            if entry.what is not EntryWord.STEP_DUE:
                step = "" if entry.step is None else f" {entry.step}"
                self.say(f"· {entry.what}{step}{'' if entry.why is None else ' ' + entry.why}")
        self._cancel(dict(turn.cancelled))
        holds = dict(turn.held)
        self.pages = [replace(p, not_before=holds[p.id]) if p.id in holds else p for p in self.pages]
        keys = {(p.recipient, p.phase, p.step, p.round) for p in self.pages}
        for new in turn.pages:
            assert new.key not in keys, f"{new.key} was made before"
            self._make(new.recipient, new.phase, new.step, new.round, new.not_before)

    def _make(self, recipient: str, phase: Any, step: int, round_: int, not_before: datetime | None) -> None:
        page = KnownPage(
            id=len(self.pages),
            recipient=recipient,
            phase=phase,
            step=step,
            round=round_,
            status="owed",
            not_before=not_before,
            room=recipient.startswith("room"),
        )
        self.pages.append(page)
        waits = not_before is not None and not_before > self.now
        self.say(f"{recipient} {phase}" + (f" at {self.clock(not_before)}" if waits and not_before else ""))

    def _cancel(self, why: dict[int, str]) -> None:
        for number, reason in why.items():
            page = self.pages[number]
            self.pages[number] = replace(page, status="cancelled", reason=reason)
            self.say(f"{page.recipient} {page.phase} cancelled: {reason}")

    def deliver(self) -> None:
        """Every page that nothing holds is taken."""
        self.pages = [
            replace(page, status="paid")
            if page.status == "owed" and page.recipient not in self.down and (page.not_before or self.now) <= self.now
            else page
            for page in self.pages
        ]

    def people(self, step: int) -> StepOutcome:
        rule = self.plan.steps[step].rule
        found = tuple(Recipient(contact=person, role=rule.role) for person in self.duty.get(rule.role, ()))
        return StepOutcome(step=step, rule=rule, recipients=found, why=None if found else "nobody_on_duty")

    def quiet_until(self, contact: str) -> datetime | None:
        until = self.quiet.get(contact)
        return until if until is not None and until > self.now else None

    def say(self, what: str) -> None:
        self.lines.append(f"{self.clock(self.now)} {what}")

    def clock(self, at: datetime) -> str:
        minutes = (at - START) / timedelta(minutes=1)
        return f"{minutes:g}m"


def words_of(text: str) -> list[str]:
    return text.split()
