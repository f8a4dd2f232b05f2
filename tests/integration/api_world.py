"""A world for the API's tests: rows as the other services write them, and the app over them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from access import store as access_store
from access.roles import Role
from access.rules import OPERATOR
from access.scope import WHOLE, AreaScope
from access.tokens import new_token
from api.config import ApiConfig
from api.live.event_hub import Client, EventHub
from api.service import open_app
from store.pool import Pool

TOKEN = "correct-horse-battery-staple"


class OtherAccount(NamedTuple):
    """An account beside the admin token's, and the headers of requests with a token of it."""

    account: str
    headers: dict[str, str]


async def other_account(pool: Pool, role: Role, login: str = "li", scope: AreaScope = WHOLE) -> OtherAccount:
    """A new account with a token."""
    async with pool.acquire() as connection:
        made = await access_store.add_account(connection, login=login, name="李四", role=role, scope=scope, by=OPERATOR)
    return OtherAccount(made.id, await other_token(pool, made.id))


async def other_token(pool: Pool, account: str) -> dict[str, str]:
    """The headers of requests with a new token of an account."""
    new, expires_at = new_token(), datetime.now(UTC) + timedelta(days=9)
    async with pool.acquire() as connection:
        found = await access_store.load_account(connection, account)
        assert found is not None
        await access_store.add_token(
            connection, new, account=account, name="报表", role=found.role, scope=found.scope, by=OPERATOR,
            expires_at=expires_at,
        )  # fmt: skip
    return {"Authorization": f"Bearer {new.text}"}


_SOUND: Final = 3600.0
"""Seconds by which a tick lies ahead, as verdicts become unknown ten seconds after the last tick."""


