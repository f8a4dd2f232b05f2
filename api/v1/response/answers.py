"""Who owns what, and how fast people answer."""

from fastapi import APIRouter

from api.context import Shared
from api.http.parameters import AreaFilter
from api.http.times import LONGEST_PERIOD, USUAL_PERIOD, Period
from api.http.work import WorkRoute
from api.read.moment import load_now
from api.read.response.report import load_report
from api.read.response.schemas import ResponseDocument

router = APIRouter(tags=["incidents"], route_class=WorkRoute)


@router.get("/response")
async def get_response(context: Shared, period: Period, area: AreaFilter = None) -> ResponseDocument:
    """Open incidents that nobody owns, whose ETA has passed, or that climbed to a later step; and how long it took to
    acknowledge and to repair those that opened in the period, in wall time and in open time, by kind, cause and
    area."""
    async with context.database.snapshot() as connection:
        begin, end = period.window(await load_now(connection), USUAL_PERIOD, LONGEST_PERIOD)
        found = await load_report(connection, begin, end, area)
    return await found.document(context.work)
