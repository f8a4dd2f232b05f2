"""What each path is asked about: a thing inside the scope, one outside, and one that does not exist."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from access.rules import OPERATOR, Account
from access.scope import WHOLE
from store.pool import Pool
from tests.integration.api_world import World
from tests.integration.duty_kit import add_duty, add_route, add_substitute
from tests.integration.matrix.askers import WITHIN, Access, Asker
from tests.integration.matrix.country import (
    CONTACTS,
    FAR,
    FAR_ENTRY,
    FAR_NUMBER,
    FAR_RETIRED,
    NEAR,
    PHOTOS,
    UNKNOWN_AREA,
    Country,
    add_correction,
    add_finding,
)
from tests.integration.matrix.table import Row
from tests.pictures import encoded, flag

_COUNT: Final = itertools.count(100)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Names of one thing of every kind."""

    station: str
    area: str
    incident: int
    closure: int
    finding: int
    correction: int
    assessment: int
    silence: int
    duty: int
    substitute: int
    contact: str
    route: str
    account: str
    token: str
    entry: int
    session: str = "0" * 16
    photo: str = PHOTOS["near"]
    role: str = "technician"

    def path(self, row: Row) -> str:
        """The path of a row about it."""
        kind = row.path.removeprefix("/api/v1").split("/")[1]
        key = row.path.rpartition("/{id}")[0].rpartition("/")[2]
        names = {"stations": self.station, "incidents": self.incident, "closures": self.closure,
                 "findings": self.finding, "corrections": self.correction, "assessments": self.assessment,
                 "silences": self.silence, "duty": self.duty, "substitutes": self.substitute, "contacts": self.contact,
                 "routes": self.route,
                 "accounts": self.account, "tokens": self.token, "sessions": self.session,
                 "entries": self.entry,
                 "photos": self.photo}  # fmt: skip
        found = names.get(key, names.get(kind))
        others: dict[str, object] = {
            "shard": "main",
            "action": "note",
            "token": self.incident,
            "name": "title",
            "language": "en",
        }
        # CSV needs no fonts.
        form = "?format=csv" if "/reports/" in row.path else ""
        return row.path.format(id=found, code=self.area, **others) + form

    @property
    def names(self) -> list[str]:
        """All its names as text, the longest first."""
        every = (
            self.station,
            self.area,
            self.incident,
            self.closure,
            self.finding,
            self.correction,
            self.assessment,
            self.silence,
            self.duty,
            self.substitute,
            self.contact,
            self.route,
            self.account,
            self.token,
            self.session,
            self.entry,
            self.photo,
        )
        return sorted(map(str, every), key=len, reverse=True)

    def masked(self, text: str) -> str:
        """A text without its names."""
        for name in self.names:
            text = text.replace(name, "NAME")
        return text


FAR_AWAY: Final = Subject(
    station="6325210003",
    area=FAR,
    incident=FAR_NUMBER,
    closure=FAR_NUMBER,
    finding=FAR_NUMBER,
    correction=FAR_NUMBER,
    assessment=FAR_NUMBER,
    silence=FAR_NUMBER,
    duty=FAR_NUMBER,
    substitute=FAR_NUMBER,
    contact=CONTACTS["far"],
    route="longyangxia-r",
    account="longyangxia-far",
    token="fartoken00",
    entry=FAR_ENTRY,
    photo=PHOTOS["far"],
)
"""Of the same lengths as UNKNOWN."""
UNKNOWN: Final = Subject(
    station="9999990003", area=UNKNOWN_AREA, incident=9_999_999_999, closure=9_999_999_999,
    finding=9_999_999_999, correction=9_999_999_999, assessment=9_999_999_999,
    silence=9_999_999_999, duty=9_999_999_999, substitute=9_999_999_999, contact="longyangxia9",
    route="longyangxia-x",
    account="longyangxia-xyz",
    token="xyztoken00",
    entry=9_999_999_999,
    photo="99999999-9999-4999-8999-999999999999",
)  # fmt: skip


