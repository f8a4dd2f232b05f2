"""The rules for incidents of one station: offline, not back after being away, never seen, or unusable. Pure.

Each rule is a function of the station's standing; `alerting.station_incidents.timers` evaluates it again at each change
of the standing and at the end of each grace.
A fault outside opening hours or in a closure opens no incident before the station should be open again. An open
incident stays open until the fault is over, whatever the opening hours.

| the station is | the incident opens | the incident began |
|---|---|---|
| offline, and fell while it was open | at once | when the first missed heartbeat was due |
| offline, already at its opening | `opening_grace` after the opening | at the opening |
| offline, not back from being away | as in the two rows above, as `overdue_return` | the same |
| away since before the opening | `opening_grace` after the opening, as `overdue_return` | at the opening |
| never seen | `never_seen_grace` after commissioning; listed, no page | at its commissioning |
| online, and visitors cannot use it | `unusable_grace` after the later of that and the opening, as `unusable` | then |

The last row is independent of the others: a station may have one incident of being down and one of being unusable. The
unusable incident opens after three heartbeats that reported it at the earliest, one of them in the opening. It goes on
while the station is not heard, because silence is no repair. It is over when the station is online and does not report
`unusable` any more.

The end of a closure is an opening. After a gap, a station that was not heard has at least `opening_grace` to be heard
before the end of a grace opens an incident; an unusable station has one heartbeat to report its state again.
"""

from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.model import AWAY_OVERDUE, About
from alerting.stations.snapshot import UNPROVEN, Pairs, Standing
from contract.kinds import IncidentKind

REACHED: Final = 10.0
"""Seconds that a station may need to reconnect after a gap."""
_REPORTS: Final = 3
"""Heartbeats that report a station as unusable before it becomes an incident: one heartbeat may be a passing state."""


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Graces in seconds. `opening_grace`: after an opening, until the station must work; `never_seen_grace`: after the
    commissioning, until its first heartbeat must come; `unusable_grace`: how long an open station may be unusable.
    `causes`: the settings of common causes."""

    opening_grace: float = 900.0
    never_seen_grace: float = 86_400.0
    unusable_grace: float = 300.0
    causes: CauseSettings = CauseSettings()


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A fault for which an incident opens at `due` (None: now).

    `began_at`: the beginning of the incident; `fault_at`: the beginning of the fault, which may be earlier.
    """

    kind: str
    began_at: datetime
    fault_at: datetime
    reason: str
    due: datetime | None = None


class Opens(msgspec.Struct, frozen=True, kw_only=True):
    """Intent: open an incident of a station, as of `at`."""

    station: str
    area: str | None
    want: Want
    at: datetime
    seen_at: datetime | None = None

    @property
    def kind(self) -> str:
        """The kind of the incident."""
        return self.want.kind


class Closes(msgspec.Struct, frozen=True, kw_only=True):
    """Intent: close an incident of a station, as of `at`.

    `ended_at`: when the fault was over; None: now, because the station left service or was deleted.
    """

    station: str
    kind: str
    reason: str
    at: datetime
    ended_at: datetime | None = None


Intent = Opens | Closes


class StationNews(msgspec.Struct, frozen=True, kw_only=True):
    """The news of a pass about stations: (before, after) standings of the stations that changed, and the intents to
    open and close incidents, in the order of time."""

    changes: Pairs = ()
    intents: Sequence[Intent] = ()

    def intents_of(self, kinds: Container[str]) -> list[Intent]:
        """The intents about incidents of some kinds."""
        return [intent for intent in self.intents if intent.kind in kinds]


def station_rule_key(kind: str, station: str) -> str:
    """The key of a station's incident of a kind."""
    return f"{kind}:{station}"


def _is_expected(standing: Standing) -> bool:
    """Whether a fault of the station may open an incident now."""
    return standing.in_service and standing.open and not standing.silenced


def wanted(standing: Standing, about: About, settings: RuleSettings) -> Want | None:
    """The fault of a station that should be open and is not heard; None: no fault, or no incident for it now."""
    if not _is_expected(standing):
        return None
    if standing.state == "never_seen":
        return _never_seen(standing, about, settings)
    if standing.since is None:
        return None
    if standing.state == "offline":
        overdue = about.reason == AWAY_OVERDUE
        return _down(
            standing.since, about, settings, IncidentKind.OVERDUE_RETURN if overdue else IncidentKind.STATION_OFFLINE
        )
    if standing.state == "away" and _before_opening(standing.since, about):
        return _down(standing.since, about, settings, IncidentKind.OVERDUE_RETURN)
    return None


