"""Change the own password, and end own sessions: the same for routes and pages."""

import time

from fastapi import Request
from pydantic import BaseModel, Field

from access.administration import require_new_password
from access.rules import MOST_PASSWORD, Account, Actor
from api.actions.people import acting, session_of
from api.context import Context
from api.http.problems import Problem, bad_parameter, not_found
from api.http.session_rules import Session
from api.read.people.documents import session_name
from contract.errors import RemedyError


class PasswordChange(BaseModel):
    """`current`: the present password; without it only an account that has none yet, in a browser."""

    current: str | None = Field(default=None, max_length=MOST_PASSWORD)
    new: str = Field(max_length=2 * MOST_PASSWORD)


async def change_own_password(context: Context, request: Request, said: PasswordChange) -> int:
    """Change the own password. All sessions but the one that asks end; returns their number.

    Raises a Problem (403, 409, 422; 429 while the account has to wait).
    """
    actor, session = _require_person(context), session_of(request)
    account = await context.passwords.load_account(actor.account)
    if account is None:
        raise not_found("account", actor.account)
    try:
        require_new_password(account, said.new)
    except RemedyError as exc:
        raise Problem(422, str(exc), parameter="new") from exc
    if session is None and not account.has_password:
        raise Problem(403, "this account has no password yet: choose one in a browser that is signed in")
    before = await _present(context, request, account, said.current) if account.has_password else None
    others = [one for one in await list_own_sessions(context) if session is None or one.key != session.key]
    keep = None if session is None else session.key
    if not await context.passwords.change(account.id, said.new, before=before, keep=keep):
        raise Problem(409, "the password was changed elsewhere just now: try again")
    context.identity.forget_known()
    return len(others)


async def _present(context: Context, request: Request, account: Account, given: str | None) -> str | None:
    """The hash of the present password. Raises a Problem (422) for a wrong one."""
    found = await context.passwords.check(request.scope, account.login, given or "")
    if found is None:
        raise bad_parameter("current", "this is not the present password")
    return found.password


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
    """End all own sessions but the one that asks, and one-use links; returns the number of sessions. Raises a
    Problem (403)."""
    actor, current = _require_person(context), session_of(request)
    return await context.sessions.end_others(actor.account, keep=None if current is None else current.key)


def _require_person(context: Context) -> Actor:
    """Raise a Problem (403) for an API token: who finds one must not lock its account's person out."""
    actor = acting(context)
    if actor.token is not None:
        raise Problem(403, "an API token does not change the password or the sessions of its account: sign in")
    return actor
