"""Write down a repair: the same for the route and the form."""

from datetime import datetime

from pydantic import BaseModel, Field

from alerting.repairs.rules import MAX_PARTS, RepairSaid
from alerting.repairs.store import say_repair
from api.actions.incidents import IncidentAction, act_on_incident
from api.actions.photos import put_incident_photo
from api.context import Context
from registry.photos.rules import Photo
from store.author import Author
from store.pool import Connection


class RepairRequest(BaseModel):
    """What was wrong and was done about it; `by`: on whose behalf the account acts."""

    cause: str = Field(
        min_length=1,
        max_length=32,
        description="power, uplink, agent, hardware, platform, tamper, not_found or other",
    )
    parts: str = Field(default="", max_length=MAX_PARTS, description="what was replaced")
    text: str = Field(default="", max_length=4000)
    fixed: bool = Field(
        default=False,
        description="the fault is repaired: the incident closes by itself after nothing was wrong for the time in "
        "MILEPOST_REPAIR_STABLE; false: a note of the cause",
    )
    by: str | None = Field(default=None, min_length=1, max_length=64)

    @property
    def said(self) -> RepairSaid:
        """Without the person."""
        return RepairSaid(cause=self.cause, parts=self.parts, text=self.text, fixed=self.fixed)


async def report_repair(
    context: Context, incident: int, by: Author, said: RepairSaid, photo: Photo | None = None
) -> None:
    """Store a repair of an incident that lies wholly in the scope, with an optional photo. Raises ActionRefusedError,
    and PhotoRefusedError if the incident has the maximum number of photos."""
    await act_on_incident(context, incident, repairing(context, incident, by, said, photo))


def repairing(
    context: Context, incident: int, by: Author, said: RepairSaid, photo: Photo | None = None
) -> IncidentAction:
    """The action that stores a repair, with an optional photo."""

    async def act(connection: Connection, now: datetime) -> None:
        repair = await say_repair(connection, incident, by, said, now, context.config.verifying)
        if photo is not None:
            await put_incident_photo(connection, incident, by, photo, now, repair)

    return act