def look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app caches the result of no shared query, also not of a slow one."""
    monkeypatch.setattr("api.http.shared_query.LOOK_EVERY", 0.0)
    monkeypatch.setattr("api.http.shared_query._REST", 0.0)


class World:
    """Writes rows; `now` is the moment it was made, `ago(60)` a minute before."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.now = datetime.now(UTC)
        self._seq = 0

    def ago(self, seconds: float) -> datetime:
        return self.now - timedelta(seconds=seconds)

    async def area(self, code: str, name: str, *above: str, level: str = "county") -> None:
        await self.pool.execute(
            "INSERT INTO area (code, name, parent, level, path) VALUES ($1, $2, $3, $4, $5)",
            code,
            name,
            above[-1] if above else None,
            level,
            [*above, code],
        )

    async def clock(
        self, partition: int = 0, shard: str = "main", *, age: float = -_SOUND, blind: float | None = None
    ) -> None:
        """The last tick of a partition, `age` seconds ago; by default ahead, so it is sound during the whole test."""
        await self.pool.execute(
            "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, blind_since, memory) "
            "VALUES ($1, $2, 1000, $3, $3, $4, '{}') ON CONFLICT (partition, shard) DO UPDATE SET "
            "tick_at = excluded.tick_at, judged_at = excluded.judged_at, blind_since = excluded.blind_since",
            partition,
            shard,
            datetime.now(UTC) - timedelta(seconds=age),
            None if blind is None else datetime.now(UTC) - timedelta(seconds=blind),
        )

    async def suspicion(
        self, *members: str, began: float, ended: float | None = None, fell: int = 20, counted: int = 20
    ) -> None:
        """Shard main is suspected, with these stations; `ended` seconds ago they had their time to come back."""
        opened = await self.pool.fetchval(
            "INSERT INTO suspicion (shard, opened_at, instant_from, instant_to, began_at, known_at, fell, counted, "
            "registry, ended_at, ended_by) "
            "VALUES ('main', $1, $1, $1, $1, $1, $3, $4, '1', $2::timestamptz, "
            "CASE WHEN $2::timestamptz IS NOT NULL THEN 'half_back' END) RETURNING opened_at",
            self.ago(began), None if ended is None else self.ago(ended), fell, counted,
        )  # fmt: skip
        await self.pool.execute(
            "INSERT INTO suspicion_member (shard, opened_at, station, heard_at, missed_at, ended_at) "
            "SELECT 'main', $1, station, $1, $1, $3 FROM unnest($2::text[]) AS station",
            opened, list(members), None if ended is None else self.ago(ended),
        )  # fmt: skip

    async def station(
        self,
        station: str,
        state: str | None = "online",
        *,
        partition: int = 0,
        shard: str = "main",
        area: str | None = None,
        lifecycle: str = "commissioned",
        since: float = 600,
        seen: float = 5,
        usable: bool | None = True,
        name: str | None = None,
    ) -> None:
        """A station with terminal 001; `state` None: registered, never judged."""
        await self.pool.execute(
            "INSERT INTO station (id, name, area, lifecycle) VALUES ($1, $2, $3, $4)",
            station,
            name or station,
            area,
            lifecycle,
        )
        await self.pool.execute("INSERT INTO terminal (station, id, type) VALUES ($1, '001', 'kiosk')", station)
        if state is None:
            return
        await self.pool.execute(
            "INSERT INTO station_state (station, partition, state, since, usable) VALUES ($1, $2, $3, $4, $5)",
            station,
            partition,
            state,
            self.ago(since),
            usable,
        )
        await self.pool.execute(
            "INSERT INTO terminal_state (station, terminal, partition, shard, state, since, seen_at, boot, "
            "run, conn, n, every, seen, deadline, usable, users) "
            "VALUES ($1, '001', $2, $3, $4, $5, $6, 'b', 1, 0, 9, 60, 995, 1175, $7, 2)",
            station,
            partition,
            shard,
            state,
            self.ago(since),
            self.ago(seen),
            usable,
        )

    async def transition(
        self,
        station: str,
        at: float,
        after: str,
        *,
        before: str = "online",
        partition: int = 0,
        shard: str = "main",
        terminal: str | None = None,
        usable: bool | None = None,
    ) -> int:
        self._seq += 1
        await self.pool.execute(
            "INSERT INTO transition (partition, seq, station, terminal, before, after, usable, at, "
            "tick_at, shard, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 'heartbeat')",
            partition,
            self._seq,
            station,
            terminal,
            before,
            after,
            usable,
            self.ago(at),
            shard,
        )
        return self._seq

    async def gap(self, begin: float, end: float, *, partition: int = 0, shard: str = "main") -> None:
        self._seq += 1
        await self.pool.execute(
            "INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason) "
            "VALUES ($1, $2, $3, $4, $5, 'tick_lost')",
            partition,
            self._seq,
            shard,
            self.ago(begin),
            self.ago(end),
        )

    async def record(self, table: str, station: str, at: float, number: int, **columns: Any) -> None:
        """A stored record of terminal 001, `at` seconds ago."""
        names = ["ts", "station", "terminal", "box", "id", "device_at", "received_at", "time_source", *columns]
        values = [self.ago(at), station, "001", "box", number, 0, self.now, "anchor", *columns.values()]
        places = ", ".join(f"${place}" for place in range(1, len(names) + 1))
        await self.pool.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", *values)  # noqa: S608

    async def incident(
        self,
        kind: str,
        *,
        station: str | None = None,
        area: str | None = None,
        status: str = "open",
        began: float = 60,
        parent: int | None = None,
        detail: dict[str, Any] | None = None,
    ) -> int:
        self._seq += 1
        number: int = await self.pool.fetchval(
            "INSERT INTO incident (kind, key, station, area, status, began_at, opened_at, parent, detail) "
            "VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8) RETURNING id",
            kind,
            f"{kind}:{self._seq}",
            station,
            area,
            status,
            self.ago(began),
            parent,
            detail or {},
        )
        await self.pool.execute(
            "INSERT INTO incident_entry (incident, actor, action) VALUES ($1, 'milepost', 'opened')", number
        )
        return number

    async def hours(
        self, station: str, *openings: tuple[float, float], definition: dict[str, Any] | None = None
    ) -> int:
        """A calendar of a station of its own; openings in hours from now, the definition as it is stored."""
        calendar: int = await self.pool.fetchval(
            "INSERT INTO calendar (key, definition, filled_from, filled_to, classes) "
            "VALUES ($1, $2, now() - interval '8 d', now() + interval '40 d', '') RETURNING id",
            f"test {station}",
            definition or {},
        )
        for opens, closes in openings:
            await self.pool.execute(
                "INSERT INTO calendar_opening VALUES ($1, $2, $3)",
                calendar,
                self.ago(-opens * 3600),
                self.ago(-closes * 3600),
            )
        await self.pool.execute("UPDATE station SET calendar = $2 WHERE id = $1", station, calendar)
        return calendar

    async def closure(self, begin: float, end: float, *, approved: bool = True, **scope: str) -> int:
        """A closure of a station, an area or a programme; hours from now."""
        ((name, value),) = scope.items()
        number: int = await self.pool.fetchval(
            f"INSERT INTO closure ({name}, from_at, until_at, reason, declared_by, approved_by, approved_at) "  # noqa: S608
            "VALUES ($1, $2, $3, '装修', '王', $4, $5) RETURNING id",
            value,
            self.ago(-begin * 3600),
            self.ago(-end * 3600),
            "李" if approved else None,
            self.now if approved else None,
        )
        return number

    async def contact(self, id_: str, *, name: str = "李明", area: str | None = None, room: bool = True) -> str:
        """A contact with one channel and without an account."""
        await self.pool.execute(
            "INSERT INTO contact (id, name, role, area, room, edited_by) "
            "VALUES ($1, $2, 'technician', $3, $4, 'operator')",
            id_, name, area, room,
        )  # fmt: skip
        await self.pool.execute(
            "INSERT INTO contact_channel (contact, place, kind, address) VALUES ($1, 1, 'wecom', 'wecom://' || $1)", id_
        )
        return id_

    async def silence(self, begin: float = -1, end: float = 48, *, reason: str = "换设备", **scope: str) -> int:
        """A silence of a station or an area, of everything without one; hours from now."""
        number: int = await self.pool.fetchval(
            "INSERT INTO silence (station, area, from_at, until_at, reason, made_by, made_at) "
            "VALUES ($1, $2, $3, $4, $5, 'operator', $6) RETURNING id",
            *(scope.get("station"), scope.get("area"), self.ago(-begin * 3600), self.ago(-end * 3600)),
            *(reason, self.now),
        )
        return number


