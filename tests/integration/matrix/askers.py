"""Those who ask: people in browsers, programs with tokens, wall displays, and those whose access is over."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import msgspec
from fastapi import FastAPI

from access.roles import Role
from access.rules import OPERATOR, Account
from access.scope import WHOLE, AreaScope
from access.store import add_account, add_token, disable_account, revoke_token
from access.tokens import new_token
from api.context import Context
from api.http.identity.actors import COOKIE
from store.pool import Pool
from tests.integration.api_world import OWN_PAGE
from tests.integration.matrix.country import NEAR

_BROWSER: Final = {"Accept": "text/html,application/xhtml+xml", **OWN_PAGE}
WITHIN: Final = AreaScope(areas=frozenset({NEAR}))


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `letter`: the column of the table; None: whose access is over. `how`: session, wall or token."""

    name: str
    letter: str | None
    role: Role = Role.ADMIN
    whole: bool = False
    how: str = "session"

    @property
    def scope(self) -> AreaScope:
        """The areas of the account."""
        return WHOLE if self.whole else WITHIN


_ROLES: Final = {"A": Role.ADMIN, "S": Role.SUPERVISOR, "T": Role.TECHNICIAN, "U": Role.AUDITOR}
COUNTY: Final = [Asker(name=f"{role} of a county", letter=letter, role=role) for letter, role in _ROLES.items()]
WALLS: Final = [Asker(name="wall display of a county", letter="W", how="wall")]
TOKENS: Final = [
    Asker(name=f"token of a county, {role}", letter=letter, role=role, how="token") for letter, role in _ROLES.items()
]
WHOLES: Final = [
    *(Asker(name=f"{role} of everything", letter=letter, role=role, whole=True) for letter, role in _ROLES.items()),
    Asker(name="wall display of everything", letter="W", whole=True, how="wall"),
]
OVER: Final = {
    "an anonymous client": "none",
    "a made-up cookie": "made up",
    "an ended session": "ended",
    "an expired token": "expired",
    "a revoked token": "revoked",
    "a session of a disabled account": "disabled",
    "a token of a disabled account": "disabled token",
}
"""Those who get nothing."""
WITHIN_SCOPE: Final = [*COUNTY, *WALLS, *TOKENS]


class Access:
    """Accounts, sessions and tokens of askers, in one database."""

    def __init__(self, app: FastAPI, pool: Pool) -> None:
        self._context: Context = app.state.context
        self._pool, self._accounts = pool, dict[str, Account]()

    async def account(self, asker: Asker) -> Account:
        """The account of an asker. A token's account is the admin of everything: the token narrows it."""
        if asker.name not in self._accounts:
            wide = asker.how == "token"
            async with self._pool.acquire() as connection:
                self._accounts[asker.name] = await add_account(
                    connection, login=f"asker-{len(self._accounts)}", name="问者",
                    role=Role.ADMIN if wide else asker.role, scope=WHOLE if wide else asker.scope, by=OPERATOR,
                )  # fmt: skip
        return self._accounts[asker.name]

    async def headers(self, asker: Asker) -> dict[str, str]:
        """What a new session, or a new token, of an asker sends."""
        account = await self.account(asker)
        if asker.how == "token":
            _, text = await self.token(account, role=asker.role, scope=asker.scope)
            return {"Authorization": f"Bearer {text}"}
        return await self.session(account, wall=asker.how == "wall")

    async def session(self, account: Account, *, wall: bool = False) -> dict[str, str]:
        """The headers of a new browser of an account."""
        _, cookie = await self._context.sessions.begin(account.id, time.time(), wall=wall)
        return {"Cookie": f"{COOKIE}={cookie}", **_BROWSER}

    async def token(
        self, account: Account, *, role: Role, scope: AreaScope, name: str = "asker", ago: timedelta = timedelta(0)
    ) -> tuple[str, str]:
        """Id and text of a new token of an account, made `ago` for nine days."""
        new = new_token()
        async with self._pool.acquire() as connection:
            await add_token(
                connection, new, account=account.id, name=name, role=role, scope=scope, by=OPERATOR,
                expires_at=datetime.now(UTC) + timedelta(days=9),
            )  # fmt: skip
            await connection.execute(
                "UPDATE api_token SET created_at = created_at - $2::interval, expires_at = expires_at - $2 "
                "WHERE id = $1",
                new.id, ago,
            )  # fmt: skip
        return new.id, new.text

    async def over(self, how: str) -> dict[str, str]:
        """The headers of an account whose access is over."""
        asker = Asker(name=how, letter=None, whole=True)
        account = await self.account(asker)
        if how == "none":
            return dict(_BROWSER)
        if how == "made up":
            return {"Cookie": f"{COOKIE}={'x' * 43}.{'0' * 64}", **_BROWSER}
        if how in ("ended", "disabled"):
            found = await self.session(account)
            async with self._pool.acquire() as connection:
                if how == "disabled":
                    await disable_account(connection, account.id, by=OPERATOR)
                else:
                    await connection.execute("DELETE FROM session WHERE account = $1", account.id)
            return found
        ago = timedelta(days=10) if how == "expired" else timedelta(0)
        token, text = await self.token(account, role=Role.ADMIN, scope=WHOLE, ago=ago)
        async with self._pool.acquire() as connection:
            if how == "revoked":
                await revoke_token(connection, token, by=OPERATOR)
            if how == "disabled token":
                await disable_account(connection, account.id, by=OPERATOR)
        return {"Authorization": f"Bearer {text}", **_BROWSER}


async def ask(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    headers: dict[str, str],
    body: dict[str, object] | bytes | None = None,
) -> httpx.Response:
    """One request, without what the client would keep; a page gets a form, a route JSON, both a file if the body is
    one. Streams are asked for their beginning only."""
    client.cookies.clear()
    if path == "/areas":  # of one area, its own page
        answer = await client.get(path, headers=headers)
        return await client.get(answer.headers.get("location", path), headers=headers)
    if path.startswith("/api/v1/stream"):
        return await client.request("HEAD", path, headers=headers)
    if body is None:
        return await client.request(method, path, headers=headers)
    if isinstance(body, bytes):
        return await client.request(method, path, headers={**headers, "Content-Type": "image/jpeg"}, content=body)
    if path.startswith("/api/"):
        return await client.request(method, path, headers=headers, json=body)
    return await client.request(method, path, headers=headers, data={name: str(value) for name, value in body.items()})
