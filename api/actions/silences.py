"""Make silences and end them early."""

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field

from alerting.silences import store as silence_store
from alerting.silences.making import NewSilence
from api.actions.actor import author_of
from api.actions.settle import settle
from api.context import Context
from api.http.times import parse_stored_time
from api.read.moment import load_now
from api.read.routing.silences import require_silence, silence_document
from api.read.schemas import SilenceDocument
from store.pool import Connection

_Name = Annotated[str | None, Field(min_length=1, max_length=64)]
_Kinds = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=32)]


class Silencing(BaseModel):
    """Exactly one of station, area and whole (everything); times are ISO 8601. Without `from` it begins now; without
    kinds it is of every kind of incident."""

    station: _Name = None
    area: _Name = None
    whole: bool = False
    kinds: _Kinds = []
    begin: str | None = Field(default=None, alias="from", max_length=64)
    until: str = Field(max_length=64, description="at most 30 days from now")
    reason: str = Field(min_length=1, max_length=500)


async def silence_incidents(context: Context, request: Request, said: Silencing) -> SilenceDocument:
    """Make a silence. Raises a Problem (422)."""
    new = NewSilence(
        station=said.station,
        area=said.area,
        whole=said.whole,
        kinds=tuple(said.kinds),
        from_at=None if said.begin is None else parse_stored_time("from", said.begin),
        until_at=parse_stored_time("until", said.until),
        reason=said.reason,
        made_by=author_of(request, None).account,
    )

    async def make(connection: Connection) -> SilenceDocument:
        now = await load_now(connection)
        return silence_document(await silence_store.make_silence(connection, new, now), now)

    return await settle(context, make, 422)


async def end_silence(context: Context, request: Request, number: int) -> SilenceDocument:
    """End a silence; one that is over stays as it is. Raises a Problem (404)."""

    async def end(connection: Connection) -> SilenceDocument:
        ended = await silence_store.end_silence(connection, number, by=author_of(request, None))
        return require_silence(number, ended, await load_now(connection))

    return await settle(context, end)
