"""Pages of incidents, and the forms to acknowledge, assign, comment and resolve."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
from fastapi import Request, Response
from starlette.responses import RedirectResponse

from alerting.incidents import actions as incident_actions
from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import MAX_TEXT, ActionRefusal
from alerting.repairs.rules import CAUSES, MAX_PARTS
from alerting.repairs.store import load_likely_causes
from api.actions.actor import author_of
from api.actions.incidents import IncidentAction, act_on_incident
from api.actions.queries import QUERIES as ACTION_QUERIES
from api.actions.shares import acknowledge_shares, hand_over_shares, note_on_shares
from api.console.area_choice import find_area
from api.console.details import EntryText, entry_text, facts_of, repair_text
from api.console.findings.rows import finding_row
from api.console.name_lookup import AccountNames, PlaceNames, load_account_names, load_names_of
from api.console.names import topic_of, where
from api.console.pages import page_router, show, words_for
from api.console.queries import QUERIES
from api.console.texts import Words
from api.console.told import step_texts, why_word
from api.context import Context, Shared
from api.http.forms import person, read_form
from api.http.paging import Page
from api.http.parameters import Cursor, IncidentId, Text
from api.http.problems import not_found
from api.http.times import as_beijing_time, parse_time
from api.http.work import Work
from api.read.escalations import load_told
from api.read.evidence.photos import list_photos
from api.read.findings.listing import list_findings
from api.read.found import FoundPage
from api.read.incidents import list_incidents, load_incident
from api.read.moment import load_now
from api.read.response.repairs import load_repairs
from api.read.routing.silences import load_silences_here
from api.read.schemas import (
    IncidentDetail,
    IncidentDocument,
    IncidentEntry,
    IncidentStatus,
    ShareDocument,
    SilenceDocument,
    StationDocument,
)
from api.read.stations import load_stations
from contract.glossary import WORDS
from contract.kinds import IncidentKind
from registry.photos.store import PhotoOf
from store.pool import Connection

router = page_router()

_PAGE: Final = 50
_MOST_CHILDREN: Final = 200
_MOST_SHARES: Final = 200
_MOST_FINDINGS: Final = 20
_COUNT_WORDS: Final = {IncidentKind.HEALTH.value: "terminals_say", IncidentKind.BLIND_SPOT.value: "areas_say"}
_STATUSES: Final[tuple[IncidentStatus, ...]] = ("open", "acknowledged", "closed")
KINDS: Final = tuple(WORDS["kind"])


@router.get("/incidents")
async def show_incidents(
    request: Request,
    context: Shared,
    status: Text = "",
    kind: Text = "",
    area: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Incidents: open ones first, then acknowledged ones, then closed ones."""
    words = words_for(request)
    wanted = [one for one in _STATUSES if one == status] or list(_STATUSES)
    page = Page(_PAGE, cursor or None if len(wanted) == 1 else None)
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        found = [
            await list_incidents(connection, page, area=where_asked.codes, status=one, kind=kind or None, top=not kind)
            for one in wanted
        ]
        now = await load_now(connection)
        rows = [row for part in found for row in part.rows]
        places = [(row["station"], row["area"]) for row in rows] + [(None, row["share_area"]) for row in rows]
        named = await load_names_of(connection, words, places)
        accounts = await load_account_names(connection, words, [row["assignee"] for row in rows])
    return show(
        request,
        "incidents.html",
        now=now,
        who=accounts.shown,
        parts=[
            {
                "status": one,
                "rows": [_row(incident, named, words) for incident in await part.documents(context.work)],
                "next": part.next,
            }
            for one, part in zip(wanted, found, strict=True)
        ],
        status=status if len(wanted) == 1 else "",
        kind=kind,
        area=area,
        where_asked=where_asked,
        statuses=_STATUSES,
        kinds=KINDS,
    )


def _row(incident: IncidentDocument, named: PlaceNames, words: Words) -> dict[str, Any]:
    station, area = named.station(incident.station), named.area(incident.area)
    return {
        "incident": incident,
        "what": where(topic_of(words, incident.kind, incident.detail), station or area or incident.shard),
        "where": where(*_places(incident, named)),
        "station_name": station,
        "area_name": area,
    }


def _places(incident: IncidentDocument, named: PlaceNames) -> list[str | None]:
    """Where it is, beside what it is: the station's area and id, or the county whose share is shown."""
    if incident.station:
        return [named.area(incident.area), incident.station]
    return [named.area(incident.share.area)] if incident.share else []


@router.get("/incidents/{id}")
async def show_incident(request: Request, context: Shared, id: IncidentId) -> Response:  # noqa: A002
    """One incident: what it is, what happened, and what can be done."""
    return await _show(request, context, id)


