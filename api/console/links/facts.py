"""What the page of a link shows of its incident, read in one snapshot."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.repairs.likely import LikelyCause
from alerting.repairs.store import load_likely_causes
from alerting.stations.verdict import Verdict
from api.actions.queries import QUERIES as ACTION_QUERIES
from api.console.name_lookup import AccountNames, PlaceNames, load_account_names, load_area_path, load_names_of
from api.console.queries import QUERIES
from api.console.texts import Words
from api.http.paging import Page
from api.http.work import Work
from api.read.areas import load_area
from api.read.escalation_schemas import OwedPageDocument
from api.read.escalations import load_told
from api.read.history import list_health
from api.read.incidents import list_incidents, load_incident
from api.read.moment import load_now
from api.read.response.repairs import RepairDocument, load_repairs
from api.read.schemas import AreaDocument, HealthSample, IncidentDetail, IncidentDocument, StationDocument
from api.read.stations import list_stations, load_station
from store.pool import Connection

_HEALTH_WITHIN: Final = timedelta(days=7)
_MOST_BEFORE: Final = 3
"""Earlier incidents of the station that are shown."""
_MOST_BESIDE: Final = 4
"""Maximum number of other offline stations of the area that are named."""


class LinkFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The incident and what is around it. `place`: names, address and position of the station; `health`: its last
    sample; `around`: the area with the counts of its stations; `beside`: other offline stations of the area;
    `before`: earlier incidents with their repairs; `hold`: whether the account holds the whole incident, a share of it,
    or a part."""

    now: datetime
    incident: IncidentDetail
    hold: str | None
    named: PlaceNames
    accounts: AccountNames
    path: Sequence[str]
    place: Any = None
    station: StationDocument | None = None
    health: HealthSample | None = None
    around: AreaDocument | None = None
    beside: Sequence[StationDocument] = ()
    before: Sequence[tuple[IncidentDocument, Sequence[RepairDocument]]] = ()
    repairs: Sequence[RepairDocument] = ()
    likely: Sequence[LikelyCause] = ()
    told: Sequence[OwedPageDocument] = ()

    @property
    def neighbours(self) -> list[tuple[str, int]]:
        """Verdicts of the stations of the area, and how many there are of each; none of verdicts without stations."""
        counts = {} if self.around is None else self.around.counts.model_dump()
        return [(one.value, number) for one in Verdict if (number := counts.get(one.value, 0))]

    @property
    def geo(self) -> str | None:
        """Latitude and longitude of the station."""
        if self.place is None or self.place["lat"] is None or self.place["lon"] is None:
            return None
        return f"{self.place['lat']:.5f},{self.place['lon']:.5f}"


async def load_facts(connection: Connection, number: int, words: Words, work: Work) -> LinkFacts:
    """What the page shows. Raises a Problem (404) for an incident outside the scope."""
    now, incident = await load_now(connection), await load_incident(connection, number)
    repairs, told = await load_repairs(connection, number), await load_told(connection, number)
    people = [incident.acknowledged_by, incident.assignee, *(entry.actor for entry in incident.entries)]
    people += [repair.made_by for repair in repairs]
    path = await load_area_path(connection, words, incident.area)
    seen = {code for code, _ in path}
    beside = await _beside(connection, incident, seen, work)
    places = [(incident.station, incident.area), *((one.id, None) for one in beside)]
    return LinkFacts(
        now=now,
        incident=incident,
        hold=await connection.fetchval(ACTION_QUERIES.hold_on_incident, number),
        named=await load_names_of(connection, words, places),
        accounts=await load_account_names(connection, words, people),
        path=[name for _, name in path],
        around=await _around(connection, incident.area, seen, work),
        beside=beside,
        repairs=repairs,
        likely=await load_likely_causes(connection, number),
        told=told.pages,
        **await _of_station(connection, incident, now, work),
    )


async def _of_station(connection: Connection, incident: IncidentDetail, now: datetime, work: Work) -> dict[str, Any]:
    if incident.station is None:
        return {}
    rows = await connection.fetch(QUERIES.describe_stations, [incident.station])
    samples = await list_health(connection, incident.station, now - _HEALTH_WITHIN, now, Page(1, None))
    page = Page(_MOST_BEFORE, None)
    earlier = await list_incidents(connection, page, station=incident.station, status="closed")
    before = [each for each in await earlier.documents(work) if each.id != incident.id]
    return {
        "place": rows[0] if rows else None,
        "station": await load_station(connection, incident.station),
        "health": next(iter(await samples.documents(work)), None),
        "before": [(each, await load_repairs(connection, each.id)) for each in before],
    }


async def _around(connection: Connection, area: str | None, seen: set[str], work: Work) -> AreaDocument | None:
    """The area, if it lies in the scope."""
    return await (await load_area(connection, area)).document(work) if area is not None and area in seen else None


async def _beside(
    connection: Connection, incident: IncidentDetail, seen: set[str], work: Work
) -> Sequence[StationDocument]:
    """Other stations of the area that are offline, if it lies in the scope."""
    if incident.area is None or incident.area not in seen:
        return ()
    page = Page(_MOST_BESIDE + 1, None)
    found = await list_stations(connection, page, area=[incident.area], verdict=Verdict.OFFLINE, retired=False)
    return [one for one in await found.documents(work) if one.id != incident.station][:_MOST_BESIDE]
