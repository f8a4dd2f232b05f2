"""The page on which a person sets or changes the own password."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from access.rules import BUILT_IN, LEAST_PASSWORD, MOST_PASSWORD, Account, require_password
from api.console.pages import page_router, show, words_for
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.identity.tries import TOO_MANY
from api.http.middleware import SESSION
from api.http.problems import Problem
from api.http.session_rules import Session, own_path
from contract.errors import RemedyError

router = page_router()

_BUSY = 503


@router.get("/password")
async def show_password(
    request: Request, context: Shared, goes_to: Annotated[str, Query(max_length=2000)] = ""
) -> Response:
    """The form for a password; without a password yet it does not ask for the present one."""
    return _show(request, await _account(request, context), goes_to)


def _show(request: Request, account: Account, goes_to: str, status: int = 200, refused: str = "") -> Response:
    return show(
        request,
        "password.html",
        status,
        account=account,
        may_have=account.id not in BUILT_IN,
        goes_to=own_path(goes_to),
        refused=refused,
        least=LEAST_PASSWORD,
        most=MOST_PASSWORD,
    )


async def _account(request: Request, context: Context) -> Account:
    """The account of the browser's session: a token changes no password. Raises a Problem (403)."""
    session: Session | None = request.scope[SESSION]
    account = None if session is None else await context.passwords.load_account(session.account)
    if account is None:
        raise Problem(403, "a password is changed in a browser that is signed in")
    return account


@router.post("/password")
async def set_password(request: Request, context: Shared) -> Response:
    """Set the password, end the other sessions of the account, and go on; a refusal is shown beside the form."""
    form = await read_form(request)
    account = await _account(request, context)
    goes_to = form.get("goes_to", "")
    try:
        refused = await _set(request, context, account, form)
    except Problem as exc:
        if exc.status not in (TOO_MANY, _BUSY):
            raise
        page = _show(request, account, goes_to, exc.status, words_for(request)("try_later"))
        page.headers.update(exc.headers or {})
        return page
    if refused:
        return _show(request, account, goes_to, 422, refused)
    return RedirectResponse(own_path(goes_to), status_code=303)


async def _set(request: Request, context: Context, account: Account, form: Mapping[str, str]) -> str:
    """Change the password. Returns why it was not changed, in the reader's language. Raises a Problem (429, 503)."""
    words, new, session = words_for(request), form.get("password", ""), request.scope[SESSION]
    if account.id in BUILT_IN:
        return words("password_none")
    if new != form.get("again", ""):
        return words("password_not_same")
    try:
        require_password(new, account.login)
    except RemedyError as exc:
        return exc.said.text(words.language)
    before = None
    if account.has_password:
        found = await context.passwords.check(request.scope, account.login, form.get("current", ""))
        if found is None:
            return words("password_wrong")
        before = found.password
    if not await context.passwords.change(account.id, new, before=before, keep=session.key):
        return words("password_elsewhere")
    context.sessions.forget(account.id)
    return ""
