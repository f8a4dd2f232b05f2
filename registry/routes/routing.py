"""Everything that decides who is told, as one value, and the subject that it is asked about. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

from contract.home import HOME_ZONE
from registry.contacts.model import Contact
from registry.duty.model import Duty, Substitute
from registry.hours.day_classes import DayClass
from registry.routes.model import Route, RouteStep

VerdictWord = Literal[
    "chosen", "shorter_area", "other_area", "other_kind", "other_severity", "other_programme", "other_station_kind",
    "less_narrow", "later_id",
]  # fmt: skip
NobodyWord = Literal[
    "no_route", "nobody_has_role", "nobody_on_duty", "no_channel", "no_such_level", "outside_scope", "never_open",
    "only_rooms",
]  # fmt: skip
"""Why nobody is told, in a step or of an incident."""


class RouteSubject(msgspec.Struct, frozen=True, kw_only=True):
    """The incident that is routed, real or imagined. `path`: codes of its area and all areas above it, the root first;
    `levels`: the level of each of them where it is known. A wider incident has no station."""

    kind: str
    severity: str
    station: str | None = None
    path: tuple[str, ...] = ()
    levels: Mapping[str, str] = {}
    station_kind: str | None = None
    programmes: frozenset[str] = frozenset()


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """Contacts, duties, substitutes and routes at one moment. `days`: classes of days that the registry overrides.
    `unreadable`: routes that cannot be read, by id, with the reason. `scope`: only the contacts and duties of these
    areas and below are known; None: all are."""

    contacts: Mapping[str, Contact] = {}
    duties: tuple[Duty, ...] = ()
    substitutes: tuple[Substitute, ...] = ()
    routes: tuple[Route, ...] = ()
    unreadable: Mapping[str, str] = {}
    days: Mapping[date, DayClass] = {}
    timezone: str = HOME_ZONE
    scope: frozenset[str] | None = None


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that a step notifies. `duty`: the duty that names the contact; None: the contact's own role and area.
    `instead_of`: the contact whose substitute this is. `area`: the area in which the role was found; None: the
    whole."""

    contact: str
    role: str
    area: str | None = None
    duty: int | None = None
    instead_of: str | None = None


class StepOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The contacts that a step notifies at a moment. Without recipients, `why` says in one word: `nobody_on_duty`,
    `no_such_level`, `no_channel`; the next step is then due at once. `outside_scope`: the scope does not show the
    recipients; `told_above`: the step has people only outside of the given areas, and a larger part of the incident
    notifies them. `passed_over`: contacts that are not notified, each with one word: `no_channel`, `over_most`, and the
    words of `registry.duty.model.PassedOver`. `area`: where the recipients were found, else where the search began.
    `at`: when the step is due; None (`never_open`): not within the time in which the station is known to open."""

    step: int
    rule: RouteStep
    area: str | None = None
    recipients: tuple[Recipient, ...] = ()
    why: str | None = None
    passed_over: tuple[tuple[str, str], ...] = ()
    at: datetime | None = None


class RouteVerdict(msgspec.Struct, frozen=True):
    """Whether a route applies to a subject, in one word."""

    route: str
    why: VerdictWord


class RouteChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The route of a subject (None: no route covers it), and the verdict on each route."""

    route: Route | None
    verdicts: tuple[RouteVerdict, ...]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Who would be told of a subject that begins at `at`, in each step."""

    at: datetime
    choice: RouteChoice
    steps: tuple[StepOutcome, ...] = ()
