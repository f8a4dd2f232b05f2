"""When a station is an incident by itself: offline, not back from being away, never seen, or of no use. Pure.

A function of how the station stands; `alerting.station_incidents.timers` asks it again whenever that changes or time
has passed.
What is wrong outside opening hours or in a closure is nobody's business until the station should be open again; what
was opened stays open until the fault is over, whatever the hours.

| the station is | it is an incident | which began |
|---|---|---|
| offline, and fell while it was open | at once | when the first missed heartbeat was due |
| offline, and was so when it opened | `opening_grace` after the opening | with the opening |
| offline, because it did not come back from being away | the same two, as `overdue_return` | the same |
| away since before the opening | `opening_grace` after the opening, as `overdue_return` | with the opening |
| never seen | `never_seen_grace` after it came into service; listed, and nobody is paged | when it came into service |

| online, and nobody can use it | `unusable_grace` after that or after the opening, as `unusable` | then |

The last stands beside the others: a station has one incident of being down, and one of being unusable, which goes on
while the station is not heard, for nobody mended it. It is over when the station is online and says so no more.

The end of a closure is an opening. After a gap of ours a station that was not heard has `opening_grace` to be heard
before time alone makes it an incident, and one that is unusable one heartbeat to say so again.
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
"""Seconds that a station may take after a gap to be connected again."""


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that a station may take to work after it opened, and to be heard at all after it was commissioned; and
    that it may be of no use while it is open. `causes` says how long a cause waits for its stations."""

    opening_grace: float = 900.0
    never_seen_grace: float = 86_400.0
    unusable_grace: float = 300.0
    causes: CauseSettings = CauseSettings()


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that is or will be an incident: from `due` on (None: now), begun at `began_at`.

    `fault_at`: since when the station itself stands so.
    """

    kind: str
    began_at: datetime
    fault_at: datetime
    reason: str
    due: datetime | None = None


class Opens(msgspec.Struct, frozen=True, kw_only=True):
    """A station is to have an incident, as of `at`."""

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
    """An incident of a station is over as of `at`: since `ended_at`, or (None) as a person said right now."""

    station: str
    kind: str
    reason: str
    at: datetime
    ended_at: datetime | None = None


Intent = Opens | Closes


class StationNews(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass found out about stations: how each that changed stood and stands, and which of their incidents opened
    and closed, in the order of time."""

    changes: Pairs = ()
    intents: Sequence[Intent] = ()

    def intents_of(self, kinds: Container[str]) -> list[Intent]:
        """The openings and ends of incidents of some kinds."""
        return [intent for intent in self.intents if intent.kind in kinds]


def station_rule_key(kind: str, station: str) -> str:
    """The key of a station's incident of a kind."""
    return f"{kind}:{station}"


def _is_expected(standing: Standing) -> bool:
    """Whether a fault of the station is an incident now."""
    return standing.in_service and standing.open and not standing.silenced


def wanted(standing: Standing, about: About, settings: RuleSettings) -> Want | None:
    """The fault of a station that should be open and is not heard; None: there is none, or it is no incident now."""
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
    """The fault of a station that is online and should be open, and that visitors cannot use; None: there is none."""
    since = standing.unusable_since
    if since is None or not _is_expected(standing):
        return None
    begin = since if about.opened_at is None else max(since, about.opened_at)
    grace = timedelta(seconds=settings.unusable_grace)
    due = begin + grace
    if about.resumed_at is not None:
        due = max(due, about.resumed_at + min(grace, timedelta(seconds=about.every + REACHED)))
    return Want(kind=IncidentKind.UNUSABLE, began_at=begin, fault_at=since, reason="said_unusable", due=due)


def ending_unusable(_: str, standing: Standing | None, about: About | None) -> str | None:
    """Why the incident of a station that visitors could not use is over; None while it goes on."""
    if standing is None or about is None:
        return "deleted"
    if not standing.in_service:
        return standing.lifecycle
    if standing.state != "online" or standing.unusable:
        return None
    return "usable" if standing.usable else "not_said"


class StationRule(NamedTuple):
    """What may be wrong with a station, one of `kinds` at a time. `by_state`: it is over when the state changed."""

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
"""They look at every station independently of each other."""

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
    """The end of the grace that begins with the opening, and again with the end of a gap of ours: then it is as long as
    the station may take to be heard, when what it sent came to nothing in the gap."""
    grace = timedelta(seconds=settings.opening_grace)
    if about.resumed_at is None:
        return opened_at + grace
    heard = timedelta(seconds=2 * about.every + REACHED)
    return max(opened_at + grace, about.resumed_at + max(grace, heard))