async def _show(
    request: Request,
    context: Context,
    number: int,
    status: int = 200,
    refused: str = "",
    typed: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """The page; after a refusal with the reason, and with what was typed in the form of a repair or of the others."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        now = await load_now(connection)
        incident = await load_incident(connection, number)
        children = await _load_children(connection, incident)
        hold = await connection.fetchval(ACTION_QUERIES.hold_on_incident, number)
        shares = _shares_of(incident)[:_MOST_SHARES]
        told = await load_told(connection, number)
        said_of = [share.area for share in shares] + [entry.share for entry in incident.entries]
        said_of += [page.share for page in told.pages] + [one.share for one in told.shares]
        places = [(incident.station, incident.area), *((None, area) for area in said_of), *children.places]
        named = await load_names_of(connection, words, places)
        silences = await _silences_of(connection, incident)
        repairs = await load_repairs(connection, number)
        likely = await load_likely_causes(connection, number)
        photos = (await list_photos(connection, PhotoOf(incident=number))).items
        findings = await list_findings(connection, Page(_MOST_FINDINGS, None), incident=number)
        sent_by = [*(repair.made_by for repair in repairs), *(photo.made_by for photo in photos)]
        sent_by += [row["made_by"] for row in findings.rows]
        accounts = await load_account_names(connection, words, [*_people_of(incident), *sent_by])
    return show(
        request,
        "incident.html",
        status,
        now=now,
        incident=incident,
        silences=silences,
        told=told,
        told_steps=lambda one: step_texts(words, one),
        place_of=named.area,
        why_word=lambda entry: why_word(words, entry),
        facts=facts_of(words, _with_people(incident.detail, accounts), hidden=_named_elsewhere(incident)),
        who=accounts.shown,
        entries=[_entry(entry, words, named) for entry in incident.entries],
        shares=[{"share": share, "name": named.area(share.area)} for share in shares],
        taken=sum(share.acknowledged_at is not None for share in incident.shares),
        share_name=named.area(incident.share.area) if incident.share else None,
        count_word=_COUNT_WORDS.get(incident.kind, "children_say"),
        hold=hold,
        photos=photos,
        findings=[finding_row(one, named, words) for one in await findings.documents(context.work)],
        refused=refused,
        repairs=repairs,
        likely=likely,
        causes=CAUSES,
        stable=context.config.verifying,
        typed=typed,
        text="" if "cause" in typed else typed.get("text", ""),
        most=MAX_TEXT,
        most_parts=MAX_PARTS,
        reopen_after=context.config.reopening,
        acknowledge_for=context.config.acknowledging(None).otherwise,
        **await _children(children, named, words, context.work),
        **{name: value for name, value in _row(incident, named, words).items() if name != "incident"},
    )


async def show_refusal(
    request: Request,
    context: Context,
    number: int,
    status: int,
    why: str,
    typed: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """The page of an incident with the reason of a refusal and the typed values. Raises a Problem (404)."""
    return await _show(request, context, number, status, why, typed)


async def _silences_of(connection: Connection, incident: IncidentDetail) -> Sequence[SilenceDocument]:
    """The silences in force for an incident that is not over."""
    if incident.status == "closed":
        return []
    return await load_silences_here(connection, incident.station, incident.area, incident.kind)


_PEOPLE: Final = {"resolved_by": "resolved_remark", "announced_by": "announced_remark"}
"""Fields of a detail that name an account, and the fields with the remark of each."""


def _people_of(incident: IncidentDetail) -> list[str | None]:
    """The accounts that the page of an incident may name. An assignee is free text, or an account's id."""
    in_detail = [named for name in _PEOPLE if isinstance(named := incident.detail.get(name), str)]
    of_shares = [name for share in incident.shares for name in (share.acknowledged_by, share.assignee)]
    of_entries = [entry.actor for entry in incident.entries]
    return [incident.acknowledged_by, incident.assignee, *of_shares, *in_detail, *of_entries]


def _with_people(detail: Mapping[str, Any], accounts: AccountNames) -> dict[str, Any]:
    """A detail with names in the place of accounts and remarks."""
    named = {
        name: accounts.shown(detail[name], detail.get(remark)) for name, remark in _PEOPLE.items() if detail.get(name)
    }
    return {name: value for name, value in {**detail, **named}.items() if name not in _PEOPLE.values()}


def _named_elsewhere(incident: IncidentDocument) -> list[str]:
    return ["name"] if incident.cause and incident.cause.kind == "area" else []


def _shares_of(incident: IncidentDetail) -> list[ShareDocument]:
    """The shares worth a table: one share alone says what the page says already."""
    return incident.shares if len(incident.shares) > 1 else []


def _entry(entry: IncidentEntry, words: Words, named: PlaceNames) -> dict[str, Any]:
    text = entry.text or ""
    ours = entry.actor == "milepost"
    said = entry_text(words, text) if ours else EntryText(repair_text(words, entry.action, text))
    return {"entry": entry, "text": said, "share": named.area(entry.share)}


class _Children(msgspec.Struct, frozen=True):
    """What has an incident as its cause. `parts`: by status, the open ones first; `places`: (station, area) of the
    shown children, `stations`: their stations; `counted`: `many`, `incidents` and `down` of all children."""

    parts: list[FoundPage[IncidentDocument]]
    places: list[tuple[str | None, str | None]]
    stations: FoundPage[StationDocument] | None
    counted: dict[str, int]


async def _load_children(connection: Connection, incident: IncidentDetail) -> _Children:
    """How many have this one as their cause, and the first of them with their stations."""
    if not incident.children:
        return _Children([], [], None, {"many": 0, "down": 0, "incidents": 0})
    page = Page(_MOST_CHILDREN, None)
    parts = [await list_incidents(connection, page, status=status, parent=incident.id) for status in _STATUSES]
    rows = [row for part in parts for row in part.rows][:_MOST_CHILDREN]
    places = [(row["station"], row["area"]) for row in rows]
    stations = await load_stations(connection, [station for station, _ in places if station])
    counted = await connection.fetchrow(QUERIES.count_children, incident.id, incident.kind == IncidentKind.HEALTH)
    return _Children(parts, places, stations, dict(counted or {}))


async def _children(found: _Children, named: PlaceNames, words: Words, work: Work) -> dict[str, Any]:
    """What the page says of the children, and the verdict of each one's station now."""
    incidents = [child for part in found.parts for child in await part.documents(work)][:_MOST_CHILDREN]
    stations = {station.id: station for station in await found.stations.documents(work)} if found.stations else {}
    rows = [{**_row(child, named, words), "station": stations.get(child.station or "")} for child in incidents]
    return {"children": rows, **found.counted}


@router.get("/incidents/{id}/{action}")
async def back_to_incident(id: IncidentId, action: str) -> Response:  # noqa: A002
    """Where a refusal was shown: loading it again shows the incident."""
    return RedirectResponse(f"/incidents/{id}", status_code=303)


@router.post("/incidents/{id}/{action}")
async def act(request: Request, context: Shared, id: IncidentId, action: str) -> Response:  # noqa: A002
    """Do what a button of the page says, and show the page again; a refusal is shown on it."""
    said = await read_form(request)
    try:
        await act_on_incident(
            context, id, _action(request, context, id, action, said), _on_share(request, context, id, action, said)
        )
    except ActionRefusedError as exc:
        words = words_for(request)
        status = 403 if exc.refusal in BEYOND else 409
        return await _show(request, context, id, status, words.named("refusal", exc.refusal.value), said)
    return RedirectResponse(f"/incidents/{id}", status_code=303)


BEYOND: Final = {ActionRefusal.ONLY_SHARE, ActionRefusal.ONLY_PART}
"""Refusals because the incident or closure reaches beyond the scope."""


def _on_share(
    request: Request, context: Context, number: int, action: str, said: dict[str, str]
) -> IncidentAction | None:
    """What a button does for a person who holds only a share of the incident; None: nothing."""
    by, text = author_of(request, person(said)), said.get("text") or None
    until, assignee = context.config.acknowledging(_eta(said)), person(said, "assignee") or ""
    actions: Mapping[str, IncidentAction] = {
        "ack": lambda connection, now: acknowledge_shares(connection, number, by, text, now, until),
        "assign": lambda connection, now: hand_over_shares(connection, number, by, assignee, now, until),
        "note": lambda connection, now: note_on_shares(connection, number, by, text or "", now),
    }
    return actions.get(action)


def _action(request: Request, context: Context, number: int, action: str, said: dict[str, str]) -> IncidentAction:
    by = author_of(request, person(said))
    text, after = said.get("text") or None, context.config.reopening
    until = context.config.acknowledging(_eta(said))
    assignee = person(said, "assignee") or ""
    actions: Mapping[str, IncidentAction] = {
        "ack": lambda connection, now: incident_actions.acknowledge(connection, number, by, text, now, until),
        "assign": lambda connection, now: incident_actions.assign(connection, number, by, assignee, now),
        "note": lambda connection, now: incident_actions.note(connection, number, by, text or "", now),
        "resolve": lambda connection, now: incident_actions.resolve(connection, number, by, text or "", now, after),
    }
    if action not in actions:
        raise not_found("action", action)
    return actions[action]


def _eta(said: Mapping[str, str]) -> datetime | None:
    """The time in the form, as browsers send it, in Beijing; None: none. Raises a Problem."""
    text = said.get("eta", "")
    return parse_time("eta", as_beijing_time("eta", text)) if text else None
