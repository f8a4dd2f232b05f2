"""Areas: how many stations of a subtree have which verdict, and where its blind spots are."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.context import Shared
from api.http.work import WorkRoute
from api.read.areas import load_area
from api.read.schemas import AreaDocument

router = APIRouter(tags=["areas"], route_class=WorkRoute)


@router.get("/areas/{code}")
async def get_area(
    context: Shared, code: Annotated[str, Path(max_length=64, description="63 means 630000000000")]
) -> AreaDocument:
    """Counts by verdict and open blind spots of the whole subtree, and the counts of each child's."""
    async with context.database.snapshot() as connection:
        found = await load_area(connection, code)
    return await found.document(context.work)