def ending(kind: str, standing: Standing | None, about: About | None) -> str | None:
    """Why an open incident of a kind is over; None while it goes on."""
    if standing is None or about is None:
        return "deleted"
    if not standing.in_service:
        return standing.lifecycle
    if standing.state == UNPROVEN:
        return None
    if kind == IncidentKind.NEVER_SEEN:
        return None if standing.state == "never_seen" else standing.state
    if standing.state == "offline":
        return None
    if kind == IncidentKind.OVERDUE_RETURN and standing.state == "away" and standing.since is not None:
        return None if _before_opening(standing.since, about) else "away"
    return standing.state


def wanted_unusable(standing: Standing, about: About, settings: RuleSettings) -> Want | None:
    """The fault of a station that is online, should be open and is unusable; None: there is no such fault."""
    since = standing.unusable_since
    if since is None or not _is_expected(standing):
        return None
    begin = since if about.opened_at is None else max(since, about.opened_at)
    grace = timedelta(seconds=settings.unusable_grace)
    due = max([begin + grace, *_reported(since, begin, about)])
    if about.resumed_at is not None:
        due = max(due, about.resumed_at + min(grace, timedelta(seconds=about.every + REACHED)))
    return Want(kind=IncidentKind.UNUSABLE, began_at=begin, fault_at=since, reason="said_unusable", due=due)


def _reported(since: datetime, begin: datetime, about: About) -> Sequence[datetime]:
    """When `_REPORTS` heartbeats have reported it, and when one has since the opening, with which a service may start;
    nothing where the interval is not known."""
    if about.promised is None:
        return ()
    every, reach = timedelta(seconds=about.promised), timedelta(seconds=REACHED)
    return since + (_REPORTS - 1) * every + reach, begin + every + reach


def ending_unusable(_: str, standing: Standing | None, about: About | None) -> str | None:
    """Why the incident of an unusable station is over; None while it goes on."""
    if standing is None or about is None:
        return "deleted"
    if not standing.in_service:
        return standing.lifecycle
    if standing.state != "online" or standing.unusable:
        return None
    return "usable" if standing.usable else "not_said"


class StationRule(NamedTuple):
    """One rule: at most one incident of its `kinds` at a time. `by_state`: the incident ends with the change of the
    station's state, so its end is the time of that change."""

    kinds: tuple[str, ...]
    wanted: Callable[[Standing, About, RuleSettings], Want | None]
    ending: Callable[[str, Standing | None, About | None], str | None]
    by_state: bool


RULES: Final = (
    StationRule(
        (IncidentKind.STATION_OFFLINE, IncidentKind.OVERDUE_RETURN, IncidentKind.NEVER_SEEN),
        wanted,
        ending,
        by_state=True,
    ),
    StationRule((IncidentKind.UNUSABLE,), wanted_unusable, ending_unusable, by_state=False),
)
"""The rules; each judges every station independently of the other rules."""

RULE_KINDS: Final = tuple(kind for rule in RULES for kind in rule.kinds)
"""The kinds of incidents that these rules open and close."""


def _before_opening(since: datetime, about: About) -> bool:
    return about.opened_at is not None and since < about.opened_at


def _down(since: datetime, about: About, settings: RuleSettings, kind: str) -> Want:
    reason = about.reason or "unknown"
    if about.opened_at is None or since >= about.opened_at:
        return Want(kind=kind, began_at=since, fault_at=since, reason=reason)
    due = _patient(about.opened_at, about, settings)
    return Want(kind=kind, began_at=about.opened_at, fault_at=since, reason="not_open", due=due)


def _never_seen(standing: Standing, about: About, settings: RuleSettings) -> Want | None:
    begin = standing.commissioned_at
    if begin is None:
        return None
    due = begin + timedelta(seconds=settings.never_seen_grace)
    if about.opened_at is not None or about.resumed_at is not None:
        due = max(due, _patient(about.opened_at or begin, about, settings))
    return Want(kind=IncidentKind.NEVER_SEEN, began_at=begin, fault_at=begin, reason="never_seen", due=due)


def _patient(opened_at: datetime, about: About, settings: RuleSettings) -> datetime:
    """The end of the grace after the opening; after a gap, the grace begins again at the end of the gap.

    Then the grace is at least two heartbeats and `REACHED`, because messages that the station sent in the gap are lost.
    """
    grace = timedelta(seconds=settings.opening_grace)
    if about.resumed_at is None:
        return opened_at + grace
    heard = timedelta(seconds=2 * about.every + REACHED)
    return max(opened_at + grace, about.resumed_at + max(grace, heard))
