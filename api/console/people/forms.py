"""The forms of accounts and tokens: their values, and why one was refused, in the reader's language."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from pydantic import ValidationError

from access.roles import Role, is_wider
from access.rules import Actor
from api.console.pages import why_refused
from api.console.people.area_list import AreasRead, read_areas
from api.console.texts import Words
from api.context import Context
from api.http.problems import Problem

LABELS: Final = {
    "login": "login",
    "name": "person_name",
    "role": "role",
    "days": "token_days",
    "areas": "areas_label",
    "whole": "own_scope",
}
WHOLE: Final = "whole"
AREAS: Final = "areas"
OWN: Final = "own"


def roles_within(actor: Actor) -> list[str]:
    """The roles that the reader may give: those with no permission that the reader lacks."""
    return [role.value for role in Role if not is_wider(role, actor.permissions)]


async def asked_areas(context: Context, request: Request, said: Mapping[str, str], words: Words) -> AreasRead:
    """What the lines of the field `areas` mean; none where the form asks for another scope."""
    if said.get("scope") != AREAS:
        return AreasRead(codes=[], text=said.get(AREAS, ""))
    async with context.database.snapshot() as connection:
        return await read_areas(connection, request, said.get(AREAS, ""), said.get("pick", ""), words)


def scope_fields(said: Mapping[str, str], areas: AreasRead) -> dict[str, Any]:
    """The scope of a form as the fields of a request; without fields it stays, or is that of the account."""
    match said.get("scope"):
        case "whole":
            return {"whole": True}
        case "areas":
            return {"whole": False, "areas": areas.codes}
        case _:
            return {}


def refusal(exc: Problem | ValidationError, words: Words, *, name: str = LABELS["name"]) -> str:
    """Why it was refused, in the reader's language. `name`: the text by which the form calls its field `name`."""
    return why_refused(exc, words, {**LABELS, "name": name}, name)
