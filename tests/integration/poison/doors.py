"""Every door of the application: each route, and what its requests carry, as the routes and pages themselves say."""

import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final, get_args

import msgspec
from fastapi import params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api import app as served
from api.http.middleware import V1
from api.v1 import probes

_TIME: Final = re.compile(r"(^|_)(from|to|until|at|eta|period|valid)(_|$)|date|time")
_COUNT: Final = re.compile(r"^(limit|days|weeks?|minutes|hours|parent|finding|incident)$")


class Field(msgspec.Struct, frozen=True, order=True):
    """A field of a request. `takes`: text, time or number, by its name or type."""

    name: str
    takes: str


class Door(msgspec.Struct, frozen=True):
    """A route, and the fields of its query or of its body."""

    method: str
    path: str
    query: tuple[Field, ...]
    body: tuple[Field, ...]


def doors() -> dict[tuple[str, str], Door]:
    """The door of every route by (method, path); the fields of pages' forms are on the pages."""
    found = {}
    for prefix, route in _served():
        given = get_flat_params(route.dependant)
        query = tuple(_field(one.alias, one.field_info.annotation) for one in given if _is_query(one.field_info))
        models = [one.field_info.annotation for one in route.dependant.body_params]
        body = tuple(field for model in models for field in _fields_of(model))
        for method in route.methods or ():
            found[method, prefix + route.path] = Door(method, prefix + route.path, query, body)
    return found


def _served() -> Iterator[tuple[str, APIRoute]]:
    rooms = [(V1, room) for room in served._ROUTERS] + [("", room) for room in (probes, *served._PAGES)]
    return ((prefix, route) for prefix, room in rooms for route in room.router.routes if isinstance(route, APIRoute))


def _is_query(info: Any) -> bool:
    return isinstance(info, params.Query)


def _fields_of(model: Any) -> Iterator[Field]:
    found = [one for one in (model, *get_args(model)) if isinstance(one, type) and issubclass(one, BaseModel)]
    assert len(found) == 1, model
    for name, field in found[0].model_fields.items():
        alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
        yield _field(alias or name, field.annotation)


def _field(name: str, kind: Any = str) -> Field:
    if _TIME.search(name):
        return Field(name, "time")
    return Field(name, "number" if _COUNT.match(name) or re.search(r"\bint\b", str(kind)) else "text")


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, set[Field]] = defaultdict(set)
        self._action: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given["action"].partition("?")[0] if given.get("method", "").lower() == "post" else None
        elif tag in ("input", "select", "textarea", "button") and self._action:
            for action in (self._action, given.get("formaction", self._action)):
                self.found[action] |= {_field(given["name"])} if "name" in given else set()

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._action = None


def forms_in(html: str) -> dict[str, set[Field]]:
    """The fields of the forms of a page that change something, by the address to which each is sent."""
    forms = _Forms()
    forms.feed(html)
    return forms.found