def far_and_unknown(row: Row, role: str = "technician") -> tuple[Subject, Subject]:
    """What lies outside, and what does not exist, for one row. `role`: that of a new token, of who asks."""
    far, unknown = FAR_AWAY, UNKNOWN
    if row.path.endswith("/restore"):
        far = msgspec.structs.replace(far, station=FAR_RETIRED)
    if row.path.endswith("/enable"):
        far = msgspec.structs.replace(far, account=f"{far.account}-off")
        unknown = msgspec.structs.replace(unknown, account=f"{unknown.account}-off")
    return msgspec.structs.replace(far, role=role), msgspec.structs.replace(unknown, role=role)


class Subjects:
    """Things inside the scope: those that are there, and new ones for requests that change them."""

    def __init__(self, country: Country, access: Access) -> None:
        self._pool: Pool = country.pool
        self._world: World = country.world
        self._access, self._country = access, country

    def standing(self, role: str = "technician") -> Subject:
        """Things that no request changes."""
        return Subject(
            role=role,
            station="6302220002", area=NEAR, incident=self._country.incidents["near"][0],
            closure=self._country.closures["near"][0],
            finding=self._country.findings["near"], correction=self._country.corrections["near"],
            assessment=self._country.assessments["near"],
            silence=self._country.silences["near"][0], duty=self._country.duties["near"],
            substitute=self._country.substitutes["near"], contact=CONTACTS["near"], route="near-r",
            account="a-near", token="neartoken00", entry=self._country.entries["near"],
        )  # fmt: skip

    async def fresh(self, row: Row, asker: Asker, headers: dict[str, str]) -> Subject:
        """A thing that the request of a row may change."""
        number = next(_COUNT)
        station = f"6302220{number}"
        retired = row.path.endswith("/restore")
        await self._world.station(station, "online", area=NEAR, name=f"新站{number}",
                                  lifecycle="retired" if retired else "commissioned")  # fmt: skip
        incident = await self._world.incident("station_offline", station=station)
        await self._pool.execute("UPDATE incident SET area = $2 WHERE id = $1", incident, NEAR)
        closure = await self._world.closure(-1, 2, approved=False, station=station)
        finding, correction = await add_finding(self._pool, station), await add_correction(self._pool, station)
        silence = await self._world.silence(station=station)
        contact = CONTACTS["near"]
        duty = await add_duty(self._pool, contact, NEAR, times=f"Mo-Su 00:{number % 60:02}-{number // 60 + 1:02}:00")
        begin = self._world.now + timedelta(days=number)
        substitute = await add_substitute(self._pool, contact, f"{contact}-b", begin)
        if "/contacts/" in row.path:
            contact = await self._world.contact(f"fresh-{number}", area=NEAR)
        account = await self._account(number, off=row.path.endswith("/enable"))
        own = await self._access.account(asker)
        by = own.id if row.path.endswith("/withdraw") else OPERATOR  # who withdraws own ones only, approves no own ones
        # A technician closes own ones only.
        maker = own.id if row.path.endswith("/close") else OPERATOR
        await self._pool.execute("UPDATE finding SET made_by = $2 WHERE id = $1", finding, maker)
        await self._pool.execute("UPDATE closure SET declared_by = $2 WHERE id = $1", closure, by)
        await self._pool.execute("UPDATE account SET password = NULL, password_at = NULL WHERE id = $1", own.id)
        token = await self._token(own, asker, headers)
        return Subject(station=station, area=NEAR, incident=incident, closure=closure, silence=silence, duty=duty,
                       finding=finding, correction=correction, assessment=self._country.assessments["near"],
                       substitute=substitute, contact=contact, route=await self._route(number), account=account,
                       token=token, session=await self._session(own), role=asker.role,
                       entry=self._country.entries["near"])  # fmt: skip

    async def _route(self, number: int) -> str:
        name = f"fresh-{number}"
        await add_route(self._pool, name, NEAR)
        return name

    async def _account(self, number: int, *, off: bool) -> str:
        account = f"a-fresh-{number}"
        await self._pool.execute(
            "INSERT INTO account (id, login, name, role, whole, created_by, disabled_at, disabled_by) VALUES "
            "($1, $1, $1, 'technician', false, $2, CASE WHEN $3 THEN now() END, CASE WHEN $3 THEN $2 END)",
            account, OPERATOR, off,
        )  # fmt: skip
        await self._pool.execute("INSERT INTO account_area VALUES ($1, $2)", account, NEAR)
        return account

    async def _token(self, own: Account, asker: Asker, headers: dict[str, str]) -> str:
        """The token that asks itself, or another one of the asker's account."""
        given = headers.get("Authorization", "")
        if given:
            return given.split("_")[1]
        token, _ = await self._access.token(own, role=asker.role, scope=WHOLE if asker.whole else WITHIN, name="fresh")
        return token

    async def _session(self, own: Account) -> str:
        await self._access.session(own)
        return str(
            await self._pool.fetchval(
                "SELECT left(encode(key, 'hex'), 16) FROM session WHERE account = $1 ORDER BY created_at DESC LIMIT 1",
                own.id,
            )
        )


