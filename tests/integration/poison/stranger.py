"""A stranger sends every door what lies at its edges, and gathers the answers that do not fit."""

import re
from collections import Counter
from typing import Any, Final
from urllib.parse import quote

import httpx

from api.http.middleware import V1
from api.http.uploads.bounds import MULTIPART, carries_file
from tests.integration.matrix.askers import WHOLES
from tests.integration.matrix.places import Place
from tests.integration.matrix.subjects import body_of
from tests.integration.matrix.table import ROWS, Row
from tests.integration.poison.bodies import (
    FILES,
    FORM,
    LONG,
    MOMENTS,
    NAMES,
    OTHERS,
    SHAPES,
    as_bytes,
    as_form,
    as_json,
    as_parts,
    odd_parts,
    values_of,
)
from tests.integration.poison.doors import Door, Field, forms_in

FITTING: Final = frozenset({200, 201, 303, 400, 404, 405, 409, 413, 415, 422})
OPEN: Final = frozenset({401, 403, 429})
"""Answers of the routes at which people are not signed in yet."""
ADMIN: Final = next(asker for asker in WHOLES if asker.letter == "A")
ENDING: Final = ("/signout", "/account/sessions", "/api/v1/account/sessions")
"""Paths that end a session; that which asks may be one of them."""


class Stranger:
    """Sends every door every edge; gathers the answers that do not fit."""

    def __init__(self, place: Place) -> None:
        self.place, self.headers = place, dict[str, str]()
        self.wrong: list[str] = []
        self.answers = Counter[int]()

    async def send(self, row: Row, path: str, body: bytes | None = None, kind: str = "application/json") -> int:
        """One request, whose answer must fit; its status."""
        if row.path.startswith(ENDING):
            self.headers = await self.place.access.headers(ADMIN)
        headers = self.headers | ({} if body is None else {"Content-Type": kind})
        answer = await self.ask(row.method, path, headers, body)
        self.answers[answer.status_code] += 1
        if answer.status_code not in (FITTING | OPEN if row.is_open else FITTING):
            self.wrong.append(
                f"{row.method} {path[:200]} {(body or b'')[:200]!r} {answer.status_code} {answer.text[:300]}"
            )
        return answer.status_code

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> httpx.Response:
        """The answer to a request."""
        self.place.client.cookies.clear()
        return await self.place.client.request(method, path, headers=headers or self.headers, content=body)

    async def try_door(self, row: Row, door: Door, forms: set[Field]) -> None:
        """Each door about things of its own, so that a request that is accepted keeps no other one away."""
        self.headers = await self.place.access.headers(ADMIN)
        subject = self.place.subjects.standing("admin")
        if row.changes:
            subject = await self.place.subjects.fresh(row, ADMIN, self.headers)
            self.headers = await self.place.access.headers(ADMIN)
        path, plain = subject.path(row), body_of(row, subject)
        await self.try_query(row, path, door)
        await self.try_path(row, plain)
        if isinstance(plain, dict) and row.is_page:
            await self.try_form(row, path, forms, plain)
        elif isinstance(plain, dict):
            await self.try_json(row, path, door, plain)
        if plain is not None and carries_file(row.method, path, MULTIPART):
            await self.try_files(row, path, plain if isinstance(plain, dict) else {})
        if row.changes and "{id}" in row.path:
            shown = row.path.partition("{id}")[0] + "{id}"
            for other in ROWS:
                if other.method == "GET" and other.path in (shown, shown.removeprefix(V1)):
                    await self.send(other, subject.path(other))

    async def try_query(self, row: Row, path: str, door: Door) -> None:
        """Each parameter of the address at its edges."""
        for field in door.query:
            for value in values_of(field):
                if value != LONG:  # as in a document
                    await self.send(row, f"{path}{'&' if '?' in path else '?'}{field.name}={quote(as_bytes(value))}")

    async def try_path(self, row: Row, plain: dict[str, Any] | bytes | None) -> None:
        """Names of things that no thing has."""
        body = as_json(plain) if isinstance(plain, dict) else plain
        for name in NAMES if "{" in row.path else ():
            words = dict.fromkeys(re.findall(r"{(\w+)}", row.path), quote(as_bytes(name), safe=""))
            await self.send(row, row.path.format(**words), body)

    async def try_json(self, row: Row, path: str, door: Door, plain: dict[str, Any]) -> None:
        """Each field of a document at its edges, of another type, and absent; and documents of other shapes.

        A time that lies outside the bounds must be refused, wherever it comes in."""
        for field in door.body:
            for value in (*values_of(field), *OTHERS):
                status = await self.send(row, path, as_json(plain | {field.name: value}))
                if field.takes == "time" and value in MOMENTS and status < 400:
                    self.wrong.append(f"{row.method} {path[:200]} takes {field.name} {value}")
            await self.send(row, path, as_json({name: one for name, one in plain.items() if name != field.name}))
        for shape in SHAPES if door.body else ():
            await self.send(row, path, shape)

    async def try_form(self, row: Row, path: str, fields: set[Field], plain: dict[str, Any]) -> None:
        """Each field of a form at its edges, and absent."""
        known = {field.name for field in fields}
        for field in sorted(fields | {Field(name, "text") for name in plain if name not in known}):
            for value in values_of(field):
                await self.send(row, path, as_form(plain | {field.name: value}), FORM)
            await self.send(row, path, as_form({name: one for name, one in plain.items() if name != field.name}), FORM)

    async def try_files(self, row: Row, path: str, plain: dict[str, Any]) -> None:
        """Bodies with a file: of any content, and forms that no browser sends."""
        for content in FILES:
            if not plain:
                await self.send(row, path, content, "image/jpeg")
            await self.send(row, path, *as_parts(plain, content))
        for body, kind in odd_parts(plain):
            await self.send(row, path, body, kind)

    async def fields_of_forms(self) -> dict[tuple[str, str], set[Field]]:
        """The fields of all forms on all pages, by the route to which each is sent."""
        self.headers = await self.place.access.headers(ADMIN)
        subject, found = self.place.subjects.standing("admin"), dict[tuple[str, str], set[Field]]()
        for row in ROWS:
            if row.is_page and row.method == "GET":
                shown = await self.ask("GET", subject.path(row))
                for action, fields in forms_in(shown.text).items():
                    found.setdefault(_route_to(action), set()).update(fields)
        return found


def _route_to(action: str) -> tuple[str, str]:
    """The route to which a form with an address is sent; the longest that fits, as `/a/b` fits `/a/{id}` too."""
    fitting = [
        row for row in ROWS if row.method == "POST" and re.fullmatch(re.sub(r"{\w+}", "[^/]+", row.path), action)
    ]
    assert fitting, f"{action} leads to no route"
    return max(fitting, key=lambda row: -row.path.count("{")).route
