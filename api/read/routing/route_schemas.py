"""The documents of routes and of gaps in them."""

from datetime import datetime

from pydantic import ConfigDict, Field

from api.read.schemas import Document
from contract.kinds import IncidentKind, Severity
from registry.routes.model import StepClock
from registry.routes.routing import NobodyWord


class RouteStepDocument(Document):
    """One step: who is told, and how long after the beginning of the page."""

    model_config = ConfigDict(title="RouteStep")

    role: str
    level: str | None = Field(description="only in the area at this level; null: the nearest area with somebody")
    after: int = Field(description="seconds")
    clock: StepClock = Field(description="`open`: only time in which the station is open counts")
    most: int = Field(description="recipients")


class RouteDocument(Document):
    """Which incidents are told to which roles. An empty list or null is no condition."""

    model_config = ConfigDict(title="Route")

    id: str
    name: str
    area: str | None = Field(description="and below it; null: everywhere")
    kinds: list[IncidentKind]
    severities: list[Severity]
    programme: str | None
    station_kind: str | None
    steps: list[RouteStepDocument]
    rule: str = Field(description="the steps as one text")
    tell_past: bool = Field(description="whether an incident that was over before it could be sent is sent as past")


class SpanDocument(Document):
    """An interval without anybody."""

    model_config = ConfigDict(title="GapSpan")

    begin: datetime = Field(serialization_alias="from")
    until: datetime


class GapIncident(Document):
    """Incidents of a kind and a severity."""

    model_config = ConfigDict(title="GapIncident")

    kind: IncidentKind
    severity: Severity


class UntoldGapDocument(Document):
    """Areas in which, at some times, no person would be told of some incidents."""

    model_config = ConfigDict(title="Gap")

    areas: list[str | None] = Field(description="the first ones; null: incidents whose area is unknown")
    area_count: int
    spans: list[SpanDocument] = Field(description="the first ones")
    hours: float = Field(description="of all spans together")
    incidents: list[GapIncident]
    route: str | None = Field(description="that they take; null: none covers them")
    why: NobodyWord
    programme: str | None
    station_kind: str | None


class GapsDocument(Document):
    """Where and when no person would be told; what concerns most areas comes first."""

    model_config = ConfigDict(title="Gaps")

    begin: datetime = Field(serialization_alias="from")
    until: datetime
    area_count: int = Field(description="areas that were asked about")
    gaps: list[UntoldGapDocument]
    more: int = Field(description="gaps that are not in the list")
