"""Documents about the work of a person, and about how fast people answer incidents."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.read.schemas import Document, IncidentStatus, Opening

WhyMine = Literal["assigned", "acknowledged", "paged", "duty"]
"""Why an incident concerns a person."""


class WorkItem(Document):
    """An open incident, with the facts that a person needs to travel to the station."""

    model_config = ConfigDict(title="WorkItem")

    id: int
    kind: str
    severity: str
    status: IncidentStatus
    station: str | None
    name: str | None = Field(description="of the station")
    name_en: str | None
    address: str | None
    lat: float | None
    lon: float | None
    area: str | None
    township: str | None = Field(description="the township in which the area lies")
    began_at: datetime
    age_s: float = Field(description="time since it began")
    open_age_s: float = Field(description="the part of this time in which the station should have been open")
    acknowledged_by: str | None
    eta_at: datetime | None
    overdue: bool = Field(description="the ETA of the acknowledgement has passed")
    assignee: str | None
    stations_down: int = Field(
        description="stations that are down by this common cause, as far as the scope shows them"
    )
    detail: dict[str, Any]
    why: list[WhyMine] = Field(description="why the incident concerns the person; empty in lists without a person")
    openings: list[Opening] | None = Field(
        description="when the station is open until the end of tomorrow, Beijing time; null: always, or no station"
    )


class WorkGroup(Document):
    """The work in one township, the longest open first. `area`: null for incidents without an area."""

    model_config = ConfigDict(title="WorkOfTownship")

    area: str | None
    items: list[WorkItem]


class WorkDocument(Document):
    """The open incidents that concern a person."""

    model_config = ConfigDict(title="Work")

    at: datetime
    contacts: list[str] = Field(description="the contacts of the person, whose pages and duties were searched")
    groups: list[WorkGroup]
    more: bool = Field(description="true: there are more incidents; the newest are left out")


class MiddleDocument(Document):
    """Seconds; null: there are no times."""

    model_config = ConfigDict(title="MeanAndMedian", from_attributes=True)

    mean: float | None
    median: float | None


class DelayDocument(Document):
    """In wall time, and in the time in which the stations should have been open."""

    model_config = ConfigDict(title="Delay", from_attributes=True)

    wall: MiddleDocument
    open: MiddleDocument


class FiguresDocument(Document):
    """Incidents that opened in the period: the numbers of all, of acknowledged and of ended incidents, and the times
    until then. Open incidents count in `incidents` only."""

    model_config = ConfigDict(title="ResponseFigures", from_attributes=True)

    incidents: int
    acknowledged: int
    repaired: int
    to_acknowledge: DelayDocument = Field(description="from the opening of the incident to the first acknowledgement")
    to_repair: DelayDocument = Field(description="from the beginning of the fault to its end")


class NamedFigures(Document):
    """The figures of one kind, cause or area; `name` null: no cause was given, or the incidents have no area."""

    model_config = ConfigDict(title="ResponseFiguresOf")

    name: str | None
    figures: FiguresDocument


class Attention(Document):
    """Open incidents that need attention. `count`: their number; `items`: the first of them, the oldest first."""

    model_config = ConfigDict(title="IncidentsInNeed")

    count: int
    items: list[WorkItem]


class ResponseDocument(Document):
    """The owners of open incidents, and how fast people answered incidents."""

    model_config = ConfigDict(title="Response", populate_by_name=True)

    at: datetime
    begin: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    unowned: Attention = Field(description="incidents without an acknowledgement and without an assignee")
    overdue: Attention = Field(description="incidents whose ETA has passed")
    escalated: Attention = Field(description="incidents with a page from a later step of their route")
    complete: bool = Field(description="false: the period has too many incidents, and the figures are only "
                           "those of the newest")  # fmt: skip
    figures: FiguresDocument
    by_kind: list[NamedFigures]
    by_cause: list[NamedFigures] = Field(description="by the cause that people gave with their repairs")
    by_area: list[NamedFigures] = Field(description="by the areas directly below the area in the request")
