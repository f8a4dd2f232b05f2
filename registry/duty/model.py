"""Duties and substitutes as values. Pure."""

from datetime import date, datetime

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
