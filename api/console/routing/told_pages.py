"""The pages that say who would be told of an incident, and where and when nobody would be."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response

from api.console.area_choice import AreaFound, find_area
from api.console.name_lookup import PlaceNames, load_names_of
from api.console.names import where
from api.console.pages import page_router, show, words_for
from api.console.routing.route_texts import first_spans, incidents_text, minute, step_words
from api.console.texts import Words
from api.context import Shared
from api.http.parameters import Text
from api.http.problems import Problem
from api.http.times import as_beijing_time, parse_stored_time
from api.read.routing.explained_schemas import ExplainedRecipient, ExplainedStep
from api.read.routing.explaining import AskedIncident, load_incident_asked
from api.read.routing.gaps import AskedGaps, load_gaps_asked
from api.read.routing.route_schemas import UntoldGapDocument
from contract.kinds import IncidentKind, Severity
from registry.routes.checks import SEVERITIES
from registry.routes.gaps import MOST_DAYS
from registry.routes.steps import parse_steps

router = page_router()

_MOST_AREAS: Final = 5


@router.get("/who-is-told")
async def show_told(
    request: Request,
    context: Shared,
    station: Text = "",
    area: Text = "",
    kind: IncidentKind = IncidentKind.STATION_OFFLINE,
    severity: Text = "",
    at: Text = "",
) -> Response:
    """Who would be told of an incident of a station or an area, when, by which channels, and why."""
    words = words_for(request)
    moment = parse_stored_time("at", as_beijing_time("at", at)) if at.strip() else None
    grave: Severity | None = severity if severity in SEVERITIES else None  # type: ignore[assignment]
    asked: AskedIncident | None = None
    codes: list[tuple[str | None, str | None]] = []
    async with context.database.snapshot() as connection:
        where_asked = AreaFound() if station else await find_area(connection, request, area, words)
        unknown = False
        if station or where_asked.code:
            try:
                asked = await load_incident_asked(
                    connection, station=station or None, area=where_asked.code or None, kind=kind, severity=grave,
                    at=moment,
                )  # fmt: skip
            except Problem as exc:
                if exc.status != HTTPStatus.NOT_FOUND:
                    raise
                unknown = True
        if asked is not None:
            codes = [(None, one) for one in {*asked.subject.path, *(route.area for route in asked.routing.routes)}]
        named = await load_names_of(connection, words, [(station or None, None), *codes])
    told = None if asked is None else await context.work.do(asked.things, asked.document)
    routes = {} if asked is None else {one.id: one for one in asked.routing.routes}
    return show(
        request,
        "told_by_routes.html",
        station=station,
        area=area,
        kind=kind.value,
        severity=severity,
        at=at,
        kinds=[one.value for one in IncidentKind],
        severities=SEVERITIES,
        where_asked=where_asked,
        unknown=unknown,
        told=told,
        begins=minute(told.at) if told else "",
        subject=where(named.station(station), named.area(asked.subject.path[-1]))
        if asked and asked.subject.path
        else "",
        steps=[_step(n, step, asked, named, words) for n, step in enumerate(told.steps)] if told and asked else [],
        verdicts=[
            (one.route, where(named.area(routes[one.route].area)) or words("everywhere"), one.why)
            for one in sorted(told.verdicts, key=lambda one: one.why != "chosen")
        ]
        if told
        else [],
    )


def _step(number: int, step: ExplainedStep, asked: AskedIncident, named: PlaceNames, words: Words) -> dict[str, Any]:
    contacts = asked.routing.contacts
    return {
        "number": number + 1,
        "rule": step_words(words, parse_steps(step.rule)[0]),
        "at": minute(step.at) if step.at else "",
        "told": [_recipient(one, asked, named, words) for one in step.recipients],
        "why": words.named("nobody_told", step.why) if step.why else "",
        "passed_over": [
            (
                contacts[one.contact].name if one.contact in contacts else one.contact,
                words.named("passed_over", one.why),
            )
            for one in step.passed_over
        ],
    }


def _recipient(one: ExplainedRecipient, asked: AskedIncident, named: PlaceNames, words: Words) -> dict[str, Any]:
    duty = next((duty for duty in asked.routing.duties if duty.id == one.duty), None) if one.duty else None
    absent = asked.routing.contacts.get(one.instead_of or "")
    return {
        "contact": one.contact,
        "name": one.name,
        "channels": words("comma").join(words.named("channel", kind) for kind in one.channels),
        "place": named.area(one.area) or words("everywhere"),
        "times": duty.times if duty else "",
        "instead_of": (absent.name if absent else one.instead_of) or "",
        "quiet_until": minute(one.quiet_until) if one.quiet_until else "",
    }


@router.get("/gaps")
async def show_gaps(
    request: Request, context: Shared, area: Text = "", days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 7
) -> Response:
    """Where and when no person would be told in the next days."""
    words = words_for(request)
    asked: AskedGaps | None = None
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        if not (where_asked.choices or where_asked.unknown):
            asked = await load_gaps_asked(connection, area=where_asked.codes, begin=None, days=days)
    found = None if asked is None else await context.work.do_alone(asked.document)
    names = {} if asked is None else {row["code"]: words.pick(row["name"], row["name_en"]) for row in asked.rows}
    return show(
        request,
        "gaps.html",
        area=area,
        days=days,
        most_days=MOST_DAYS,
        where_asked=where_asked,
        found=found,
        rows=[_gap(one, names, words) for one in found.gaps] if found else [],
    )


def _gap(gap: UntoldGapDocument, names: dict[str, str], words: Words) -> dict[str, Any]:
    kinds, severities = incidents_text(words, gap.incidents)
    spans, more = first_spans(gap.spans)
    return {
        "areas": [
            (code, names.get(code, code)) if code else ("", words("gap_nowhere")) for code in gap.areas[:_MOST_AREAS]
        ],
        "more_areas": max(gap.area_count - _MOST_AREAS, 0),
        "kinds": kinds,
        "severities": severities,
        "spans": spans,
        "more_spans": more,
        "hours": f"{gap.hours:g}",
        "route": gap.route,
        "why": words.named("nobody_told", gap.why),
        "narrow": where(gap.programme, words.named("station_kind", gap.station_kind) if gap.station_kind else None),
    }
