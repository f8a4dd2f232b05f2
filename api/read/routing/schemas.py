"""The documents of duty and substitutes."""

from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api.read.schemas import Document

WhyNot = Literal[
    "not_on_duty", "outside_rotation", "absent", "retired", "unknown_contact", "unreadable_times"
]  # fmt: skip


class DutyDocument(Document):
    """A contact is on duty for a role in an area (null: everywhere) at some times."""

    model_config = ConfigDict(title="Duty")

    id: int
    area: str | None
    role: str
    contact: str
    times: str = Field(description="opening rules")
    weeks: int = Field(description="of a rotation: in week `week` of each `weeks`, counted from that of `valid_from`")
    week: int
    valid_from: date | None
    valid_to: date | None = Field(description="inclusive")


class SubstituteDocument(Document):
    """A contact stands in for another one in all its duties."""

    model_config = ConfigDict(title="Substitute")

    id: int
    contact: str = Field(description="who is absent")
    substitute: str
    begin: datetime = Field(serialization_alias="from")
    until: datetime
    reason: str | None


class HolderDocument(Document):
    """Who is on duty. `duty`: by which; null: by the contact's own role and area."""

    model_config = ConfigDict(title="Holder")

    contact: str
    name: str
    duty: int | None
    instead_of: str | None = Field(description="the absent contact")


class PassedOverDocument(Document):
    """Who was looked at and is not on duty."""

    model_config = ConfigDict(title="PassedOver")

    contact: str
    why: WhyNot


class OnDutyDocument(Document):
    """Who is on duty for a role in an area (null: everywhere)."""

    model_config = ConfigDict(title="OnDuty")

    area: str | None
    role: str
    on_duty: list[HolderDocument]
    passed_over: list[PassedOverDocument]
