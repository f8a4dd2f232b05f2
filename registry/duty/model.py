"""Duties and substitutes as values. Pure."""

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A contact is on duty for a role in an area (None: the whole) at times, which are opening rules.

    A rotation: on duty in week `week` (from 1) of each `weeks`, counted from the week of `valid_from`; weeks begin on
    Monday and count days off too. `valid_from` and `valid_to` are inclusive.
    """

    role: str
    contact: str
    area: str | None = None
    times: str = "24x7"
    weeks: int = 1
    week: int = 1
    valid_from: date | None = None
    valid_to: date | None = None
    id: int | None = None


class Substitute(msgspec.Struct, frozen=True, kw_only=True):
    """`substitute` stands in for `contact` in all its duties from `from_at` until before `until_at`."""

    contact: str
    substitute: str
    from_at: datetime
    until_at: datetime
    reason: str | None = None
    id: int | None = None


class NamedContact(msgspec.Struct, frozen=True):
    """A contact as duties name it."""

    id: str
    name: str
    retired: bool = False


class PassedOver(StrEnum):
    """Why a contact that was looked at is not on duty."""

    #: Outside its times or its dates, or others have duties for this role and area.
    NOT_ON_DUTY = "not_on_duty"
    #: Within its times, but in a week of another contact.
    OUTSIDE_ROTATION = "outside_rotation"
    #: A substitute stands in.
    ABSENT = "absent"
    RETIRED = "retired"
    #: The contact is not in the registry, or not in the scope of whoever asks.
    UNKNOWN_CONTACT = "unknown_contact"
    #: The times of the duty cannot be read.
    UNREADABLE_TIMES = "unreadable_times"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on duty. `duty`: the duty by which; None: by the contact's own role and area. `instead_of`: the absent
    contact whose substitute this is."""

    contact: str
    duty: int | None = None
    instead_of: str | None = None


class DutyOutcome(msgspec.Struct, frozen=True):
    """Who is on duty for a role in an area at a moment, and which contacts were looked at and are not, each with one
    word (`PassedOver`). No contact is in both."""

    found: tuple[Holder, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()
