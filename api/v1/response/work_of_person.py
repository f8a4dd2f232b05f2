"""The open incidents that concern a person."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from access.rules import Actor
from api.context import Shared
from api.http.middleware import ACTOR
from api.http.work import WorkRoute
from api.read.response.schemas import WorkDocument
from api.read.response.work_list import load_work

router = APIRouter(tags=["incidents"], route_class=WorkRoute)


@router.get("/work")
async def get_work(
    context: Shared,
    request: Request,
    contact: Annotated[
        str | None, Query(max_length=64, description="the id of a contact, for its work instead of your own")
    ] = None,
) -> WorkDocument:
    """The open incidents that concern you: assigned to you, acknowledged by you, told to you, or in the area of your
    duty now; by township, the longest open first. 404 for a contact that there is not."""
    actor: Actor = request.scope[ACTOR]
    async with context.database.snapshot() as connection:
        found = await load_work(connection, actor.account, contact)
    return await found.document(context.work)
