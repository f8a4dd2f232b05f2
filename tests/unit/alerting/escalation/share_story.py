"""Stories of a wider incident and of its parts as timetables, as `story` has them of one incident.

A province 63 has the prefectures 6301, with the counties A and B, and 6302, with the county C.

    people 63:technician=pu A:technician=an,lead=al          who has which role in which area (*: the whole)
    0m    open 63, A 3, B 2                                   the incident of an area, and how much is down where
    10m   ack A, eta 60m                                      a share is acknowledged
    20m   down A 0                                            all of A is back
    30m   grow 63, C 1                                        the incident lies in a wider area now (none: in several
                                                              provinces)
    40m   cut 63, A 3                                         an incident that is over before the first pass

A page is taken at once. The answer has a line for each page, with the area whose part it is about ("" for the whole).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from alerting.escalation.advance import advance, begin
from alerting.escalation.decided import Decided
from alerting.escalation.gathering import facts_of, plan_now, subject_of
from alerting.escalation.model import EntryWord, EscalationPlan, EscalationState, KnownPage
from alerting.escalation.parts import decide_parts, outgrown_part
from alerting.escalation.routing_now import RoutingNow
from alerting.escalation.shares import facts_since
from alerting.silences.model import Silence
from alerting.silences.rules import Silences
from registry.contacts.model import Contact
from registry.routes.model import Route
from tests.unit.alerting.escalation.story import START, moment
from tests.unit.registry.routes.routes_kit import contact, route, routing

CODES: Mapping[str, str] = {"A": "630101", "B": "630102", "C": "630201"}
NAMES = {code: name for name, code in CODES.items()}
LEVELS = {"63": "province", "6301": "prefecture", "6302": "prefecture", **dict.fromkeys(CODES.values(), "county")}
PATHS = {code: tuple(up for up in LEVELS if code.startswith(up)) for code in LEVELS}
STEPS = "technician; lead after 30m; head@prefecture after 2h"


def people_of(text: str) -> list[Contact]:
    """The contacts of `A:technician=an,lead=al *:technician=everyone`."""
    found = []
    for word in text.split():
        place, _, roles = word.partition(":")
        area = None if place == "*" else CODES.get(place, place)
        for role, _, name in (part.partition("=") for part in roles.split(",")):
            found.append(contact(name, role, area, room=name.startswith("room")))
    return found


class ShareStory:
    """A wider incident with its parts in a simulated world."""

    def __init__(self, *routes: Route) -> None:
        self.routes = routes or (route(STEPS),)
        self.contacts: list[Contact] = []
        self.silences: list[Silence] = []
        self.now = START
        self.row: dict[str, Any] = {}
        self.down: dict[str, tuple[int, int]] = {}
        self.acks: dict[str, tuple[datetime, datetime | None, str | None]] = {}
        self.plans: dict[str, EscalationPlan] = {}
        self.states: dict[str, EscalationState] = {}
        self.wakes: dict[str, datetime | None] = {}
        self.pages: dict[str, list[KnownPage]] = {}
        self.log: list[tuple[str, Any]] = []
        self.lines: list[str] = []

    def play(self, text: str) -> list[str]:
        """The lines of the answer."""
        for line in filter(None, (line.strip() for line in text.splitlines())):
            first, _, rest = line.partition(" ")
            if first == "people":
                self.contacts = people_of(rest)
            else:
                self.until(moment(first))
                self.do(*rest.split(maxsplit=1))
        return self.lines

    def until(self, end: datetime) -> None:
        """Let the time pass until `end`; take every turn that is due."""
        while (due := min((at for at in self.wakes.values() if at is not None), default=None)) and due <= end:
            self.now = max(due, self.now)
            self.turn()
        self.now = end

    def do(self, deed: str, rest: str = "") -> None:
        first, *others = [part.strip() for part in rest.split(",")]
        if deed in ("open", "cut"):
            self._open(first, others, is_over=deed == "cut")
        elif deed == "grow":
            self.row["path"] = PATHS.get(CODES.get(first, first), ())
            self._count(others)
        elif deed == "down":
            self._count([first, *others])
        elif deed == "ack":
            eta = next((moment(word.removeprefix("eta ")) for word in others if word.startswith("eta ")), None)
            by = next((word.removeprefix("by ") for word in others if word.startswith("by ")), None)
            self._acknowledge(first, eta, by)
        elif deed in ("close", "shelve"):
            again = None if deed == "close" else self.now + timedelta(hours=4)
            detail = {} if deed == "close" else {"shelved_by": "person"}
            self.row.update(status="closed", reopen_at=again, detail={**self.row["detail"], **detail})
        elif deed == "reopen":
            self.row.update(status="open", reopen_at=None, acknowledged_at=None, eta_at=None)
            self.row["detail"] = {"reopened": self.row["detail"].get("reopened", 0) + 1}
            self.acks = {}
        elif deed == "people":
            self.contacts = people_of(rest.removeprefix("people "))
        elif deed == "silence":
            self._silence(first, moment(others[0]))
        if self.row:
            self.turn()

    def _open(self, area: str, shares: list[str], *, is_over: bool) -> None:
        code = CODES.get(area, area)
        self.row = {
            "id": 1, "kind": "area_outage", "status": "open", "station": None, "parent": None, "detail": {},
            "acknowledged_at": None, "acknowledged_by": None, "assignee": None, "eta_at": None, "reopen_at": None,
            "station_kind": None, "held_until": None, "was_held": False, "path": PATHS.get(code, ()), "levels": LEVELS,
            "programmes": (), "has_children": True,
        }  # fmt: skip
        self._count(shares)
        if is_over:
            self.row["status"] = "closed"
            self.down = {code: (ever, 0) for code, (ever, _) in self.down.items()}

    def _count(self, words: list[str]) -> None:
        for word in words:
            name, _, many = word.partition(" ")
            ever, before = self.down.get(CODES[name], (0, 0))
            self.down[CODES[name]] = max(ever, int(many)), int(many)
            if before == 0 and int(many) > 0:
                self.acks.pop(CODES[name], None)  # as the query change_shares

    def _acknowledge(self, name: str, eta: datetime | None, by: str | None) -> None:
        if name == "all":
            self.row.update(status="acknowledged", acknowledged_at=self.now, eta_at=eta, acknowledged_by=by)
        else:
            self.acks[CODES[name]] = self.now, eta, by

    def _silence(self, name: str, until: datetime) -> None:
        self.silences.append(
            Silence(
                id=len(self.silences) + 1, area=CODES.get(name, name), from_at=self.now, until_at=until, reason="r",
                made_by="x",
            )
        )  # fmt: skip

    def _part_rows(self) -> list[dict[str, Any]]:
        """As the query load_parts returns them."""
        rows = []
        for area in sorted(LEVELS, key=lambda code: (len(PATHS[code]), code)):
            shares = {code: counts for code, counts in self.down.items() if area in PATHS[code]}
            children, down = (sum(counts[n] for counts in shares.values()) for n in (0, 1))
            if area not in self.states and (not children or area in self.row["path"] or self._is_over()):
                continue
            taken = [self.acks[code] for code in shares if code in self.acks]
            done = all(code in self.acks or counts[1] == 0 for code, counts in shares.items())
            etas = [self.acks[c][1] for c, n in shares.items() if c in self.acks and n[1] and self.acks[c][1]]
            newest = max(taken, key=lambda ack: ack[0], default=(None, None, None))
            rows.append(
                {
                    "area": area, "path": PATHS[area], "levels": LEVELS, "children": children, "down": down,
                    "counted": area in shares, "acknowledged_at": newest[0] if done else None,
                    "acknowledged_by": newest[2], "assignee": None, "plan": self.plans.get(area),
                    "eta_at": min((eta for eta in etas if eta), default=None),
                    "state": self.states.get(area), "wake_at": self.wakes.get(area),
                }
            )  # fmt: skip
        return rows

    def _is_over(self) -> bool:
        return "" in self.states and self.states[""].ended is EntryWord.OVER

    def _move_grown(self) -> str | None:
        """As the query move_to_parts: the part that takes over the plan of the incident, if the incident grew."""
        area = outgrown_part({**self.row, "plan": self.plans.get("")}, self._part_rows())
        if area is not None:
            self.plans[area] = replace(self.plans[""], outgrown=True)
            self.states[area], self.pages[area] = self.states[""], self.pages.pop("")
            self.log = [(share or area, entry) for share, entry in self.log]
        return area

    def turn(self) -> None:
        """Decide about the whole and about its parts, and everything that comes of it."""
        silences = Silences(self.silences)
        routes = RoutingNow(routing(self.contacts, routes=self.routes), silences)
        self.row["now"] = self.now
        moved = self._move_grown()
        plan = plan_now(routes, subject_of(self.row), self.plans.get(""), self.now)
        pages = {(1, share): found for share, found in self.pages.items()}
        rows = [{**row, "moved": row["area"] == moved} for row in self._part_rows()]
        facts = facts_since(facts_of(self.row, self.pages.get("", ()), None, routes), plan.grown_at)
        state = self.states.get("") or begin(plan, facts)
        turn = advance(plan, state, facts, self.now, routes.step_people(plan, self.now), routes.quiet_until(self.now))
        whole = Decided(incident=1, now=self.now, plan=plan, turn=turn)
        for decided in (whole, *decide_parts(self.row, plan, rows, pages, routes)):
            self._apply(decided)

    def _apply(self, decided: Decided) -> None:
        share, turn = decided.share, decided.turn
        assert turn is not None and decided.plan is not None
        self.plans[share], self.states[share], self.wakes[share] = decided.plan, turn.state, turn.wake_at
        mine = self.pages.setdefault(share, [])
        for number, reason in turn.cancelled:
            self._change(mine, number, status="cancelled", reason=reason)
        for page in turn.pages:
            waits = page.not_before is not None and page.not_before > self.now
            mine.append(
                KnownPage(
                    id=1000 * len(self.pages) + len(mine), recipient=page.recipient, phase=page.phase, step=page.step,
                    round=page.round, status="owed" if waits else "paid", room=page.recipient.startswith("room"),
                )
            )  # fmt: skip
            minutes = (self.now - START) / timedelta(minutes=1)
            self.lines.append(f"{minutes:g}m {page.recipient} {page.phase} {NAMES.get(share, share)}".rstrip())
        self.log += [(share, entry) for entry in turn.entries]

    def _change(self, pages: list[KnownPage], number: int, **changes: Any) -> None:
        for place, page in enumerate(pages):
            if page.id == number:
                pages[place] = KnownPage(**{**{n: getattr(page, n) for n in page.__struct_fields__}, **changes})
