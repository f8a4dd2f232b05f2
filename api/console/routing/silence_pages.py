"""Pages about silences: those there are, one of them, and the forms to make one and to end it early."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from api.actions.silences import Silencing, end_silence, silence_incidents
from api.console.area_choice import find_area
from api.console.incident_pages import KINDS
from api.console.name_lookup import PlaceNames, load_account_names, load_names, load_names_of
from api.console.names import where
from api.console.pages import page_router, show, why_refused, words_for
from api.console.texts import Words
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.paging import Page
from api.http.parameters import Cursor, SilenceId, Text
from api.http.problems import Problem
from api.http.times import as_beijing_time
from api.read.moment import load_now
from api.read.routing.silences import list_silences, load_silence, may_end_silence
from api.read.schemas import SilenceDocument, SilenceStatus
from contract.home import HOME

router = page_router()

_PAGE: Final = 50
_STATUSES: Final[tuple[SilenceStatus, ...]] = ("current", "planned", "over")
_SCOPES: Final = ("station", "area", "whole")
_FIELDS: Final = ("scope", "name", "kind", "from", "until", "reason")
_USUAL: Final = timedelta(hours=2)
"""How long a silence is unless the form says otherwise."""


@router.get("/silences")
async def show_silences(
    request: Request,
    context: Shared,
    status: Text = "",
    area: Text = "",
    station: Text = "",
    kind: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Silences, the last made first, and a form for another of the same place and kind."""
    return await _list(request, context, status, area, station, cursor, said={"kind": kind})


async def _list(
    request: Request,
    context: Context,
    status: str = "",
    area: str = "",
    station: str = "",
    cursor: str = "",
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str],
) -> Response:
    words = words_for(request)
    wanted = next((one for one in _STATUSES if one == status), None)
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        page = Page(_PAGE, cursor or None)
        found = await list_silences(
            connection, page, area=where_asked.codes, station=station.strip() or None, status=wanted
        )
        now, named = await load_now(connection), await load_names(connection, words, found.rows)
        accounts = await load_account_names(connection, words, [row["made_by"] for row in found.rows])
    given = {"scope": "area" if where_asked.code else "station", "name": station or where_asked.code, **said}
    return show(
        request,
        "silences.html",
        code,
        now=now,
        rows=[_row(one, named, words) for one in await found.documents(context.work)],
        next=found.next,
        who=accounts.shown,
        cursor=cursor,
        status=wanted or "",
        area=area,
        where_asked=where_asked,
        station=station,
        statuses=_STATUSES,
        scopes=_SCOPES,
        kinds=KINDS,
        refused=refused,
        said={**dict.fromkeys(_FIELDS, ""), "until": _usual_end(now), **given},
    )


def _usual_end(now: datetime) -> str:
    return f"{(now + _USUAL).astimezone(HOME):%Y-%m-%dT%H:%M}"


def _row(silence: SilenceDocument, named: PlaceNames, words: Words) -> dict[str, Any]:
    place, name = _place(silence)
    called = {"station": named.station, "area": named.area}.get(place, str)(name)
    return {
        "silence": silence,
        "scope": place,
        "id": name,
        "what": where(called, name) or words("silence_everything"),
        "kinds": words("comma").join(words.named("kind", kind) for kind in silence.kinds) or words("every_kind"),
        "status": words.named("silence_status", silence.status),
        "until": silence.ended_at or silence.until,
    }


def _place(silence: SilenceDocument) -> tuple[str, str]:
    """What a silence is of: `station`, `area` or `whole`, and its id or code."""
    if silence.station:
        return "station", silence.station
    return ("area", silence.area) if silence.area else ("whole", "")


@router.get("/silences/{id}")
async def show_silence(request: Request, context: Shared, id: SilenceId) -> Response:  # noqa: A002
    """One silence, and the button to end it."""
    words = words_for(request)
    async with context.database.snapshot() as connection:
        silence = await load_silence(connection, id)
        now, own = await load_now(connection), await may_end_silence(connection, id)
        named = await load_names_of(connection, words, [(silence.station, silence.area)])
        accounts = await load_account_names(connection, words, (silence.made_by, silence.ended_by))
    return show(request, "silence.html", now=now, own=own, who=accounts.shown, **_row(silence, named, words))


@router.post("/silences")
async def make(request: Request, context: Shared) -> Response:
    """Make the silence of the form and show it; a refusal is shown beside the form."""
    said = await read_form(request)
    try:
        made = await silence_incidents(context, request, _silencing(said))
    except (Problem, ValidationError) as exc:
        return await _list(request, context, code=422, refused=_refusal(exc, words_for(request)), said=said)
    return RedirectResponse(f"/silences/{made.id}", status_code=303)


def _silencing(said: Mapping[str, str]) -> Silencing:
    """The form, in which times are Beijing's."""
    scope, begin = said.get("scope", ""), said.get("from", "")
    place = {scope: True if scope == "whole" else said.get("name", "")} if scope in _SCOPES else {}
    return Silencing.model_validate(
        {
            **place,
            "kinds": [said["kind"]] if said.get("kind") else [],
            **({"from": as_beijing_time("from", begin)} if begin else {}),
            "until": as_beijing_time("until", said.get("until", "")),
            "reason": said.get("reason", ""),
        }
    )


_LABELS: Final = {"from": "from", "until": "until", "reason": "why", "kinds": "silence_kind"}
"""The labels of the form's fields; any other field is a name of what is silenced."""


def _refusal(exc: Problem | ValidationError, words: Words) -> str:
    """Why it was refused, in the reader's language."""
    return why_refused(exc, words, _LABELS, "silence_name")


@router.post("/silences/{id}/end")
async def end(request: Request, context: Shared, id: SilenceId) -> Response:  # noqa: A002
    """End a silence, and go back to its page."""
    await read_form(request)
    await end_silence(context, request, id)
    return RedirectResponse(f"/silences/{id}", status_code=303)
