"""The document of who would be told of an incident."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api.read.routing.schemas import WhyNot
from api.read.schemas import Document
from registry.routes.routing import NobodyWord, VerdictWord


class VerdictDocument(Document):
    """Whether a route applies."""

    model_config = ConfigDict(title="RouteVerdict")

    route: str
    why: VerdictWord = Field(description="`chosen`: the incident takes this route")


class ExplainedRecipient(Document):
    """Who is told. `duty`: by which; null: by the contact's own role and area."""

    model_config = ConfigDict(title="ExplainedRecipient")

    contact: str
    name: str
    room: bool
    area: str | None = Field(description="where the role was found; null: the whole platform")
    duty: int | None
    instead_of: str | None = Field(description="the absent contact")
    channels: list[str] = Field(description="in the order in which they are tried")
    quiet_until: datetime | None = Field(description="the end of its quiet hours, until which the page waits")


class ExplainedPassedOver(Document):
    """Who was looked at and is not told."""

    model_config = ConfigDict(title="NotTold")

    contact: str
    why: WhyNot | Literal["no_channel", "over_most"]


class ExplainedStep(Document):
    """A step of the route."""

    model_config = ConfigDict(title="ExplainedStep")

    rule: str
    at: datetime | None = Field(description="when it is due; null: the station does not open long enough")
    recipients: list[ExplainedRecipient]
    why: NobodyWord | None = Field(
        description="why there are none. `outside_scope`: who is told is not known in this scope; otherwise the next "
        "step is due at once"
    )
    passed_over: list[ExplainedPassedOver]


class ExplainedDocument(Document):
    """Who would be told of an incident if nobody acknowledged it."""

    model_config = ConfigDict(title="WhoIsTold")

    kind: str
    severity: str
    at: datetime
    route: str | None = Field(description="null: no route covers it, so nobody is told")
    verdicts: list[VerdictDocument]
    steps: list[ExplainedStep]