_SOON: Final = datetime.now(UTC) + timedelta(days=2)
_PICTURE: Final = encoded(flag())
_TIMES: Final = {"from": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
_PAST: Final = {"from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
_FORM_TIMES: Final = {"from": "2026-11-01T00:00", "until": "2026-11-02T00:00"}


def _contact(about: Subject) -> dict[str, Any]:
    return {"name": "新", "role": "technician", "area": about.area, "room": "yes", "language": "zh-CN"}


def _interval(about: Subject) -> dict[str, Any]:
    return {"station": about.station, "text": "t", "reason": "r", "counts_as": "up", **_PAST}


_ABOUT: Final[dict[str, Callable[[Subject], dict[str, Any]]]] = {
    "/contacts": _contact,
    "/findings": _interval,
    "/disputes": _interval,
    "/corrections": _interval,
    "/assessments": lambda about: {"area": about.area, "period": "2026-11", "why": "r"},
    "/contacts/{id}": _contact,
    "/duty": lambda about: {"area": about.area, "role": "technician", "contact": about.contact},
    "/routes/{id}": lambda about: {"name": "r", "area": about.area, "steps": "technician"},
    "/routes": lambda about: {"id": f"page-{about.contact}", "name": "r", "area": about.area, "steps": "technician"},
    "/substitutes": lambda about: {"contact": about.contact, "substitute": f"{about.contact}-b", **_TIMES},
    "/templates/{name}/{language}": lambda about: {"text": "{title}"},
    "/tokens": lambda about: {"name": "t", "areas": [about.area], "role": about.role, "days": 3},
}


def body_of(row: Row, subject: Subject) -> dict[str, Any] | bytes | None:
    """The body of the request of a row: fields, or a file."""
    if row.method in ("GET", "DELETE"):
        return None
    return _PICTURE if row.path.endswith("/photos") else _fields(row, subject)


def _fields(row: Row, subject: Subject) -> dict[str, Any]:
    path = row.path.removeprefix("/api/v1")
    if path == "/closures":
        if row.is_page:
            return {"scope": "station", "name": subject.station, "kind": "closure", "reason": "r", **_FORM_TIMES}
        return {"station": subject.station, "reason": "r", **_TIMES}
    if path == "/silences":
        if row.is_page:
            return {"scope": "station", "name": subject.station, "reason": "r", "until": f"{_SOON:%Y-%m-%dT%H:%M}"}
        return {"station": subject.station, "reason": "r", "until": _SOON.isoformat()}
    if path == "/accounts" and row.is_page:
        return {"login": "new-page", "name": "新", "role": "technician", "scope": "areas", "areas": subject.area}
    if path == "/account/tokens":
        return {"name": "t", "scope": "areas", "areas": subject.area, "role": subject.role, "days": 3}
    if path == "/accounts":
        return {"login": f"new-{next(_COUNT)}", "name": "新", "role": "technician", "areas": [subject.area]}
    if path in _ABOUT:
        return _ABOUT[path](subject)
    return _BODIES.get(path, {"reason": "r", "text": "t"})


_BODIES: Final[dict[str, dict[str, Any]]] = {
    # The page comes first: an account without a password has one then.
    "/account/password": {"current": "wall paint dries slowly 7", "new": "wall paint dries slowly 8"},
    "/password": {"password": "wall paint dries slowly 7", "again": "wall paint dries slowly 7"},
    "/accounts/{id}": {"name": "改", "role": "technician"},
    "/incidents/{id}/assign": {"assignee": "a"},
    "/incidents/{id}/repair": {"cause": "power"},
    "/incidents/{id}/repairs": {"cause": "power"},
    "/pipeline/restarts": {"minutes": 1, "reason": "r"},
    "/signin": {"token": "wrong"},
    "/signout": {},
}
