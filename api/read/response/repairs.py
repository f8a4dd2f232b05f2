"""Repairs: the reported causes and repairs of an incident, and whether the repairs held."""

from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from alerting.repairs.store import QUERIES
from api.read.schemas import Document
from store.pool import Connection

MOST_REPAIRS: Final = 100
"""Maximum number of repairs of an incident in an answer."""


class RepairDocument(Document):
    """A reported cause of the fault, and its repair if any."""

    id: int
    incident: int
    at: datetime
    made_by: str = Field(description="the account")
    remark: str | None = Field(description="on whose behalf the account acted, as the client said")
    cause: str = Field(description="power, uplink, agent, hardware, platform, tamper, not_found or other")
    parts: str
    text: str
    fixed: bool = Field(description="true: the fault was reported as repaired; false: only its cause")
    verify_at: datetime | None = Field(description="the latest time at which the repair is verified")
    outcome: Literal["held", "failed", "overtaken"] | None = Field(
        description="null: not known yet, or only a cause; overtaken: it could not be verified"
    )
    why: str | None = Field(
        description="stayed_over, not_repaired, came_back, said_again (a later repair counts) or excused"
    )
    outcome_at: datetime | None
    back_as: int | None = Field(description="the new incident, if the fault came back as another incident")


async def load_repairs(connection: Connection, incident: int) -> list[RepairDocument]:
    """The repairs of an incident that the scope sees, the newest first; at most the last 100."""
    rows = await connection.fetch(QUERIES.list_repairs, incident, MOST_REPAIRS)
    return [RepairDocument(**dict(row)) for row in rows]
