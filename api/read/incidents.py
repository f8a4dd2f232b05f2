"""Incidents: a filtered list, and one with its history."""

from typing import Any, Final

from api.http.paging import MAX_ID, AfterIncident, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.queries import QUERIES
from api.read.rows import DatabaseRow
from api.read.schemas import IncidentDetail, IncidentDocument, IncidentEntry, ShareDocument
from store.pool import Connection

_MOST_ENTRIES: Final = 1000
_MOST_SHARES: Final = 3000


async def list_incidents(
    connection: Connection,
    page: Page,
    *,
    area: list[str] | None = None,
    status: str | None = None,
    kind: str | None = None,
    station: str | None = None,
    parent: int | None = None,
    top: bool = False,
) -> FoundPage[IncidentDocument]:
    """Incidents, the last opened first. `area`: codes of which the whole subtrees are meant; `parent`: the incident
    that is their cause; `top`: no parts of another, nothing quiet. Raises a Problem for a cursor that is not ours."""
    after = page.after(AfterIncident, AfterIncident(MAX_ID)).id
    rows = await connection.fetch(
        QUERIES.list_incidents, after, status, kind, area, page.limit + 1, station, parent, top
    )
    shown, following = page.cut(rows, lambda row: AfterIncident(row["id"]))
    return FoundPage(
        rows=shown,
        next=following,
        document=lambda row: IncidentDocument(**_fields(row)),
        things=len(shown) + sum(len(row["children"]) for row in shown) // 10,
    )


async def load_incident(connection: Connection, incident: int) -> IncidentDetail:
    """One incident with all that happened to it. Raises a Problem (404)."""
    row = await connection.fetchrow(QUERIES.get_incident, incident)
    if row is None:
        raise not_found("incident", incident)
    entries = await connection.fetch(QUERIES.list_entries, incident, _MOST_ENTRIES)
    shares = await connection.fetch(QUERIES.list_shares, incident, _MOST_SHARES)
    return IncidentDetail(
        **_fields(row),
        entries=[IncidentEntry(**entry) for entry in entries],
        shares=[ShareDocument(**share) for share in shares],
    )


def _fields(row: DatabaseRow) -> dict[str, Any]:
    """The fields of an incident; `share` for one that reaches beyond the scope."""
    fields = {name: row[name] for name in row.keys() if not name.startswith("share_")}  # noqa: SIM118 -- a row is no dict
    if row["share_children"] is not None:
        fields["share"] = ShareDocument(
            area=row["share_area"],
            children=row["share_children"],
            down=row["share_down"],
            acknowledged_at=row["acknowledged_at"],
            acknowledged_by=row["acknowledged_by"],
            acknowledged_remark=row["acknowledged_remark"],
            eta_at=row["eta_at"],
            assignee=row["assignee"],
        )
    return fields
