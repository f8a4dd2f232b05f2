"""Pages about what is wrong, and the forms by which people say what they do about it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from alerting.incidents import actions as incident_actions
from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import MAX_TEXT
from api.console.area_choice import find_area
from api.console.details import EntryText, entry_text, facts_of
from api.console.name_lookup import Names, names_of
from api.console.names import topic_of, where
from api.console.pages import page_router, show, words_for
from api.console.texts import Words
from api.context import QUERIES, Context, Shared
from api.http.forms import MOST_PERSON, person, read_form
from api.http.paging import MAX_CURSOR, Page
from api.http.problems import not_found
from api.read.schemas import Incident, IncidentDetail, IncidentEntry, IncidentStatus
from api.v1 import incidents, stations
from api.v1.incidents import Action, IncidentId
from contract.glossary import WORDS
from contract.kinds import IncidentKind

router = page_router()

_PAGE: Final = 50
_MOST_CHILDREN: Final = 200
_STATUSES: Final[tuple[IncidentStatus, ...]] = ("open", "acknowledged", "closed")
KINDS: Final = tuple(WORDS["kind"])

Text = Annotated[str, Query(max_length=64)]


@router.get("/incidents")
async def show_incidents(
    request: Request,
    context: Shared,
    status: Text = "",
    kind: Text = "",
    area: Text = "",
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
) -> Response:
    """Incidents: what is open first, then what somebody looks after, then what is over."""
    words = words_for(request)
    wanted = [one for one in _STATUSES if one == status] or list(_STATUSES)
    where_asked = await find_area(context, request, area, words)
    asked = where_asked.codes
    page = Page(_PAGE, cursor or None if len(wanted) == 1 else None)
    found = [await incidents.list_incidents(context, page, asked, one, kind or None, top=not kind) for one in wanted]
    now, named = await _names(context, words, [incident for part in found for incident in part.items])
    return show(
        request,
        "incidents.html",
        now=now,
        parts=[
            {"status": one, "rows": [_row(incident, named, words) for incident in part.items], "next": part.next}
            for one, part in zip(wanted, found, strict=True)
        ],
        status=status if len(wanted) == 1 else "",
        kind=kind,
        area=area,
        where_asked=where_asked,
        statuses=_STATUSES,
        kinds=KINDS,
    )


async def _names(context: Context, words: Words, found: list[Incident]) -> tuple[Any, Names]:
    """The time, and names of the stations and areas that some incidents are about."""
    async with context.database.snapshot() as connection:
        return await connection.fetchval(QUERIES.now), await names_of(connection, words, found)


def _row(incident: Incident, named: Names, words: Words) -> dict[str, Any]:
    station, area = named.station(incident.station), named.area(incident.area)
    return {
        "incident": incident,
        "what": where(topic_of(words, incident.kind, incident.detail), station or area or incident.shard),
        "where": where(*([area, incident.station] if incident.station else [])),
        "station_name": station,
        "area_name": area,
    }


@router.get("/incidents/{id}")
async def show_incident(request: Request, context: Shared, id: IncidentId) -> Response:  # noqa: A002
    """One incident: what it is, what happened, and what can be done."""
    return await _show(request, context, id)


async def _show(
    request: Request, context: Context, number: int, status: int = 200, refused: str = "", text: str = ""
) -> Response:
    words = words_for(request)
    incident = await incidents.get_incident(context, number)
    now, named = await _names(context, words, [incident])
    return show(
        request,
        "incident.html",
        status,
        now=now,
        incident=incident,
        facts=facts_of(words, incident.detail, hidden=_named_elsewhere(incident)),
        entries=[_entry(entry, words) for entry in incident.entries],
        refused=refused,
        text=text,
        most=MAX_TEXT,
        reopen_after=context.config.reopening,
        most_person=MOST_PERSON,
        **await _children(context, incident, words),
        **{name: value for name, value in _row(incident, named, words).items() if name != "incident"},
    )


def _named_elsewhere(incident: Incident) -> list[str]:
    return ["name"] if incident.cause and incident.cause.kind == "area" else []


def _entry(entry: IncidentEntry, words: Words) -> dict[str, Any]:
    text = entry.text or ""
    ours = entry.actor == "milepost"
    return {"entry": entry, "text": entry_text(words, text) if ours else EntryText(text)}


async def _children(context: Context, incident: IncidentDetail, words: Words) -> dict[str, Any]:
    """How many have this one as their cause, and of the first how their stations are now: the open ones first."""
    if not incident.children:
        return {"children": [], "many": 0, "down": 0, "incidents": 0}
    parts = [
        await incidents.list_incidents(context, Page(_MOST_CHILDREN, None), status=status, parent=incident.id)
        for status in _STATUSES
    ]
    found = [child for part in parts for child in part.items][:_MOST_CHILDREN]
    now_at = await stations.some_stations(context, [child.station for child in found if child.station])
    _, named = await _names(context, words, found)
    async with context.database.snapshot() as connection:
        counted = await connection.fetchrow(QUERIES.count_children, incident.id, incident.kind == IncidentKind.HEALTH)
    rows = [{**_row(child, named, words), "station": now_at.get(child.station or "")} for child in found]
    return {"children": rows, **dict(counted or {})}


@router.get("/incidents/{id}/{action}")
async def back_to_incident(id: IncidentId, action: str) -> Response:  # noqa: A002
    """Where a refusal was shown: loading it again shows the incident."""
    return RedirectResponse(f"/incidents/{id}", status_code=303)


@router.post("/incidents/{id}/{action}")
async def act_on_incident(request: Request, context: Shared, id: IncidentId, action: str) -> Response:  # noqa: A002
    """Do what a button of the page says, and go back to the page; a refusal is told on it."""
    said = await read_form(request)
    try:
        await incidents.act(context, _action(request, context, id, action, said))
    except ActionRefusedError as exc:
        words = words_for(request)
        return await _show(request, context, id, 409, words.named("refusal", exc.refusal.value), said.get("text", ""))
    return RedirectResponse(f"/incidents/{id}", status_code=303)


def _action(request: Request, context: Context, number: int, action: str, said: dict[str, str]) -> Action:
    actor = incidents.actor_of(request, person(said))
    text, after = said.get("text") or None, context.config.reopening
    assignee = person(said, "assignee") or ""
    actions: Mapping[str, Action] = {
        "ack": lambda connection, now: incident_actions.acknowledge(connection, number, actor, text, now),
        "assign": lambda connection, now: incident_actions.assign(connection, number, actor, assignee, now),
        "note": lambda connection, now: incident_actions.note(connection, number, actor, text or "", now),
        "resolve": lambda connection, now: incident_actions.resolve(connection, number, actor, text, now, after),
    }
    if action not in actions:
        raise not_found("action", action)
    return actions[action]
