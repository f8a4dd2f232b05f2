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

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from alerting.incidents.book import Book, Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.model import AWAY_OVERDUE, About
from alerting.stations.snapshot import UNPROVEN, Standing
from alerting.stations.table import Field
from contract.kinds import IncidentKind

REACHED: Final = 10.0
"""Seconds that a station may take after a gap to be connected again."""
NOT_OPEN: Final = "not_open"
"""Why an end is ignored: there is no incident that goes on."""


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
        return self.want.kind


class Closes(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of a station is over as of `at`: since `ended_at`, or (None) as a person said right now."""

    station: str
    kind: str
    reason: str
    at: datetime
    ended_at: datetime | None = None


Intent = Opens | Closes


def station_rule_key(kind: str, station: str) -> str:
    return f"{kind}:{station}"


def _is_expected(standing: Standing) -> bool:
    """Whether anybody is to know now what is wrong with it."""
    return standing.in_service and standing.open and not standing.silenced


def wanted(standing: Standing, about: About, settings: RuleSettings) -> Want | None:
    """Why a station that should be open is not there; None: it is, or nobody is to know now."""
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
    """What is wrong with a station that is there and should be open, and that nobody can use; None: nothing."""
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
    """Why the incident of a station that nobody could use is over; None while it goes on."""
    if standing is None or about is None:
        return "deleted"
    if not standing.in_service:
        return standing.lifecycle
    if standing.state != "online" or standing.unusable:
        return None
    return "usable" if standing.usable else "not_said"


class Rule(NamedTuple):
    """What may be wrong with a station, one of `kinds` at a time. `by_state`: it is over when the state changed."""

    kinds: tuple[str, ...]
    wanted: Callable[[Standing, About, RuleSettings], Want | None]
    ending: Callable[[str, Standing | None, About | None], str | None]
    by_state: bool


RULES: Final = (
    Rule(
        (IncidentKind.STATION_OFFLINE, IncidentKind.OVERDUE_RETURN, IncidentKind.NEVER_SEEN),
        wanted,
        ending,
        by_state=True,
    ),
    Rule((IncidentKind.UNUSABLE,), wanted_unusable, ending_unusable, by_state=False),
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


def decide(book: Book, intents: list[Intent], now: datetime) -> None:
    """Take what the rules want into the book, in its order. It holds the newest incident of each key."""
    for intent in intents:
        if isinstance(intent, Opens):
            _open(book, intent, now)
        else:
            _close(book, intent, now)


def _open(book: Book, intent: Opens, now: datetime) -> None:
    key, want = station_rule_key(intent.kind, intent.station), intent.want
    if book.open_of(key) is not None:
        book.ignore(key, "already_open")
    else:
        book.open(
            Incident(
                id=0,
                kind=intent.kind,
                key=key,
                status="open",
                station=intent.station,
                area=intent.area,
                began_at=want.began_at,
                opened_at=now,
                detail=_detail(intent),
            ),
            want.reason,
            intent.at,
        )


def _detail(intent: Opens) -> dict[str, Any]:
    """Why, the last heartbeat, and since when the station stands so if that is not when the incident began.

    A station that never worked took no service from anybody, and they come by the hundred with an import: it is
    listed and pages nobody.
    """
    want = intent.want
    detail: dict[str, Any] = {"reason": want.reason, "seen_at": intent.seen_at}
    if intent.kind == IncidentKind.NEVER_SEEN:
        detail["quiet"] = True
    if want.fault_at != want.began_at:
        detail["unusable_since" if intent.kind == IncidentKind.UNUSABLE else "offline_since"] = want.fault_at
    return {name: value for name, value in detail.items() if value is not None}


def _close(book: Book, intent: Closes, now: datetime) -> None:
    key = station_rule_key(intent.kind, intent.station)
    standing = book.open_of(key)
    if standing is None:
        book.ignore(key, NOT_OPEN, intent.at)
    else:
        book.close(standing, ended_at=intent.ended_at or now, now=now, reason=intent.reason, as_of=intent.at)


def hold(book: Book, field: Field, at: datetime, settings: RuleSettings) -> None:
    """What concerns stations that need not be open at `at` is told when the first of them opens, or its closure ends.

    That something is wrong is told `opening_grace` later: by then it is over if they came back with their opening. A
    cause of slow stations is over later after that than one of others, and is told so much later.
    """
    for incident, phase in book.notifications():
        stations = _stations_of(book, incident)
        times = [until for station in stations if (until := field.schedule.opens_at(station, at)) is not None]
        if times and len(times) == len(stations):
            grace = _grace(stations, field, settings) if phase in ("opened", "reopened") else 0.0
            book.hold(incident, min(times) + timedelta(seconds=grace))


def _grace(stations: list[str], field: Field, settings: RuleSettings) -> float:
    """Seconds after an opening until what is wrong with these stations is told."""
    if len(stations) < settings.causes.least:
        return settings.opening_grace
    slowest = max(map(field.every_of, stations))
    return settings.opening_grace + settings.causes.patience(slowest) - settings.causes.hold


def _stations_of(book: Book, incident: int) -> list[str]:
    """The station of an incident; of a parent those of its children that are open and in the book."""
    found = book.get(incident)
    if found is not None and found.station is not None:
        return [found.station]
    known = (*book.opened, *book.changed)
    return [one.station for one in known if one.parent == incident and one.is_open and one.station is not None]