def config(database: str, folder: Path, **changes: Any) -> ApiConfig:
    """A config whose admin token is TOKEN."""
    token = folder / "admin.token"
    token.write_text(TOKEN + "\n")
    base = ApiConfig(database_url=database, admin_token_file=token)
    return msgspec.structs.replace(base, **changes)


@asynccontextmanager
async def calling(app: FastAPI, token: str | None = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app, without a socket between them; its errors become answers, as a server's would."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://milepost.test", headers=headers) as client:
        yield client


@asynccontextmanager
async def serving(settings: ApiConfig, token: str | None = TOKEN) -> AsyncIterator[tuple[httpx.AsyncClient, EventHub]]:
    """The app of a config and a client of it."""
    async with open_app(settings) as (app, hub), calling(app, token) as client:
        yield client, hub


async def join_all(hub: EventHub, *scopes: AreaScope) -> list[Client]:
    """Clients of an event stream that listens: what is written after this call reaches each whose scope has it.

    A client that joins later may miss it, as the hub also reads at its own intervals.
    """
    await asyncio.wait_for(hub.listening.wait(), 20)
    return [hub.join(None, scope) for scope in scopes]


OWN_PAGE: Final = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form of our own pages."""


async def sign_in(client: httpx.AsyncClient, *, token: str = TOKEN, **fields: str) -> httpx.Response:
    """Sign the client in as the form does."""
    return await client.post("/signin", data={"token": token, **fields}, headers=OWN_PAGE)


async def new_code(client: httpx.AsyncClient) -> str:
    """The code of a new one-use link, which a client with the token asks for."""
    made = await client.post("/api/v1/signin-links", headers={"Authorization": f"Bearer {TOKEN}"})
    assert made.status_code == 201
    return str(made.json()["link"]).partition("code=")[2]


async def leave(page: Any, link_or_button: Any) -> None:
    """Click what leads to another page, and wait until that page is whole: a click ends before, and an element is there
    before what follows it."""
    async with page.expect_navigation():
        await link_or_button.click()


async def sign_in_page(page: Any, url: str, *, wall: bool = False) -> None:
    """Sign a real browser in by the form; it shows the board then."""
    await page.goto(f"{url}/signin")
    await enter_token(page, TOKEN, wall=wall)
    await page.locator("#headline").wait_for()


async def enter_token(page: Any, token: str, *, wall: bool = False) -> None:
    """Enter a token in the form of a real browser, which is folded at first."""
    form = page.locator("form:has(input[name=token])")
    if not await form.is_visible():
        await page.locator("summary").click()
    await form.locator("input[name=token]").fill(token)
    if wall:
        await form.locator("input[name=wall]").check()
    await leave(page, form.locator("button"))
