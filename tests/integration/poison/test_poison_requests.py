"""Every text and number that a request may carry, at its edges: an answer that says what is wrong, never a failure."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec
import pytest

from store.pool import Pool
from tests.integration.api_world import World, config, serving
from tests.integration.duty_kit import add_contact

HALF: Final = "\ud800"
"""Half of a character, which JSON may write as an escape."""
TEXTS: Final = {
    "nothing": "",
    "half a character": HALF,
    "U+0000": "a\0b",
    "control characters": "\x01\x1b[31m\x7f\u2028",
    "other directions": "\u202egnitirw\u202c\u200b\ufeff",
    "beyond the plane": "\U0010ffff",
    "very long": "x" * 5000,
    "markup": "<script>alert(1)</script>'\"{{x}}%s{0}",
}
MOMENTS: Final = ("0001-01-01", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00", "2026-11-01T00:00:00+23:59",
                  "-infinity", "infinity", "NaN", "1e308", "2026-W01-1", "20261101", "")  # fmt: skip
NUMBERS: Final = (0, -1, 2**63 - 1, 2**63, 10**400, "1e5", "٣", "")
FITTING: Final = (200, 201, 303, 400, 404, 405, 409, 413, 422)

BODIES: Final[dict[str, dict[str, Any]]] = {
    "/api/v1/closures": {"station": "s", "from": "2026-11-01", "until": "2026-11-02", "reason": "r", "by": "b"},
    "/api/v1/closures/{closure}/approve": {"evidence": "e", "by": "b"},
    "/api/v1/closures/{closure}/withdraw": {"by": "b"},
    "/api/v1/silences": {"station": "s", "from": "2026-11-01", "until": "2026-11-02", "reason": "r"},
    "/api/v1/silences/{silence}/end": {},
    "/api/v1/duty": {
        "area": "63",
        "role": "technician",
        "contact": "li",
        "times": "24x7",
        "weeks": 1,
        "week": 1,
        "valid_from": "2026-11-01",
        "valid_to": "2026-11-02",
    },
    "/api/v1/substitutes": {
        "contact": "li",
        "substitute": "ma",
        "from": "2026-11-01",
        "until": "2026-11-02",
        "reason": "r",
    },
    "/api/v1/contacts": {"name": "n", "role": "lead", "area": "63", "quiet": "22:00-07:00", "account": "admin"},
    "/api/v1/incidents/{incident}/note": {"text": "t", "by": "b"},
    "/api/v1/incidents/{incident}/ack": {"text": "t", "by": "b"},
    "/api/v1/incidents/{incident}/assign": {"assignee": "a", "by": "b"},
    "/api/v1/incidents/{incident}/resolve": {"text": "t", "by": "b"},
    "/api/v1/pipeline/shards/main/trust": {"by": "b"},
}
SHAPES: Final = (
    b"",
    b"null",
    b"[]",
    b"{",
    b'{"by":{}}',
    b'{"by":[' + b"[" * 5000,
    b"\xff\xfe",
    b'{"by":1e999}',
)
QUERIES: Final = {
    "/api/v1/stations": ("area", "status", "q", "cursor", "limit"),
    "/api/v1/stations/s/timeline": ("from", "to"),
    "/api/v1/stations/s/usage": ("from", "to", "cursor", "limit"),
    "/api/v1/incidents": ("area", "status", "kind", "station", "parent", "cursor", "limit"),
    "/api/v1/closures": ("area", "station", "status", "cursor"),
    "/api/v1/findings": ("station", "incident", "status", "cursor"),
    "/api/v1/corrections": ("station", "finding", "status", "cursor"),
    "/api/v1/silences": ("area", "station", "status", "cursor"),
    "/api/v1/routes": ("area", "cursor"),
    "/api/v1/gaps": ("area", "from", "days"),
    "/api/v1/stations/s/routing": ("kind", "severity", "at"),
    "/api/v1/duty": ("area", "role", "contact", "cursor"),
    "/api/v1/duty/now": ("area", "at", "cursor"),
    "/api/v1/substitutes": ("contact", "past", "cursor"),
    "/api/v1/contacts": ("area", "retired", "cursor"),
    "/api/v1/blind-spots": ("area", "kind", "cursor"),
    "/api/v1/uptime": ("area", "station", "period"),
    "/api/v1/uptime/stations": ("area", "period"),
    "/api/v1/reports/uptime": ("area", "period", "format", "language"),
    "/api/v1/reports/stations/s": ("period", "format", "language"),
    "/api/v1/work": ("contact",),
    "/api/v1/response": ("area", "from", "to"),
    "/api/v1/pipeline": ("from", "to", "limit"),
    "/stations": ("area", "status", "q", "cursor"),
    "/incidents": ("area", "kind", "cursor"),
    "/uptime": ("area", "station", "period"),
    "/work": ("contact",),
    "/response": ("area", "days"),
    "/closures": ("area", "station", "status", "cursor"),
    "/findings": ("station", "status", "cursor"),
    "/corrections": ("station", "finding", "status", "cursor"),
    "/silences": ("area", "station", "status", "kind", "cursor"),
    "/contacts": ("area", "retired", "cursor"),
    "/duty": ("area", "at", "cursor"),
    "/routes": ("area", "cursor"),
    "/who-is-told": ("station", "area", "kind", "severity", "at"),
    "/gaps": ("area", "days"),
}
PATHS: Final = tuple(f"{root}/{kind}/{{}}" for root in ("", "/api/v1") for kind in ("stations", "areas", "incidents"))
TIMES: Final = {"from", "until", "to", "at", "valid_from", "valid_to"}
COUNTS: Final = {"limit", "parent", "weeks", "week", "days"}


def _said(name: str) -> list[str]:
    """The values of a parameter or field: texts, and times or numbers where it takes these."""
    more = MOMENTS if name in TIMES else map(str, NUMBERS) if name in COUNTS else ()
    return [*TEXTS.values(), *more]


async def send(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in FITTING, (path, body[:200], answer.status_code, answer.text[:300])


def as_json(values: dict[str, Any]) -> bytes:
    """JSON as a stranger may write it: half characters as escapes."""
    parts = (f'"{name}":{_written(value)}' for name, value in values.items())
    return ("{" + ",".join(parts) + "}").encode()


def _written(value: Any) -> str:
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in value) + '"'
    return str(value) if isinstance(value, int) else msgspec.json.encode(value).decode()


@pytest.fixture
async def numbers(pool: Pool) -> dict[str, int]:
    world = World(pool)
    await world.area("63", "青海省", level="province")
    await world.clock()
    await world.station("s", "offline", area="63")
    closure = await world.closure(-1, 1, approved=False, station="s")
    silence = await world.silence(station="s")
    for contact in ("li", "ma"):
        await add_contact(pool, contact, "63")
    return {"closure": closure, "silence": silence, "incident": await world.incident("station_offline", station="s")}


async def test_no_body_is_a_failure_of_the_server(
    pool: Pool, database: str, tmp_path: Path, numbers: dict[str, int]
) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        for template, plain in BODIES.items():
            path = template.format(**numbers)
            for name in plain:
                for value in (*_said(name), None, 2**63, [], {}):
                    await send(client, path, as_json(plain | {name: value}))
            for body in SHAPES:
                await send(client, path, body)
        for page in ("/", "/closures", "/silences", "/incidents", f"/incidents/{numbers['incident']}", "/stations/s"):
            assert (await client.get(page)).status_code == 200, page


async def test_no_query_and_no_path_is_a_failure_of_the_server(
    pool: Pool, database: str, tmp_path: Path, numbers: dict[str, int]
) -> None:
    async with serving(config(database, tmp_path)) as (client, _):
        for path, names in QUERIES.items():
            for name in names:
                for value in _said(name):
                    answer = await client.get(f"{path}?{name}={quote(value.encode(errors='surrogatepass'))}")
                    assert answer.status_code in FITTING, (path, name, value[:50], answer.text[:300])
        for template in PATHS:
            for value in (*_said("id")[1:], *map(str, NUMBERS[:-1])):
                answer = await client.get(template.format(quote(value.encode(errors="surrogatepass"), safe="")))
                assert answer.status_code in FITTING, (template, value[:50], answer.text[:300])
