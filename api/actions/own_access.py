"""Change the own password, and end own sessions: the same for routes and pages."""

import time
from functools import partial

from fastapi import Request
from pydantic import BaseModel, Field

from access.administration import require_new_password
from access.passwords import hash_password, is_password
from access.rules import MOST_PASSWORD, Account, Actor
from access.store import find_login, load_account, set_password
from api.actions.people import acting, session_of
from api.actions.settle import settle
from api.context import Context
from api.http.identity.tries import note_try, require_try
from api.http.middleware import set_cookie
from api.http.problems import Problem, bad_parameter, not_found
from api.http.session_rules import Session
from api.http.work import FEW
from api.read.people.documents import session_name
from contract.errors import RemedyError
from store.pool import Connection


class PasswordChange(BaseModel):
    """`current`: the present password; without it only an account that has none yet, in a browser."""

    current: str | None = Field(default=None, max_length=MOST_PASSWORD)
    new: str = Field(max_length=2 * MOST_PASSWORD)


async def change_own_password(context: Context, request: Request, said: PasswordChange) -> tuple[int, str | None]:
    """Change the own password: all sessions end, and this browser gets a new one. The number of other sessions, and the
    value of the Set-Cookie header, None without a session.

    Raises a Problem (403, 422; 429 while the address has to wait).
    """
    actor, session = _require_person(context), session_of(request)
    async with context.database.snapshot() as connection:
        account = await _own(connection, actor)
        known = await find_login(connection, account.login)
    try:
        require_new_password(account, said.new)
    except RemedyError as exc:
        raise Problem(422, str(exc), parameter="new") from exc
    await _require_current(context, request, None if known is None else known.password, said.current)
    others = [one for one in await list_own_sessions(context) if session is None or one.key != session.key]
    hashed = await context.work.do(FEW + 1, partial(hash_password, said.new))
    await settle(context, lambda connection: set_password(connection, account.id, hashed, by=account.id))
    context.identity.forget_known()
    if session is None:
        return len(others), None
    now = time.time()
    begun, cookie = await context.sessions.begin(account.id, now, wall=False)
    return len(others), set_cookie(begun, cookie, now, secure=context.config.is_https)


async def _require_current(context: Context, request: Request, stored: str | None, given: str | None) -> None:
    """Raise a Problem unless the present password is given; who has none is known by the session only."""
    if stored is None:
        if session_of(request) is None:
            raise Problem(403, "this account has no password yet: choose one in a browser that is signed in")
        return
    secret = (given or "").encode()
    require_try(context.guesses, request.scope, secret)
    right = await context.work.do(FEW + 1, partial(is_password, stored, given or ""))
    note_try(context.guesses, request.scope, secret, right=right)
    if not right:
        raise bad_parameter("current", "this is not the present password")


async def list_own_sessions(context: Context) -> list[Session]:
    """The sessions of the account that asks, the last used first."""
    return await context.sessions.list_of(acting(context).account, time.time())


async def end_own_session(context: Context, name: str) -> None:
    """End one of the own sessions, by its id. Raises a Problem (403, 404)."""
    _require_person(context)
    found = next((one for one in await list_own_sessions(context) if session_name(one) == name), None)
    if found is None:
        raise not_found("session", name)
    await context.sessions.end(found.key)


async def end_other_sessions(context: Context, request: Request) -> int:
    """End all own sessions but the one that asks; returns their number. Raises a Problem (403)."""
    _require_person(context)
    current = session_of(request)
    others = [one for one in await list_own_sessions(context) if current is None or one.key != current.key]
    for one in others:
        await context.sessions.end(one.key)
    return len(others)


def _require_person(context: Context) -> Actor:
    """Raise a Problem (403) for an API token: who finds one must not lock its account's person out."""
    actor = acting(context)
    if actor.token is not None:
        raise Problem(403, "an API token does not change the password or the sessions of its account: sign in")
    return actor


async def _own(connection: Connection, actor: Actor) -> Account:
    account = await load_account(connection, actor.account)
    if account is None:
        raise not_found("account", actor.account)
    return account
