"""Documents about who is told of an incident. Who lies outside the reader's scope has no name and no id in them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.read.schemas import Document, IncidentDetail


class EscalationStepDocument(Document):
    """A step of the plan: who is told, and how long after the beginning of the round if nobody acknowledged."""

    role: str
    level: str | None = Field(description="of the area in which the role is looked for; null: in the nearest area")
    area: str | None = Field(description="the area at that level; null: found when the step is due")
    after_s: float
    clock: Literal["open", "wall"] = Field(description="open: time in which the station is open")
    most: int
    due_at: datetime | None = Field(default=None, description="of the next step, if it is known when it is due")


class EscalationLogDocument(Document):
    """What happened by the plan. `contacts`: who was chosen, or was meant; `why`: in one word."""

    at: datetime
    what: str
    round: int
    step: int | None
    contacts: list[str]
    why: str | None
    until: datetime | None
    passed_over: list[tuple[str, str]] = Field(description="contacts that were not told, each with the reason")


class OwedPageDocument(Document):
    """A page to a contact, sent or not."""

    id: int
    recipient: str | None = Field(description="a contact; null: outside your scope")
    name: str | None
    role: str | None
    share: str | None = Field(
        default=None, description="the area of the share that the page is about; null: the whole incident"
    )
    instead_of: str | None = Field(description="the contact for whom the recipient stands in")
    phase: str
    step: int
    round: int
    severity: str
    created_at: datetime
    not_before: datetime | None = Field(description="held until then: quiet hours or a silence")
    status: Literal["owed", "sending", "paid", "cancelled", "failed"]
    reason: str | None = Field(description="why it was cancelled or failed")
    settled_at: datetime | None
    channel: str | None = Field(description="the kind of the channel that was used last")


class EscalationDocument(Document):
    """Who is told of an incident: the plan as it was when the incident opened, how far it came, and every page. Rounds
    count how often the steps began anew, because the fault came back or an ETA passed."""

    route: str | None = Field(description="null: no route covers the incident")
    earlier_routes: list[str] = Field(description="routes of the time before its severity rose or it grew")
    steps: list[EscalationStepDocument]
    round: int
    next_step: int = Field(description="from 0")
    wake_at: datetime | None = Field(description="when the next step, reminder or end of a hold is due")
    log: list[EscalationLogDocument] = Field(description="newest first, at most 500")
    names: dict[str, str] = Field(description="of the contacts in it, by their ids; not of those outside your scope")
    pages: list[OwedPageDocument] = Field(description="newest first, at most 1000")


class ShareEscalationDocument(EscalationDocument):
    """The escalation of a share: the part of an incident in an area of your scope."""

    share: str = Field(description="the area: a county, or an area with several counties")


class ToldIncident(IncidentDetail):
    """With who is told of it."""

    escalation: EscalationDocument | None = Field(
        default=None, description="null: nobody is told of it by routes, or it reaches beyond your scope"
    )
    share_escalations: list[ShareEscalationDocument] = Field(
        default=[],
        description="who is told of its parts in your scope: the largest first, at most 20",
    )
