"""Every text and number that a request may carry, at its edges: an answer that says what is wrong, never a failure.

The doors are those of the application: a new route, field or form is tried by itself.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import msgspec
import pytest

from api.http.middleware import V1
from tests.integration.matrix.askers import WHOLES
from tests.integration.matrix.places import Place, open_place
from tests.integration.matrix.subjects import body_of
from tests.integration.matrix.table import ROWS, Row
from tests.integration.poison.doors import Door, Field, doors, forms_in

HALF: Final = "\ud800"
"""Half of a character, which JSON may write as an escape."""
ODD: Final = "\x01\x1b[31m\x7f\u2028\u202egnitirw\u202c\u200b\ufeff<script>'\"{{x}}%s{0}\U0010ffff"
"""Control characters, other directions, markup, and a character beyond the plane."""
LONG: Final = "x" * 5000
TEXTS: Final = ("a\0b", ODD, LONG, HALF)
MOMENTS: Final = ("0001-01-01", "9999-12-31T23:59:59-14:00", "infinity")
NUMBERS: Final = (-1, 2**63, 10**400, "٣")
OTHERS: Final = (None, [1.5])
"""Values of other types."""
SHAPES: Final = (b"", b"null", b'{"by":' + b"[" * 5000, b"\xff\xfe")
NAMES: Final = ("a\0b", str(2**63), "٣" + HALF)
"""What a path may name."""
FITTING: Final = frozenset({200, 201, 303, 400, 404, 405, 409, 413, 422})
FORM: Final = "application/x-www-form-urlencoded"
OPEN: Final = frozenset({401, 403, 429})
"""Answers of the routes at which people are not signed in yet."""
ADMIN: Final = next(asker for asker in WHOLES if asker.letter == "A")
# A stream has no end. The others end the session that asks.
LEFT_OUT: Final = ("/api/v1/stream", "/signout", "/account/sessions", "/api/v1/account/sessions")


def values_of(field: Field) -> tuple[Any, ...]:
    """The edges of what a field takes."""
    return {"text": TEXTS, "time": TEXTS + MOMENTS, "number": TEXTS[:1] + NUMBERS}[field.takes]


def as_json(values: dict[str, Any]) -> bytes:
    """JSON as a stranger may write it: half characters as escapes."""
    parts = (f'"{name}":{_written(value)}' for name, value in values.items())
    return ("{" + ",".join(parts) + "}").encode()


def _written(value: Any) -> str:
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in value) + '"'
    return str(value) if isinstance(value, int) else msgspec.json.encode(value).decode()


def as_form(values: dict[str, Any]) -> bytes:
    """A form as a stranger may write it: half characters as bytes."""
    return urlencode({name: _bytes(value) for name, value in values.items()}).encode()


def _bytes(value: Any) -> bytes:
    return str(value).encode(errors="surrogatepass")


class Stranger:
    """Sends every door every edge; gathers the answers that do not fit."""

    def __init__(self, place: Place) -> None:
        self.place, self.headers = place, dict[str, str]()
        self.wrong: list[str] = []
        self.answers = Counter[int]()

    async def send(self, row: Row, path: str, body: bytes | None = None, kind: str = "application/json") -> int:
        """One request, whose answer must fit; its status."""
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
                    await self.send(row, f"{path}{'&' if '?' in path else '?'}{field.name}={quote(_bytes(value))}")

    async def try_path(self, row: Row, plain: dict[str, Any] | bytes | None) -> None:
        """Names of things that no thing has."""
        body = as_json(plain) if isinstance(plain, dict) else plain
        for name in NAMES if "{" in row.path else ():
            words = dict.fromkeys(re.findall(r"{(\w+)}", row.path), quote(_bytes(name), safe=""))
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

    async def fields_of_forms(self) -> dict[tuple[str, str], set[Field]]:
        """The fields of all forms on all pages, by the route to which each is sent."""
        self.headers = await self.place.access.headers(ADMIN)
        subject, found = self.place.subjects.standing("admin"), dict[tuple[str, str], set[Field]]()
        for row, _ in rows():
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


def rows() -> list[tuple[Row, Door]]:
    """Every route with what its requests carry. `{action}` stands in the application for several rows."""
    known = doors()
    found = []
    for row in ROWS:
        door = known.get(row.route) or known.get((row.method, row.path.rpartition("/")[0] + "/{action}"))
        if door is not None and not row.path.startswith(LEFT_OUT):
            found.append((row, door))
    return found


def test_every_route_is_tried() -> None:
    tried = {(door.method, door.path) for _, door in rows()}
    untried = {path for _, path in set(doors()) - tried}
    assert all(path.startswith(LEFT_OUT) for path in untried), untried


@pytest.mark.timeout(300)
async def test_no_request_is_a_failure_of_the_server(postgres_server: str, template: str, tmp_path: Path) -> None:
    async with open_place(postgres_server, template, tmp_path) as place:
        stranger = Stranger(place)
        forms = await stranger.fields_of_forms()
        assert len(forms) > 30
        assert {"scope", "name", "from", "until", "reason"} <= {field.name for field in forms["POST", "/closures"]}
        for row, door in rows():
            await stranger.try_door(row, door, forms.get(row.route, set()))
        stranger.headers = await place.access.headers(ADMIN)
        for row, _ in rows():
            if row.method == "GET" and row.path != "/readyz":
                await stranger.send(row, place.subjects.standing("admin").path(row))
        assert not stranger.wrong, "\n".join(stranger.wrong)[:6000]
        assert stranger.answers[200] > 300
        assert stranger.answers[422] > 500
