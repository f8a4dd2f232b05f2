"""The page of duty: who is on duty, what duties and substitutes are given, and the forms to give and remove them."""

from collections.abc import Awaitable, Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from starlette.responses import RedirectResponse

from api.actions import duty as acts
from api.actions.duty import GivenDuty, GivenSubstitute
from api.console.area_choice import find_area
from api.console.name_lookup import PlaceNames, load_names_of
from api.console.names import role_named, where
from api.console.pages import page_router, show, why_refused, words_for
from api.console.texts import Words
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.paging import Page
from api.http.parameters import Cursor, DutyId, SubstituteId, Text, area_codes
from api.http.problems import Problem
from api.http.times import as_beijing_time, parse_stored_time
from api.read.routing.duty import AskedDuty, list_duties, list_substitutes, load_asked
from api.read.routing.schemas import OnDutyDocument

router = page_router()

_PAGE: Final = 50
_LINES: Final = 100
"""Lines of who is on duty, and substitutes, that the page shows; the filter by area finds the others."""
_FIELDS: Final = ("area", "role", "contact", "times", "weeks", "week", "valid_from", "valid_to", "substitute",
                  "from", "until", "reason")  # fmt: skip


@router.get("/duty")
async def show_duty(
    request: Request,
    context: Shared,
    area: Text = "",
    at: Text = "",
    cursor: Cursor = "",
) -> Response:
    """Who is on duty, now or at another time, and what is given."""
    return await _page(request, context, area, at, cursor, said={})


async def _page(
    request: Request,
    context: Context,
    area: str = "",
    at: str = "",
    cursor: str = "",
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str],
) -> Response:
    words = words_for(request)
    moment = parse_stored_time("at", as_beijing_time("at", at)) if at.strip() else None
    async with context.database.snapshot() as connection:
        where_asked = await find_area(connection, request, area, words)
        asked = await load_asked(connection, where_asked.codes, moment)
        page = Page(_PAGE, cursor or None)
        duties = await list_duties(connection, page, area=where_asked.codes, role=None, contact=None)
        absences = await list_substitutes(connection, Page(_LINES, None), contact=None, past=False)
        codes = {*(place for place, _ in asked.places[:_LINES]), *(row["area"] for row in duties.rows)}
        named = await load_names_of(connection, words, [(None, one) for one in codes])
    now = await context.work.do(asked.things, lambda: asked.listing(Page(_LINES, None)))
    given = await duties.documents(context.work)
    return show(
        request,
        "duty.html",
        code,
        lines=[_line(one, asked, named, words) for one in now.items],
        more=_LINES if now.next else 0,
        at=at,
        moment_asked=moment,
        duties=[(one, _place(one.area, named, words), asked.name(one.contact)) for one in given],
        absences=[
            (one, asked.name(one.contact), asked.name(one.substitute)) for one in await absences.documents(context.work)
        ],
        next=duties.next,
        cursor=cursor,
        area=area,
        where_asked=where_asked,
        refused=refused,
        said={**dict.fromkeys(_FIELDS, ""), "area": where_asked.code, **said},
    )


def _place(area: str | None, named: PlaceNames, words: Words) -> str:
    return where(named.area(area), area) or words("everywhere")


def _line(line: OnDutyDocument, asked: AskedDuty, named: PlaceNames, words: Words) -> dict[str, Any]:
    duties = asked.loaded.duties
    return {
        "place": _place(line.area, named, words),
        "role": line.role,
        "holders": [
            {
                "name": holder.name,
                "contact": holder.contact,
                "duty": duties.get(holder.duty) if holder.duty is not None else None,
                "instead_of": asked.name(holder.instead_of) if holder.instead_of else None,
            }
            for holder in line.on_duty
        ],
        "passed_over": [(asked.name(one.contact), words.named("passed_over", one.why)) for one in line.passed_over],
    }


@router.post("/duty")
async def give_duty(request: Request, context: Shared) -> Response:
    """Give the duty of the form; a refusal is shown beside the form."""
    said = await read_form(request)
    try:
        await acts.give_duty(context, request, _read(GivenDuty, _duty_of(said)))
    except (Problem, ValidationError) as exc:
        return await _refused(request, context, exc, said)
    return _back()


@router.post("/substitutes")
async def give_substitute(request: Request, context: Shared) -> Response:
    """Give the substitute of the form; a refusal is shown beside the form."""
    said = await read_form(request)
    try:
        await acts.give_substitute(context, request, _read(GivenSubstitute, _absence_of(said)))
    except (Problem, ValidationError) as exc:
        return await _refused(request, context, exc, said)
    return _back()


@router.post("/duty/{id}/remove")
async def remove_duty(request: Request, context: Shared, id: DutyId) -> Response:  # noqa: A002
    """Remove a duty, and go back to the page."""
    return await _removed(request, acts.remove_duty(context, request, id))


@router.post("/substitutes/{id}/remove")
async def remove_substitute(request: Request, context: Shared, id: SubstituteId) -> Response:  # noqa: A002
    """Remove a substitute, and go back to the page."""
    return await _removed(request, acts.remove_substitute(context, request, id))


async def _removed(request: Request, act: Awaitable[BaseModel]) -> Response:
    await read_form(request)
    await act
    return _back()


def _back() -> Response:
    return RedirectResponse("/duty", status_code=303)


def _read(kind: type[Any], fields: Mapping[str, str]) -> Any:
    """The form as a request: an empty field is not given."""
    return kind.model_validate({name: value.strip() for name, value in fields.items() if value.strip()})


def _duty_of(said: Mapping[str, str]) -> dict[str, str]:
    fields = {name: said.get(name, "") for name in GivenDuty.model_fields}
    area = (area_codes(fields["area"].strip()) or [""])[-1]
    return {**fields, "area": area, "role": role_named(fields["role"])}


def _absence_of(said: Mapping[str, str]) -> dict[str, str]:
    fields = {name: said.get(name, "") for name in ("contact", "substitute", "reason")}
    times = {name: said.get(name, "") for name in ("from", "until")}
    return {**fields, **{name: as_beijing_time(name, text) for name, text in times.items() if text.strip()}}


_LABELS: Final = {
    "area": "area", "role": "role", "contact": "duty_contact", "times": "duty_times", "weeks": "duty_weeks",
    "week": "duty_week", "valid_from": "valid_from", "valid_to": "valid_to", "substitute": "substitute_id",
    "from": "from", "until": "until", "reason": "why",
}  # fmt: skip
"""The labels of the forms' fields."""


async def _refused(
    request: Request, context: Context, exc: Problem | ValidationError, said: Mapping[str, str]
) -> Response:
    refused = _refusal(exc, words_for(request))
    return await _page(request, context, code=422, refused=refused, said={n: said.get(n, "") for n in _FIELDS})


def _refusal(exc: Problem | ValidationError, words: Words) -> str:
    """Why it was refused, in the reader's language."""
    return why_refused(exc, words, _LABELS, "duty_contact")
