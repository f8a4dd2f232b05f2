"""The forms of the pages, as browsers send them."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from fastapi import Request

from api.http.middleware import require_may_act
from api.http.problems import Problem

MOST_PERSON: Final = 64
"""Characters of a person's name."""
_AS_TYPED: Final = frozenset({"password", "again", "current"})
"""Fields of passwords, which may begin or end with a space."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that changes something; only for people who are signed in. Raises a Problem."""
    require_may_act(request.scope)
    return await fields_of(request)


async def fields_of(request: Request) -> dict[str, str]:
    """The last value of each field of a URL-encoded form. Raises a Problem."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, max_num_fields=20)
    except ValueError as exc:
        raise Problem(422, "the form has too many fields") from exc
    return {name: values[-1] if name in _AS_TYPED else _trimmed(values[-1]) for name, values in fields.items()}


def _trimmed(value: str) -> str:
    return value.replace("\r\n", "\n").strip()


def person(form: Mapping[str, str], field: str = "by") -> str | None:
    """The name in a field, None for an empty one."""
    return form.get(field, "")[:MOST_PERSON] or None
